#include <chainrule/activations/hard_sigmoid.hpp>

#include "support/activation_contract.hpp"

using namespace chainrule_test;
using chainrule::HardSigmoid;

TEMPLATE_TEST_CASE("HardSigmoid satisfies the activation contract", "[activation]", float, double) {
  check_activation<TestType>(HardSigmoid{}, {.at_minus_infinity = 0, .at_infinity = 1, .kinks = {-3, 3}});
}

// HardSigmoid(z) = z/6 + 1/2, clipped to [0, 1] at z = -3 and z = 3
TEMPLATE_TEST_CASE("HardSigmoid has the values of the formula", "[activation]", float, double, long double) {
  const TestType sixth = TestType{1} / 6;
  const std::vector<TestType> z{-1000, -3, -1.5, 0, 1.5, 3, 1000};
  CHECK(values(HardSigmoid{}, z) == std::vector<TestType>{0, 0, 0.25, 0.5, 0.75, 1, 1});
  CHECK(derivatives(HardSigmoid{}, z) == std::vector<TestType>{0, 0, sixth, sixth, sixth, 0, 0});  // 0 at the kinks, as in PyTorch
  CHECK(derivatives_of_order<2>(HardSigmoid{}, z) == std::vector<TestType>(z.size()));
  CHECK(derivatives_of_order<3>(HardSigmoid{}, z) == std::vector<TestType>(z.size()));
}

TEST_CASE("HardSigmoid's default initializer is XavierUniform", "[activation]") {
  static_assert(std::is_same_v<decltype(HardSigmoid{}.default_initializer()), chainrule::XavierUniform>);
  CHECK(HardSigmoid::name == "HardSigmoid");
}
