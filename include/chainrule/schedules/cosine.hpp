#pragma once

#include <algorithm>
#include <chainrule/schedules/schedule.hpp>
#include <cmath>
#include <numbers>

namespace chainrule {

/// Half a period of a cosine, from 1 down to `floor` (Loshchilov and Hutter 2017, SGDR, equation 5). After it the factor stays at
/// `floor`; or with restarts it jumps back to 1 and falls again, each time `multiplier` times as long as before. PyTorch's
/// CosineAnnealingLR and CosineAnnealingWarmRestarts at whole times, but that the former rises again after its end.
struct Cosine {
  static constexpr std::string_view name = "Cosine";
  double period = 10;     ///< how long the (first) fall takes; T_max or T_0 in PyTorch
  double floor = 0;       ///< a factor, so eta_min / learning_rate
  bool restarts = false;  ///< whether it falls again and again
  double multiplier = 1;  ///< of the period, at each restart; at least 1; T_mult in PyTorch

  double operator()(double time) const {
    detail::check_length(name, "period", period);
    detail::check_from_0(name, "floor", floor);
    detail::check_from_0(name, "the time", time);
    if (!(multiplier >= 1 && multiplier <= std::numeric_limits<double>::max()))
      detail::raise<ValueError>("Cosine: multiplier must be at least 1 and finite, got ", multiplier);
    return floor + (1 - floor) * (1 + std::cos(std::numbers::pi * progress(time))) / 2;
  }

 private:
  // How much of the present fall is over, in [0, 1]. The n-th restart is at period (multiplier^n - 1) / (multiplier - 1).
  double progress(double time) const {
    if (!restarts) return std::min(time / period, 1.0);
    if (multiplier == 1) return std::fmod(time, period) / period;
    const auto begin = [this](double n) { return period * (std::pow(multiplier, n) - 1) / (multiplier - 1); };
    double n = std::floor(std::log1p(time / period * (multiplier - 1)) / std::log(multiplier));
    if (time < begin(n)) --n;  // the logarithms may have been rounded across a restart
    if (time >= begin(n + 1)) ++n;
    return std::clamp((time - begin(n)) / (period * std::pow(multiplier, n)), 0.0, 1.0);
  }
};

}  // namespace chainrule
