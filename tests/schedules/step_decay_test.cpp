#include <chainrule/schedules/step_decay.hpp>
#include <chainrule/schedules/warm_up.hpp>

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

// After b of 10 batches three lengths of 0.1 epochs are over, although 0.3 / 0.1 is below 3 in doubles. Integers give the right step.
TEST_CASE("StepDecay takes each step with the batch that its length says, also after a warm-up", "[schedule]") {
  for (const int batches : {3, 7, 10, 100, 1000}) {
    const StepDecay schedule{.length = 1.0 / batches, .factor = 0.5};
    const WarmUp<StepDecay> later{.length = 2.0 / batches, .then = schedule};
    int late = 0;
    for (int epoch = 0; epoch < 1000; epoch += 37)
      for (int batch = 0; batch < batches; ++batch) {
        const double time = static_cast<double>(epoch * batches + batch) / batches;
        const int steps = epoch * batches + batch;
        late += schedule(time) != std::pow(0.5, steps);
        late += steps >= 2 && later(time) != std::pow(0.5, steps - 2);
      }
    CAPTURE(batches);
    CHECK(late == 0);
  }
  const StepDecay tenth{.length = 0.1, .factor = 0.5};
  CHECK(tenth(0.3) == 0.125);
  CHECK(tenth(0.3 - 1e-6) == 0.25);
  CHECK(StepDecay{.length = 1e6, .factor = 0.5}(1e6 - 1) == 1);
}

TEST_CASE("StepDecay refuses impossible hyperparameters", "[schedule]") {
  check_refused(StepDecay{}, &StepDecay::length, "length", not_positive);
  check_refused(StepDecay{}, &StepDecay::factor, "factor", negative);
}
