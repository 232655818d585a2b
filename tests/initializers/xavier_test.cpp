#include <algorithm>
#include <chainrule/initializers/xavier.hpp>
#include <vector>

#include "support/catch.hpp"
#include "support/drawn_weights.hpp"

using namespace chainrule;
using chainrule_test::drawn;
using chainrule_test::mean_square;

// The literals are the same with g++ 12 and clang++ 14 at -O0, -O2 and -O3 -march=native.
TEST_CASE("XavierUniform gives the same bits everywhere") {
  CHECK(drawn<float>(XavierUniform{}, 3, 4) ==
        std::vector<float>{0x1.ca06b8p-2f, -0x1.426b22p-1f, -0x1.a3ca36p-2f, -0x1.276d42p-2f, -0x1.b5f73ep-1f});
  CHECK(drawn<double>(XavierUniform{}, 3, 4) == std::vector<double>{0x1.ca06b7040e2eap-2, -0x1.426b214fee28dp-1, -0x1.a3ca35156034fp-2,
                                                                    -0x1.276d42a7d2942p-2, -0x1.b5f73d4092372p-1});
}

TEST_CASE("XavierNormal gives the same bits everywhere") {
  CHECK(drawn<float>(XavierNormal{}, 3, 4) ==
        std::vector<float>{0x1.0dd12ap-2f, -0x1.5e9978p-1f, -0x1.497044p-2f, -0x1.a61b3ap-1f, -0x1.8d3e2cp-1f});
  CHECK(drawn<double>(XavierNormal{}, 3, 4) == std::vector<double>{0x1.0dd129eca4beep-2, -0x1.5e9978bfb46b5p-1, -0x1.4970436eb19c5p-2,
                                                                   -0x1.a61b39adb848dp-1, -0x1.8d3e2b418da25p-1});
}

TEST_CASE("XavierUniform with fan_in + fan_out = 6 is uniform between -1 and 1") {
  Random random{Seed{42}};
  for (const double w : drawn<double>(XavierUniform{}, 2, 4)) CHECK(w == 2 * random.uniform() - 1);
}

TEST_CASE("XavierNormal with fan_in + fan_out = 2 is standard normal") {
  Random random{Seed{42}};
  for (const double w : drawn<double>(XavierNormal{}, 1, 1)) CHECK(w == random.normal());
}

TEST_CASE("XavierUniform fills (-r, r) with r = sqrt(6 / (fan_in + fan_out)), with a variance of 2 / (fan_in + fan_out)") {
  constexpr std::size_t count = 20000;
  for (const auto& [fan_in, fan_out, r] : {std::tuple{100, 50, 0.2}, {10, 140, 0.2}, {4, 2, 1.0}, {1, 599, 0.1}}) {
    CAPTURE(fan_in, fan_out);
    const auto weights = drawn<double>(XavierUniform{}, fan_in, fan_out, count);
    const auto [smallest, largest] = std::minmax_element(weights.begin(), weights.end());
    CHECK(*smallest >= -r);
    CHECK(*smallest < -0.999 * r);
    CHECK(*largest <= r);
    CHECK(*largest > 0.999 * r);
    // w^2 / variance has mean 1 and variance 9/5 - 1
    const double variance = 2.0 / (fan_in + fan_out);
    CHECK(std::abs(mean_square(weights) / variance - 1) < 4 * std::sqrt(0.8 / count));
  }
}

TEST_CASE("XavierNormal has a variance of 2 / (fan_in + fan_out)") {
  constexpr std::size_t count = 20000;
  for (const auto& [fan_in, fan_out, variance] : {std::tuple{100, 50, 2.0 / 150}, {3, 5, 0.25}, {1, 1, 1.0}}) {
    CAPTURE(fan_in, fan_out);
    const auto weights = drawn<double>(XavierNormal{}, fan_in, fan_out, count);
    CHECK(std::abs(mean_square(weights) / variance - 1) < 4 * std::sqrt(2.0 / count));
    const auto beyond = std::count_if(weights.begin(), weights.end(), [s = std::sqrt(variance)](double w) { return std::abs(w) > 3 * s; });
    CHECK(std::abs(static_cast<double>(beyond) - 54) <
          4 * std::sqrt(54));  // 0.27 % of normal numbers lie beyond 3 s, and no uniform ones do
  }
}
