#include <algorithm>
#include <chainrule/initializers/he.hpp>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/drawn_weights.hpp"

using namespace chainrule;
using chainrule_test::drawn;
using chainrule_test::mean_square;

// The literals are the same with g++ 12 and clang++ 14 at -O0, -O2 and -O3 -march=native.
TEST_CASE("HeUniform gives the same bits everywhere") {
  CHECK(drawn<float>(HeUniform{}, 3, 4) ==
        std::vector<float>{0x1.5dd2c4p-1f, -0x1.ec809ap-1f, -0x1.409eacp-1f, -0x1.c3459ap-2f, -0x1.4e807cp+0f});
  CHECK(drawn<double>(HeUniform{}, 3, 4) == std::vector<double>{0x1.5dd2c48cda7bbp-1, -0x1.ec809a96f4a34p-1, -0x1.409eabf0dfcc3p-1,
                                                                -0x1.c3459a7d19145p-2, -0x1.4e807bc477ef5p+0});
}

TEST_CASE("HeNormal gives the same bits everywhere") {
  CHECK(drawn<float>(HeNormal{}, 3, 4) ==
        std::vector<float>{0x1.9c27p-2f, -0x1.0bc658p+0f, -0x1.f739c6p-2f, -0x1.426398p+0f, -0x1.2f6634p+0f});
  CHECK(drawn<double>(HeNormal{}, 3, 4) == std::vector<double>{0x1.9c27001fbddd1p-2, -0x1.0bc658a7843d2p+0, -0x1.f739c5324b12dp-2,
                                                               -0x1.426398b9c4ccap+0, -0x1.2f66345a81b5p+0});
}

TEST_CASE("HeUniform and HeNormal with a negative slope give the same bits everywhere") {
  CHECK(drawn<float>(HeUniform{.negative_slope = 0.1}, 3, 4, 3) == std::vector<float>{0x1.5c1654p-1f, -0x1.ea0ee4p-1f, -0x1.3f0754p-1f});
  CHECK(drawn<double>(HeUniform{.negative_slope = 0.1}, 3, 4, 3) ==
        std::vector<double>{0x1.5c1653122b7f6p-1, -0x1.ea0ee3caa2601p-1, -0x1.3f0754afe63fp-1});
  CHECK(drawn<float>(HeNormal{.negative_slope = 0.1}, 3, 4, 3) == std::vector<float>{0x1.9a1b5ep-2f, -0x1.0a7224p+0f, -0x1.f4ba6ep-2f});
  CHECK(drawn<double>(HeNormal{.negative_slope = 0.1}, 3, 4, 3) ==
        std::vector<double>{0x1.9a1b5e94cfb7ap-2, -0x1.0a7224dba235cp+0, -0x1.f4ba6eb89f6f8p-2});
}

TEST_CASE("HeUniform with 6 inputs is uniform between -1 and 1 for any fan_out") {
  Random random{Seed{42}};
  for (const double w : drawn<double>(HeUniform{}, 6, 1000)) CHECK(w == 2 * random.uniform() - 1);
}

TEST_CASE("HeNormal with 2 inputs is standard normal for any fan_out") {
  Random random{Seed{42}};
  for (const double w : drawn<double>(HeNormal{}, 2, 1000)) CHECK(w == random.normal());
}

// With alpha = 1 leaky ReLU is the identity, so the factor 2 disappears: Var W = 1 / fan_in.
TEST_CASE("He initialization refuses a slope that is not finite, which would make all weights NaN or 0") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_SAYING(drawn<float>(HeUniform{nan}, 3, 2), ValueError, "HeUniform: negative_slope must be finite, got nan");
  CHECK_THROWS_SAYING(drawn<float>(HeNormal{infinity}, 3, 2), ValueError, "HeNormal: negative_slope must be finite, got inf");
}

TEST_CASE("a negative slope of 1 halves the variance of He initialization") {
  Random uniform{Seed{42}};
  for (const double w : drawn<double>(HeUniform{.negative_slope = 1}, 3, 9)) CHECK(w == 2 * uniform.uniform() - 1);
  Random normal{Seed{42}};
  for (const double w : drawn<double>(HeNormal{.negative_slope = 1}, 1, 9)) CHECK(w == normal.normal());
}

TEST_CASE("HeUniform fills (-r, r) with r = sqrt(6 / ((1 + alpha^2) fan_in)), with a variance of a third of r^2") {
  constexpr std::size_t count = 20000;
  for (const auto& [alpha, fan_in, r] : {std::tuple{0.0, 150, 0.2}, {0.0, 6, 1.0}, {0.5, 480, 0.1}, {-0.5, 480, 0.1}}) {
    CAPTURE(alpha, fan_in);
    const auto weights = drawn<double>(HeUniform{alpha}, fan_in, 7, count);
    const auto [smallest, largest] = std::minmax_element(weights.begin(), weights.end());
    CHECK(*smallest >= -r);
    CHECK(*smallest < -0.999 * r);
    CHECK(*largest <= r);
    CHECK(*largest > 0.999 * r);
    CHECK(std::abs(mean_square(weights) / (r * r / 3) - 1) < 4 * std::sqrt(0.8 / count));
  }
}

TEST_CASE("HeNormal has a variance of 2 / ((1 + alpha^2) fan_in)") {
  constexpr std::size_t count = 20000;
  for (const auto& [alpha, fan_in, variance] : {std::tuple{0.0, 50, 0.04}, {0.5, 160, 0.01}, {3.0, 2, 0.1}}) {
    CAPTURE(alpha, fan_in);
    const auto weights = drawn<double>(HeNormal{alpha}, fan_in, 7, count);
    CHECK(std::abs(mean_square(weights) / variance - 1) < 4 * std::sqrt(2.0 / count));
    const auto beyond = std::count_if(weights.begin(), weights.end(), [s = std::sqrt(variance)](double w) { return std::abs(w) > 3 * s; });
    CHECK(std::abs(static_cast<double>(beyond) - 54) <
          4 * std::sqrt(54));  // 0.27 % of normal numbers lie beyond 3 s, and no uniform ones do
  }
}
