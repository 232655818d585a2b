#pragma once

#include <chainrule/schedules/schedule.hpp>
#include <cmath>

namespace chainrule {

/// Exponential decay: the learning rate falls smoothly, by `factor` per `length`. Equals PyTorch's ExponentialLR for length = 1.
struct ExponentialDecay {
  static constexpr std::string_view name = "ExponentialDecay";  ///< the name in descriptions, files and messages

  double factor = 0.95;  ///< factor of the learning rate per length, at least 0
  double length = 1;     ///< time in which the learning rate falls by factor, above 0

  ///     factor^(time / length)
  double operator()(double time) const {
    detail::check_not_negative(name, "factor", factor);
    detail::check_positive(name, "length", length);
    detail::check_not_negative(name, "the time", time);
    return std::pow(factor, time / length);
  }
};

}  // namespace chainrule
