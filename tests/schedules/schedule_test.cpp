#include "schedules/schedule_contract.hpp"

using namespace chainrule;
using namespace chainrule_test::schedules;

namespace {

/// A schedule of one's own: 1, 1/2, 1/3, ...
struct Harmonic {
  static constexpr std::string_view name = "Harmonic";

  double operator()(double time) const {
    detail::check_from_0(name, "the time", time);
    return 1 / (1 + time);
  }
};

}  // namespace

TEST_CASE("a schedule of one's own is a schedule", "[schedule]") {
  check_schedule(Harmonic{});
  CHECK(gives(Harmonic{}, {1, 0.5, 1.0 / 3}));
  CHECK_FALSE(gives(Harmonic{}, {1, 0.5, 0.3}));
  STATIC_REQUIRE_FALSE(Schedule<double>);
}

TEST_CASE("times and factors are at least 0 and finite, lengths above 0", "[schedule]") {
  CHECK_NOTHROW(detail::check_from_0("S", "factor", 0));
  CHECK_NOTHROW(detail::check_from_0("S", "factor", 1e300));
  CHECK_THROWS_SAYING(detail::check_from_0("S", "factor", -0.5), ValueError, "S: factor must be at least 0 and finite, got -0.5");
  CHECK_NOTHROW(detail::check_length("S", "length", 1e-300));
  for (const double bad : no_length) CHECK_THROWS_SAYING(detail::check_length("S", "length", bad), ValueError, "S: length must be above 0");
}
