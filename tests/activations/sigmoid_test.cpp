#include <chainrule/activations/sigmoid.hpp>

#include "support/activation_accuracy.hpp"

using namespace chainrule_test;
using chainrule::Sigmoid;

TEMPLATE_TEST_CASE("Sigmoid satisfies the activation contract", "[activation]", float, double, long double) {
  check_activation<TestType>(Sigmoid{}, {.at_minus_infinity = 0, .at_infinity = 1});
}

// sigma, sigma' = sigma (1 - sigma), sigma'' = sigma' (1 - 2 sigma) and its derivative
TEMPLATE_TEST_CASE("Sigmoid has the derivatives of the formula", "[activation]", float, double, long double) {
  check_known_points<TestType>(
      Sigmoid{}, 4,
      {{-4, 0.0179862099620915580268L, 0.0176627062132911164216L, 0.0170273359283891301465L, 0.0157908790686289207674L},
       {-1, 0.268941421369995120749L, 0.196611933241481852537L, 0.0908577476729484094425L, -0.0353255805162356475541L},
       {-0.5L, 0.377540668798145435361L, 0.235003712201594489069L, 0.0575567948523207405594L, -0.0963567562895846141749L},
       {0, 0.5L, 0.25L, 0, -0.125L},
       {2, 0.88079707797788244406L, 0.104993585403506517349L, -0.0799625010561530625236L, 0.0388516675482060164442L}});
}

// sigma(0) = 1/2, sigma(ln 3) = 3/4, sigma(-ln 3) = 1/4
TEMPLATE_TEST_CASE("Sigmoid has the values of the formula", "[activation]", float, double, long double) {
  const double few_eps = std::max(1e-15, static_cast<double>(4 * eps<TestType>));
  CHECK(value_at(Sigmoid{}, TestType{0}) == TestType(0.5));
  CHECK(value_at(Sigmoid{}, std::log(TestType{3})) == Approx(0.75).epsilon(few_eps));
  CHECK(value_at(Sigmoid{}, -std::log(TestType{3})) == Approx(0.25).epsilon(few_eps));
  CHECK(value_at(Sigmoid{}, TestType{-10}) == Approx(4.539786870243440e-05).epsilon(std::max(few_eps, 1e-15)));
}

// sigma'(z) = sigma(z) (1 - sigma(z)) <= 1/4 is the reason for vanishing gradients in deep sigmoid nets.
TEMPLATE_TEST_CASE("Sigmoid's derivative is largest at 0, where it is 1/4", "[activation]", float, double, long double) {
  CHECK(derivative_at(Sigmoid{}, TestType{0}) == TestType(0.25));
  const std::vector<TestType> d = derivatives(Sigmoid{}, numbers_between<TestType>(-30, 30, 4096));
  CHECK(*std::max_element(d.begin(), d.end()) <= TestType(0.25));
  CHECK(*std::min_element(d.begin(), d.end()) >= 0);
  CHECK(derivative_at(Sigmoid{}, std::log(TestType{3})) == Approx(0.1875).epsilon(static_cast<double>(4 * eps<TestType>)));
}

// sigma(-z) = 1 - sigma(z)
TEMPLATE_TEST_CASE("Sigmoid is symmetric about (0, 1/2)", "[activation]", float, double, long double) {
  const std::vector<TestType> z = numbers_between<TestType>(0, 30, 4096);
  Worst worst;
  for (const TestType at : z)
    worst.update(std::abs(value_at(Sigmoid{}, -at) - (1 - static_cast<long double>(value_at(Sigmoid{}, at)))) / eps<TestType>, at);
  INFO("worst at z = " << worst.at);
  CHECK(worst.error <= 1);  // measured: 0.75
}

TEMPLATE_TEST_CASE("Sigmoid is accurate also where its values are tiny", "[activation]", float, double) {
  Worst worst;  // relative error in eps
  const std::vector<TestType> z = numbers_between<TestType>(-86, 86, 1 << 15);
  const std::vector<TestType> a = values(Sigmoid{}, z);
  for (std::size_t i = 0; i < z.size(); ++i) {
    const long double exact = 1 / (1 + std::exp(-static_cast<long double>(z[i])));
    worst.update(std::abs(a[i] - exact) / (exact * eps<TestType>), z[i]);
  }
  CAPTURE(worst.error, worst.at);
  CHECK(worst.error <= 3);
}

TEST_CASE("Sigmoid's default initializer is XavierUniform", "[activation]") {
  static_assert(std::is_same_v<decltype(Sigmoid{}.default_initializer()), chainrule::XavierUniform>);
  CHECK(Sigmoid::name == "Sigmoid");
}
