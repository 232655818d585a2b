#include <chainrule/activations/selu.hpp>
#include <chainrule/core/random.hpp>

#include "support/activation_accuracy.hpp"

using namespace chainrule_test;
using chainrule::SELU;

TEMPLATE_TEST_CASE("SELU satisfies the activation contract", "[activation]", float, double) {
  check_activation<TestType>(SELU{}, {.at_minus_infinity = -1.7580993408473768599,
                                      .at_infinity = std::numeric_limits<double>::infinity(),
                                      .kinks = {0},
                                      .allowed_decrease = 3,
                                      .max_slope = 1.0507009873554804935});
}

// SELU(z) = lambda z for z > 0 and lambda alpha (e^z - 1) for z <= 0
TEMPLATE_TEST_CASE("SELU has the values of the formula", "[activation]", float, double, long double) {
  check_known_points<TestType>(
      SELU{}, 3,
      {{-4, -1.72589862818989471556L, 0.0322007126574821443792L, 0.0322007126574821443792L, 0.0322007126574821443792L},
       {-1, -1.1113307378125627618L, 0.646768603034814098142L, 0.646768603034814098142L, 0.646768603034814098142L},
       {-0.5L, -0.691758187802871402356L, 1.06634115304450545758L, 1.06634115304450545758L, 1.06634115304450545758L},
       {0, 0, 1.75809934084737685994L, 0, 0},
       {2, 2.10140197471096098684L, 1.05070098735548049342L, 0, 0}});
}

// lambda and alpha are chosen for this fixed point: z ~ N(0, 1) gives activations of mean 0 and variance 1.
TEST_CASE("SELU preserves mean 0 and variance 1", "[activation]") {
  double mean = 0;
  double square = 0;
  for (int i = 0; i < 1 << 14; ++i) {
    const double z = -12 + 24 * (i + 0.503) / (1 << 14);
    const double share = std::exp(-z * z / 2) * 24 / (1 << 14) * 0.39894228040143267794;  // probability under N(0, 1)
    const double a = value_at(SELU{}, z);
    mean += share * a;
    square += share * a * a;
  }
  CHECK(std::abs(mean) < 1e-5);
  CHECK(std::abs(square - 1) < 1e-5);
}

TEST_CASE("SELU's default initializer is LecunNormal", "[activation]") {
  static_assert(std::is_same_v<decltype(SELU{}.default_initializer()), chainrule::LecunNormal>);
  CHECK(SELU::name == "SELU");
}
