#include <chainrule/optimizers/adadelta.hpp>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("Adadelta satisfies the optimizer contract", "[optimizer]") {
  check_optimizer(Adadelta{});
  check_fraction_refused(Adadelta{}, &Adadelta::rho, "rho");
  check_negative_refused(Adadelta{}, &Adadelta::epsilon, "epsilon");
}

// rho = 1/2, epsilon = 1, learning_rate = 1/2; v is the running mean of g^2, u the running mean of step^2:
// g = 4: v = 8,  step = sqrt(1/9) 4 = 4/3,         u = 8/9
// g = 0: v = 4,  step = 0,                         u = 4/9
// g = 2: v = 4,  step = sqrt(13/9 / 5) 2,          u = 2/9 + 26/45 = 4/5
TEMPLATE_TEST_CASE("three steps of Adadelta by hand", "[optimizer]", float, double, long double) {
  const Adadelta adadelta{.learning_rate = 0.5, .rho = 0.5, .epsilon = 1};
  Vector<TestType> theta = vector<TestType>({1, 0});
  auto state = adadelta.make_state(theta);
  adadelta.step(theta, vector<TestType>({4, -4}), state);
  CHECK(near(theta, {1.0 / 3, 2.0 / 3}));
  adadelta.step(theta, vector<TestType>({0, 0}), state);
  CHECK(near(theta, {1.0 / 3, 2.0 / 3}));
  adadelta.step(theta, vector<TestType>({2, 2}), state);
  CHECK(near(theta, {1.0 / 3 - std::sqrt(13.0 / 45), 2.0 / 3 - std::sqrt(13.0 / 45)}));
  CHECK(near(Vector<TestType>(state.flat()), {4, 4, 0.8, 0.8}));
}
