#pragma once

#include <chainrule/activations/by_formula.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

namespace chainrule {

/// The sigmoid linear unit z sigma(z), also called swish (Elfwing, Uchibe and Doya 2018; Ramachandran, Zoph and Le 2017): smooth,
/// and with a minimum of -0.278 at z = -1.278.
///     SiLU(z) = z sigma(z) = z/(1 + e^-z)
///     SiLU'(z) = sigma(z) (1 + z (1 - sigma(z)))
struct SiLU : detail::FromInput<SiLU, kernels::Formula::silu> {
  static constexpr std::string_view name = "SiLU";

  HeNormal default_initializer() const { return {}; }
};

}  // namespace chainrule
