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

/// Returns how many lengths of a schedule a time is, rounded up by a relative 1e-12 and an absolute 1e-9. The time after some batches and
/// a length such as 0.1 are rounded, so that 0.3 / 0.1 is just below 3; the third length has ended all the same. A step is a larger part
/// of a length than 1e-9 for lengths of up to a thousand million steps.
inline double lengths_reached(double time, double length) { return time / length * (1 + 1e-12) + 1e-9; }

/// Returns a value between `start` and `end` along half a period of a cosine, as progress goes from 0 to 1.
inline double cosine_between(double start, double end, double progress) {
  return end + (start - end) * (1 + std::cos(std::numbers::pi * progress)) / 2;
}

}  // namespace detail
}  // namespace chainrule
