#include <chainrule/activations/tanh.hpp>

#include "support/activation_accuracy.hpp"

using namespace chainrule_test;
using chainrule::Tanh;

namespace {

// tests/kernels/vector_math_test.cpp checks tanh on many more numbers.
constexpr double value_rounding = 2.5;

}  // namespace

TEMPLATE_TEST_CASE("Tanh satisfies the activation contract", "[activation]", float, double, long double) {
  check_activation<TestType>(Tanh{}, {.at_minus_infinity = -1, .at_infinity = 1, .derivative_rounding = 12});
}

// tanh(0) = 0, tanh(inf) = 1, tanh(-inf) = -1;  with z = ln 2: (4 - 1)/(4 + 1) = 3/5
TEMPLATE_TEST_CASE("Tanh has the values of the formula", "[activation]", float, double, long double) {
  const double few_eps = std::max(1e-15, static_cast<double>(8 * eps<TestType>));
  CHECK(value_at(Tanh{}, TestType{0}) == 0);
  CHECK(value_at(Tanh{}, std::log(TestType{2})) == Approx(0.6).epsilon(few_eps));
  CHECK(value_at(Tanh{}, TestType{std::numeric_limits<TestType>::digits > 64 ? 50 : 30}) == 1);
  CHECK(value_at(Tanh{}, std::numeric_limits<TestType>::infinity()) == 1);
  CHECK(value_at(Tanh{}, -std::numeric_limits<TestType>::infinity()) == -1);
}

// tanh, tanh' = 1 - tanh^2, tanh'' = -2 tanh tanh' and its derivative
TEMPLATE_TEST_CASE("Tanh has the derivatives of the formula", "[activation]", float, double, long double) {
  check_known_points<TestType>(
      Tanh{}, 8,
      {{-4, -0.999329299739067043792L, 0.00134095068302589687997L, 0.00268010261410578637016L, 0.00535301383969774180368L},
       {-1, -0.761594155955764888119L, 0.419974341614026069394L, 0.639700008449224500188L, 0.621626680771296263107L},
       {-0.5L, -0.462117157260009758502L, 0.78644773296592741015L, 0.72686198138358727554L, -0.565209288259770360866L},
       {0, 0, 1, 0, -2},
       {2, 0.964027580075816883946L, 0.0706508248531644656862L, -0.136218687427113041172L, 0.252654065098062732279L}});
}

// tanh'(z) = 1 - tanh(z)^2
TEMPLATE_TEST_CASE("Tanh's derivative is largest at 0, where it is 1", "[activation]", float, double, long double) {
  CHECK(derivative_at(Tanh{}, TestType{0}) == 1);
  CHECK(derivative_at(Tanh{}, std::log(TestType{2})) == Approx(0.64).epsilon(static_cast<double>(8 * eps<TestType>)));
  const std::vector<TestType> d = derivatives(Tanh{}, numbers_between<TestType>(-30, 30, 4096));
  CHECK(*std::max_element(d.begin(), d.end()) <= 1);
  CHECK(*std::min_element(d.begin(), d.end()) >= 0);
}

TEMPLATE_TEST_CASE("Tanh is odd to the last bit and stays between -1 and 1", "[activation]", float, double, long double) {
  std::vector<TestType> z = numbers_of_every_size<TestType>();
  for (const TestType dense : numbers_between<TestType>(-20, 20, 1 << 15)) z.push_back(dense);
  std::vector<TestType> minus_z = z;
  for (TestType& at : minus_z) at = -at;
  const std::vector<TestType> a = values(Tanh{}, z);
  const std::vector<TestType> b = values(Tanh{}, minus_z);
  std::size_t not_odd = 0;
  std::size_t too_large = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (!same(a[i], -b[i])) ++not_odd;
    if (!(std::abs(a[i]) <= 1)) ++too_large;
  }
  CHECK(not_odd == 0);
  CHECK(too_large == 0);
}

// Relative error. Near 0, tanh(z) is about z and a formula with e^2z - 1 would cancel.
TEMPLATE_TEST_CASE("Tanh is accurate near 0 and far from 0", "[activation]", float, double) {
  std::vector<TestType> z = numbers_between<TestType>(-20, 20, 1 << 15);
  for (const TestType near_0 : numbers_between<TestType>(-1e-3, 1e-3, 1 << 12)) z.push_back(near_0);
  const std::vector<TestType> a = values(Tanh{}, z);
  Worst worst;  // relative error in eps
  for (std::size_t i = 0; i < z.size(); ++i) {
    const long double exact = std::tanh(static_cast<long double>(z[i]));
    worst.update(std::abs(a[i] - exact) / (std::abs(exact) * eps<TestType>), z[i]);
  }
  CAPTURE(worst.error, worst.at);
  CHECK(worst.error <= static_cast<long double>(value_rounding));
}

TEST_CASE("Tanh's default initializer is XavierUniform", "[activation]") {
  static_assert(std::is_same_v<decltype(Tanh{}.default_initializer()), chainrule::XavierUniform>);
  CHECK(Tanh::name == "Tanh");
}
