#include <chainrule/optimizers/detail/hyperparameter_checks.hpp>
#include <cmath>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("check_not_negative rejects negative numbers and those that overflow the scalar type") {
  for (const double good : {0.0, 1e-300, 1.0, 1e38}) CHECK_NOTHROW(detail::check_not_negative<float>("Rule", "epsilon", good));
  CHECK_NOTHROW(detail::check_not_negative<double>("Rule", "epsilon", 1e300));
  CHECK_NOTHROW(detail::check_not_negative<long double>("Rule", "epsilon", 1e300));
  CHECK_THROWS_SAYING(detail::check_not_negative<float>("Rule", "epsilon", 1e39), ValueError, "Rule: epsilon must be at least 0 and finite",
                      "1e+39");
  for (const double bad : {-1e-300, -1.0, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
    CHECK_THROWS_AS(detail::check_not_negative<float>("Rule", "epsilon", bad), ValueError);
    CHECK_THROWS_AS(detail::check_not_negative<long double>("Rule", "epsilon", bad), ValueError);
  }
}

TEST_CASE("check_fraction accepts numbers from 0 to below 1") {
  for (const double good : {0.0, 0.5, std::nextafter(1.0, 0.0)}) CHECK_NOTHROW(detail::check_fraction("Rule", "beta1", good));
  for (const double bad : {-1e-300, 1.0, 2.0, HUGE_VAL, std::nan("")})
    CHECK_THROWS_AS(detail::check_fraction("Rule", "beta1", bad), ValueError);
  CHECK_THROWS_SAYING(detail::check_fraction("Rule", "beta1", 1.5), ValueError, "Rule: beta1 must be at least 0 and below 1, got 1.5");
}
