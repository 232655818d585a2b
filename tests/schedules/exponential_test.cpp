#include <chainrule/schedules/exponential.hpp>

#include "schedules/schedule_contract.hpp"

using namespace chainrule;
using namespace chainrule_test::schedules;

// torch.optim.lr_scheduler.ExponentialLR(gamma=0.9)
TEST_CASE("ExponentialDecay falls by its factor per length, like PyTorch's ExponentialLR", "[schedule]") {
  check_schedule(ExponentialDecay{});
  CHECK(gives(ExponentialDecay{.factor = 0.9}, {1, 0.9, 0.81, 0.729, 0.6561, 0.59049}));
}

TEST_CASE("ExponentialDecay is smooth between whole times", "[schedule]") {
  const ExponentialDecay schedule{.factor = 0.25, .length = 10};
  CHECK(near(schedule(5), 0.5));
  CHECK(near(schedule(10), 0.25));
  CHECK(near(schedule(25), 0.03125));
}

TEST_CASE("ExponentialDecay refuses impossible hyperparameters", "[schedule]") {
  check_refused(ExponentialDecay{}, &ExponentialDecay::factor, "factor", negative);
  check_refused(ExponentialDecay{}, &ExponentialDecay::length, "length", not_positive);
}
