#pragma once
// Hendrycks and Gimpel 2016, "Gaussian error linear units": z times the probability that a standard normal number is below z.

#include <chainrule/activations/by_formula.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

namespace chainrule {

/// z Phi(z), exact (PyTorch's default). Its minimum is -0.170 at z = -0.752.
///     GELU(z) = z Phi(z)
///     GELU'(z) = Phi(z) + z phi(z)
struct GELU : detail::FromInput<GELU, kernels::Formula::gelu> {
  static constexpr std::string_view name = "GELU";

  HeNormal default_initializer() const { return {}; }
};

/// GELU with tanh in place of Phi, off by up to 5e-4 (PyTorch's approximate="tanh"). Where it is nearly 0, below z = -4, its relative
/// error grows with the argument of tanh, to 1e-5 in float.
///     GELUTanh(z) = z/2 (1 + tanh u) = z sigma(2u)  with  u = sqrt(2/pi) (z + 0.044715 z^3)
///     GELUTanh'(z) = sigma(2u) (1 + z 2u' (1 - sigma(2u)))
struct GELUTanh : detail::FromInput<GELUTanh, kernels::Formula::gelu_tanh> {
  static constexpr std::string_view name = "GELUTanh";

  HeNormal default_initializer() const { return {}; }
};

}  // namespace chainrule
