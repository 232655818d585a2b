#pragma once

#include <chainrule/core/error.hpp>
#include <concepts>
#include <limits>
#include <string_view>

namespace chainrule {

/// How the learning rate changes in the course of training: schedule(time) is the factor to multiply the optimizer's learning_rate
/// with. time is at least 0 and counts in the unit in which the schedule's lengths are given: epochs, with fractions (3.5 is the
/// middle of the fourth), or steps. A schedule is a small value that remembers nothing, so it can be asked in any order. It throws
/// ValueError for a time that is negative or not finite, and for hyperparameters out of their range.
template <class T>
concept Schedule = std::copyable<T> && requires(const T& schedule, double time) {
  { T::name } -> std::convertible_to<std::string_view>;
  { schedule(time) } -> std::same_as<double>;
};

namespace detail {

/// Times and factors: at least 0 and finite.
[[gnu::noinline]] inline void check_from_0(std::string_view schedule, const char* what, double value) {
  if (!(value >= 0 && value <= std::numeric_limits<double>::max()))
    raise<ValueError>(schedule, ": ", what, " must be at least 0 and finite, got ", value);
}

[[gnu::noinline]] inline void check_length(std::string_view schedule, const char* what, double value) {
  if (!(value > 0 && value <= std::numeric_limits<double>::max()))
    raise<ValueError>(schedule, ": ", what, " must be above 0 and finite, got ", value);
}

}  // namespace detail
}  // namespace chainrule
