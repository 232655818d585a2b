#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <cmath>
#include <concepts>
#include <numbers>
#include <string_view>

namespace chainrule {

/// A learning rate schedule: schedule(time) returns the factor by which the optimizer's learning_rate is multiplied. The time is at least
/// 0, in the unit of the schedule's lengths: epochs, with fractions (3.5 is the middle of the fourth epoch), or steps. A schedule is a
/// small value without state, so it can be called for times in any order. It throws ValueError for a time that is negative or not finite,
/// and for hyperparameters out of their range.
template <class T>
concept Schedule = std::copyable<T> && requires(const T& schedule, double time) {
  { T::name } -> std::convertible_to<std::string_view>;
  { schedule(time) } -> std::same_as<double>;
};

namespace detail {

/// Returns a value between `start` and `end` along half a period of a cosine, as progress goes from 0 to 1.
inline double cosine_between(double start, double end, double progress) {
  return end + (start - end) * (1 + std::cos(std::numbers::pi * progress)) / 2;
}

}  // namespace detail
}  // namespace chainrule
