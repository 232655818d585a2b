#include "schedules/schedule_contract.hpp"

using namespace chainrule;
using namespace chainrule_test::schedules;

namespace {

/// A schedule defined by the user: 1, 1/2, 1/3, ...
struct Harmonic {
  static constexpr std::string_view name = "Harmonic";

  double operator()(double time) const {
    detail::check_not_negative(name, "the time", time);
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
