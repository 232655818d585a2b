#pragma once
// Helpers for SiLU, GELUTanh, HardSwish and Mish, which multiply z by a factor between 0 and 1 that goes to 1 for z >> 0 and to 0 for
// z << 0.

#include <chainrule/kernels/simd.hpp>
#include <limits>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule::detail {

/// e^z as a fraction that cannot overflow: numerator = min(e^z, 1) and denominator = min(e^-z, 1), both computed from e = e^-|z|.
template <class V>
struct ExpFraction {
  V e, numerator, denominator;
  CHAINRULE_FORMULA explicit ExpFraction(const V& z) : e{exp(-abs(z))}, numerator{select(z > 0, 1, e)}, denominator{select(z < 0, 1, e)} {}
  /// Returns sigma(z) = numerator / (1 + e^-|z|).
  CHAINRULE_FORMULA V sigmoid() const { return numerator / (e + 1); }
  /// Returns 1 - sigma(z) = denominator / (1 + e^-|z|), without a difference that would cancel.
  CHAINRULE_FORMULA V one_minus_sigmoid() const { return denominator / (e + 1); }
  /// Returns sigma'(z) = sigma(z) (1 - sigma(z)) = e^-|z| / (1 + e^-|z|)^2.
  CHAINRULE_FORMULA V sigmoid_prime() const { return e / ((e + 1) * (e + 1)); }
};

/// Limits z to [-2^15, 2^15]. Outside of this range the factor is 0 or 1 in every scalar type; inside, z^2 and z * 0 are finite.
template <class V>
CHAINRULE_FORMULA inline V bounded(const V& z) {
  return min(max(z, -0x1p15f), 0x1p15f);
}

/// Replaces -infinity by the lowest finite number, so that z * 0 is 0 and not NaN.
template <class V>
CHAINRULE_FORMULA inline V replace_negative_infinity(const V& z) {
  return max(z, std::numeric_limits<typename V::Scalar>::lowest());
}

}  // namespace chainrule::detail

#include <chainrule/core/detail/restore_min_max.inc>
