#pragma once

#include <chainrule/activations/gate.hpp>
#include <chainrule/initializers/he.hpp>
#include <limits>
#include <string_view>

namespace chainrule {

/// The sigmoid linear unit z sigma(z), also called swish (Elfwing, Uchibe and Doya 2018; Ramachandran, Zoph and Le 2017): smooth,
/// and with a minimum of -0.278 at z = -1.278.
struct SiLU {
  static constexpr std::string_view name = "SiLU";

  HeNormal default_initializer() const { return {}; }

  ///     SiLU(z) = z sigma(z) = z/(1 + e^-z)
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z.max(std::numeric_limits<typename Chunk::Scalar>::lowest()) * detail::Odds<Chunk>(z).open();
  }

  ///     SiLU'(z) = sigma(z) (1 + z (1 - sigma(z)))
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    const detail::Odds<Chunk> odds(z);
    return odds.open() * (1 + detail::bounded(z) * odds.shut());
  }
};

}  // namespace chainrule
