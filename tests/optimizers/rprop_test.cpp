#include <chainrule/optimizers/rprop.hpp>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("Rprop satisfies the optimizer contract", "[optimizer]") {
  check_optimizer(Rprop{}, {.rate_scales_step = false});
  check_refused(Rprop{}, &Rprop::eta_minus, "eta_minus", {0, 1, -0.5, 1.5, std::nan("")});
  check_refused(Rprop{}, &Rprop::eta_plus, "eta_plus", {1, 1 + 1e-9, 0.5, -2, std::nan(""), HUGE_VAL});
  check_negative_refused(Rprop{}, &Rprop::min_step, "min_step");
  check_negative_refused(Rprop{}, &Rprop::max_step, "max_step");
  check_refused(Rprop{.max_step = 1}, &Rprop::min_step, "min_step is 2, above max_step, which is 1", {2});
}

// The first gradient keeps its sign; the second changes sign and is then 0; the third changes sign and continues; the fourth is 0.
TEMPLATE_TEST_CASE("four steps of Rprop by hand", "[optimizer]", float, double, long double) {
  const Rprop rprop{.learning_rate = 0.5, .eta_minus = 0.5, .eta_plus = 1.5};
  Vector<TestType> theta = vector<TestType>({0, 0, 0, 7});
  auto state = rprop.make_state(theta);
  rprop.step(theta, vector<TestType>({1, 1, -1, 0}), state);
  CHECK(near(theta, {-0.5, -0.5, 0.5, 7}));
  rprop.step(theta, vector<TestType>({100, -3, 2, 0}), state);
  CHECK(near(theta, {-1.25, -0.5, 0.5, 7}));  // step sizes 3/4, 1/4, 1/4; no step where the sign changed
  rprop.step(theta, vector<TestType>({1e-3, 0, 2, 0}), state);
  CHECK(near(theta, {-2.375, -0.5, 0.25, 7}));  // 9/8, 1/4, 1/4; the step size stays in the step after a change of sign
  rprop.step(theta, vector<TestType>({1, -5, 2, 0}), state);
  CHECK(near(theta, {-4.0625, -0.25, -0.125, 7}));  // 27/16, 1/4, 3/8
  CHECK(near(Vector<TestType>(state.moment(1)), {1.6875, 0.25, 0.375, 0.5}));
}

TEST_CASE("Rprop keeps its step sizes between min_step and max_step", "[optimizer]") {
  const Rprop rprop{.learning_rate = 1, .eta_minus = 0.5, .eta_plus = 2, .min_step = 0.75, .max_step = 3};
  Vector<double> theta = vector<double>({0, 0});
  auto state = rprop.make_state(theta);
  for (int step = 0; step < 4; ++step) rprop.step(theta, vector<double>({1, step % 2 == 0 ? 1.0 : -1.0}), state);
  CHECK(near(theta, {-9, -1.75}));  // 1 + 2 + 3 + 3; and 1, no step at the change of sign, 3/4, no step
}

// The product of two gradients of 1e-30 underflows to 0 in float, so signs must not be compared by multiplying.
TEST_CASE("Rprop uses the signs of tiny gradients too", "[optimizer]") {
  const Rprop rprop{.learning_rate = 1, .eta_plus = 2};
  Vector<float> theta = vector<float>({0});
  auto state = rprop.make_state(theta);
  for (int step = 0; step < 2; ++step) rprop.step(theta, vector<float>({1e-30}), state);
  CHECK(theta[0] == -3);
}

TEST_CASE("a NaN in the gradient makes Rprop's parameter NaN, not one that stands still", "[optimizer]") {
  Vector<float> theta = vector<float>({1, 2});
  auto state = Rprop{}.make_state(theta);
  Rprop{}.step(theta, vector<float>({std::nan(""), 0}), state);
  CHECK((std::isnan(theta[0]) && theta[1] == 2));
}

TEST_CASE("Rprop's learning rate is its first step size only", "[optimizer]") {
  Vector<double> theta = vector<double>({0});
  auto state = Rprop{}.make_state(theta);
  Rprop{.learning_rate = 1, .eta_plus = 2}.step(theta, vector<double>({1}), state);
  Rprop{.learning_rate = 100, .eta_plus = 2}.step(theta, vector<double>({1}), state);
  CHECK(theta[0] == -3);
}
