#pragma once

#include <chainrule/schedules/schedule.hpp>

namespace chainrule {

/// A constant learning rate: the factor is the same at every time.
struct ConstantRate {
  static constexpr std::string_view name = "ConstantRate";  ///< the name in descriptions, files and messages

  double factor = 1;  ///< the factor, at least 0

  /// Returns the factor of the learning rate at this time; see Schedule for the unit.
  double operator()(double time) const {
    detail::check_not_negative(name, "factor", factor);
    detail::check_not_negative(name, "the time", time);
    return factor;
  }
};

}  // namespace chainrule
