#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/initializers/siren.hpp>
#include <string_view>

namespace chainrule {

/// The sine of SIREN, sin(omega z), for networks that represent images, signals and solutions of differential equations (Sitzmann et al.
/// 2020): its derivatives are sines too, so those of the network are as detailed as the network itself. The paper uses omega = 30 in all
/// layers, and the weights of SirenUniform.
///
/// The product omega z is rounded; its sine is off by at most 2.5 units in the last place in float and double (kernels/vector_math.hpp),
/// where |omega z| above 8192 in float and 2^22 in double takes much longer. NaN where omega z is infinite. The constructor throws
/// ValueError unless omega is above 0 and finite.
class Sine final : public ElementwiseActivation<Sine> {
 public:
  static constexpr std::string_view name = "Sine";  ///< the name in descriptions, files and messages

  /// Throws ValueError unless omega is above 0 and finite.
  constexpr explicit Sine(double omega = 30) : omega_{omega} { detail::check_positive(name, "omega", omega); }

  constexpr double omega() const { return omega_; }  ///< how many radians the sine turns while z grows by 1
  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"omega", omega_}}; }

  /// For the weights of a layer that names no initializer, as the paper has it for all layers but the first; see SirenUniform::is_first.
  SirenUniform default_initializer() const { return {.omega = omega_}; }

  ///     Sine(z) = sin(omega z)
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return sin(angle(z));
  }
  ///     Sine'(z) = omega cos(omega z)
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    return omega_as(z) * cos(angle(z));
  }
  ///     Sine''(z) = -omega^2 sin(omega z)
  template <class V>
  CHAINRULE_FORMULA V f_double_prime(V z) const {
    return -omega_as(z) * omega_as(z) * sin(angle(z));
  }
  ///     Sine'''(z) = -omega^3 cos(omega z)
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime(V z) const {
    return -omega_as(z) * omega_as(z) * omega_as(z) * cos(angle(z));
  }

 private:
  /// omega z, rounded once. A fused multiply-add instead of a product, because compilers can share it, and the cosine of it, between f' and
  /// f''' in one pass; a product is kept from them by keep_rounded (kernels/simd.inc).
  template <class V>
  CHAINRULE_FORMULA V angle(const V& z) const {
    return fma(omega_as(z), z, 0);
  }
  template <class V>
  CHAINRULE_FORMULA typename V::Scalar omega_as(const V&) const {
    return static_cast<typename V::Scalar>(omega_);
  }

  double omega_;
};

}  // namespace chainrule
