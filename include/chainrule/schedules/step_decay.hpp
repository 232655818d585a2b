#pragma once

#include <chainrule/schedules/schedule.hpp>
#include <cmath>

namespace chainrule {

/// Step decay: the learning rate is multiplied by `factor` after each `length`, and is constant in between. Equals PyTorch's StepLR.
struct StepDecay {
  static constexpr std::string_view name = "StepDecay";  ///< the name in descriptions, files and messages

  double length = 10;   ///< time between two steps, above 0
  double factor = 0.1;  ///< factor of the learning rate at each step, at least 0

  ///     factor^floor(time / length)
  double operator()(double time) const {
    detail::check_positive(name, "length", length);
    detail::check_not_negative(name, "factor", factor);
    detail::check_not_negative(name, "the time", time);
    return std::pow(factor, std::floor(time / length));
  }
};

}  // namespace chainrule
