#pragma once

#include <chainrule/activations/by_formula.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/initializers/he.hpp>
#include <limits>
#include <string_view>

namespace chainrule {

/// The exponential linear unit: as ReLU for z > 0, and for z < 0 it goes to -alpha, so that the mean activation is nearer to 0
/// (Clevert, Unterthiner and Hochreiter 2016). Throws ValueError unless alpha is at least 0 and finite.
///     ELU(z) = z for z > 0 and alpha (e^z - 1) for z <= 0: the sum of both, of which one is 0
///     ELU'(z) = 1 for z > 0 and alpha e^z = a + alpha for z <= 0, where a has the sign of z; alpha at 0, as PyTorch does
class ELU : public detail::FromOutput<ELU, kernels::Formula::elu> {
 public:
  static constexpr std::string_view name = "ELU";

  /// Throws ValueError unless alpha is at least 0 and finite.
  constexpr explicit ELU(double alpha = 1) : alpha_{alpha} {
    if (!(alpha >= 0 && alpha <= std::numeric_limits<double>::max()))
      detail::raise<ValueError>("ELU: alpha must be at least 0 and finite, got ", alpha);
  }

  constexpr double alpha() const { return alpha_; }  ///< where it goes for z far below 0: to -alpha
  auto hyperparameters() const { return std::tuple{Hyperparameter{"alpha", alpha_}}; }

  HeNormal default_initializer() const { return {}; }

  /// p and q of the formula.
  template <class Scalar>
  std::array<Scalar, 2> constants() const {
    return {Scalar{1}, static_cast<Scalar>(alpha_)};
  }

 private:
  double alpha_;
};

}  // namespace chainrule
