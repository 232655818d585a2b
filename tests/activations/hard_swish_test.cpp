#include <chainrule/activations/hard_swish.hpp>

#include "support/activation_contract.hpp"

using namespace chainrule_test;
using chainrule::HardSwish;

TEMPLATE_TEST_CASE("HardSwish satisfies the activation contract", "[activation]", float, double) {
  check_activation<TestType>(HardSwish{}, {.at_minus_infinity = 0, .at_infinity = HUGE_VAL, .kinks = {-3, 3}, .nondecreasing = false});
}

// HardSwish(z) = z (z + 3)/6 for |z| < 3, 0 below and z above; its minimum is -3/8 at z = -3/2
TEMPLATE_TEST_CASE("HardSwish has the values of the formula", "[activation]", float, double, long double) {
  const TestType largest = std::numeric_limits<TestType>::max(), third = TestType(1) / 3;
  const std::vector<TestType> z{-largest, -1000, -3, -1.5, 0, 1.5, 3, 1000, largest};
  CHECK(values(HardSwish{}, z) == std::vector<TestType>{0, 0, 0, -0.375, 0, 1.125, 3, 1000, largest});
  CHECK(derivatives(HardSwish{}, z) == std::vector<TestType>{0, 0, 0, 0, 0.5, 1, 1, 1, 1});
  CHECK(derivatives_of_order<2>(HardSwish{}, z) == std::vector<TestType>{0, 0, 0, third, third, third, 0, 0, 0});
  CHECK(derivatives_of_order<3>(HardSwish{}, z) == std::vector<TestType>(z.size()));
}

TEST_CASE("HardSwish's default initializer is HeNormal", "[activation]") {
  static_assert(std::is_same_v<decltype(HardSwish{}.default_initializer()), chainrule::HeNormal>);
  CHECK(HardSwish::name == "HardSwish");
}
