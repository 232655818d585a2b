#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/initializers/he.hpp>
#include <string_view>

namespace chainrule {

/// ReLU with a slope alpha for z < 0, so that no unit stops learning because its z is always negative (Maas, Hannun and Ng 2013). The
/// constructor throws ValueError unless 0 <= alpha < 1.
class LeakyReLU final : public ElementwiseActivation<LeakyReLU> {
 public:
  static constexpr std::string_view name = "LeakyReLU";  ///< the name in descriptions, files and messages

  /// `slope` is alpha, in [0, 1). Throws ValueError for any other.
  constexpr explicit LeakyReLU(double slope = 0.01) : slope_{slope} { detail::check_fraction(name, "the slope", slope); }

  constexpr double slope() const { return slope_; }  ///< alpha, the slope for z < 0
  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"slope", slope_}}; }

  HeNormal default_initializer() const { return {.negative_slope = slope_}; }  ///< for the weights of a layer that names no initializer

  ///     LReLU(z) = max(alpha z, z), which is alpha z for z < 0; NaN stays NaN
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return select(z < 0, static_cast<typename V::Scalar>(slope_) * z, z);
  }
  ///     LReLU'(z) = 1 for z > 0 and alpha for z < 0, decided by a, which has the sign of z; alpha at 0, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    return select(a > 0, 1, static_cast<typename V::Scalar>(slope_));
  }
  ///     LReLU''(z) = 0, at the kink too, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_double_prime_from_output(V) const {
    return 0;
  }
  ///     LReLU'''(z) = 0, at the kink too, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime_from_output(V) const {
    return 0;
  }

 private:
  double slope_;
};

}  // namespace chainrule
