#include <chainrule/initializers/siren.hpp>
#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/drawn_weights.hpp"

using namespace chainrule;
using chainrule_test::drawn;
using chainrule_test::mean_square;

// sqrt(6/24)/2.5 = 1/5 and sqrt(6/6)/30 = 1/30, for any fan_out
TEST_CASE("SirenUniform is uniform between +-sqrt(6/fan_in)/omega") {
  Random random{Seed{42}};
  for (const double w : drawn<double>(SirenUniform{.omega = 2.5}, 24, 1000))
    CHECK(w == chainrule_test::Approx(0.2 * (2 * random.uniform() - 1)).epsilon(1e-15));
  Random same{Seed{42}};
  for (const double w : drawn<double>(SirenUniform{}, 6, 3))
    CHECK(w == chainrule_test::Approx((2 * same.uniform() - 1) / 30).epsilon(1e-15));
}

TEST_CASE("SirenUniform of the first layer is uniform between +-1/fan_in, whatever omega is") {
  Random random{Seed{42}};
  for (const double w : drawn<double>(SirenUniform{.omega = 7, .is_first = true}, 4, 1000)) CHECK(w == 0.25 * (2 * random.uniform() - 1));
}

// The inputs of a layer behind the first are sines of angles that are spread over many turns, whose mean square is 1/2; then
// Var(omega z) = omega^2 fan_in Var(W) / 2 = 1.
TEST_CASE("SirenUniform gives omega z a variance of 1 in a layer behind the first") {
  const double omega = 11;
  const Index fan_in = 50;
  const double mean = mean_square(drawn<double>(SirenUniform{.omega = omega}, fan_in, 7, 20000));
  CHECK(omega * omega * static_cast<double>(fan_in) * mean / 2 == chainrule_test::Approx(1).epsilon(0.03));
}

TEST_CASE("SirenUniform rejects an omega that is not above 0 and finite") {
  CHECK_THROWS_SAYING(drawn<float>(SirenUniform{.omega = 0}, 3, 2), ValueError, "SirenUniform", "omega", "above 0 and finite", "got 0");
  CHECK_THROWS_SAYING(drawn<float>(SirenUniform{.omega = std::nan("")}, 3, 2), ValueError, "SirenUniform", "nan");
}
