#pragma once

#include <chainrule/activations/by_formula.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <limits>
#include <string_view>

namespace chainrule {

/// z, clipped to [low, high] (Collobert 2004); PyTorch's Hardtanh. HardTanh{0, 6} is ReLU6.
/// Throws ValueError unless low < high, both finite.
///     HardTanh(z) = min(max(z, low), high); NaN stays NaN
///     HardTanh'(z) = 1 between low and high, which is where low < a < high; at the kinks it is taken as 0, as PyTorch does
class HardTanh : public detail::FromOutput<HardTanh, kernels::Formula::hard_tanh> {
 public:
  static constexpr std::string_view name = "HardTanh";

  /// Throws ValueError unless low < high, both finite.
  constexpr explicit HardTanh(double low = -1, double high = 1) : low_{low}, high_{high} {
    constexpr double largest = std::numeric_limits<double>::max();
    if (!(low >= -largest && low < high && high <= largest))
      detail::raise<ValueError>("HardTanh: low must be below high and both finite, got ", low, " and ", high);
  }

  constexpr double low() const { return low_; }    ///< the smallest a
  constexpr double high() const { return high_; }  ///< the largest a
  auto hyperparameters() const { return std::tuple{Hyperparameter{"low", low_}, Hyperparameter{"high", high_}}; }

  XavierUniform default_initializer() const { return {}; }

  /// p and q of the formula.
  template <class Scalar>
  std::array<Scalar, 2> constants() const {
    return {static_cast<Scalar>(low_), static_cast<Scalar>(high_)};
  }

 private:
  double low_;
  double high_;
};

}  // namespace chainrule
