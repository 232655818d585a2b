#pragma once

#include <chainrule/schedules/schedule.hpp>
#include <cmath>
#include <numbers>

namespace chainrule {

/// One rise from `start` to 1 and one fall to `end`, both half a period of a cosine (Smith 2018, "super-convergence", in the form
/// of fast.ai and PyTorch's OneCycleLR). The learning rate of the optimizer is that of the peak. After `length` the factor stays at
/// `end`. PyTorch counts steps from 0 to total_steps - 1 and has the peak at pct_start total_steps - 1: its numbers are those of
/// length = total_steps - 1, rise = (pct_start total_steps - 1) / length.
struct OneCycle {
  static constexpr std::string_view name = "OneCycle";
  double length = 10;         ///< of rise and fall together; above 0
  double rise = 0.3;          ///< the part of length until the peak, in [0, 1)
  double start = 1.0 / 25;    ///< 1 / div_factor in PyTorch
  double end = 1.0 / 250000;  ///< start / final_div_factor

  double operator()(double time) const {
    detail::check_length(name, "length", length);
    detail::check_from_0(name, "start", start);
    detail::check_from_0(name, "end", end);
    detail::check_from_0(name, "the time", time);
    if (!(rise >= 0 && rise < 1)) detail::raise<ValueError>("OneCycle: rise must be at least 0 and below 1, got ", rise);
    const double peak = rise * length;
    if (time < peak) return between(start, 1, time / peak);
    if (time < length) return between(1, end, (time - peak) / (length - peak));
    return end;
  }

 private:
  // from a to b as x goes from 0 to 1
  static double between(double a, double b, double x) { return b + (a - b) * (1 + std::cos(std::numbers::pi * x)) / 2; }
};

}  // namespace chainrule
