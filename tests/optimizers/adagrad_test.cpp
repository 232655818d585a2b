#include <chainrule/optimizers/adagrad.hpp>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("Adagrad satisfies the optimizer contract", "[optimizer]") {
  check_optimizer(Adagrad{});
  check_negative_refused(Adagrad{}, &Adagrad::learning_rate_decay, "learning_rate_decay");
  check_negative_refused(Adagrad{}, &Adagrad::initial_sum, "initial_sum");
  check_negative_refused(Adagrad{}, &Adagrad::epsilon, "epsilon");
}

// The sums of squared gradients are 9, 25 and 169, with the roots 3, 5 and 13.
TEMPLATE_TEST_CASE("three steps of Adagrad by hand", "[optimizer]", float, double, long double) {
  const Adagrad adagrad{.learning_rate = 1, .epsilon = 0};
  Vector<TestType> theta = vector<TestType>({10, 0});
  auto state = adagrad.make_state(theta);
  adagrad.step(theta, vector<TestType>({3, -3}), state);
  CHECK(near(theta, {9, 1}));
  adagrad.step(theta, vector<TestType>({4, 4}), state);
  CHECK(near(theta, {8.2, 0.2}));
  adagrad.step(theta, vector<TestType>({12, 12}), state);
  CHECK(near(theta, {8.2 - 12.0 / 13, 0.2 - 12.0 / 13}));
  CHECK(near(Vector<TestType>(state.moment(0)), {169, 169}));
}

// learning rates 1, 1/2, 1/3; sums 16 + 9 = 25, 25 + 0, 25 + 144 = 169
TEST_CASE("Adagrad with a decaying learning rate and an initial sum above 0, by hand", "[optimizer]") {
  const Adagrad adagrad{.learning_rate = 1, .learning_rate_decay = 1, .initial_sum = 16, .epsilon = 1};
  Vector<double> theta = vector<double>({10});
  auto state = adagrad.make_state(theta);
  adagrad.step(theta, vector<double>({3}), state);
  CHECK(near(theta, {9.5}));  // 3 / (5 + 1)
  adagrad.step(theta, vector<double>({0}), state);
  CHECK(near(theta, {9.5}));
  adagrad.step(theta, vector<double>({12}), state);
  CHECK(near(theta, {9.5 - 12.0 / 14 / 3}));
}
