#pragma once
// Gaussian error linear units (Hendrycks and Gimpel 2016): z times the probability that a standard normal number is below z.

#include <chainrule/activations/detail/gate.hpp>
#include <chainrule/activations/detail/normal_distribution.hpp>
#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

namespace chainrule {

/// The Gaussian error linear unit z Phi(z), with Phi the distribution function of a standard normal number (Hendrycks and Gimpel 2016).
/// Exact to rounding, like PyTorch's default. The minimum is -0.170 at z = -0.752.
struct GELU final : ElementwiseActivation<GELU> {
  static constexpr std::string_view name = "GELU";  ///< the name in descriptions, files and messages

  HeNormal default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     GELU(z) = z Phi(z)
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return detail::replace_negative_infinity(z) * detail::normal(z).distribution;
  }
  ///     GELU'(z) = Phi(z) + z phi(z)
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    const auto normal = detail::normal(z);
    return normal.distribution + normal.z_density;
  }
  ///     GELU''(z) = phi(z) (2 - z^2)  with the normal density  phi(z) = e^(-z^2/2)/sqrt(2 pi)
  template <class V>
  CHAINRULE_FORMULA V f_double_prime(V z) const {
    const auto normal = detail::normal(z);
    return normal.density * fnmadd(normal.limited_abs_z, normal.limited_abs_z, 2);
  }
  ///     GELU'''(z) = z phi(z) (z^2 - 4)
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime(V z) const {
    const auto normal = detail::normal(z);
    return normal.z_density * fma(normal.limited_abs_z, normal.limited_abs_z, -4);
  }
};

/// The approximation of GELU by tanh instead of Phi (PyTorch's approximate="tanh"), which differs from GELU by at most 5e-4. Below z = -4,
/// where the result is nearly 0, its rounding error grows with the argument of tanh, to a relative error of 1e-5 in float.
struct GELUTanh final : ElementwiseActivation<GELUTanh> {
  static constexpr std::string_view name = "GELUTanh";  ///< the name in descriptions, files and messages

  HeNormal default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     GELUTanh(z) = z/2 (1 + tanh u) = z sigma(2u)  with  2u = 2 sqrt(2/pi) (z + 0.044715 z^3)
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    using Scalar = typename V::Scalar;
    const V c = detail::bounded(z), two_u = two_sqrt_2_over_pi<Scalar> * c * fma(cubic<Scalar>, c * c, 1);
    return detail::replace_negative_infinity(z) * detail::ExpFraction<V>(two_u).sigmoid();
  }
  ///     GELUTanh'(z) = sigma(2u) (1 + z 2u' (1 - sigma(2u)))
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    using Scalar = typename V::Scalar;
    const V c = detail::bounded(z), two_u = two_sqrt_2_over_pi<Scalar> * c * fma(cubic<Scalar>, c * c, 1);
    const V z_times_slope = two_sqrt_2_over_pi<Scalar> * c * fma(3 * cubic<Scalar>, c * c, 1);  // z 2u'
    const detail::ExpFraction<V> sigma(two_u);
    return sigma.sigmoid() * fma(z_times_slope, sigma.one_minus_sigmoid(), 1);
  }
  ///     GELUTanh''(z) = 2 s' + z s'' = s (1 - s) (2 w' + z g)  with  w = 2u,  s = sigma(w),  s' = s (1 - s) w',
  ///     s'' = s (1 - s) g,  g = w'' - tanh(w/2) w'^2
  template <class V>
  CHAINRULE_FORMULA V f_double_prime(V z) const {
    const Gate<V> gate = gate_of(z);
    return gate.slope * fma(gate.c, gate.g, 2 * gate.w_prime);
  }
  ///     GELUTanh'''(z) = 3 s'' + z s''' = s (1 - s) (3 g + z h)
  ///     with  h = w''' - 3 tanh(w/2) w' w'' + (1 - 6 s (1 - s)) w'^3
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime(V z) const {
    using Scalar = typename V::Scalar;
    const Gate<V> gate = gate_of(z);
    const V square = gate.w_prime * gate.w_prime;
    const V mixed = fnmadd(3 * gate.tanh_half_w * gate.w_prime, gate.w_double_prime, w_triple_prime<Scalar>);
    const V h = fma(fnmadd(6, gate.slope, 1) * square, gate.w_prime, mixed);
    return gate.slope * fma(gate.c, h, 3 * gate.g);
  }

 private:
  /// z limited to finite powers, s (1 - s), and the derivatives of w = 2u for the second and third derivative.
  template <class V>
  struct Gate {
    V c, slope, tanh_half_w, w_prime, w_double_prime, g;
  };
  template <class V>
  static CHAINRULE_FORMULA Gate<V> gate_of(const V& z) {
    using Scalar = typename V::Scalar;
    const V c = detail::bounded(z), w = two_sqrt_2_over_pi<Scalar> * c * fma(cubic<Scalar>, c * c, 1);
    const V w_prime = two_sqrt_2_over_pi<Scalar> * fma(3 * cubic<Scalar>, c * c, 1), w_double_prime = w_triple_prime<Scalar> * c;
    const V tanh_half_w = tanh(0.5f * w);
    return {c,
            detail::ExpFraction<V>(w).sigmoid_prime(),
            tanh_half_w,
            w_prime,
            w_double_prime,
            fnmadd(tanh_half_w * w_prime, w_prime, w_double_prime)};
  }

  template <class Scalar>
  static constexpr Scalar two_sqrt_2_over_pi = Scalar(1.595769121605730711759784239737527474L);  // 2 sqrt(2/pi)
  template <class Scalar>
  static constexpr Scalar cubic = Scalar(0.044715L);
  template <class Scalar>
  static constexpr Scalar w_triple_prime = 6 * two_sqrt_2_over_pi<Scalar>* cubic<Scalar>;
};

}  // namespace chainrule
