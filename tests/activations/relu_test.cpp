#include <chainrule/activations/relu.hpp>

#include "support/activation_contract.hpp"

using namespace chainrule_test;

TEMPLATE_TEST_CASE("ReLU satisfies the activation contract", "[activation]", float, double, long double) {
  check_activation<TestType>(chainrule::ReLU{},
                             {.at_minus_infinity = 0, .at_infinity = std::numeric_limits<double>::infinity(), .kinks = {0}});
}

// ReLU(0) = 0, ReLU(z) = z and ReLU(-z) = 0 for z > 0; its slopes 1 and 0 are exact.
TEMPLATE_TEST_CASE("ReLU is z for z > 0 and 0 otherwise", "[activation]", float, double, long double) {
  const std::vector<TestType> z{-1000, -1, -0.25, 0, 0.25, 1, 1000};
  CHECK(values(chainrule::ReLU{}, z) == std::vector<TestType>{0, 0, 0, 0, 0.25, 1, 1000});
  CHECK(derivatives(chainrule::ReLU{}, z) == std::vector<TestType>{0, 0, 0, 0, 1, 1, 1});
  CHECK(derivatives_of_order<2>(chainrule::ReLU{}, z) == std::vector<TestType>(z.size()));
  CHECK(derivatives_of_order<3>(chainrule::ReLU{}, z) == std::vector<TestType>(z.size()));
}

TEMPLATE_TEST_CASE("ReLU'(0) = 0 for both signs of zero, as in PyTorch", "[activation]", float, double, long double) {
  CHECK(derivative_at(chainrule::ReLU{}, TestType{0}) == 0);
  CHECK(derivative_at(chainrule::ReLU{}, -TestType{0}) == 0);
  CHECK(derivative_at(chainrule::ReLU{}, std::numeric_limits<TestType>::denorm_min()) == 1);
}

TEST_CASE("ReLU's default initializer is HeNormal with negative slope 0", "[activation]") {
  static_assert(std::is_same_v<decltype(chainrule::ReLU{}.default_initializer()), chainrule::HeNormal>);
  CHECK(chainrule::ReLU{}.default_initializer().negative_slope == 0);
  CHECK(chainrule::ReLU::name == "ReLU");
}
