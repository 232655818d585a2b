#include <chainrule/schedules/cosine.hpp>
#include <chainrule/schedules/one_cycle.hpp>
#include <chainrule/schedules/warm_up.hpp>

#include "schedules/schedule_contract.hpp"

using namespace chainrule;
using namespace chainrule_test::schedules;

// torch.optim.lr_scheduler.SequentialLR of LinearLR(start_factor=0.1, total_iters=5) and CosineAnnealingLR(T_max=4)
TEST_CASE("WarmUp rises to the start of the next schedule, like PyTorch's LinearLR before another", "[schedule]") {
  const WarmUp<Cosine> schedule{.length = 5, .start = 0.1, .then = Cosine{.period = 4}};
  check_schedule(schedule);
  CHECK(gives(schedule, {0.1, 0.28, 0.46, 0.64, 0.82, 1, 0.85355339059327373, 0.5, 0.14644660940672627, 0, 0}));
  CHECK(near(schedule(2.5), 0.55));
}

TEST_CASE("WarmUp without another schedule stays at 1 after its rise", "[schedule]") {
  CHECK(gives(WarmUp<>{.length = 2, .start = 0}, {0, 0.5, 1, 1}));
  CHECK(gives(WarmUp<>{.length = 0, .start = 0}, {1, 1}));
}

TEST_CASE("WarmUp ends its rise at the first value of the next schedule", "[schedule]") {
  const WarmUp<OneCycle> schedule{.length = 4, .start = 0.5, .then = OneCycle{.start = 0.2}};
  CHECK(near(schedule(0), 0.1));
  CHECK(near(schedule(2), 0.15));
  CHECK(near(schedule(4), 0.2));
}

TEST_CASE("WarmUp refuses impossible hyperparameters, its own and those of the next schedule", "[schedule]") {
  check_refused(WarmUp<>{}, &WarmUp<>::length, "length", negative);
  check_refused(WarmUp<>{}, &WarmUp<>::start, "start", negative);
  const WarmUp<Cosine> schedule{.then = Cosine{.period = -1}};
  CHECK_THROWS_SAYING(schedule(0), ValueError, "Cosine: period");
}
