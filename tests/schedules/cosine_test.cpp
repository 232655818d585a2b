#include <chainrule/schedules/cosine.hpp>

#include "schedules/schedule_contract.hpp"

using namespace chainrule;
using namespace chainrule_test::schedules;

// torch.optim.lr_scheduler.CosineAnnealingLR(T_max=8, eta_min=0.1) with a learning rate of 1
TEST_CASE("Cosine falls like PyTorch's CosineAnnealingLR, then stays at its floor", "[schedule]") {
  const Cosine schedule{.period = 8, .floor = 0.1};
  check_schedule(schedule);
  CHECK(gives(schedule, {1, 0.96574578963007907, 0.86819805153394636, 0.72220754456429048, 0.55000000000000004, 0.37779245543570972,
                         0.2318019484660537, 0.134254210369921, 0.10000000000000001, 0.1, 0.1}));
  CHECK(near(schedule(1e6), 0.1));
}

// torch.optim.lr_scheduler.CosineAnnealingWarmRestarts with a learning rate of 1
TEST_CASE("Cosine restarts like PyTorch's CosineAnnealingWarmRestarts", "[schedule]") {
  const Cosine same_length{.period = 4, .floor = 0.05, .restarts = true};  // T_0=4, T_mult=1, eta_min=0.05
  check_schedule(same_length);
  CHECK(gives(same_length, {1, 0.8608757210636101, 0.52500000000000002, 0.18912427893638994, 1, 0.8608757210636101, 0.52500000000000002,
                            0.18912427893638994, 1, 0.8608757210636101}));
  const Cosine doubling{.period = 2, .floor = 0.05, .restarts = true, .multiplier = 2};  // T_0=2, T_mult=2, eta_min=0.05
  CHECK(gives(doubling, {1, 0.52500000000000002, 1, 0.8608757210636101, 0.52500000000000002, 0.18912427893638994, 1, 0.96384277794286122,
                         0.8608757210636101, 0.7067746303734177, 0.52500000000000002, 0.34322536962658234, 0.18912427893638994,
                         0.086157222057138799, 1}));
  const Cosine tripling{.period = 1, .restarts = true, .multiplier = 3};  // T_0=1, T_mult=3
  CHECK(gives(tripling, {1, 1, 0.75, 0.25000000000000011, 1, 0.96984631039295421, 0.88302222155948895, 0.75, 0.58682408883346526,
                         0.41317591116653485, 0.25000000000000011, 0.11697777844051105, 0.030153689607045842, 1}));
}

// torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(T_0=2, T_mult=2), with calls step(0.5) and so on
TEST_CASE("Cosine equals PyTorch's values at fractional times too", "[schedule]") {
  const Cosine schedule{.period = 2, .restarts = true, .multiplier = 2};
  CHECK(near(schedule(0.5), 0.85355339059327373));
  CHECK(near(schedule(1.75), 0.038060233744356631));
  CHECK(near(schedule(2.5), 0.96193976625564337));
  CHECK(near(schedule(5.25), 0.084265193848727327));
  CHECK(near(schedule(13.5), 0.0096073597983847847));
}

// The number of restarts before a time is computed with logarithms, whose rounding must not move a restart.
TEST_CASE("Cosine restarts exactly at the ends of its periods", "[schedule]") {
  for (const double multiplier : {1.0, 1.5, 2.0, 3.0, 10.0}) {
    const Cosine schedule{.period = 1, .restarts = true, .multiplier = multiplier};
    double begin = 0, length = 1;
    for (int n = 0; n < 12; ++n) {
      CAPTURE(multiplier, n);
      CHECK(near(schedule(begin), 1));
      CHECK(std::abs(schedule(begin + 0.5 * length) - 0.5) < 1e-10);
      CHECK(schedule(begin + 0.999 * length) < 1e-5);
      begin += length;
      length *= multiplier;
    }
  }
  const Cosine hardly_growing{.period = 1, .restarts = true, .multiplier = 1 + 1e-9};
  CHECK(std::abs(hardly_growing(1000.25 + 1e-9 * 1000 * 999 / 2) - 0.85355339059327373) < 1e-6);
}

// A fall ends where time / period is a whole number, or for a multiplier of 2 one of 1, 3, 7, ...: in exact arithmetic, of batches.
TEST_CASE("Cosine restarts with the batch that its period says", "[schedule]") {
  const Cosine tenth{.period = 0.1, .restarts = true};
  const Cosine doubling{.period = 0.1, .restarts = true, .multiplier = 2};
  const Cosine by_a_tenth{.period = 10, .restarts = true, .multiplier = 1.1};  // falls of 10, 11, 12.1, 13.31 epochs
  int late = 0;
  for (int batch = 0; batch < 2000; ++batch) late += !near(tenth(batch / 10.0), 1);
  CHECK(late == 0);
  for (int end = 1; end < 20000; end = 2 * end + 1) {
    CAPTURE(end);
    CHECK(near(doubling(end / 10.0), 1));
    CHECK(doubling((end - 0.01) / 10.0) < 0.01);
  }
  for (const int hundredths : {1000, 2100, 3310, 4641}) CHECK(near(by_a_tenth(hundredths / 100.0), 1));
  CHECK(near(tenth(0.35), 0.5));
}

TEST_CASE("Cosine refuses impossible hyperparameters", "[schedule]") {
  check_refused(Cosine{}, &Cosine::period, "period", not_positive);
  check_refused(Cosine{}, &Cosine::floor, "floor", negative);
  check_refused(Cosine{}, &Cosine::multiplier, "multiplier must be at least 1", {0.99, 0, -2, std::nan(""), HUGE_VAL});
}
