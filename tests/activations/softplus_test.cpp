#include <chainrule/activations/softplus.hpp>

#include "support/activation_accuracy.hpp"

using namespace chainrule_test;
using chainrule::Softplus;

TEMPLATE_TEST_CASE("Softplus satisfies the activation contract", "[activation]", float, double) {
  const ActivationProperties properties{
      .at_minus_infinity = 0, .at_infinity = std::numeric_limits<double>::infinity(), .allowed_decrease = 4};
  check_activation<TestType>(Softplus{}, properties);
  check_activation<TestType>(Softplus{2}, properties);
}

// Softplus(z) = ln(1 + e^z), with Softplus(0) = ln 2; with beta = 2 it is ln(1 + e^2z)/2
TEMPLATE_TEST_CASE("Softplus has the values of the formula", "[activation]", float, double, long double) {
  check_known_points<TestType>(
      Softplus{}, 4,
      {{-20, 2.06115362031438070324e-9L, 2.06115361819020358143e-9L, 2.06115361394184934365e-9L, 2.06115360544514088561e-9L},
       {-1, 0.313261687518222834049L, 0.268941421369995120749L, 0.196611933241481852537L, 0.0908577476729484094425L},
       {0, 0.693147180559945309417L, 0.5L, 0.25L, 0},
       {0.5L, 0.974076984180106680873L, 0.622459331201854564639L, 0.235003712201594489069L, -0.0575567948523207405594L},
       {4, 4.01814992791780974035L, 0.982013790037908441973L, 0.0176627062132911164216L, -0.0170273359283891301465L},
       {20, 20.0000000020611536203L, 0.99999999793884638181L, 2.06115361394184934365e-9L, -2.06115360544514088561e-9L}});
  check_known_points<TestType>(
      Softplus{2}, 4,
      {{-1, 0.0634640055214862482219L, 0.11920292202211755594L, 0.209987170807013034697L, 0.319850004224612250094L},
       {0, 0.346573590279972654709L, 0.5L, 0.5L, 0},
       {0.5L, 0.656630843759111417024L, 0.731058578630004879251L, 0.393223866482963705075L, -0.36343099069179363777L},
       {4, 4.00016770318644788442L, 0.999664649869533521896L, 0.000670475341512948439985L, -0.00134005130705289318508L}});
}

TEST_CASE("Softplus is accurate also where its values are tiny", "[activation]") {
  check_accuracy<float>(Softplus{}, -85, 85, 4);
  check_accuracy<double>(Softplus{}, -700, 40, 4);
}

TEST_CASE("Softplus does not overflow, however large z and beta are", "[activation]") {
  CHECK(value_at(Softplus{1e10}, 3e38f) == 3e38f);
  CHECK(value_at(Softplus{1e10}, -3e38f) <= std::numeric_limits<float>::min());
  CHECK(derivative_at(Softplus{1e10}, 3e38f) == 1);
}

TEST_CASE("Softplus rejects a beta that is not above 0 or not finite and names its value", "[activation]") {
  CHECK_THROWS_SAYING(Softplus{0}, chainrule::ValueError, "Softplus", "beta", "above 0 and finite", "got 0");
  CHECK_THROWS_SAYING(Softplus{-1.5}, chainrule::ValueError, "Softplus", "got -1.5");
  CHECK_THROWS_SAYING(Softplus{std::numeric_limits<double>::quiet_NaN()}, chainrule::ValueError, "Softplus", "nan");
  CHECK_THROWS_SAYING(Softplus{std::numeric_limits<double>::infinity()}, chainrule::ValueError, "Softplus", "inf");
  CHECK(Softplus{}.beta() == 1);
  CHECK(Softplus{0.5}.beta() == 0.5);
}

TEST_CASE("Softplus's default initializer is HeNormal", "[activation]") {
  static_assert(std::is_same_v<decltype(Softplus{}.default_initializer()), chainrule::HeNormal>);
  CHECK(Softplus::name == "Softplus");
}
