#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/residual.hpp>
#include <cmath>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("check_not_negative takes numbers from 0 that neither vanish nor overflow in the scalar type") {
  for (const double good : {0.0, -0.0, 1.5e-45, 1.0, 1e38}) CHECK_NOTHROW(detail::check_not_negative<float>("Rule", "epsilon", good));
  for (const double good : {0.0, 5e-324, 1e300}) {
    CHECK_NOTHROW(detail::check_not_negative<double>("Rule", "epsilon", good));
    CHECK_NOTHROW(detail::check_not_negative<long double>("Rule", "epsilon", good));
  }
  CHECK_THROWS_SAYING(detail::check_not_negative<float>("Rule", "epsilon", 1e39), ValueError,
                      "Rule: epsilon is 1e+39, which as a float is inf");
  CHECK_THROWS_SAYING(detail::check_not_negative<float>("Rule", "epsilon", 1e-50), ValueError,
                      "Rule: epsilon is 1e-50, which as a float is 0");
  CHECK_THROWS_SAYING(detail::check_not_negative<float>("Rule", "epsilon", -1e-300), ValueError,
                      "Rule: epsilon must be at least 0 and finite, got -1e-300");
  for (const double bad : {-1e-300, -1.0, HUGE_VAL, -HUGE_VAL, std::nan(""), -std::nan("")}) {
    CHECK_THROWS_AS(detail::check_not_negative<float>("Rule", "epsilon", bad), ValueError);
    CHECK_THROWS_AS(detail::check_not_negative<long double>("Rule", "epsilon", bad), ValueError);
  }
}

TEST_CASE("check_positive takes numbers above 0 that neither vanish nor overflow in the scalar type") {
  for (const double good : {5e-324, 1.0, 1e300}) CHECK_NOTHROW(detail::check_positive("S", "length", good));
  for (const double bad : {0.0, -0.0, -1.0, HUGE_VAL, std::nan("")})
    CHECK_THROWS_SAYING(detail::check_positive("S", "length", bad), ValueError, "S: length must be above 0 and finite, got");
  CHECK_THROWS_SAYING(detail::check_positive<float>("Huber", "delta", 1e-46), ValueError, "delta is 1e-46, which as a float is 0");
}

TEST_CASE("check_fraction takes numbers from 0 to below 1, also after rounding to the scalar type") {
  for (const double good : {0.0, -0.0, 1e-300, 0.5, std::nextafter(1.0, 0.0)}) CHECK_NOTHROW(detail::check_fraction("Rule", "beta1", good));
  CHECK_NOTHROW(detail::check_fraction<float>("Rule", "beta1", static_cast<double>(std::nextafter(1.0f, 0.0f))));
  for (const double bad : {-1e-300, 1.0, 2.0, HUGE_VAL, std::nan("")})
    CHECK_THROWS_AS(detail::check_fraction("Rule", "beta1", bad), ValueError);
  CHECK_THROWS_SAYING(detail::check_fraction("Rule", "beta1", 1.5), ValueError, "Rule: beta1 must be at least 0 and below 1, got 1.5");
  CHECK_THROWS_SAYING(detail::check_fraction<float>("Rule", "beta1", 1 - 1e-12), ValueError, "which as a float is 1");
}

TEST_CASE("check_number takes finite numbers of any sign that neither vanish nor overflow in the scalar type") {
  for (const double good : {0.0, -0.0, -1.0, 1e-45, -1e38}) CHECK_NOTHROW(detail::check_number<float>("F", "low", good));
  for (const double bad : {HUGE_VAL, -HUGE_VAL, std::nan("")})
    CHECK_THROWS_SAYING(detail::check_number("F", "low", bad), ValueError, "F: low must be finite, got");
  CHECK_THROWS_SAYING(detail::check_number<float>("F", "low", -1e-50), ValueError, "F: low is -1e-50, which as a float is -0");
  CHECK_THROWS_SAYING(detail::check_number<float>("F", "low", -1e50), ValueError, "F: low is -1e+50, which as a float is -inf");
}

TEST_CASE("check_hyperparameters finds activations inside layers inside layers") {
  const Residual<Activate<LeakyReLU, 3>> layer{Activate<LeakyReLU, 3>{LeakyReLU{1e-60}}};
  CHECK_NOTHROW(detail::check_hyperparameters<double>(layer));
  CHECK_THROWS_SAYING(detail::check_hyperparameters<float>(layer), ValueError, "LeakyReLU: slope is 1e-60, which as a float is 0");
}
