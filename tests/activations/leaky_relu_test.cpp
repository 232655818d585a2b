#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/activations/relu.hpp>

#include "support/activation_contract.hpp"

using namespace chainrule_test;
using chainrule::LeakyReLU;

TEMPLATE_TEST_CASE("LeakyReLU satisfies the activation contract", "[activation]", float, double, long double) {
  const double infinity = std::numeric_limits<double>::infinity();
  const ActivationProperties properties{.at_minus_infinity = -infinity, .at_infinity = infinity, .kinks = {0}};
  check_activation<TestType>(LeakyReLU{}, properties);
  check_activation<TestType>(LeakyReLU{0.3}, properties);
}

// LReLU(0) = 0, LReLU(z) = z and LReLU(-z) = -alpha z for z >> 0; alpha = 1/8 is exact in every scalar type
TEMPLATE_TEST_CASE("LeakyReLU is z for z > 0 and alpha z otherwise", "[activation]", float, double, long double) {
  const LeakyReLU f{0.125};
  const std::vector<TestType> z{-1000, -1, 0, 1, 1000};
  CHECK(values(f, z) == std::vector<TestType>{-125, -0.125, 0, 1, 1000});
  CHECK(derivatives(f, z) == std::vector<TestType>{0.125, 0.125, 0.125, 1, 1});  // alpha at 0, as in PyTorch
  CHECK(derivatives_of_order<2>(f, z) == std::vector<TestType>(z.size()));
  CHECK(derivatives_of_order<3>(f, z) == std::vector<TestType>(z.size()));
}

TEMPLATE_TEST_CASE("LeakyReLU's default negative slope is 0.01", "[activation]", float, double, long double) {
  CHECK(LeakyReLU{}.slope() == 0.01);
  CHECK(value_at(LeakyReLU{}, TestType{-100}) == static_cast<TestType>(0.01) * -100);
  CHECK(derivative_at(LeakyReLU{}, TestType{-100}) == static_cast<TestType>(0.01));
  CHECK(LeakyReLU{0.25}.slope() == 0.25);
}

TEMPLATE_TEST_CASE("LeakyReLU with negative slope 0 is ReLU", "[activation]", float, double, long double) {
  std::vector<TestType> z = numbers_of_every_size<TestType>();
  CHECK(values(LeakyReLU{0}, z) == values(chainrule::ReLU{}, z));
  CHECK(derivatives(LeakyReLU{0}, z) == derivatives(chainrule::ReLU{}, z));
}

TEST_CASE("LeakyReLU rejects a negative slope below 0 or not below 1 and names its value", "[activation]") {
  CHECK_THROWS_SAYING(LeakyReLU{1.0}, chainrule::ValueError, "LeakyReLU", "slope", "at least 0 and below 1", "got 1");
  CHECK_THROWS_SAYING(LeakyReLU{1.5}, chainrule::ValueError, "LeakyReLU", "got 1.5");
  CHECK_THROWS_SAYING(LeakyReLU{-0.25}, chainrule::ValueError, "LeakyReLU", "got -0.25");
  CHECK_THROWS_SAYING(LeakyReLU{std::numeric_limits<double>::quiet_NaN()}, chainrule::ValueError, "LeakyReLU", "nan");
  CHECK_THROWS_SAYING(LeakyReLU{std::numeric_limits<double>::infinity()}, chainrule::ValueError, "LeakyReLU", "inf");
  CHECK_NOTHROW(LeakyReLU{0.0});
  CHECK_NOTHROW(LeakyReLU{0.999});
}

TEST_CASE("LeakyReLU's default initializer is HeNormal with its own negative slope", "[activation]") {
  static_assert(std::is_same_v<decltype(LeakyReLU{}.default_initializer()), chainrule::HeNormal>);
  CHECK(LeakyReLU{}.default_initializer().negative_slope == 0.01);
  CHECK(LeakyReLU{0.25}.default_initializer().negative_slope == 0.25);
  CHECK(LeakyReLU::name == "LeakyReLU");
}
