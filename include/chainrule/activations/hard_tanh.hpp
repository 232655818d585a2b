#pragma once

#include <chainrule/activations/elementwise_activation.hpp>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// Clips z to [low, high] (Collobert 2004); PyTorch's Hardtanh. HardTanh{0, 6} is ReLU6. The constructor throws ValueError unless low <
/// high, both finite.
class HardTanh final : public ElementwiseActivation<HardTanh> {
 public:
  static constexpr std::string_view name = "HardTanh";  ///< the name in descriptions, files and messages

  /// Throws ValueError unless low < high, both finite.
  constexpr explicit HardTanh(double low = -1, double high = 1) : low_{low}, high_{high} {
    if (!(detail::is_finite(low) && detail::is_finite(high) && low < high))
      detail::raise<ValueError>("HardTanh: low must be below high and both finite, got ", low, " and ", high);
  }

  constexpr double low() const { return low_; }    ///< the smallest a
  constexpr double high() const { return high_; }  ///< the largest a
  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"low", low_}, Hyperparameter{"high", high_}}; }

  XavierUniform default_initializer() const { return {}; }  ///< for the weights of a layer that names no initializer

  ///     HardTanh(z) = min(max(z, low), high); NaN stays NaN
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    using Scalar = typename V::Scalar;
    return min(max(z, static_cast<Scalar>(low_)), static_cast<Scalar>(high_));
  }
  ///     HardTanh'(z) = 1 for low < z < high, which means low < a < high, and 0 elsewhere; 0 at the kinks, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_prime_from_output(V a) const {
    using Scalar = typename V::Scalar;
    return select(a > static_cast<Scalar>(low_), select(a < static_cast<Scalar>(high_), 1, 0), 0);
  }
  ///     HardTanh''(z) = 0, at the kinks too, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_double_prime_from_output(V) const {
    return 0;
  }
  ///     HardTanh'''(z) = 0, at the kinks too, as in PyTorch
  template <class V>
  CHAINRULE_FORMULA V f_triple_prime_from_output(V) const {
    return 0;
  }

 private:
  double low_;
  double high_;
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
