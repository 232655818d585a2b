#pragma once

#include <chainrule/schedules/schedule.hpp>
#include <cmath>

namespace chainrule {

/// Step decay: the learning rate is multiplied by `factor` after each `length`, and is constant in between. Equals PyTorch's StepLR.
/// Rounding delays no step: after 3 of 10 batches, three lengths of 0.1 epochs are over, although 0.3 / 0.1 is below 3 in doubles.
struct StepDecay {
  static constexpr std::string_view name = "StepDecay";  ///< the name in descriptions, files and messages

  double length = 10;   ///< time between two steps, above 0
  double factor = 0.1;  ///< factor of the learning rate at each step, at least 0

  ///     factor^floor(time / length)
  double operator()(double time) const {
    detail::check_positive(name, "length", length);
    detail::check_not_negative(name, "factor", factor);
    detail::check_not_negative(name, "the time", time);
    return std::pow(factor, std::floor(detail::lengths_reached(time, length)));
  }
};

}  // namespace chainrule
