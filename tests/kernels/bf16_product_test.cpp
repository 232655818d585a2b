#include <chainrule/core/random.hpp>
#include <chainrule/kernels/bf16_product.hpp>
#include <cmath>
#include <cstring>
#include <vector>

#include "support/amx_emulator.hpp"
#include "support/catch.hpp"

using namespace chainrule;
using kernels::Bf16Unit;

namespace {

using Numbers = std::vector<float>;
float rounded(float x) { return kernels::from_bf16(kernels::to_bf16(x)); }

Numbers random_numbers(Index size, Random& random) {
  Numbers numbers(static_cast<std::size_t>(size));
  for (float& x : numbers) x = static_cast<float>(random.normal());
  return numbers;
}

struct Packed {
  explicit Packed(Index size) : memory(static_cast<std::size_t>(size) + 64, 0x7fc0) {}  // NaN where nothing is written
  kernels::Bf16* begin() {
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    return memory.data() + (64 - address % 64) % 64 / sizeof(kernels::Bf16);
  }
  std::vector<kernels::Bf16> memory;
};

// L (rows x terms) and R (terms x columns) of bfloat16 numbers, row by row, and in memory as floats with gaps.
struct Operands {
  Operands(Index rows, Index columns, Index terms, bool across, Random& random)
      : left_step{(across ? rows : terms) + 3},
        right_step{(across ? columns : terms) + 5},
        left{random_numbers(left_step * (across ? terms : rows), random)},
        right{random_numbers(right_step * (across ? terms : columns), random)},
        is_across{across} {}
  float l(Index m, Index k) const { return rounded(left[static_cast<std::size_t>(is_across ? k * left_step + m : m * left_step + k)]); }
  float r(Index k, Index n) const { return rounded(right[static_cast<std::size_t>(is_across ? k * right_step + n : n * right_step + k)]); }
  Index left_step, right_step;
  Numbers left, right;
  bool is_across;
};

// The sum that a unit gives, by the order in which it adds.
float sum_by_avx512(const Operands& of, Index m, Index n, Index terms, float start) {
  float total = start;
  for (Index first = 0; first < terms; first += 256) {
    float sum = first == 0 ? start : 0;
    for (Index k = first; k < (std::min)(terms, first + 256); k += 2) {
      if (k + 1 < terms) sum = std::fma(of.l(m, k + 1), of.r(k + 1, n), sum);
      sum = std::fma(of.l(m, k), of.r(k, n), sum);
    }
    total = first == 0 ? sum : total + sum;
  }
  return total;
}
float sum_by_amx(const Operands& of, Index m, Index n, Index terms, float start) {
  float total = start;
  for (Index first = 0; first < terms; first += 32) {
    float even = 0, odd = 0;
    for (Index k = first; k < (std::min)(terms, first + 32); k += 2) {
      even = std::fma(of.l(m, k), of.r(k, n), even);
      if (k + 1 < terms) odd = std::fma(of.l(m, k + 1), of.r(k + 1, n), odd);
    }
    total += even + odd;
  }
  return total;
}

struct Case {
  Index rows, columns, terms;
};

// Each entry has the bits of its definition, and nothing beyond C is written.
void check_product(Bf16Unit unit, const Case& c, bool across, Random& random) {
  CAPTURE(c.rows, c.columns, c.terms, across);
  const Operands of(c.rows, c.columns, c.terms, across, random);
  Packed left(kernels::packed_size(c.rows, c.terms)), right(kernels::packed_size(c.columns, c.terms));
  kernels::pack_bf16(true, {of.left.data(), of.left_step, across, c.rows, c.terms}, left.begin());
  kernels::pack_bf16(false, {of.right.data(), of.right_step, across, c.columns, c.terms}, right.begin());
  const Numbers start = random_numbers(c.columns, random);
  const Index step = c.columns + 2;
  const Numbers before = random_numbers(step * c.rows, random);
  const float factor = -0.37f;
  for (const int end : {0, 1, 2}) {  // C = L R, C = start + L R, C <- C + factor L R
    if (end == 2 && c.terms > kernels::most_terms_at_once(unit)) continue;
    Numbers result = before, expected = before;
    kernels::bf16_product(unit, c.terms, left.begin(), right.begin(),
                          {result.data(), step, c.rows, c.columns, end == 1 ? start.data() : nullptr, end == 2 ? &factor : nullptr});
    for (Index m = 0; m < c.rows; ++m)
      for (Index n = 0; n < c.columns; ++n) {
        const float from = end == 1 ? start[static_cast<std::size_t>(n)] : 0.0f;
        const float sum = unit == Bf16Unit::amx ? sum_by_amx(of, m, n, c.terms, from) : sum_by_avx512(of, m, n, c.terms, from);
        float& one = expected[static_cast<std::size_t>(m * step + n)];
        one = end == 2 ? std::fma(factor, sum, one) : sum;
      }
    CHECK(result == expected);
  }
}

std::vector<Bf16Unit> units_here() {
  std::vector<Bf16Unit> units;
  if (kernels::has_bf16_unit(Bf16Unit::avx512)) units.push_back(Bf16Unit::avx512);
  if (kernels::has_bf16_unit(Bf16Unit::amx) || chainrule_test::can_emulate_amx()) units.push_back(Bf16Unit::amx);
  return units;
}

}  // namespace

TEST_CASE("Products of bfloat16 have the bits of their definition for all extents around those of blocks") {
  for (const Bf16Unit unit : units_here()) {
    CAPTURE(unit);
    const chainrule_test::AmxEmulator emulator(unit == Bf16Unit::amx && !kernels::has_bf16_unit(Bf16Unit::amx));
    Random random{Seed{5}};
    for (Index n = 1; n <= 70; ++n) check_product(unit, {n, n * 29 % 71, n * 13 % 67 + 1}, n % 2 == 0, random);
    for (const bool across : {false, true}) {
      check_product(unit, {33, 50, 255}, across, random);
      check_product(unit, {16, 32, 256}, across, random);
      check_product(unit, {5, 17, 257}, across, random);
      check_product(unit, {32, 33, 512}, across, random);
      check_product(unit, {40, 16, 1100}, across, random);
    }
  }
}

TEST_CASE("Products of bfloat16 pass on infinity and NaN, take subnormal operands as 0, and give infinity beyond the range") {
  for (const Bf16Unit unit : units_here()) {
    CAPTURE(unit);
    const chainrule_test::AmxEmulator emulator(unit == Bf16Unit::amx && !kernels::has_bf16_unit(Bf16Unit::amx));
    const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const Numbers l{infinity, 1, nan, 1, 1e-40f, 1, 3e38f, 3e38f}, r{2, 1, 1, 1, 1e38f, 1, 1, 1};  // rows of 2 terms; columns of 2 terms
    Packed left(kernels::packed_size(4, 2)), right(kernels::packed_size(4, 2));
    kernels::pack_bf16(true, {l.data(), 2, false, 4, 2}, left.begin());
    kernels::pack_bf16(false, {r.data(), 2, false, 4, 2}, right.begin());
    Numbers c(16);
    kernels::bf16_product(unit, 2, left.begin(), right.begin(), {c.data(), 4, 4, 4});
    CHECK(c[0] == infinity);
    CHECK(std::isnan(c[4]));
    CHECK(c[8 + 2] == 1);  // 1e-40 is subnormal
    CHECK(c[12] == infinity);
  }
}
