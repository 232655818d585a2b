#include <chainrule/optimizers/lion.hpp>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("Lion satisfies the optimizer contract", "[optimizer]") {
  check_optimizer(Lion{});
  check_fraction_refused(Lion{}, &Lion::beta1, "beta1");
  check_fraction_refused(Lion{}, &Lion::beta2, "beta2");
}

// c = 3/4 m + 1/4 g,  theta <- theta - sign(c)/4,  m <- m/2 + g/2
TEMPLATE_TEST_CASE("three steps of Lion by hand", "[optimizer]", float, double, long double) {
  const Lion lion{.learning_rate = 0.25, .beta1 = 0.75, .beta2 = 0.5};
  Vector<TestType> theta = vector<TestType>({1, 0, 5, 0});
  auto state = lion.make_state(theta);
  lion.step(theta, vector<TestType>({8, -1e-6, 0, 2}), state);
  CHECK(near(theta, {0.75, 0.25, 5, -0.25}));  // steps do not depend on the size of the gradient
  CHECK(near(Vector<TestType>(state.moment(0)), {4, -5e-7, 0, 1}));
  lion.step(theta, vector<TestType>({-8, 1, 0, -4}), state);
  CHECK(near(theta, {0.5, 0, 5, 0}));  // c = 3 - 2, about 1/4, 0, 3/4 - 1
  CHECK(near(Vector<TestType>(state.moment(0)), {-2, 0.5 - 2.5e-7, 0, -1.5}));
  lion.step(theta, vector<TestType>({6, 0, -1, 1}), state);
  CHECK(near(theta, {0.5, -0.25, 5.25, 0.25}));  // c = -3/2 + 3/2 = 0, about 3/8, -1/4, -9/8 + 1/4
}

TEST_CASE("a NaN in the gradient makes Lion's parameter NaN, not one that stands still", "[optimizer]") {
  Vector<float> theta = vector<float>({1, 2});
  auto state = Lion{}.make_state(theta);
  Lion{}.step(theta, vector<float>({std::nan(""), 0}), state);
  CHECK((std::isnan(theta[0]) && theta[1] == 2));
}

TEST_CASE("Lion's weight decay shrinks theta directly and does not enter the moment", "[optimizer]") {
  const Lion lion{.learning_rate = 0.25, .weight_decay = 0.5};
  Vector<double> theta = vector<double>({8, -8});
  auto state = lion.make_state(theta);
  lion.step(theta, vector<double>({1, 0}), state);
  CHECK(near(theta, {6.75, -7}));
  CHECK(near(Vector<double>(state.moment(0)), {0.01, 0}));
}
