#pragma once

#include <chainrule/activations/detail/gate.hpp>
#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

namespace chainrule {

/// Mish, z tanh(ln(1 + e^z)) (Misra 2019): smooth and close to SiLU, with a minimum of -0.309 at z = -1.192.
struct Mish final : ElementwiseActivation<Mish> {
  static constexpr std::string_view name = "Mish";  ///< the name in descriptions, files and messages

  HeNormal default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

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
  ///     Mish''(z) = t' (2 + z r)  with  r = t''/t' = 1 - sigma - 2 t sigma  and  sigma = sigma(z) = p/(p + q)
  template <class V>
  CHAINRULE_FORMULA V f_double_prime(V z) const {
    const Gate<V> gate = gate_of(z);
    return gate.t_prime * fma(detail::bounded(z), gate.r, 2);
  }
  ///     Mish'''(z) = t' (3 r + z (r^2 + r'))  with  r' = -sigma (1 - sigma) (1 + 2t) - 2 sigma t'
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime(V z) const {
    const Gate<V> gate = gate_of(z);
    const V r_prime = -gate.sigma * fma(gate.one_minus_sigma, fma(2, gate.t, 1), 2 * gate.t_prime);
    return gate.t_prime * fma(detail::bounded(z), fma(gate.r, gate.r, r_prime), 3 * gate.r);
  }

 private:
  /// t, the factor of z in Mish(z), its derivative t', r = t''/t', and sigma(z).
  template <class V>
  struct Gate {
    V t, t_prime, r, sigma, one_minus_sigma;
  };
  template <class V>
  static CHAINRULE_FORMULA Gate<V> gate_of(const V& z) {
    const detail::ExpFraction<V> exp_z(z);
    const V p = exp_z.numerator, q = exp_z.denominator, n = p * fma(2, q, p), d = fma(2 * q, q, n);
    const V t = n / d, sigma = exp_z.sigmoid(), one_minus_sigma = exp_z.one_minus_sigmoid();
    return {t, 4 * p * (q * q) * (p + q) / (d * d), fnmadd(2 * t, sigma, one_minus_sigma), sigma, one_minus_sigma};
  }
};

}  // namespace chainrule
