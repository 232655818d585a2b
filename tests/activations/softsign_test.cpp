#include <chainrule/activations/softsign.hpp>

#include "support/activation_contract.hpp"

using namespace chainrule_test;
using chainrule::Softsign;

TEMPLATE_TEST_CASE("Softsign satisfies the activation contract", "[activation]", float, double) {
  check_activation<TestType>(Softsign{}, {.at_minus_infinity = -1, .at_infinity = 1, .allowed_decrease = 1});
}

// Softsign(z) = z/(1 + |z|), Softsign'(z) = 1/(1 + |z|)^2
TEMPLATE_TEST_CASE("Softsign has the values of the formula", "[activation]", float, double, long double) {
  const std::vector<TestType> z{-3, -1, 0, 1, 7};
  CHECK(values(Softsign{}, z) == std::vector<TestType>{-0.75, -0.5, 0, 0.5, 0.875});
  CHECK(derivatives(Softsign{}, z) == std::vector<TestType>{0.0625, 0.25, 1, 0.25, 0.015625});
}

TEST_CASE("Softsign's default initializer is XavierUniform", "[activation]") {
  static_assert(std::is_same_v<decltype(Softsign{}.default_initializer()), chainrule::XavierUniform>);
  CHECK(Softsign::name == "Softsign");
}
