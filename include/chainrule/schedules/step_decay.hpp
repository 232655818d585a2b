#pragma once

#include <chainrule/schedules/schedule.hpp>
#include <cmath>

namespace chainrule {

/// The learning rate falls in steps: times `factor` after each `length`, for ever. StepLR in PyTorch.
struct StepDecay {
  static constexpr std::string_view name = "StepDecay";
  double length = 10;   ///< between two steps; above 0
  double factor = 0.1;  ///< what a step multiplies by

  ///     factor^floor(time / length)
  double operator()(double time) const {
    detail::check_length(name, "length", length);
    detail::check_from_0(name, "factor", factor);
    detail::check_from_0(name, "the time", time);
    return std::pow(factor, std::floor(time / length));
  }
};

}  // namespace chainrule
