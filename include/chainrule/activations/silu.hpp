#pragma once

#include <chainrule/activations/detail/gate.hpp>
#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

namespace chainrule {

/// The sigmoid linear unit z sigma(z), also called swish (Elfwing, Uchibe and Doya 2018; Ramachandran, Zoph and Le 2017). It is smooth and
/// has a minimum of -0.278 at z = -1.278.
struct SiLU final : ElementwiseActivation<SiLU> {
  static constexpr std::string_view name = "SiLU";  ///< the name in descriptions, files and messages

  HeNormal default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     SiLU(z) = z sigma(z) = z/(1 + e^-z)
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return detail::replace_negative_infinity(z) * detail::ExpFraction<V>(z).sigmoid();
  }
  ///     SiLU'(z) = sigma(z) (1 + z (1 - sigma(z)))
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    const detail::ExpFraction<V> sigma(z);
    return sigma.sigmoid() * fma(detail::bounded(z), sigma.one_minus_sigmoid(), 1);
  }
  ///     SiLU''(z) = sigma' (2 - z tanh(z/2))  with  sigma' = sigma(z) (1 - sigma(z))  and  1 - 2 sigma(z) = -tanh(z/2)
  template <class V>
  CHAINRULE_FORMULA V f_double_prime(V z) const {
    const V c = detail::bounded(z);
    return detail::ExpFraction<V>(z).sigmoid_prime() * fnmadd(c, tanh(0.5f * c), 2);
  }
  ///     SiLU'''(z) = sigma' (z (1 - 6 sigma') - 3 tanh(z/2))
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime(V z) const {
    const V c = detail::bounded(z), slope = detail::ExpFraction<V>(z).sigmoid_prime();
    return slope * fnmadd(3, tanh(0.5f * c), c * fnmadd(6, slope, 1));
  }
};

}  // namespace chainrule
