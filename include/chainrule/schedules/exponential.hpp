#pragma once

#include <chainrule/schedules/schedule.hpp>
#include <cmath>

namespace chainrule {

/// The learning rate falls smoothly: times `factor` in each `length`, for ever. ExponentialLR in PyTorch, where length is 1.
struct ExponentialDecay {
  static constexpr std::string_view name = "ExponentialDecay";
  double factor = 0.95;  ///< what a length multiplies by
  double length = 1;     ///< above 0

  ///     factor^(time / length)
  double operator()(double time) const {
    detail::check_from_0(name, "factor", factor);
    detail::check_length(name, "length", length);
    detail::check_from_0(name, "the time", time);
    return std::pow(factor, time / length);
  }
};

}  // namespace chainrule
