#include "schedules/schedule_contract.hpp"

using namespace chainrule;
using namespace chainrule_test::schedules;

namespace {

/// A schedule defined by the user: 1, 1/2, 1/3, ...
struct Harmonic {
  static constexpr std::string_view name = "Harmonic";

  double operator()(double time) const {
    detail::check_nonnegative(name, "the time", time);
    return 1 / (1 + time);
  }
};

}  // namespace

TEST_CASE("a type defined by the user can be a Schedule", "[schedule]") {
  check_schedule(Harmonic{});
  CHECK(gives(Harmonic{}, {1, 0.5, 1.0 / 3}));
  CHECK_FALSE(gives(Harmonic{}, {1, 0.5, 0.3}));
  STATIC_REQUIRE_FALSE(Schedule<double>);
}

TEST_CASE("check_nonnegative takes finite numbers from 0, check_positive those above 0", "[schedule]") {
  CHECK_NOTHROW(detail::check_nonnegative("S", "factor", 0));
  CHECK_NOTHROW(detail::check_nonnegative("S", "factor", 1e300));
  CHECK_THROWS_SAYING(detail::check_nonnegative("S", "factor", -0.5), ValueError, "S: factor must be at least 0 and finite, got -0.5");
  CHECK_NOTHROW(detail::check_positive("S", "length", 1e-300));
  for (const double bad : not_positive)
    CHECK_THROWS_SAYING(detail::check_positive("S", "length", bad), ValueError, "S: length must be above 0");
}
