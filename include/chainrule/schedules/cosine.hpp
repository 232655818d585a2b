#pragma once

#include <algorithm>
#include <chainrule/schedules/schedule.hpp>
#include <cmath>
#include <limits>

namespace chainrule {

/// Cosine annealing: the factor falls from 1 to `floor` along half a period of a cosine (Loshchilov and Hutter 2017, "SGDR", equation 5).
/// After `period` it stays at `floor`; with `restarts` it jumps back to 1 and falls again, and each fall takes `multiplier` times as long
/// as the one before. At whole times it equals PyTorch's CosineAnnealingLR and CosineAnnealingWarmRestarts, except that
/// CosineAnnealingLR rises again after its end.
struct Cosine {
  static constexpr std::string_view name = "Cosine";  ///< the name in descriptions, files and messages

  double period = 10;     ///< length of the first fall, above 0; T_max or T_0 in PyTorch
  double floor = 0;       ///< the factor at the end of a fall, at least 0; eta_min / learning_rate in PyTorch
  bool restarts = false;  ///< whether the factor restarts at 1 after each fall
  double multiplier = 1;  ///< growth of the period at each restart, at least 1; T_mult in PyTorch

  /// Returns the factor of the learning rate at this time; see Schedule for the unit.
  double operator()(double time) const {
    detail::check_positive(name, "period", period);
    detail::check_not_negative(name, "floor", floor);
    detail::check_not_negative(name, "the time", time);
    if (!detail::is_within(multiplier, 1, std::numeric_limits<double>::max()))
      detail::raise<ValueError>("Cosine: multiplier must be at least 1 and finite, got ", multiplier);
    return detail::cosine_between(1, floor, progress(time));
  }

 private:
  /// Returns which part of the current fall is over, in [0, 1]. Restart n is at period (multiplier^n - 1) / (multiplier - 1), which
  /// gives n for a time by a logarithm.
  double progress(double time) const {
    if (!restarts) return std::min(time / period, 1.0);
    if (multiplier == 1) return std::fmod(time, period) / period;
    const auto begin = [this](double n) { return period * (std::pow(multiplier, n) - 1) / (multiplier - 1); };
    double n = std::floor(std::log1p(time / period * (multiplier - 1)) / std::log(multiplier));
    if (time < begin(n)) --n;  // rounding of the logarithms may have moved n across a restart
    if (time >= begin(n + 1)) ++n;
    return std::clamp((time - begin(n)) / (period * std::pow(multiplier, n)), 0.0, 1.0);
  }
};

}  // namespace chainrule
