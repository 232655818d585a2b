#include <chainrule/optimizers/adamw.hpp>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("AdamW satisfies the optimizer contract", "[optimizer]") {
  check_optimizer(AdamW{});
  check_decay(AdamW{.amsgrad = true});
  check_fraction_refused(AdamW{}, &AdamW::beta1, "beta1");
  check_fraction_refused(AdamW{}, &AdamW::beta2, "beta2");
  check_negative_refused(AdamW{}, &AdamW::epsilon, "epsilon");
}

// theta <- (1 - 1/2 * 1/4) theta, minus Adam's steps, which for |g| = 4 and beta1 = 1/2 are 1/2, -1/6 and 3/14
TEMPLATE_TEST_CASE("three steps of AdamW by hand", "[optimizer]", float, double, long double) {
  const AdamW adamw{.learning_rate = 0.5, .beta1 = 0.5, .beta2 = 0.75, .epsilon = 0, .weight_decay = 0.25};
  Vector<TestType> theta = vector<TestType>({1, 64});
  auto state = adamw.make_state(theta);
  adamw.step(theta, vector<TestType>({4, 4}), state);
  CHECK(near(theta, {0.375, 55.5}));
  adamw.step(theta, vector<TestType>({-4, -4}), state);
  CHECK(near(theta, {0.375 * 0.875 + 0.5 / 3, 55.5 * 0.875 + 0.5 / 3}));
  adamw.step(theta, vector<TestType>({4, 4}), state);
  CHECK(near(theta, {(0.375 * 0.875 + 0.5 / 3) * 0.875 - 1.5 / 7, (55.5 * 0.875 + 0.5 / 3) * 0.875 - 1.5 / 7}));
  CHECK(near(Vector<TestType>(state.moment(0)), {1.5, 1.5}));  // decay does not enter the moments
}

TEST_CASE("AdamW with amsgrad keeps the largest v so far", "[optimizer]") {
  CHECK(AdamW{}.moments() == 2);
  CHECK(AdamW{.amsgrad = true}.moments() == 3);
}
