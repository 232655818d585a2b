// Checks the multiply-adds that the playground computes in the browser against those of this machine.

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "../examples/playground/fused_multiply_add.hpp"
#include "support/catch.hpp"

namespace {

/// Floats that are hard to round: few or many binary digits, near and far exponents, infinities and NaN among them.
class HardFloats {
 public:
  float draw() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    auto bits = static_cast<std::uint32_t>(state_ >> 32);
    const auto kind = (state_ >> 20) % 4;
    if (kind == 1) bits &= 0xffff'f000u;
    if (kind >= 2) bits = (bits & 0x807f'ffffu) | ((100 + (bits >> 23) % 56) << 23);
    float number = 0;
    std::memcpy(&number, &bits, sizeof number);
    return number;
  }

 private:
  std::uint64_t state_ = 1;
};

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

TEST_CASE("the multiply-add of the playground rounds once") {
  CHECK(playground::fused_multiply_add(1 + 0x1p-12f, 1 + 0x1p-12f, -(1 + 0x1p-11f)) == 0x1p-24f);
  // The products are 2^-24 - 2^-54 and 2^-24 + 2^-54, so the sums are just below and just above the middle of two floats. Rounded to double
  // both are the middle, and rounded again the other one of the two floats.
  CHECK(playground::fused_multiply_add(0x1p-12f * (1 - 0x1p-15f), 0x1p-12f * (1 + 0x1p-15f), 1 + 0x1p-23f) == 1 + 0x1p-23f);
  CHECK(playground::fused_multiply_add(0x1p-27f * 32513, 0x1p-27f * 33025, 1) == 1 + 0x1p-23f);
  HardFloats random;
  int wrong = 0;
  for (int i = 0; i < 100000; ++i) {
    const float a = random.draw(), b = random.draw(), c = i % 4 == 0 ? -a * b : random.draw();
    if (!same(playground::fused_multiply_add(a, b, c), std::fma(a, b, c))) ++wrong;
  }
  CHECK(wrong == 0);
}

#if defined(__SSE2__)
TEST_CASE("four multiply-adds of the playground round once") {
  HardFloats random;
  int wrong = 0;
  for (int i = 0; i < 100000; ++i) {
    std::array<float, 4> a{}, b{}, c{}, found{};
    for (std::size_t k = 0; k < 4; ++k) {
      a[k] = random.draw(), b[k] = random.draw();
      c[k] = i % 4 == 0 ? -a[k] * b[k] : random.draw();
    }
    _mm_storeu_ps(found.data(), playground::fused_multiply_add(_mm_loadu_ps(a.data()), _mm_loadu_ps(b.data()), _mm_loadu_ps(c.data())));
    for (std::size_t k = 0; k < 4; ++k) wrong += same(found[k], std::fma(a[k], b[k], c[k])) ? 0 : 1;
  }
  CHECK(wrong == 0);
}
#endif
