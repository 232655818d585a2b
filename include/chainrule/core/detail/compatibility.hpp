#pragma once
// Functions and constants that some compilers of the README's table, versions of libc++ or flags lack. With other libraries they are the
// standard ones; libstdc++ 12, also with clang 14, needs none of those for libc++.
//   libc++ 13 (Emscripten 3.1.6)     no std::bit_cast, and no std::to_chars for floating point
//   libc++ up to 22 at least         std::numbers in long double with the precision of double
//   -ffast-math                      std::isfinite and std::isnan say that every number is finite

#include <bit>
#include <chainrule/core/detail/require_cpp20.hpp>
#include <charconv>
#include <clocale>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>

namespace chainrule::detail {

/// The square root of 2, exact in every digit of T.
template <std::floating_point T>
inline constexpr T sqrt2 = static_cast<T>(1.41421356237309504880168872420969807857L);
/// The natural logarithm of 2, exact in every digit of T.
template <std::floating_point T>
inline constexpr T ln2 = static_cast<T>(0.693147180559945309417232121458176568076L);

/// std::bit_cast: the bits of `from` as another type of the same size.
template <class To, class From>
constexpr To bit_cast(const From& from) {
#if defined(__cpp_lib_bit_cast)
  return std::bit_cast<To>(from);
#else
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
#endif
}

/// Whether a number is neither NaN nor infinite, by the bits of its exponent.
template <class Scalar>
constexpr bool is_finite(Scalar x) {
  if constexpr (sizeof(Scalar) == 4)
    return (bit_cast<std::uint32_t>(x) & 0x7f800000u) != 0x7f800000u;
  else if constexpr (sizeof(Scalar) == 8)
    return (bit_cast<std::uint64_t>(x) & 0x7ff0000000000000u) != 0x7ff0000000000000u;
  else
    return std::isfinite(x);
}

/// Whether a number is NaN, by its bits.
template <class Scalar>
constexpr bool is_nan(Scalar x) {
  if constexpr (sizeof(Scalar) == 4)
    return (bit_cast<std::uint32_t>(x) & 0x7fffffffu) > 0x7f800000u;
  else if constexpr (sizeof(Scalar) == 8)
    return (bit_cast<std::uint64_t>(x) & 0x7fffffffffffffffu) > 0x7ff0000000000000u;
  else
    return std::isnan(x);
}

/// The number as a size in memory. A template, because g++ warns of a useless cast of a std::uint64_t where that is the type of sizes.
template <std::unsigned_integral T>
constexpr std::size_t to_size(T number) {
  return static_cast<std::size_t>(number);
}

/// The number as printf writes it, but with a decimal point in every locale. `conversion` is e, f or g.
template <std::floating_point T>
std::string printed(T number, int precision, char conversion) {
  char buffer[128];
  int size = 0;
  if constexpr (sizeof(T) > sizeof(double))
    size = std::snprintf(buffer, sizeof buffer, conversion == 'e' ? "%.*Le" : conversion == 'f' ? "%.*Lf" : "%.*Lg", precision, number);
  else
    size = std::snprintf(buffer, sizeof buffer,
                         conversion == 'e'   ? "%.*e"
                         : conversion == 'f' ? "%.*f"
                                             : "%.*g",
                         precision, static_cast<double>(number));
  std::string text(buffer, static_cast<std::size_t>(size));
  const std::string point = std::localeconv()->decimal_point;
  if (const auto place = text.find(point); place != std::string::npos) text.replace(place, point.size(), ".");
  return text;
}

/// Whether strtod and its relatives read the text, written with a decimal point, as this number.
template <std::floating_point T>
bool reads_as(const std::string& text, T number) {
  std::string here = text;
  if (const auto place = here.find('.'); place != std::string::npos) here.replace(place, 1, std::localeconv()->decimal_point);
  if constexpr (sizeof(T) == sizeof(float))
    return std::strtof(here.c_str(), nullptr) == number;
  else if constexpr (sizeof(T) == sizeof(double))
    return std::strtod(here.c_str(), nullptr) == number;
  else
    return std::strtold(here.c_str(), nullptr) == number;
}

/// The text that std::to_chars(number) writes, made with printf: the fewest digits that are read back as the number, with an exponent where
/// that is shorter.
template <std::floating_point T>
std::string shortest_by_printf(T number) {
  std::string scientific = printed(number, 0, 'e');
  if (!is_finite(number)) return scientific;  // inf, nan
  int digits = 1;
  while (!reads_as(scientific, number)) scientific = printed(number, digits++, 'e');
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  if (exponent < -40 || exponent > 40) return scientific;
  const std::string fixed = printed(number, digits - 1 > exponent ? digits - 1 - exponent : 0, 'f');
  return fixed.size() <= scientific.size() ? fixed : scientific;
}

/// Appends the shortest decimal that is read back as the same number: 0.1, 1e-09, inf.
template <std::floating_point T>
void append_shortest(std::string& text, T number) {
#if defined(_LIBCPP_VERSION) && _LIBCPP_VERSION < 14000
  text += shortest_by_printf(number);
#else
  char buffer[64];
  text.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
#endif
}

/// Appends the number with `digits` significant digits, as printf's %g does.
template <std::floating_point T>
void append_digits(std::string& text, T number, int digits) {
#if defined(_LIBCPP_VERSION) && _LIBCPP_VERSION < 14000
  text += printed(number, digits, 'g');
#else
  char buffer[64];
  text.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::general, digits).ptr);
#endif
}

}  // namespace chainrule::detail
