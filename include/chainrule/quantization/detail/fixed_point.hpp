#pragma once
// Multiplies integers by real numbers with integer arithmetic alone, as gemmlowp, TensorFlow Lite and CMSIS-NN do, to the same bits.

#include <algorithm>
#include <chainrule/core/detail/require_cpp20.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

namespace chainrule::detail {

/// A real number as multiplier 2^(shift - 31), with 2^30 <= |multiplier| < 2^31, or 0 (Jacob et al. 2018, section 2.2).
struct FixedPoint {
  std::int32_t multiplier = 0;
  std::int32_t shift = 0;  // positive: to the left

  bool operator==(const FixedPoint&) const = default;
};

/// The number that is closest to `real`, as TensorFlow Lite's QuantizeMultiplier computes it; numbers below 2^-32 become 0. Precondition:
/// |real| < 2^30.
inline FixedPoint to_fixed_point(double real) {
  if (real < 0) {
    const FixedPoint opposite = to_fixed_point(-real);
    return {-opposite.multiplier, opposite.shift};
  }
  int shift = 0;
  auto multiplier = static_cast<std::int64_t>(std::round(std::frexp(real, &shift) * 0x1p31));
  if (multiplier == std::int64_t{1} << 31) {
    multiplier /= 2;
    ++shift;
  }
  if (multiplier == 0 || shift < -31) return {};
  return {static_cast<std::int32_t>(multiplier), shift};
}

/// a b 2^-31, rounded to the nearest integer, halves towards plus infinity (gemmlowp's SaturatingRoundingDoublingHighMul). It cannot
/// saturate, because b is not -2^31.
///
///     floor((a b + 2^30) 2^-31)
constexpr std::int32_t rounding_doubling_high_product(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>((static_cast<std::int64_t>(a) * b + (std::int64_t{1} << 30)) >> 31);
}

/// x 2^-exponent, rounded to the nearest integer, halves away from 0 (gemmlowp's RoundingDivideByPOT). Precondition: 0 <= exponent <= 31.
constexpr std::int32_t rounding_divide_by_power_of_two(std::int32_t x, int exponent) {
  const auto mask = static_cast<std::int32_t>((std::int64_t{1} << exponent) - 1);
  return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0 ? 1 : 0) ? 1 : 0);
}

/// x times the number m, rounded twice: the product to 31 bits, then the shift to the right (TensorFlow Lite's
/// MultiplyByQuantizedMultiplier, without its build option for a single rounding). Where a shift to the left would overflow, x is limited
/// to the largest number that can be shifted, which TensorFlow Lite leaves undefined; the result is then beyond all numbers of 16 bits.
constexpr std::int32_t times(std::int32_t x, FixedPoint m) {
  if (m.shift <= 0) return rounding_divide_by_power_of_two(rounding_doubling_high_product(x, m.multiplier), -m.shift);
  const std::int32_t limit = (std::numeric_limits<std::int32_t>::max)() >> m.shift;
  return rounding_doubling_high_product(std::clamp(x, -limit, limit) * (std::int32_t{1} << m.shift), m.multiplier);
}

}  // namespace chainrule::detail
