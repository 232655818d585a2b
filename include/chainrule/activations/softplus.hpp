#pragma once

#include <chainrule/activations/by_formula.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/initializers/he.hpp>
#include <limits>
#include <string_view>

namespace chainrule {

/// ln(1 + e^(beta z))/beta, a smooth ReLU that is never 0 (Dugas et al. 2001); the larger beta, the nearer to ReLU. PyTorch's
/// Softplus, without its threshold: there is no overflow to avoid. Throws ValueError unless beta is above 0 and finite.
///     Softplus(z) = 1/beta ln(1 + e^(beta z)) = max(z, 0) + 1/beta ln(1 + e^-|beta z|), whose exponential cannot overflow
///     Softplus'(z) = sigma(beta z) = 1 - e^(-beta a)
class Softplus : public detail::FromOutput<Softplus, kernels::Formula::softplus> {
 public:
  static constexpr std::string_view name = "Softplus";

  /// Throws ValueError unless beta is above 0 and finite.
  constexpr explicit Softplus(double beta = 1) : beta_{beta} {
    if (!(beta > 0 && beta <= std::numeric_limits<double>::max()))
      detail::raise<ValueError>("Softplus: beta must be above 0 and finite, got ", beta);
  }

  constexpr double beta() const { return beta_; }  ///< how sharp the bend at 0 is
  auto hyperparameters() const { return std::tuple{Hyperparameter{"beta", beta_}}; }

  HeNormal default_initializer() const { return {}; }

  /// p and q of the formula.
  template <class Scalar>
  std::array<Scalar, 2> constants() const {
    return {static_cast<Scalar>(beta_), Scalar{0}};
  }

 private:
  double beta_;
};

}  // namespace chainrule
