#pragma once
// Checks that hold for every schedule.

#include <chainrule/schedules/schedule.hpp>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>

#include "support/catch.hpp"

namespace chainrule_test::schedules {

inline bool near(double actual, double expected) { return std::abs(actual - expected) <= 1e-14; }

/// Whether schedule(0), schedule(1), ... equal these factors to within 1e-14.
template <class Schedule>
bool gives(const Schedule& schedule, std::initializer_list<double> factors) {
  double time = 0;
  for (const double factor : factors) {
    if (!near(schedule(time), factor)) return false;
    ++time;
  }
  return true;
}

/// Checks that impossible times are errors that name the schedule.
template <class Schedule>
void check_schedule(const Schedule& schedule) {
  STATIC_REQUIRE(chainrule::Schedule<Schedule>);
  const std::string name{Schedule::name};
  for (const double bad : {-1e-9, -1.0, std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    INFO("time " << bad);
    CHECK_THROWS_SAYING(schedule(bad), chainrule::ValueError, name.c_str(), "the time must be at least 0 and finite, got");
  }
}

/// Checks that each value in `bad` for one hyperparameter is an error that names the schedule and the hyperparameter.
template <class Schedule>
void check_refused(const Schedule& good, double Schedule::*member, const char* what, std::initializer_list<double> bad) {
  const std::string name{Schedule::name};
  for (const double value : bad) {
    Schedule schedule = good;
    schedule.*member = value;
    INFO(what << " = " << value);
    CHECK_THROWS_SAYING(schedule(0), chainrule::ValueError, name.c_str(), what);
  }
}

constexpr std::initializer_list<double> not_positive{0, -1, std::numeric_limits<double>::quiet_NaN(), HUGE_VAL};
constexpr std::initializer_list<double> negative{-1e-9, std::numeric_limits<double>::quiet_NaN(), HUGE_VAL};

}  // namespace chainrule_test::schedules
