#include <chainrule/optimizers/rmsprop.hpp>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("RMSprop satisfies the optimizer contract", "[optimizer]") {
  check_optimizer(RMSprop{});
  check_same_bits(RMSprop{.centered = true});
  check_same_bits(RMSprop{.momentum = 0.9});
  check_decay(RMSprop{.momentum = 0.9, .centered = true});
  check_fraction_refused(RMSprop{}, &RMSprop::rho, "rho");
  check_negative_refused(RMSprop{}, &RMSprop::epsilon, "epsilon");
  check_fraction_refused(RMSprop{}, &RMSprop::momentum, "momentum");
}

TEST_CASE("RMSprop keeps only the moments that its options need", "[optimizer]") {
  CHECK(RMSprop{}.moments() == 1);
  CHECK(RMSprop{.centered = true}.moments() == 2);
  CHECK(RMSprop{.momentum = 0.5}.moments() == 2);
  CHECK(RMSprop{.momentum = 0.5, .centered = true}.moments() == 3);
}

// v <- 3/4 v + 1/4 g^2, so v is 4, 16 and 16 for the gradients 4, sqrt(52) and -4
TEMPLATE_TEST_CASE("three steps of RMSprop by hand", "[optimizer]", float, double, long double) {
  const RMSprop rmsprop{.learning_rate = 0.5, .rho = 0.75, .epsilon = 0};
  Vector<TestType> theta = vector<TestType>({1, 0});
  auto state = rmsprop.make_state(theta);
  rmsprop.step(theta, vector<TestType>({4, -4}), state);
  CHECK(near(theta, {0, 1}));  // 4 / 2 / 2
  const double root = std::sqrt(52.0);
  rmsprop.step(theta, vector<TestType>({root, root}), state);
  CHECK(near(theta, {-root / 8, 1 - root / 8}));
  rmsprop.step(theta, vector<TestType>({-4, -4}), state);
  CHECK(near(theta, {0.5 - root / 8, 1.5 - root / 8}));
}

// v <- v/2 + g^2/2 and mean <- mean/2 + g/2: v = 8, 12, 6 and mean = 2, 3, 3/2, so v - mean^2 = 4, 3 and 15/4
TEST_CASE("three steps of centered RMSprop by hand", "[optimizer]") {
  const RMSprop rmsprop{.learning_rate = 1, .rho = 0.5, .epsilon = 0.5, .centered = true};
  Vector<double> theta = vector<double>({0});
  auto state = rmsprop.make_state(theta);
  rmsprop.step(theta, vector<double>({4}), state);
  CHECK(near(theta, {-1.6}));  // 4 / (2 + 1/2)
  rmsprop.step(theta, vector<double>({4}), state);
  CHECK(near(theta, {-1.6 - 4 / (std::sqrt(3.0) + 0.5)}));
  rmsprop.step(theta, vector<double>({0}), state);
  CHECK(near(theta, {-1.6 - 4 / (std::sqrt(3.0) + 0.5)}));
  CHECK(near(Vector<double>(state.flat()), {6, 1.5}));
}

// b <- b/2 + g/sqrt(v) with |g| = 4 and v = 4, 7, 37/4: b = 2, then 1 + 4/sqrt(7), ...
TEST_CASE("three steps of RMSprop with momentum by hand", "[optimizer]") {
  const RMSprop rmsprop{.learning_rate = 0.1, .rho = 0.75, .epsilon = 0, .momentum = 0.5};
  Vector<double> theta = vector<double>({1});
  auto state = rmsprop.make_state(theta);
  rmsprop.step(theta, vector<double>({4}), state);
  CHECK(near(theta, {0.8}));
  const double b2 = 1 + 4 / std::sqrt(7.0), b3 = b2 / 2 - 4 / std::sqrt(9.25);
  rmsprop.step(theta, vector<double>({4}), state);
  CHECK(near(theta, {0.8 - b2 / 10}));
  rmsprop.step(theta, vector<double>({-4}), state);
  CHECK(near(theta, {0.8 - b2 / 10 - b3 / 10}));
}

// The variance v - mean^2 of a constant gradient tends to 0, and rounding makes it negative in some of these steps.
TEST_CASE("centered RMSprop gives no NaN for a constant gradient", "[optimizer]") {
  const RMSprop rmsprop{.learning_rate = 1e-9, .rho = 0.5, .centered = true};
  Vector<float> theta = Vector<float>::Zero(16);
  const Vector<float> gradient = wave(16, 1);
  auto state = rmsprop.make_state(theta);
  bool was_negative = false;
  for (int step = 0; step < 60; ++step) {
    rmsprop.step(theta, gradient, state);
    const Vector<double> v = state.moment(0).cast<double>(), mean = state.moment(1).cast<double>();
    was_negative = was_negative || (v.array() - mean.array().square()).minCoeff() < 0;
  }
  CHECK(was_negative);
  CHECK(theta.allFinite());
}
