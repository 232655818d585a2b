#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <string_view>

namespace chainrule {

/// A sigmoid of three straight lines, for where an exponential is too dear: 0 below -3, 1 above 3. Slope 1/6 as in PyTorch and
/// Keras 3 (Courbariaux, Bengio and David 2015 had 1/2, Keras 2 had 1/5).
struct HardSigmoid final : ElementwiseActivation<HardSigmoid> {
  static constexpr std::string_view name = "HardSigmoid";  ///< the name in descriptions, files and messages

  XavierUniform default_initializer() const { return {}; }  ///< the initializer of a layer's weights where none is named

  ///     HardSigmoid(z) = min(max(z/6 + 1/2, 0), 1), as (z + 3)/6 because that is exact near -3; NaN stays NaN
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return min(max((z + 3) / 6, 0), 1);
  }
  ///     HardSigmoid'(z) = 1/6 for |z| < 3, which is where 0 < a < 1; at the kinks it is taken as 0, as PyTorch does
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    return select(a > 0, select(a < 1, typename V::Scalar{1} / 6, 0), 0);
  }
};

}  // namespace chainrule
