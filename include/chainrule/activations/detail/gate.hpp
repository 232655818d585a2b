#pragma once
// Numbers that SiLU, GELUTanh and Mish share: they multiply z by a gate between 0 and 1, open for z >> 0 and shut for z << 0.

#include <chainrule/kernels/simd.hpp>
#include <limits>

namespace chainrule::detail {

/// e^z as a quotient above/below without overflow: above = min(e^z, 1) and below = min(e^-z, 1), both from e = e^-|z|.
template <class V>
struct Odds {
  V e, above, below;
  CHAINRULE_FORMULA explicit Odds(const V& z) : e{exp(-abs(z))}, above{select(z > 0, 1, e)}, below{select(z < 0, 1, e)} {}
  /// sigma(z)
  CHAINRULE_FORMULA V open() const { return above / (e + 1); }
  /// 1 - sigma(z), without forming the difference
  CHAINRULE_FORMULA V shut() const { return below / (e + 1); }
};

/// z in [-2^15, 2^15]. Beyond that a gate is 0 or 1 in every scalar type, and z^2 and z * 0 are finite here.
template <class V>
CHAINRULE_FORMULA inline V bounded(const V& z) {
  return min(max(z, -0x1p15f), 0x1p15f);
}

/// z, but the lowest finite number where z is -infinity, so that z * 0 is 0.
template <class V>
CHAINRULE_FORMULA inline V above_infinity(const V& z) {
  return max(z, std::numeric_limits<typename V::Scalar>::lowest());
}

}  // namespace chainrule::detail
