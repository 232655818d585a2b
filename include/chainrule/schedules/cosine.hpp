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
    if (!detail::is_within(multiplier, 1, (std::numeric_limits<double>::max)()))
      detail::raise<ValueError>("Cosine: multiplier must be at least 1 and finite, got ", multiplier);
    return detail::cosine_between(1, floor, progress(time));
  }

 private:
  /// Returns which part of the current fall is over, in [0, 1]. In units of the first period, restart n is at
  ///     b(n) = 1 + multiplier + ... + multiplier^(n-1) = (multiplier^n - 1)/(multiplier - 1),
  /// which gives n for a time by a logarithm.
  double progress(double time) const {
    const double now = time / period;
    if (!restarts) return (std::min)(now, 1.0);
    const double reached = detail::lengths_reached(time, period);
    if (multiplier == 1) return (std::max)(now - std::floor(reached), 0.0);
    const double growth = std::log1p(multiplier - 1);
    const auto begin = [&](double n) { return std::expm1(n * growth) / (multiplier - 1); };
    double n = std::floor(std::log1p((std::min)(reached * (multiplier - 1), (std::numeric_limits<double>::max)())) / growth);
    if (reached < begin(n)) --n;  // rounding of the logarithms may have moved n across a restart
    if (reached >= begin(n + 1)) ++n;
    return std::clamp((now - begin(n)) / std::pow(multiplier, n), 0.0, 1.0);
  }
};

}  // namespace chainrule
