#pragma once

#include <chainrule/schedules/schedule.hpp>

namespace chainrule {

/// The one-cycle policy: the factor rises from `start` to 1 and falls to `end`, each along half a period of a cosine (Smith 2018,
/// "Super-convergence", in the form of fast.ai and PyTorch's OneCycleLR). The optimizer's learning_rate is the peak. After `length` the
/// factor stays at `end`.
///
/// PyTorch counts steps from 0 to total_steps - 1 and has the peak at step pct_start total_steps - 1, so its OneCycleLR corresponds to
/// length = total_steps - 1 and rise = (pct_start total_steps - 1) / length.
struct OneCycle {
  static constexpr std::string_view name = "OneCycle";  ///< the name in descriptions, files and messages

  double length = 10;         ///< length of rise and fall together, above 0
  double rise = 0.3;          ///< the fraction of length before the peak, in [0, 1)
  double start = 1.0 / 25;    ///< the factor at time 0, at least 0; 1 / div_factor in PyTorch
  double end = 1.0 / 250000;  ///< the factor after length, at least 0; start / final_div_factor in PyTorch

  /// Returns the factor of the learning rate at this time; see Schedule for the unit.
  double operator()(double time) const {
    detail::check_positive(name, "length", length);
    detail::check_not_negative(name, "start", start);
    detail::check_not_negative(name, "end", end);
    detail::check_not_negative(name, "the time", time);
    detail::check_fraction(name, "rise", rise);
    const double peak = rise * length;
    if (time < peak) return detail::cosine_between(start, 1, time / peak);
    if (time < length) return detail::cosine_between(1, end, (time - peak) / (length - peak));
    return end;
  }
};

}  // namespace chainrule
