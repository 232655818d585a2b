#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <string_view>

namespace chainrule {

/// The logistic function sigma(z) = 1/(1 + e^-z), between 0 and 1.
struct Sigmoid final : ElementwiseActivation<Sigmoid> {
  static constexpr std::string_view name = "Sigmoid";  ///< the name in descriptions, files and messages
  static constexpr bool worth_fusing = true;           ///< small layers of run-time extents apply it in registers

  XavierUniform default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     sigma(z) = 1/(1 + e^-z)
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return sigmoid(z);
  }
  ///     sigma'(z) = sigma(z) (1 - sigma(z)) = a (1 - a) <= 1/4, which is why deep sigmoid nets have vanishing gradients
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    return a * (1 - a);
  }
  ///     sigma''(z) = sigma' (1 - 2 sigma) = a (1 - a) (1 - 2a)
  template <class V>
  CHAINRULE_FORMULA V f_double_prime_from_output(V a) const {
    return a * (1 - a) * fnmadd(2, a, 1);
  }
  ///     sigma'''(z) = sigma' (1 - 6 sigma') = a (1 - a) (1 - 6a (1 - a))
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime_from_output(V a) const {
    const V slope = a * (1 - a);
    return slope * fnmadd(6, slope, 1);
  }
};

}  // namespace chainrule
