#include <chainrule/activations/hard_tanh.hpp>

#include "support/activation_contract.hpp"

using namespace chainrule_test;
using chainrule::HardTanh;

TEMPLATE_TEST_CASE("HardTanh satisfies the activation contract", "[activation]", float, double) {
  check_activation<TestType>(HardTanh{}, {.at_minus_infinity = -1, .at_infinity = 1, .kinks = {-1, 1}});
  check_activation<TestType>(HardTanh{0, 6}, {.at_minus_infinity = 0, .at_infinity = 6, .kinks = {0, 6}});
}

TEMPLATE_TEST_CASE("HardTanh clips z between low and high", "[activation]", float, double, long double) {
  const std::vector<TestType> z{-1000, -1, -0.75, 0, 0.25, 1, 2, 6, 7};
  CHECK(values(HardTanh{}, z) == std::vector<TestType>{-1, -1, -0.75, 0, 0.25, 1, 1, 1, 1});
  CHECK(derivatives(HardTanh{}, z) == std::vector<TestType>{0, 0, 1, 1, 1, 0, 0, 0, 0});  // 0 at the kinks, as in PyTorch
  CHECK(values(HardTanh{0, 6}, z) == std::vector<TestType>{0, 0, 0, 0, 0.25, 1, 2, 6, 6});
  CHECK(derivatives(HardTanh{0, 6}, z) == std::vector<TestType>{0, 0, 0, 0, 1, 1, 1, 0, 0});
  CHECK(derivatives_of_order<2>(HardTanh{}, z) == std::vector<TestType>(z.size()));
  CHECK(derivatives_of_order<3>(HardTanh{}, z) == std::vector<TestType>(z.size()));
}

TEST_CASE("HardTanh rejects bounds that form no interval and names them", "[activation]") {
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING((HardTanh{1, -0.5}), chainrule::ValueError, "HardTanh", "low must be below high", "got 1 and -0.5");
  CHECK_THROWS_SAYING((HardTanh{2, 2}), chainrule::ValueError, "got 2 and 2");
  CHECK_THROWS_SAYING((HardTanh{-infinity, 0}), chainrule::ValueError, "finite", "got -inf and 0");
  CHECK_THROWS_SAYING((HardTanh{0, infinity}), chainrule::ValueError, "got 0 and inf");
  CHECK_THROWS_SAYING((HardTanh{nan, 1}), chainrule::ValueError, "got nan and 1");
  CHECK_THROWS_SAYING((HardTanh{0, nan}), chainrule::ValueError, "got 0 and nan");
  CHECK(HardTanh{}.low() == -1);
  CHECK(HardTanh{0, 6}.high() == 6);
}

TEST_CASE("HardTanh's default initializer is XavierUniform", "[activation]") {
  static_assert(std::is_same_v<decltype(HardTanh{}.default_initializer()), chainrule::XavierUniform>);
  CHECK(HardTanh::name == "HardTanh");
}
