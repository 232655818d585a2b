#pragma once
// Parses decimal numbers as people and programs write them into files: 1, -2.5, +.5, 1e-3. The decimal point is '.' in every locale.

#include <chainrule/core/detail/require_cpp20.hpp>
#include <charconv>
#include <string_view>
#if !defined(__cpp_lib_to_chars)  // libc++ before version 20 has no from_chars for floating point
#include <cerrno>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <string>
#endif

namespace chainrule::detail {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Returns `text` without leading and trailing spaces and tabs.
constexpr std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The outcome of parse_number: a number was read, the text is not a decimal number, or the number is too large for its type.
enum class ParseResult { number, invalid, out_of_range };

/// Whether the absolute value of the nonzero decimal number in `text` is below 1. Tells underflow from overflow, for which
/// std::from_chars returns the same error.
constexpr bool is_below_one(std::string_view text) {
  long place = 0;  // position of the first nonzero digit: 3 for 123, 0 for 0.1, -2 for 0.001
  std::size_t i = text.find_first_not_of("+-");
  while (i < text.size() && text[i] == '0') ++i;
  for (; i < text.size() && is_digit(text[i]); ++i) ++place;
  if (place == 0 && i < text.size() && text[i] == '.')
    for (++i; i < text.size() && text[i] == '0'; ++i) --place;
  const std::size_t e = text.find_first_of("eE", i);
  if (e == std::string_view::npos) return place <= 0;
  const bool negative = text[e + 1] == '-';
  long exponent = 0;
  for (std::size_t k = text.find_first_not_of("+-", e + 1); k < text.size() && exponent < 100'000'000; ++k)
    exponent = 10 * exponent + (text[k] - '0');
  return place + (negative ? -exponent : exponent) <= 0;
}

/// Parses [begin, end), which starts with a digit, a point or a minus, as std::from_chars does.
template <class Scalar>
std::from_chars_result read_decimal(const char* begin, const char* end, Scalar& value) {
#if defined(__cpp_lib_to_chars)
  return std::from_chars(begin, end, value);
#else
  std::string text(begin, end);
  if (text.find_first_not_of("0123456789.eE+-") != std::string::npos) return {begin, std::errc::invalid_argument};
  if (const auto point = text.find('.'); point != std::string::npos) text.replace(point, 1, std::localeconv()->decimal_point);
  char* stop = nullptr;
  errno = 0;
  if constexpr (sizeof(Scalar) == sizeof(float))
    value = std::strtof(text.c_str(), &stop);
  else if constexpr (sizeof(Scalar) == sizeof(double))
    value = std::strtod(text.c_str(), &stop);
  else
    value = std::strtold(text.c_str(), &stop);
  if (*stop != '\0') return {begin, std::errc::invalid_argument};
  return {end, errno == ERANGE && std::isinf(value) ? std::errc::result_out_of_range : std::errc{}};
#endif
}

/// Parses the whole of `text`, spaces and tabs around it aside, as a finite decimal number. Infinity, NaN and hexadecimal numbers are
/// invalid. A number too small for Scalar becomes 0; one too large is out of range. `value` changes only where a number was read.
template <class Scalar>
ParseResult parse_number(std::string_view text, Scalar& value) {
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const std::size_t first = !text.empty() && text[0] == '-' ? 1 : 0;
  if (first == text.size() || !(is_digit(text[first]) || text[first] == '.')) return ParseResult::invalid;
  Scalar number{};
  const char* end = text.data() + text.size();
  const std::from_chars_result result = read_decimal(text.data(), end, number);
  if (result.ptr != end || result.ec == std::errc::invalid_argument) return ParseResult::invalid;
  if (result.ec == std::errc::result_out_of_range) {
    if (!is_below_one(text)) return ParseResult::out_of_range;
    number = first == 1 ? -Scalar{0} : Scalar{0};
  }
  value = number;
  return ParseResult::number;
}

}  // namespace chainrule::detail
