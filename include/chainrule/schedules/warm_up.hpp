#pragma once

#include <chainrule/schedules/constant.hpp>

namespace chainrule {

/// Linear warm-up before another schedule: WarmUp<Cosine>{.length = 5, .start = 0.1, .then = Cosine{}}. The factor rises linearly to the
/// first value of the other schedule, whose time starts when the rise ends. Equals PyTorch's SequentialLR of a LinearLR and the other
/// schedule.
template <Schedule Next = ConstantRate>
struct WarmUp {
  static constexpr std::string_view name = "WarmUp";  ///< the name in descriptions, files and messages

  double length = 5;   ///< length of the rise, at least 0; 0 means no rise
  double start = 0.1;  ///< the factor at time 0, as a fraction of then(0); at least 0
  Next then = {};      ///< the schedule after the rise

  ///     then(0) (start + (1 - start) time / length) for time < length, else then(time - length)
  double operator()(double time) const {
    detail::check_not_negative(name, "length", length);
    detail::check_not_negative(name, "start", start);
    detail::check_not_negative(name, "the time", time);
    if (time >= length) return then(time - length);
    return then(0) * (start + (1 - start) * (time / length));
  }
};

}  // namespace chainrule
