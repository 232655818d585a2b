#pragma once
// Writes numbers and arrays so that both C99 and C++11 read them, and checks names.

#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

namespace chainrule::detail {

/// Whether every identifier that begins with the name and an underscore is free for us to use: the name has letters, digits and single
/// underscores, begins with a letter and does not end in an underscore. Keywords are allowed, because something always follows them.
inline bool is_source_prefix(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (name.empty() || !is_letter(name.front()) || name.back() == '_' || name.find("__") != std::string_view::npos) return false;
  for (const char c : name)
    if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_') return false;
  return true;
}

/// The name in capitals: MODEL for model.
inline std::string in_capitals(std::string_view name) {
  std::string capitals;
  for (const char c : name) capitals += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return capitals;
}

/// The number in decimal, because hexadecimal floating point numbers are not C++ before C++17, with enough digits to be read back as the
/// same number: 9 digits for a float, as in 0.100000001f, 17 for a double. Precondition: the number is finite.
template <class Written>
std::string source_literal(Written number) {
  std::string text;
  append_digits(text, number, std::numeric_limits<Written>::max_digits10);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return sizeof(Written) == sizeof(float) ? text + "f" : text;
}

/// The initializer {1.0f, 2.0f, ...} of `size` numbers, which number(i) returns as text. Lines of at most 120 characters, `margin` before
/// all but the first.
template <class Number>
std::string source_row(Index size, const std::string& margin, const Number& number) {
  constexpr std::size_t longest_line = 120;
  std::string row = "{", line;
  for (Index i = 0; i < size; ++i) {
    const std::string one = number(i) + (i + 1 < size ? "," : "");
    if (!line.empty() && margin.size() + line.size() + one.size() + 3 > longest_line) {
      row += line + "\n" + margin;
      line.clear();
    }
    line += (line.empty() ? "" : " ") + one;
  }
  return row + line + "}";
}

}  // namespace chainrule::detail
