#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace examples {

/// The command-line flags of an example. Each flag has a variable, which holds the default before parse() and the user's value after it.
/// Parsing is done by CLI11 in flags.cpp, so that CLI11 is compiled once and not in every example.
class Flags {
 public:
  explicit Flags(const std::string& what_the_program_does);
  ~Flags();

  /// An integer from `least` to `most`.
  void add(const std::string& name, std::ptrdiff_t& number, const std::string& help, std::ptrdiff_t least = 1,
           std::ptrdiff_t most = 1'000'000);
  /// A list of integers, as many as `numbers` holds.
  void add(const std::string& name, std::vector<std::ptrdiff_t>& numbers, const std::string& help, std::ptrdiff_t least = 1,
           std::ptrdiff_t most = 1'000'000);
  /// A number.
  void add(const std::string& name, double& number, const std::string& help);
  /// A text.
  void add(const std::string& name, std::string& text, const std::string& help);
  /// A flag without a value: true if it is given.
  void add(const std::string& name, bool& is_given, const std::string& help);
  /// The flag --seed. what_for: what the random numbers are used for, to complete "Seed for ...".
  void add_seed(std::uint64_t& seed, const std::string& what_for);

  /// Reads the command line. With --help or wrong flags, prints a message and exits.
  void parse(int argc, const char* const* argv);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace examples
