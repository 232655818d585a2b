#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace examples {

/// The flags of an example, each with a variable that holds its default and then what the user says. CLI11 does the work, in flags.cpp,
/// so that it is compiled once and not in every example.
class Flags {
 public:
  explicit Flags(const std::string& what_the_program_does);
  ~Flags();

  /// A whole number from least to most.
  void add(const std::string& name, std::ptrdiff_t& number, const std::string& help, std::ptrdiff_t least = 1,
           std::ptrdiff_t most = 1'000'000);
  /// As many whole numbers as there are.
  void add(const std::string& name, std::vector<std::ptrdiff_t>& numbers, const std::string& help, std::ptrdiff_t least = 1,
           std::ptrdiff_t most = 1'000'000);
  void add(const std::string& name, double& number, const std::string& help);
  void add(const std::string& name, std::string& text, const std::string& help);
  /// Without a value: true where it is given.
  void add(const std::string& name, bool& is_given, const std::string& help);
  /// --seed
  void add_seed(std::uint64_t& seed, const std::string& what_it_decides);

  /// Reads the command line. For --help, and for what it does not understand, it says so and ends the program.
  void parse(int argc, const char* const* argv);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace examples
