#include <chainrule/schedules/constant.hpp>

#include "schedules/schedule_contract.hpp"

using namespace chainrule;
using namespace chainrule_test::schedules;

TEST_CASE("ConstantRate is the same at every time", "[schedule]") {
  check_schedule(ConstantRate{});
  CHECK(gives(ConstantRate{}, {1, 1, 1}));
  CHECK(ConstantRate{.factor = 0.5}(0.25) == 0.5);
  CHECK(ConstantRate{.factor = 0}(1e9) == 0);
  check_refused(ConstantRate{}, &ConstantRate::factor, "factor", negative);
}
