#include <chainrule/optimizers/nadam.hpp>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("NAdam satisfies the optimizer contract", "[optimizer]") {
  check_optimizer(NAdam{});
  check_fraction_refused(NAdam{}, &NAdam::beta1, "beta1");
  check_fraction_refused(NAdam{}, &NAdam::beta2, "beta2");
  check_negative_refused(NAdam{}, &NAdam::epsilon, "epsilon");
  check_negative_refused(NAdam{}, &NAdam::momentum_decay, "momentum_decay");
}

// With momentum_decay = 0, mu = beta1 / 2 = 1/4 in each step, so its products are 1/4, 1/16, 1/64, 1/256. |g| = 4 makes sqrt(v) = 4.
//   t = 1: m = 2,    3/4 g / (3/4) + 1/4 m / (15/16)     =  4 + 8/15
//   t = 2: m = -1,   3/4 g / (15/16) + 1/4 m / (63/64)   = -16/5 - 16/63
//   t = 3: m = 3/2,  3/4 g / (63/64) + 1/4 m / (255/256) =  64/21 + 32/85
TEMPLATE_TEST_CASE("three steps of NAdam by hand", "[optimizer]", float, double, long double) {
  const NAdam nadam{.learning_rate = 0.5, .beta1 = 0.5, .beta2 = 0.75, .epsilon = 0, .momentum_decay = 0};
  Vector<TestType> theta = vector<TestType>({1, 0});
  auto state = nadam.make_state(theta);
  double step = (4 + 8.0 / 15) / 8;
  nadam.step(theta, vector<TestType>({4, -4}), state);
  CHECK(near(theta, {1 - step, step}));
  step += (-16.0 / 5 - 16.0 / 63) / 8;
  nadam.step(theta, vector<TestType>({-4, 4}), state);
  CHECK(near(theta, {1 - step, step}));
  step += (64.0 / 21 + 32.0 / 85) / 8;
  nadam.step(theta, vector<TestType>({4, -4}), state);
  CHECK(near(theta, {1 - step, step}));
}

// After many steps mu = beta1 and the bias corrections are 1, so a step is (g/10 + 9/10 m) / |g| with m = g.
TEST_CASE("NAdam's steps along a constant gradient approach the learning rate", "[optimizer]") {
  const NAdam nadam{.learning_rate = 0.25, .momentum_decay = 1};
  Vector<double> theta = vector<double>({0});
  auto state = nadam.make_state(theta);
  state.steps = 100000;
  state.moment(0)[0] = 3;
  state.moment(1)[0] = 9;
  nadam.step(theta, vector<double>({3}), state);
  CHECK(std::abs(theta[0] + 0.25) < 1e-8);  // the difference is due to epsilon
}
