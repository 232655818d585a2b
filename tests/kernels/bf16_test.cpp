#include <chainrule/core/random.hpp>
#include <chainrule/kernels/bf16.hpp>
#include <cmath>
#include <sstream>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

using namespace chainrule;

namespace {

float float_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }

// By the definition: the nearer of the bfloat16 numbers around |x|, and of two equally near ones the one with an even last bit.
float nearest(float x) {
  if (std::isinf(x) || x == 0 || std::fabs(x) < std::numeric_limits<float>::min()) return std::copysign(std::isinf(x) ? x : 0.0f, x);
  const std::uint32_t below = std::bit_cast<std::uint32_t>(std::fabs(x)) & 0xffff0000u, above = below + 0x10000u;
  const double value = std::fabs(double{x}), to_below = value - double{float_of(below)};
  const double beyond_largest = 0x1p128;  // the number after the largest bfloat16, if there were one more exponent
  const double to_above = (std::isinf(float_of(above)) ? beyond_largest : double{float_of(above)}) - value;
  const bool is_even = (below >> 16) % 2 == 0;
  return std::copysign(float_of(to_below < to_above || (to_below == to_above && is_even) ? below : above), x);
}

std::vector<float> numbers_around_all_bfloats() {
  std::vector<float> numbers;
  for (std::uint32_t upper = 0; upper < 0x10000u; ++upper)
    for (const std::uint32_t lower : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) numbers.push_back(float_of(upper << 16 | lower));
  return numbers;
}

}  // namespace

TEST_CASE("to_bf16 gives the nearest bfloat16, ties to even, for every pattern of upper bits") {
  bool are_right = true, nans_stay = true;
  for (const float x : numbers_around_all_bfloats()) {
    const float rounded = kernels::from_bf16(kernels::to_bf16(x));
    if (std::isnan(x))
      nans_stay = nans_stay && std::isnan(rounded);
    else
      are_right = are_right && std::bit_cast<std::uint32_t>(rounded) == std::bit_cast<std::uint32_t>(nearest(x));
  }
  CHECK(are_right);
  CHECK(nans_stay);
  CHECK(kernels::from_bf16(kernels::to_bf16(1 + 0x1p-8f)) == 1.0f);
  CHECK(kernels::from_bf16(kernels::to_bf16(1 + 0x3p-8f)) == 1 + 0x4p-8f);
  CHECK(kernels::from_bf16(kernels::to_bf16(3.4e38f)) == std::numeric_limits<float>::infinity());
}

TEST_CASE("round_to_bf16 gives the bits of to_bf16 on every instruction set, for every length and in place") {
  const std::vector<float> numbers = numbers_around_all_bfloats();
  std::vector<float> expected = numbers;
  for (float& x : expected) x = kernels::from_bf16(kernels::to_bf16(x));
  const auto same_bits = [](const std::vector<float>& a, const std::vector<float>& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  };
  chainrule_test::for_each_runnable_set<float>([&](auto set) {
    std::vector<float> rounded(numbers.size());
    round_to_bf16(set, static_cast<Index>(numbers.size()), numbers.data(), rounded.data());
    CHECK(same_bits(rounded, expected));
    for (Index n = 0; n <= 70; ++n) {
      std::vector<float> in_place(numbers.begin() + 90000, numbers.begin() + 90080), as_expected = in_place;
      for (Index i = 0; i < n; ++i) as_expected[static_cast<std::size_t>(i)] = expected[static_cast<std::size_t>(90000 + i)];
      round_to_bf16(set, n, in_place.data(), in_place.data());
      CHECK(same_bits(in_place, as_expected));
    }
  });
}

TEST_CASE("A unit for bfloat16 prints its name, and one without instructions is always there") {
  std::ostringstream out;
  out << kernels::Bf16Unit::none << ", " << kernels::Bf16Unit::avx512 << ", " << kernels::Bf16Unit::amx;
  CHECK(out.str() == "none, AVX512_BF16, AMX");
  CHECK(kernels::has_bf16_unit(kernels::Bf16Unit::none));
  CHECK(kernels::has_bf16_unit(kernels::best_bf16_unit()));
}
