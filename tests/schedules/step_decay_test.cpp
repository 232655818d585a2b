#include <chainrule/schedules/step_decay.hpp>

#include "schedules/schedule_contract.hpp"

using namespace chainrule;
using namespace chainrule_test::schedules;

// torch.optim.lr_scheduler.StepLR(step_size=3, gamma=0.5)
TEST_CASE("StepDecay falls after each length, like PyTorch's StepLR", "[schedule]") {
  check_schedule(StepDecay{});
  CHECK(gives(StepDecay{.length = 3, .factor = 0.5}, {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25}));
}

TEST_CASE("StepDecay is constant between its steps", "[schedule]") {
  const StepDecay schedule{.length = 2.5, .factor = 0.1};
  CHECK(schedule(2.49) == 1);
  CHECK(near(schedule(2.5), 0.1));
  CHECK(near(schedule(5), 0.01));
  CHECK(StepDecay{.length = 1, .factor = 0}(0.5) == 1);
  CHECK(StepDecay{.length = 1, .factor = 0}(7) == 0);
}

TEST_CASE("StepDecay refuses impossible hyperparameters", "[schedule]") {
  check_refused(StepDecay{}, &StepDecay::length, "length", not_positive);
  check_refused(StepDecay{}, &StepDecay::factor, "factor", negative);
}
