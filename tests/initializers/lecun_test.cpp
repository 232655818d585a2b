#include <algorithm>
#include <chainrule/initializers/lecun.hpp>
#include <vector>

#include "support/catch.hpp"
#include "support/drawn_weights.hpp"

using namespace chainrule;
using chainrule_test::drawn;
using chainrule_test::mean_square;

// The literals are the same with g++ 12 and clang++ 14 at -O0 and -O3 -march=native.
TEST_CASE("LecunUniform gives the same bits everywhere") {
  CHECK(drawn<float>(LecunUniform{}, 3, 4, 3) == std::vector<float>{0x1.eeb992p-2f, -0x1.5c4074p-1f, -0x1.c56cc6p-2f});
  CHECK(drawn<double>(LecunUniform{}, 6, 4, 3) == std::vector<double>{0x1.5dd2c48cda7bbp-2, -0x1.ec809a96f4a34p-2, -0x1.409eabf0dfcc3p-2});
}

TEST_CASE("LecunNormal gives the same bits everywhere") {
  CHECK(drawn<float>(LecunNormal{}, 3, 4, 3) == std::vector<float>{0x1.236f8cp-2f, -0x1.7ab0d4p-1f, -0x1.63d594p-2f});
  CHECK(drawn<double>(LecunNormal{}, 3, 4, 3) == std::vector<double>{0x1.236f8b3f24e76p-2, -0x1.7ab0d456ee48fp-1, -0x1.63d59365a5badp-2});
}

TEST_CASE("LecunUniform with 3 inputs is uniform between -1 and 1 for any fan_out") {
  Random random{Seed{42}};
  for (const double w : drawn<double>(LecunUniform{}, 3, 1000)) CHECK(w == 2 * random.uniform() - 1);
}

TEST_CASE("LecunNormal with 1 input is standard normal for any fan_out") {
  Random random{Seed{42}};
  for (const double w : drawn<double>(LecunNormal{}, 1, 1000)) CHECK(w == random.normal());
}

TEST_CASE("LecunUniform and LecunNormal have a variance of 1 / fan_in") {
  constexpr std::size_t count = 20000;
  const auto uniform = drawn<double>(LecunUniform{}, 75, 7, count);  // between -0.2 and 0.2
  const auto [smallest, largest] = std::minmax_element(uniform.begin(), uniform.end());
  CHECK(*smallest >= -0.2);
  CHECK(*smallest < -0.999 * 0.2);
  CHECK(*largest <= 0.2);
  CHECK(*largest > 0.999 * 0.2);
  CHECK(std::abs(mean_square(uniform) * 75 - 1) < 4 * std::sqrt(0.8 / count));

  const auto normal = drawn<double>(LecunNormal{}, 25, 7, count);  // a standard deviation of 0.2
  CHECK(std::abs(mean_square(normal) * 25 - 1) < 4 * std::sqrt(2.0 / count));
  const auto beyond = std::count_if(normal.begin(), normal.end(), [](double w) { return std::abs(w) > 0.6; });
  CHECK(std::abs(static_cast<double>(beyond) - 54) < 4 * std::sqrt(54));  // 0.27 % of normal numbers lie beyond 3 s, and no uniform ones do
}
