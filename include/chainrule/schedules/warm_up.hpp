#pragma once

#include <chainrule/schedules/constant.hpp>

namespace chainrule {

/// Before another schedule a straight rise to where that one begins: WarmUp<Cosine>{.length = 5, .start = 0.1, .then = Cosine{}}.
/// The other one's time begins when the rise ends, and what it does at its end holds for both. LinearLR followed by another in
/// PyTorch's SequentialLR.
template <Schedule Next = ConstantRate>
struct WarmUp {
  static constexpr std::string_view name = "WarmUp";
  double length = 5;   ///< 0: no rise
  double start = 0.1;  ///< the factor at time 0, as a part of then(0)
  Next then = {};      ///< what follows

  ///     then(0) (start + (1 - start) time / length) for time < length, else then(time - length)
  double operator()(double time) const {
    detail::check_from_0(name, "length", length);
    detail::check_from_0(name, "start", start);
    detail::check_from_0(name, "the time", time);
    if (time >= length) return then(time - length);
    return then(0) * (start + (1 - start) * (time / length));
  }
};

}  // namespace chainrule
