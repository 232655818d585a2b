#pragma once
// Hendrycks and Gimpel 2016, "Gaussian error linear units": z times the probability that a standard normal number is below z.

#include <algorithm>
#include <chainrule/activations/gate.hpp>
#include <chainrule/core/older_libraries.hpp>
#include <chainrule/initializers/he.hpp>
#include <cmath>
#include <limits>
#include <string_view>

namespace chainrule {

/// z Phi(z), exact (PyTorch's default): one erfc for each number, not vectorised. Its minimum is -0.170 at z = -0.752.
struct GELU {
  static constexpr std::string_view name = "GELU";

  HeNormal default_initializer() const { return {}; }

  ///     GELU(z) = z Phi(z)
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    using Scalar = typename Chunk::Scalar;
    return z.unaryExpr([](Scalar at) { return std::max(at, -reach<Scalar>) * below(bounded(at)); });
  }

  ///     GELU'(z) = Phi(z) + z phi(z)
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    using Scalar = typename Chunk::Scalar;
    return z.unaryExpr([](Scalar at) { return below(bounded(at)) + bounded(at) * density(bounded(at)); });
  }

 private:
  // Further out Phi is 0 or 1 and phi is 0, in every scalar type.
  template <class Scalar>
  static constexpr Scalar reach = 200;
  template <class Scalar>
  static Scalar bounded(Scalar z) {
    return std::clamp(z, -reach<Scalar>, reach<Scalar>);  // NaN stays NaN
  }

  // Phi(z) = erfc(-z/sqrt 2)/2. The argument x is rounded, and erfc(x) ~ e^(-x^2) for z << 0, so what z^2/2 is more than x^2 is
  // made good by a factor of its exponential.
  template <class Scalar>
  static Scalar below(Scalar z) {
    const Scalar x = -z / detail::sqrt2<Scalar>;
    const Scalar half = std::erfc(x) / 2;
    if (z > -1) return half;
    const Scalar square = 2 * x * x;
    const Scalar rest = std::fma(z, z, -square) - std::fma(2 * x, x, -square);  // z^2 - 2 x^2
    return half * (1 - rest / 2);
  }

  // phi(z) = e^(-z^2/2)/sqrt(2 pi), where again the rounding error of z^2 is made good
  template <class Scalar>
  static Scalar density(Scalar z) {
    const Scalar square = z * z;
    return std::exp(-square / 2) * (1 - std::fma(z, z, -square) / 2) * Scalar(0.398942280401432677939946059934381868L);
  }
};

/// GELU with tanh in place of Phi, off by up to 5e-4 (PyTorch's approximate="tanh"): vectorised. Where it is nearly 0, below z = -4,
/// its relative error grows with the argument of tanh, to 1e-5 in float.
struct GELUTanh {
  static constexpr std::string_view name = "GELUTanh";

  HeNormal default_initializer() const { return {}; }

  ///     GELUTanh(z) = z/2 (1 + tanh u) = z sigma(2u)  with  u = sqrt(2/pi) (z + 0.044715 z^3)
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z.max(std::numeric_limits<typename Chunk::Scalar>::lowest()) * odds(detail::bounded(z)).open();
  }

  ///     GELUTanh'(z) = sigma(2u) (1 + z 2u' (1 - sigma(2u)))
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    using Scalar = typename Chunk::Scalar;
    const Chunk c = detail::bounded(z);
    const detail::Odds<Chunk> odds_of_c = odds(c);
    return odds_of_c.open() * (1 + root<Scalar> * c * (1 + 3 * cubic<Scalar> * c.square()) * odds_of_c.shut());
  }

 private:
  template <class Scalar>
  static constexpr Scalar root = Scalar(1.595769121605730711759784239737527474L);  // 2 sqrt(2/pi)
  template <class Scalar>
  static constexpr Scalar cubic = Scalar(0.044715L);

  // e^2u, as a fraction
  template <class Chunk>
  static detail::Odds<Chunk> odds(const Chunk& z) {
    using Scalar = typename Chunk::Scalar;
    return detail::Odds<Chunk>(root<Scalar> * z * (1 + cubic<Scalar> * z.square()));
  }
};

}  // namespace chainrule
