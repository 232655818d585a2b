#include <chainrule/optimizers/adam.hpp>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("Adam satisfies the optimizer contract", "[optimizer]") {
  check_optimizer(Adam{});
  check_same_bits(Adam{.amsgrad = true});
  check_decay(Adam{.amsgrad = true});
  check_fraction_refused(Adam{}, &Adam::beta1, "beta1");
  check_fraction_refused(Adam{}, &Adam::beta2, "beta2");
  check_negative_refused(Adam{}, &Adam::epsilon, "epsilon");
}

// |g| = 4 in each step, so v / (1 - beta2^t) = 16. With beta1 = 1/2, m is 2, -1 and 3/2; divided by 1 - beta1^t it is 4, -4/3, 12/7.
TEMPLATE_TEST_CASE("three steps of Adam by hand", "[optimizer]", float, double, long double) {
  const Adam adam{.learning_rate = 0.5, .beta1 = 0.5, .beta2 = 0.75, .epsilon = 0};
  Vector<TestType> theta = vector<TestType>({1, -1});
  auto state = adam.make_state(theta);
  CHECK(state.moments() == 2);
  adam.step(theta, vector<TestType>({4, -4}), state);
  CHECK(near(theta, {0.5, -0.5}));
  adam.step(theta, vector<TestType>({-4, 4}), state);
  CHECK(near(theta, {0.5 + 0.5 / 3, -0.5 - 0.5 / 3}));
  adam.step(theta, vector<TestType>({4, -4}), state);
  CHECK(near(theta, {0.5 + 0.5 / 3 - 1.5 / 7, -0.5 - 0.5 / 3 + 1.5 / 7}));
  CHECK(near(Vector<TestType>(state.moment(0)), {1.5, -1.5}));
  CHECK(near(Vector<TestType>(state.moment(1)), {9.25, 9.25}));
  CHECK(state.steps == 3);
}

TEST_CASE("the first step of Adam changes each parameter by the learning rate, whatever the size of the gradient", "[optimizer]") {
  Vector<double> theta = vector<double>({0, 0, 0});
  const Adam adam{.learning_rate = 0.25, .epsilon = 0};
  auto state = adam.make_state(theta);
  adam.step(theta, vector<double>({1e-6, -3, 1e6}), state);
  CHECK(near(theta, {-0.25, 0.25, -0.25}));
}

// m / (sqrt(v) + epsilon) = 4 / (4 + 4) with the bias-corrected m and v
TEST_CASE("Adam adds epsilon to the root of the bias-corrected v", "[optimizer]") {
  Vector<double> theta = vector<double>({1});
  const Adam adam{.learning_rate = 1, .epsilon = 4};
  auto state = adam.make_state(theta);
  adam.step(theta, vector<double>({4}), state);
  CHECK(near(theta, {0.5}));
}

// g = 6 + 20/10 = 8, and the first step is 8 / 8 = 1
TEST_CASE("Adam's weight decay is added to the gradient, so it enters the moments", "[optimizer]") {
  Vector<double> theta = vector<double>({20, 0});
  const Adam adam{.learning_rate = 1, .beta1 = 0.5, .beta2 = 0.5, .epsilon = 0, .weight_decay = 0.1};
  auto state = adam.make_state(theta);
  adam.step(theta, vector<double>({6, 6}), state);
  CHECK(near(theta, {19, -1}));
  CHECK(near(Vector<double>(state.flat()), {4, 3, 32, 18}));
}

// v is 8, 4 and 9/2 for the gradients 4, 0 and sqrt(5); the largest so far is always 8
TEST_CASE("Adam with amsgrad divides by the root of the largest v so far", "[optimizer]") {
  const Adam adam{.learning_rate = 1, .beta1 = 0, .beta2 = 0.5, .epsilon = 0, .amsgrad = true};
  Vector<double> theta = vector<double>({0});
  auto state = adam.make_state(theta);
  CHECK(state.moments() == 3);
  adam.step(theta, vector<double>({4}), state);
  CHECK(near(theta, {-1}));
  adam.step(theta, vector<double>({0}), state);
  CHECK(near(theta, {-1}));
  adam.step(theta, vector<double>({std::sqrt(5.0)}), state);
  CHECK(near(theta, {-1 - std::sqrt(5.0 / 8 * 0.875)}));
  CHECK(near(Vector<double>(state.flat()), {std::sqrt(5.0), 4.5, 8}));
}
