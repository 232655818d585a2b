#pragma once
// Hendrycks and Gimpel 2016, "Gaussian error linear units": z times the probability that a standard normal number is below z.

#include <chainrule/activations/detail/gate.hpp>
#include <chainrule/activations/detail/normal_distribution.hpp>
#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

namespace chainrule {

/// z Phi(z), exact (PyTorch's default). Its minimum is -0.170 at z = -0.752.
struct GELU final : ElementwiseActivation<GELU> {
  static constexpr std::string_view name = "GELU";  ///< the name in descriptions, files and messages

  HeNormal default_initializer() const { return {}; }  ///< the initializer of a layer's weights where none is named

  ///     GELU(z) = z Phi(z)
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return detail::above_infinity(z) * detail::normal(z).below;
  }
  ///     GELU'(z) = Phi(z) + z phi(z)
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    const auto normal = detail::normal(z);
    return normal.below + normal.z_density;
  }
};

/// GELU with tanh in place of Phi, off by up to 5e-4 (PyTorch's approximate="tanh"). Where it is nearly 0, below z = -4, its relative
/// error grows with the argument of tanh, to 1e-5 in float.
struct GELUTanh final : ElementwiseActivation<GELUTanh> {
  static constexpr std::string_view name = "GELUTanh";  ///< the name in descriptions, files and messages

  HeNormal default_initializer() const { return {}; }  ///< the initializer of a layer's weights where none is named

  ///     GELUTanh(z) = z/2 (1 + tanh u) = z sigma(2u)  with  2u = 2 sqrt(2/pi) (z + 0.044715 z^3)
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    using Scalar = typename V::Scalar;
    const V c = detail::bounded(z), two_u = root<Scalar> * c * fma(cubic<Scalar>, c * c, 1);
    return detail::above_infinity(z) * detail::Odds<V>(two_u).open();
  }
  ///     GELUTanh'(z) = sigma(2u) (1 + z 2u' (1 - sigma(2u)))
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    using Scalar = typename V::Scalar;
    const V c = detail::bounded(z), two_u = root<Scalar> * c * fma(cubic<Scalar>, c * c, 1);
    const V z_slope = root<Scalar> * c * fma(3 * cubic<Scalar>, c * c, 1);  // z 2u'
    const detail::Odds<V> sigma(two_u);
    return sigma.open() * fma(z_slope, sigma.shut(), 1);
  }

 private:
  template <class Scalar>
  static constexpr Scalar root = Scalar(1.595769121605730711759784239737527474L);  // 2 sqrt(2/pi)
  template <class Scalar>
  static constexpr Scalar cubic = Scalar(0.044715L);
};

}  // namespace chainrule
