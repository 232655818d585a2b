#include <chainrule/activations/elu.hpp>

#include "support/activation_accuracy.hpp"

using namespace chainrule_test;
using chainrule::ELU;

TEMPLATE_TEST_CASE("ELU satisfies the activation contract", "[activation]", float, double) {
  const double infinity = std::numeric_limits<double>::infinity();
  check_activation<TestType>(ELU{}, {.at_minus_infinity = -1, .at_infinity = infinity, .kinks = {0}, .allowed_decrease = 2});
  check_activation<TestType>(ELU{0.25}, {.at_minus_infinity = -0.25, .at_infinity = infinity, .kinks = {0}, .allowed_decrease = 2});
}

// ELU(z) = z for z > 0 and e^z - 1 for z <= 0
TEMPLATE_TEST_CASE("ELU has the values of the formula", "[activation]", float, double, long double) {
  check_known_points<TestType>(
      ELU{}, 3,
      {{-4, -0.981684361111265819706L, 0.0183156388887341802937L, 0.0183156388887341802937L, 0.0183156388887341802937L},
       {-1, -0.632120558828557678404L, 0.367879441171442321596L, 0.367879441171442321596L, 0.367879441171442321596L},
       {-0.5L, -0.393469340287366576396L, 0.606530659712633423604L, 0.606530659712633423604L, 0.606530659712633423604L},
       {0, 0, 1, 0, 0},
       {2, 2, 1, 0, 0}});
  check_known_points<TestType>(
      ELU{2}, 3,
      {{-1, -1.26424111765711535681L, 0.735758882342884643191L, 0.735758882342884643191L, 0.735758882342884643191L}, {2, 2, 1, 0, 0}});
}

TEST_CASE("ELU is accurate near 0, where computing e^z - 1 directly would cancel", "[activation]") {
  check_accuracy<float>(ELU{}, -20, 20, 3);
  check_accuracy<float>(ELU{}, -1e-3, 1e-3, 3);
  check_accuracy<double>(ELU{}, -1e-3, 1e-3, 3);
}

TEST_CASE("ELU'(0) = alpha as in PyTorch, and alpha = 0 gives ReLU", "[activation]") {
  CHECK(derivative_at(ELU{0.5}, 0.0) == 0.5);
  const std::vector<double> z{-1000, -1, 0, 1, 1000};
  CHECK(values(ELU{0}, z) == std::vector<double>{0, 0, 0, 1, 1000});
  CHECK(derivatives(ELU{0}, z) == std::vector<double>{0, 0, 0, 1, 1});
}

TEST_CASE("ELU rejects a negative or infinite alpha and names its value", "[activation]") {
  CHECK_THROWS_SAYING(ELU{-0.25}, chainrule::ValueError, "ELU", "alpha", "at least 0 and finite", "got -0.25");
  CHECK_THROWS_SAYING(ELU{std::numeric_limits<double>::quiet_NaN()}, chainrule::ValueError, "ELU", "nan");
  CHECK_THROWS_SAYING(ELU{std::numeric_limits<double>::infinity()}, chainrule::ValueError, "ELU", "inf");
  CHECK(ELU{}.alpha() == 1);
  CHECK(ELU{2}.alpha() == 2);
}

TEST_CASE("ELU's default initializer is HeNormal", "[activation]") {
  static_assert(std::is_same_v<decltype(ELU{}.default_initializer()), chainrule::HeNormal>);
  CHECK(ELU::name == "ELU");
}
