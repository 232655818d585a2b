#include <chainrule/schedules/one_cycle.hpp>

#include "schedules/schedule_contract.hpp"

using namespace chainrule;
using namespace chainrule_test::schedules;

// torch.optim.lr_scheduler.OneCycleLR with max_lr=1; the peak is at pct_start total_steps - 1
TEST_CASE("OneCycle rises and falls like PyTorch's OneCycleLR, then stays at its end", "[schedule]") {
  const OneCycle schedule{.length = 10, .rise = 0.23};  // total_steps=11, pct_start=0.3: the peak is at 2.3
  check_schedule(schedule);
  CHECK(gives(schedule, {0.040000000000000036, 0.42234111373473582, 0.96026142472261744, 0.97974656782130154, 0.88447572476863034,
                         0.72608704929752832, 0.53058270808759977, 0.33005802898729492, 0.15743251279950787, 0.041045543206290856,
                         3.9999999999999998e-06, 4e-6, 4e-6}));
  CHECK(near(schedule(2.3), 1));

  // total_steps=6, pct_start=0.5, div_factor=4, final_div_factor=10
  CHECK(gives(OneCycle{.length = 5, .rise = 0.4, .start = 0.25, .end = 0.025}, {0.25, 0.625, 1, 0.75625, 0.26875, 0.025}));
}

TEST_CASE("OneCycle with rise = 0 starts at its peak", "[schedule]") {
  CHECK(gives(OneCycle{.length = 2, .rise = 0, .end = 0}, {1, 0.5, 0, 0}));
}

TEST_CASE("OneCycle refuses impossible hyperparameters", "[schedule]") {
  check_refused(OneCycle{}, &OneCycle::length, "length", not_positive);
  check_refused(OneCycle{}, &OneCycle::rise, "rise must be at least 0 and below 1", {-0.1, 1, 2, std::nan("")});
  check_refused(OneCycle{}, &OneCycle::start, "start", negative);
  check_refused(OneCycle{}, &OneCycle::end, "end", negative);
}
