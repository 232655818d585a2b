#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// A smooth ReLU, ln(1 + e^(beta z))/beta (Dugas et al. 2001), which is never 0; the larger beta, the closer to ReLU. PyTorch's Softplus
/// without its threshold, which the formula below does not need because its exponential cannot overflow. The constructor throws ValueError
/// unless beta is above 0 and finite.
class Softplus final : public ElementwiseActivation<Softplus> {
 public:
  static constexpr std::string_view name = "Softplus";  ///< the name in descriptions, files and messages

  /// Throws ValueError unless beta is above 0 and finite.
  constexpr explicit Softplus(double beta = 1) : beta_{beta} { detail::check_positive(name, "beta", beta); }

  constexpr double beta() const { return beta_; }  ///< the sharpness of the bend at 0
  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"beta", beta_}}; }

  HeNormal default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     Softplus(z) = 1/beta ln(1 + e^(beta z)) = max(z, 0) + 1/beta ln(1 + e^-|beta z|)
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    const auto beta = static_cast<typename V::Scalar>(beta_);
    return max(z, 0) + log1p_unit(exp(-abs(beta * z))) / beta;
  }
  ///     Softplus'(z) = sigma(beta z) = 1 - e^(-beta a)
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    return -expm1_nonpositive(-(static_cast<typename V::Scalar>(beta_) * a));
  }
  ///     Softplus''(z) = beta sigma(beta z) (1 - sigma(beta z)) = beta s e^(-beta a)  with  s = Softplus'(z)
  template <class V>
  CHAINRULE_FORMULA V f_double_prime_from_output(V a) const {
    const auto beta = static_cast<typename V::Scalar>(beta_);
    return beta * (f_prime_from_output(a) * exp(-(beta * a)));
  }
  ///     Softplus'''(z) = beta^2 s (1 - s) (1 - 2s) = beta^2 s e^(-beta a) (1 - 2s)
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime_from_output(V a) const {
    const auto beta = static_cast<typename V::Scalar>(beta_);
    const V s = f_prime_from_output(a);
    return beta * (beta * (s * exp(-(beta * a)) * fnmadd(2, s, 1)));
  }

 private:
  double beta_;
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
