#include <chainrule/initializers/zeros.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("Zeros sets every weight to 0 and draws no number") {
  std::vector<float> floats(7, 1.0f);
  std::vector<double> doubles(7, 1.0);
  Random random{Seed{42}};
  Zeros{}(std::span<float>(floats).first(6), 2, 3, random);
  Zeros{}(std::span<double>(doubles), 7, 1, random);
  CHECK(floats == std::vector<float>{0, 0, 0, 0, 0, 0, 1});
  CHECK(doubles == std::vector<double>(7, 0.0));
  CHECK(random() == Random{Seed{42}}());
}
