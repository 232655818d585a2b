#include <chainrule/activations/softsign.hpp>

#include "support/activation_contract.hpp"

using namespace chainrule_test;
using chainrule::Softsign;

TEMPLATE_TEST_CASE("Softsign satisfies the activation contract", "[activation]", float, double) {
  check_activation<TestType>(Softsign{}, {.at_minus_infinity = -1, .at_infinity = 1, .kinks = {0}, .allowed_decrease = 1});
}

// z/(1 + |z|), 1/(1 + |z|)^2, -2 sign(z)/(1 + |z|)^3 and 6/(1 + |z|)^4; f'' and f''' are 0 at 0, as in PyTorch
TEMPLATE_TEST_CASE("Softsign has the values of the formula", "[activation]", float, double, long double) {
  const std::vector<TestType> z{-3, -1, 0, 1, 7};
  CHECK(values(Softsign{}, z) == std::vector<TestType>{-0.75, -0.5, 0, 0.5, 0.875});
  CHECK(derivatives(Softsign{}, z) == std::vector<TestType>{0.0625, 0.25, 1, 0.25, 0.015625});
  CHECK(derivatives_of_order<2>(Softsign{}, z) == std::vector<TestType>{0.03125, 0.25, 0, -0.25, -0.00390625});
  CHECK(derivatives_of_order<3>(Softsign{}, z) == std::vector<TestType>{0.0234375, 0.375, 0, 0.375, 0.00146484375});
}

TEST_CASE("Softsign's default initializer is XavierUniform", "[activation]") {
  static_assert(std::is_same_v<decltype(Softsign{}.default_initializer()), chainrule::XavierUniform>);
  CHECK(Softsign::name == "Softsign");
}
