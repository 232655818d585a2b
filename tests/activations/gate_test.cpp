#include <chainrule/activations/gate.hpp>
#include <chainrule/core/chunks.hpp>
#include <cmath>
#include <limits>

#include "support/catch.hpp"

using Chunk = chainrule::Chunk<double>;
using Odds = chainrule::detail::Odds<Chunk>;

namespace {

Odds odds_of(double z) { return Odds(Chunk::Constant(z)); }

}  // namespace

// e^z = p/q, sigma(z) = p/(p + q)
TEST_CASE("Odds are the parts of a fraction that is e^z, neither above 1", "[activation]") {
  const double ln_3 = std::log(3.0);
  CHECK(odds_of(ln_3).p()[0] == 1);
  CHECK(std::abs(odds_of(ln_3).q()[0] - 1.0 / 3) < 1e-15);
  CHECK(std::abs(odds_of(-ln_3).p()[0] - 1.0 / 3) < 1e-15);
  CHECK(odds_of(-ln_3).q()[0] == 1);
  CHECK(std::abs(odds_of(ln_3).open()[0] - 0.75) < 1e-15);
  CHECK(std::abs(odds_of(ln_3).shut()[0] - 0.25) < 1e-15);
  CHECK(odds_of(0).open()[0] == 0.5);
}

TEST_CASE("a gate is shut or open entirely far from 0", "[activation]") {
  for (const double far : {750.0, 1e300, std::numeric_limits<double>::infinity()}) {
    CHECK(odds_of(-far).open()[0] == 0);
    CHECK(odds_of(-far).shut()[0] == 1);
    CHECK(odds_of(far).open()[0] == 1);
    CHECK(odds_of(far).shut()[0] == 0);
  }
  CHECK(std::isnan(odds_of(std::numeric_limits<double>::quiet_NaN()).open()[0]));
}

TEST_CASE("z is bounded where a gate cannot change any more", "[activation]") {
  CHECK(chainrule::detail::bounded<Chunk>(Chunk::Constant(-1e300))[0] == -32768);
  CHECK(chainrule::detail::bounded<Chunk>(Chunk::Constant(1e300))[0] == 32768);
  CHECK(chainrule::detail::bounded<Chunk>(Chunk::Constant(-7.5))[0] == -7.5);
  CHECK(std::isnan(chainrule::detail::bounded<Chunk>(Chunk::Constant(std::numeric_limits<double>::quiet_NaN()))[0]));
}
