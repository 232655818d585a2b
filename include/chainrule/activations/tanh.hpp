#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <string_view>

namespace chainrule {

/// The hyperbolic tangent, between -1 and 1, with tanh(0) = 0.
struct Tanh final : ElementwiseActivation<Tanh> {
  static constexpr std::string_view name = "Tanh";  ///< the name in descriptions, files and messages
  static constexpr bool worth_fusing = true;        ///< small layers of run-time extents apply it in registers

  XavierUniform default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     tanh(z) = sinh z / cosh z = (e^2z - 1)/(e^2z + 1)
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return tanh(z);
  }
  ///     tanh'(z) = 1 - tanh(z)^2 = (1 - a)(1 + a); the product is accurate to the last bits even for a near 1
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    return (1 - a) * (1 + a);
  }
  ///     tanh''(z) = -2 tanh(z) tanh'(z) = -2a (1 - a)(1 + a)
  template <class V>
  CHAINRULE_FORMULA V f_double_prime_from_output(V a) const {
    return -2 * a * ((1 - a) * (1 + a));
  }
  ///     tanh'''(z) = 2 tanh'(z) (3 tanh(z)^2 - 1) = 2 (1 - a)(1 + a)(3a^2 - 1)
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime_from_output(V a) const {
    return 2 * ((1 - a) * (1 + a)) * fma(3 * a, a, -1);
  }
};

}  // namespace chainrule
