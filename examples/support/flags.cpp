#include "flags.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace examples {

struct Flags::Parser {
  CLI::App app;
};

Flags::Flags(const std::string& what_the_program_does) : parser_(new Parser{CLI::App(what_the_program_does)}) {
  parser_->app.option_defaults()->always_capture_default();
}

Flags::~Flags() = default;

void Flags::add(const std::string& name, std::ptrdiff_t& number, const std::string& help, std::ptrdiff_t least, std::ptrdiff_t most) {
  parser_->app.add_option(name, number, help)->check(CLI::Range(least, most));
}

void Flags::add(const std::string& name, std::vector<std::ptrdiff_t>& numbers, const std::string& help, std::ptrdiff_t least,
                std::ptrdiff_t most) {
  parser_->app.add_option(name, numbers, help)->expected(static_cast<int>(numbers.size()))->check(CLI::Range(least, most));
}

void Flags::add(const std::string& name, double& number, const std::string& help) { parser_->app.add_option(name, number, help); }

void Flags::add(const std::string& name, std::string& text, const std::string& help) { parser_->app.add_option(name, text, help); }

void Flags::add(const std::string& name, bool& is_given, const std::string& help) { parser_->app.add_flag(name, is_given, help); }

void Flags::add_seed(std::uint64_t& seed, const std::string& what_for) {
  parser_->app.add_option("--seed", seed, "Seed for " + what_for)->check(CLI::Range(0, 1'000'000'000));
}

void Flags::parse(int argc, const char* const* argv) {
  try {
    parser_->app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(parser_->app.exit(error));
  }
}

}  // namespace examples
