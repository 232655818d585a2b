#include <chainrule/activations/identity.hpp>

#include "support/activation_contract.hpp"

using namespace chainrule_test;

TEMPLATE_TEST_CASE("Identity satisfies the activation contract", "[activation]", float, double, long double) {
  const double infinity = std::numeric_limits<double>::infinity();
  check_activation<TestType>(chainrule::Identity{}, {.at_minus_infinity = -infinity, .at_infinity = infinity});
}

TEMPLATE_TEST_CASE("Identity returns its input, has slope 1 and no curvature", "[activation]", float, double, long double) {
  const std::vector<TestType> z{-2, -0.5, 0, 3};
  CHECK(values(chainrule::Identity{}, z) == std::vector<TestType>{-2, -0.5, 0, 3});
  CHECK(derivatives(chainrule::Identity{}, z) == std::vector<TestType>{1, 1, 1, 1});
  CHECK(derivatives_of_order<2>(chainrule::Identity{}, z) == std::vector<TestType>(z.size()));
  CHECK(derivatives_of_order<3>(chainrule::Identity{}, z) == std::vector<TestType>(z.size()));
}

TEST_CASE("Identity's default initializer is XavierUniform", "[activation]") {
  static_assert(std::is_same_v<decltype(chainrule::Identity{}.default_initializer()), chainrule::XavierUniform>);
  CHECK(chainrule::Identity::name == "Identity");
}
