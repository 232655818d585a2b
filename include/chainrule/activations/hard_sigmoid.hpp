#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// A sigmoid made of three straight lines, for processors on which an exponential is too slow: 0 below z = -3, 1 above z = 3. The slope is
/// 1/6 as in PyTorch and Keras 3 (1/2 in Courbariaux, Bengio and David 2015, 1/5 in Keras 2).
struct HardSigmoid final : ElementwiseActivation<HardSigmoid> {
  static constexpr std::string_view name = "HardSigmoid";  ///< the name in descriptions, files and messages

  XavierUniform default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     HardSigmoid(z) = min(max(z/6 + 1/2, 0), 1), computed with (z + 3)/6, which is exact near -3; NaN stays NaN
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return min(max((z + 3) / 6, 0), 1);
  }
  ///     HardSigmoid'(z) = 1/6 for |z| < 3, which means 0 < a < 1, and 0 elsewhere; 0 at the kinks, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    return select(a > 0, select(a < 1, typename V::Scalar{1} / 6, 0), 0);
  }
  ///     HardSigmoid''(z) = 0, at the kinks too, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_double_prime_from_output(V) const {
    return 0;
  }
  ///     HardSigmoid'''(z) = 0, at the kinks too, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime_from_output(V) const {
    return 0;
  }
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
