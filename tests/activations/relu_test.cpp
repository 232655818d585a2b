#include <chainrule/activations/relu.hpp>

#include "support/activation_contract.hpp"

using namespace chainrule_test;

TEMPLATE_TEST_CASE("ReLU keeps the contract of an activation", "[activation]", float, double, long double) {
  check_activation<TestType>(chainrule::ReLU{},
                             {.at_minus_infinity = 0, .at_infinity = std::numeric_limits<double>::infinity(), .kinks = {0}});
}

// ReLU(0) = 0, ReLU(z) = z and ReLU(-z) = 0 for z >> 0, with the exact slopes 1 and 0 on the two sides
TEMPLATE_TEST_CASE("ReLU passes what is positive and stops the rest", "[activation]", float, double, long double) {
  const std::vector<TestType> z{-1000, -1, -0.25, 0, 0.25, 1, 1000};
  CHECK(values(chainrule::ReLU{}, z) == std::vector<TestType>{0, 0, 0, 0, 0.25, 1, 1000});
  CHECK(derivatives(chainrule::ReLU{}, z) == std::vector<TestType>{0, 0, 0, 0, 1, 1, 1});
}

TEMPLATE_TEST_CASE("ReLU takes its derivative at the kink as 0, for both zeros, as PyTorch does", "[activation]", float, double,
                   long double) {
  CHECK(derivative_at(chainrule::ReLU{}, TestType{0}) == 0);
  CHECK(derivative_at(chainrule::ReLU{}, -TestType{0}) == 0);
  CHECK(derivative_at(chainrule::ReLU{}, std::numeric_limits<TestType>::denorm_min()) == 1);
}

TEST_CASE("ReLU starts from He's normal weights, without a negative slope", "[activation]") {
  static_assert(std::is_same_v<decltype(chainrule::ReLU{}.default_initializer()), chainrule::HeNormal>);
  CHECK(chainrule::ReLU{}.default_initializer().negative_slope == 0);
  CHECK(chainrule::ReLU::name == "ReLU");
}
