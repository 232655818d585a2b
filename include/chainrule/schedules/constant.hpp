#pragma once

#include <chainrule/schedules/schedule.hpp>

namespace chainrule {

/// The same factor for ever.
struct ConstantRate {
  static constexpr std::string_view name = "ConstantRate";
  double factor = 1;  ///< at every time

  double operator()(double time) const {
    detail::check_from_0(name, "factor", factor);
    detail::check_from_0(name, "the time", time);
    return factor;
  }
};

}  // namespace chainrule
