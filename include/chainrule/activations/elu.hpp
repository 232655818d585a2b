#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// The exponential linear unit: equals z for z > 0 and falls to -alpha for z far below 0, so that the mean activation is nearer to 0 than
/// with ReLU (Clevert, Unterthiner and Hochreiter 2016). Its constructor throws ValueError unless alpha is at least 0 and finite.
class ELU final : public ElementwiseActivation<ELU> {
 public:
  static constexpr std::string_view name = "ELU";  ///< the name in descriptions, files and messages

  /// Throws ValueError unless alpha is at least 0 and finite.
  constexpr explicit ELU(double alpha = 1) : alpha_{alpha} { detail::check_not_negative(name, "alpha", alpha); }

  constexpr double alpha() const { return alpha_; }  ///< minus the limit of ELU(z) for z far below 0
  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"alpha", alpha_}}; }

  HeNormal default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     ELU(z) = z for z > 0 and alpha (e^z - 1) for z <= 0, computed as a sum in which one term is 0
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return fma(static_cast<typename V::Scalar>(alpha_), expm1_nonpositive(min(z, 0)), max(z, 0));
  }
  ///     ELU'(z) = 1 for z > 0 and alpha e^z = a + alpha for z <= 0, decided by a, which has the sign of z; alpha at 0, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    return select(a > 0, 1, a + static_cast<typename V::Scalar>(alpha_));
  }
  ///     ELU''(z) = 0 for z >= 0 and alpha e^z = a + alpha for z < 0; 0 at 0, as in PyTorch; NaN stays NaN
  template <class V>
  CHAINRULE_FORMULA V f_double_prime_from_output(V a) const {
    return select(a < 0, a + static_cast<typename V::Scalar>(alpha_), min(a, 0));
  }
  ///     ELU'''(z) = ELU''(z)
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime_from_output(V a) const {
    return f_double_prime_from_output(a);
  }

 private:
  double alpha_;
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
