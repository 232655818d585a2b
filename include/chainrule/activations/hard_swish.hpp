#pragma once

#include <chainrule/activations/detail/gate.hpp>
#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// SiLU with HardSigmoid in place of the sigmoid, for processors on which an exponential is too slow (Howard et al. 2019, Searching for
/// MobileNetV3, section 5.2): 0 below z = -3, z above z = 3, with a minimum of -3/8 at z = -3/2. PyTorch's Hardswish.
struct HardSwish final : ElementwiseActivation<HardSwish> {
  static constexpr std::string_view name = "HardSwish";  ///< the name in descriptions, files and messages

  HeNormal default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     HardSwish(z) = z min(max(z + 3, 0), 6)/6, where the factor is computed first, because z^2 may overflow; NaN stays NaN
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return detail::replace_negative_infinity(z) * (min(max(z + 3, 0), 6) / 6);
  }
  ///     HardSwish'(z) = (2z + 3)/6 for |z| < 3, 0 below and 1 above
  ///
  /// It is 0 at the kink z = -3 and 1 at z = 3, as PyTorch documents it. Up to version 2.6 PyTorch computes -1/2 and 3/2 there.
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    const V inside = fma(2, min(max(z, -3), 3), 3) / 6;
    return select(z > -3, select(z < 3, inside, 1), 0);
  }
  ///     HardSwish''(z) = 1/3 for |z| < 3 and 0 elsewhere; 0 at the kinks
  template <class V>
  CHAINRULE_FORMULA V f_double_prime(V z) const {
    return select(abs(z) < 3, typename V::Scalar{1} / 3, 0);
  }
  ///     HardSwish'''(z) = 0, at the kinks too
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime(V) const {
    return 0;
  }
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
