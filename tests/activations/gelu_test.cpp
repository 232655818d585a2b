#include <chainrule/activations/gelu.hpp>

#include "support/activation_accuracy.hpp"

using namespace chainrule_test;
using chainrule::GELU;
using chainrule::GELUTanh;

namespace {

const ActivationProperties falls_and_rises{
    .at_minus_infinity = 0, .at_infinity = std::numeric_limits<double>::infinity(), .nondecreasing = false};

}  // namespace

TEMPLATE_TEST_CASE("GELU satisfies the activation contract", "[activation]", float, double) {
  check_activation<TestType>(GELU{}, falls_and_rises);
}

TEMPLATE_TEST_CASE("GELUTanh satisfies the activation contract", "[activation]", float, double) {
  ActivationProperties properties = falls_and_rises;
  properties.min_z = -4;  // the error grows below; see the test of the tail
  properties.derivative_rounding = 20;
  check_activation<TestType>(GELUTanh{}, properties);
}

// GELU(z) = z Phi(z) with Phi(1) = 0.841, Phi(3) = 0.99865
TEMPLATE_TEST_CASE("GELU has the values of the formula, also far below 0", "[activation]", float, double, long double) {
  check_known_points<TestType>(
      GELU{}, 5,
      {{-9, -1.01572956535845658296e-18L, -9.138937373906639251e-18L, -8.12102112161844268829e-17L, -7.12388308516655795314e-16L},
       {-3, -0.00404969409489028357996L, -0.0119456472041839270002L, -0.0310229388835660502292L, -0.066477726179070107634L},
       {-1, -0.158655253931457051415L, -0.0833154705876862983831L, 0.241970724519143349798L, 0.725912173557430049393L},
       {-0.5L, -0.154268769362993448181L, 0.132504875343837157475L, 0.616114321837524086106L, 0.660122487683061520828L},
       {0, 0, 0.5L, 0.79788456080286535588L, 0},
       {0.5L, 0.345731230637006551819L, 0.867495124656162842525L, 0.616114321837524086106L, -0.660122487683061520828L},
       {1, 0.841344746068542948585L, 1.08331547058768629838L, 0.241970724519143349798L, -0.725912173557430049393L},
       {3, 2.99595030590510971642L, 1.011945647204183927L, -0.0310229388835660502292L, 0.066477726179070107634L}});
}

// GELUTanh(z) = z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))
TEMPLATE_TEST_CASE("GELUTanh has the values of the formula", "[activation]", float, double, long double) {
  check_known_points<TestType>(
      GELUTanh{}, 12,
      {{-3, -0.00363739208177301883782L, -0.0115841666309697262035L, -0.0317676588860747039434L, -0.0696822183833200166955L},
       {-1, -0.158808009391723295218L, -0.0829640838457825551396L, 0.242148197983772952419L, 0.72172039178848642717L},
       {-0.5L, -0.154285990174856077962L, 0.13263009646535768844L, 0.615506895115984892273L, 0.661217903326735194123L},
       {0, 0, 0.5L, 0.79788456080286535588L, 0},
       {0.5L, 0.345714009825143922038L, 0.86736990353464231156L, 0.615506895115984892273L, -0.661217903326735194123L},
       {1, 0.841191990608276704782L, 1.08296408384578255514L, 0.242148197983772952419L, -0.72172039178848642717L},
       {3, 2.99636260791822698116L, 1.0115841666309697262L, -0.0317676588860747039434L, 0.0696822183833200166955L}});
}

TEST_CASE("GELU is accurate down to where its value underflows", "[activation]") {
  check_accuracy<float>(GELU{}, -12.5, 12, 5);
  check_accuracy<double>(GELU{}, -36, 12, 5);
}

// 1 + tanh(u) is about e^2u there, with a relative error of about |2u| eps.
TEST_CASE("GELUTanh loses relative accuracy below -4, where its values are tiny", "[activation]") {
  check_accuracy<float>(GELUTanh{}, -4, 12, 20);
  check_accuracy<float>(GELUTanh{}, -9, -4, 200);
  check_accuracy<double>(GELUTanh{}, -9, -4, 200);
  CHECK(std::abs(value_at(GELUTanh{}, -4.0)) < 1e-4);
  CHECK(std::abs(value_at(GELUTanh{}, -9.0)) < 1e-27);
  CHECK(std::abs(derivative_at(GELUTanh{}, -9.0)) < 1e-26);
}

TEST_CASE("GELUTanh differs from GELU by less than 5e-4", "[activation]") {
  const std::vector<double> z = numbers_between<double>(-12, 12, 4096);
  const std::vector<double> exact = values(GELU{}, z);
  const std::vector<double> a = values(GELUTanh{}, z);
  double worst = 0;
  for (std::size_t i = 0; i < z.size(); ++i) worst = std::max(worst, std::abs(a[i] - exact[i]));
  CHECK(worst < 5e-4);
  CHECK(worst > 4e-4);
}

TEST_CASE("GELU and GELUTanh have the default initializer HeNormal", "[activation]") {
  static_assert(std::is_same_v<decltype(GELU{}.default_initializer()), chainrule::HeNormal>);
  static_assert(std::is_same_v<decltype(GELUTanh{}.default_initializer()), chainrule::HeNormal>);
  CHECK(GELU::name == "GELU");
  CHECK(GELUTanh::name == "GELUTanh");
}
