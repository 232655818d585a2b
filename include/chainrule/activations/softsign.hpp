#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <limits>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// Softsign, z/(1 + |z|), between -1 and 1 like tanh but slower to saturate (Turian, Bergstra and Bengio 2009).
struct Softsign final : ElementwiseActivation<Softsign> {
  static constexpr std::string_view name = "Softsign";  ///< the name in descriptions, files and messages

  XavierUniform default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     Softsign(z) = z/(1 + |z|); +-1 for infinite z, because z is limited to finite numbers
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    constexpr auto largest = (std::numeric_limits<typename V::Scalar>::max)();
    const V finite = min(max(z, -largest), largest);
    return finite / (abs(finite) + 1);
  }
  ///     Softsign'(z) = 1/(1 + |z|)^2 = (1 - |a|)^2
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    const V one_minus_a = 1 - abs(a);
    return one_minus_a * one_minus_a;
  }
  ///     Softsign''(z) = -2 sign(z)/(1 + |z|)^3 = -2 sign(a) (1 - |a|)^3, which is 0 at 0, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_double_prime_from_output(V a) const {
    const V one_minus_a = 1 - abs(a);
    return -2 * sign(a) * (one_minus_a * one_minus_a * one_minus_a);
  }
  ///     Softsign'''(z) = 6 sign(z)^2/(1 + |z|)^4 = 6 sign(a)^2 (1 - |a|)^4; 0 at 0, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime_from_output(V a) const {
    const V slope = (1 - abs(a)) * (1 - abs(a));
    return 6 * abs(sign(a)) * (slope * slope);
  }
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
