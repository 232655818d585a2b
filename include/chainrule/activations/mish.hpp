#pragma once

#include <chainrule/activations/by_formula.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

namespace chainrule {

/// z tanh(ln(1 + e^z)) (Misra 2019): much like SiLU, with a minimum of -0.309 at z = -1.192.
///     Mish(z) = z t  with  t = tanh(ln(1 + e^z)) = ((1 + e^z)^2 - 1)/((1 + e^z)^2 + 1) = p (p + 2q)/(p (p + 2q) + 2q^2),  e^z = p/q
///     Mish'(z) = t + z t'  with  t' = (1 - t^2) sigma(z) = 4 e^z (1 + e^z)/((1 + e^z)^2 + 1)^2 = 4 p q^2 (p + q)/(p (p + 2q) + 2q^2)^2
struct Mish : detail::FromInput<Mish, kernels::Formula::mish> {
  static constexpr std::string_view name = "Mish";

  HeNormal default_initializer() const { return {}; }
};

}  // namespace chainrule
