#include <chainrule/schedules/reduce_on_plateau.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// Returns the factor after each of these metrics.
std::vector<double> factors(ReduceOnPlateau plateau, const std::vector<double>& metrics) {
  std::vector<double> result;
  for (const double metric : metrics) result.push_back(plateau(metric));
  return result;
}

using Factors = std::vector<double>;
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

// The expected factors here and below are from torch.optim.lr_scheduler.ReduceLROnPlateau with a learning rate of 1.
TEST_CASE("ReduceOnPlateau reduces after more epochs without improvement than patience allows", "[schedule]") {
  CHECK(factors({.factor = 0.5, .patience = 2}, {5, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3}) ==
        Factors{1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125});
}

TEST_CASE("an improvement counts only above the threshold", "[schedule]") {
  CHECK(factors({.factor = 0.5, .patience = 1, .threshold = 0.1}, {1, 0.95, 0.94, 0.93, 0.91, 0.9, 0.85, 0.85, 0.85}) ==
        Factors{1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125});
}

TEST_CASE("epochs during the cooldown do not count as without improvement", "[schedule]") {
  CHECK(factors({.factor = 0.5, .patience = 1, .cooldown = 3}, std::vector<double>(14, 1.0)) ==
        Factors{1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125});
}

TEST_CASE("the factor does not fall below its minimum", "[schedule]") {
  CHECK(factors({.factor = 0.125, .patience = 0, .minimum = 0.02}, std::vector<double>(5, 1.0)) == Factors{1, 0.125, 0.02, 0.02, 0.02});
}

TEST_CASE("with maximize a larger metric is an improvement", "[schedule]") {
  CHECK(factors({.factor = 0.5, .patience = 1, .threshold = 0.05, .maximize = true}, {0.5, 0.6, 0.6, 0.61, 0.6, 0.7, 0.7, 0.7}) ==
        Factors{1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25});
}

TEST_CASE("NaN and infinity do not count as improvements", "[schedule]") {
  CHECK(factors({.factor = 0.5, .patience = 1}, {1, not_a_number, not_a_number, not_a_number, 0.5}) == Factors{1, 1, 0.5, 0.5, 0.5});
  CHECK(factors({.factor = 0.5, .patience = 1}, {infinity, 1, 1, 1, 1}) == Factors{1, 1, 1, 0.5, 0.5});
}

// PyTorch requires 0.9999 times the best metric, which for a negative metric is worse than the best one.
TEST_CASE("a negative metric that does not change is a plateau", "[schedule]") {
  CHECK(factors({.factor = 0.5, .patience = 1}, {-2, -2, -2, -3, -3}) == Factors{1, 1, 0.5, 0.5, 0.5});
}

TEST_CASE("ReduceOnPlateau continues from a saved memory", "[schedule]") {
  ReduceOnPlateau plateau{.factor = 0.5, .patience = 1};
  plateau(1);
  plateau(1);
  ReduceOnPlateau resumed{.factor = 0.5, .patience = 1};
  resumed.memory = plateau.memory;
  CHECK(resumed(1) == 0.5);
  CHECK(ReduceOnPlateau{.factor = 0.5, .patience = 1}(1) == 1);
}

TEST_CASE("ReduceOnPlateau refuses impossible hyperparameters", "[schedule]") {
  for (const double bad : {-0.1, 1.0, not_a_number}) {
    CHECK_THROWS_SAYING(ReduceOnPlateau{.factor = bad}(1), ValueError, "ReduceOnPlateau: factor must be at least 0 and below 1");
    CHECK_THROWS_SAYING(ReduceOnPlateau{.threshold = bad}(1), ValueError, "ReduceOnPlateau: threshold must be at least 0 and below 1");
  }
  for (const double bad : {-0.1, 1.5, not_a_number})
    CHECK_THROWS_SAYING(ReduceOnPlateau{.minimum = bad}(1), ValueError, "ReduceOnPlateau: minimum must be from 0 to 1");
  CHECK_THROWS_SAYING(ReduceOnPlateau{.patience = -1}(1), ValueError, "ReduceOnPlateau: patience must be at least 0, got -1");
  CHECK_THROWS_SAYING(ReduceOnPlateau{.cooldown = -1}(1), ValueError, "ReduceOnPlateau: cooldown must be at least 0, got -1");
}
