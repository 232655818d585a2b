#pragma once

#include <chainrule/activations/gate.hpp>
#include <chainrule/initializers/he.hpp>
#include <limits>
#include <string_view>

namespace chainrule {

/// z tanh(ln(1 + e^z)) (Misra 2019): much like SiLU, with a minimum of -0.309 at z = -1.192.
struct Mish {
  static constexpr std::string_view name = "Mish";

  HeNormal default_initializer() const { return {}; }

  ///     Mish(z) = z t  with  t = tanh(ln(1 + e^z)) = ((1 + e^z)^2 - 1)/((1 + e^z)^2 + 1) = p (p + 2q)/(p (p + 2q) + 2q^2),  e^z = p/q
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    const detail::Odds<Chunk> odds(z);
    const Chunk p = odds.p(), q = odds.q();
    const Chunk n = p * (p + 2 * q);
    return z.max(std::numeric_limits<typename Chunk::Scalar>::lowest()) * (n / (n + 2 * q.square()));
  }

  ///     Mish'(z) = t + z t'  with  t' = (1 - t^2) sigma(z) = 4 e^z (1 + e^z)/((1 + e^z)^2 + 1)^2 = 4 p q^2 (p + q)/(p (p + 2q) + 2q^2)^2
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    const detail::Odds<Chunk> odds(z);
    const Chunk p = odds.p(), q = odds.q();
    const Chunk n = p * (p + 2 * q);
    const Chunk d = n + 2 * q.square();
    return n / d + 4 * detail::bounded(z) * p * q.square() * (p + q) / d.square();
  }
};

}  // namespace chainrule
