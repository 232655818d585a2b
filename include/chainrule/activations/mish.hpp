#pragma once

#include <chainrule/activations/detail/gate.hpp>
#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

namespace chainrule {

/// Mish, z tanh(ln(1 + e^z)) (Misra 2019): smooth and close to SiLU, with a minimum of -0.309 at z = -1.192.
struct Mish final : ElementwiseActivation<Mish> {
  static constexpr std::string_view name = "Mish";  ///< the name in descriptions, files and messages

  HeNormal default_initializer() const { return {}; }  ///< the initializer of a layer's weights where none is named

  ///     Mish(z) = z t  with  t = tanh(ln(1 + e^z)) = ((1 + e^z)^2 - 1)/((1 + e^z)^2 + 1) = n/(n + 2 q^2),  n = p (p + 2 q),  e^z = p/q
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    const detail::ExpFraction<V> exp_z(z);
    const V p = exp_z.numerator, q = exp_z.denominator, n = p * fma(2, q, p);
    return detail::replace_negative_infinity(z) * (n / fma(2 * q, q, n));
  }
  ///     Mish'(z) = t + z t'  with  t' = (1 - t^2) sigma(z) = 4 e^z (1 + e^z)/((1 + e^z)^2 + 1)^2 = 4 p q^2 (p + q)/(n + 2 q^2)^2
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    const detail::ExpFraction<V> exp_z(z);
    const V p = exp_z.numerator, q = exp_z.denominator, n = p * fma(2, q, p), d = fma(2 * q, q, n);
    return n / d + 4 * detail::bounded(z) * p * (q * q) * (p + q) / (d * d);
  }
};

}  // namespace chainrule
