#include <chainrule/activations/mish.hpp>

#include "support/activation_accuracy.hpp"

using namespace chainrule_test;
using chainrule::Mish;

TEMPLATE_TEST_CASE("Mish satisfies the activation contract", "[activation]", float, double) {
  check_activation<TestType>(Mish{},
                             {.at_minus_infinity = 0, .at_infinity = std::numeric_limits<double>::infinity(), .nondecreasing = false});
}

// Mish(z) = z tanh(ln(1 + e^z)); Mish'(0) = tanh(ln 2) = 3/5; its minimum is -0.309 at z = -1.192
TEMPLATE_TEST_CASE("Mish has the values of the formula", "[activation]", float, double, long double) {
  check_known_points<TestType>(
      Mish{}, 5,
      {{-20, -4.12230724062876140064e-8L, -3.91619187434896907532e-8L, -3.71007650424565792023e-8L, -3.50396112670772681838e-8L},
       {-4, -0.0725917407920253584549L, -0.05377320979348032363L, -0.0346200317492544772876L, -0.014966649007293439876L},
       {-1, -0.303401461374108918074L, 0.0592167558773949480057L, 0.349705673670644954517L, 0.446462951333115678076L},
       {0, 0, 0.6L, 0.64L, -0.096L},
       {0.5L, 0.375245211304895104819L, 0.886424375357727258451L, 0.468053377844886583326L, -0.537858837677416818693L},
       {1, 0.865098388267310346116L, 1.04903622009979215909L, 0.184685764473328264316L, -0.515328537545535461739L},
       {4, 3.99741280697623852435L, 1.00443287690375006919L, -0.00733896756586955041392L, 0.0115211944354793588056L}});
  CHECK(std::abs(derivative_at(Mish{}, TestType(-1.192431214515495212137588340420739405600L))) <
        2 * std::numeric_limits<TestType>::epsilon());
}

TEST_CASE("Mish is accurate also where its values are tiny", "[activation]") {
  check_accuracy<float>(Mish{}, -65, 65, 4);
  check_accuracy<double>(Mish{}, -650, 20, 4);
}

TEST_CASE("Mish's default initializer is HeNormal", "[activation]") {
  static_assert(std::is_same_v<decltype(Mish{}.default_initializer()), chainrule::HeNormal>);
  CHECK(Mish::name == "Mish");
}
