#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// The rectified linear unit max(0, z). Its derivative is 1 for z > 0, so gradients do not vanish there.
struct ReLU final : ElementwiseActivation<ReLU> {
  static constexpr std::string_view name = "ReLU";  ///< the name in descriptions, files and messages
  static constexpr bool worth_fusing = true;        ///< small layers of run-time extents apply it in registers

  HeNormal default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     ReLU(z) = max(0, z); NaN stays NaN
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return max(z, 0);
  }
  ///     ReLU'(z) = 1 for z > 0 and 0 for z < 0, decided by a; 0 at 0, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    return select(a > 0, 1, 0);
  }
  ///     ReLU''(z) = 0, at the kink too, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_double_prime_from_output(V) const {
    return 0;
  }
  ///     ReLU'''(z) = 0, at the kink too, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime_from_output(V) const {
    return 0;
  }
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
