#pragma once

#include <chainrule/core/error.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/initializers/he.hpp>
#include <limits>
#include <string_view>

namespace chainrule {

/// ln(1 + e^(beta z))/beta, a smooth ReLU that is never 0 (Dugas et al. 2001); the larger beta, the nearer to ReLU. PyTorch's
/// Softplus, without its threshold: there is no overflow to avoid. Throws ValueError unless beta is above 0 and finite.
class Softplus {
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

  ///     Softplus(z) = 1/beta ln(1 + e^(beta z)) = max(z, 0) + 1/beta ln(1 + e^-|beta z|), whose exponential cannot overflow
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    using Scalar = typename Chunk::Scalar;
    const Scalar beta = static_cast<Scalar>(beta_);
    return z.max(Scalar{0}) + (-(beta * z).abs()).exp().log1p() / beta;
  }

  ///     Softplus'(z) = sigma(beta z) = 1 - e^(-beta a)
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return -(-static_cast<typename Chunk::Scalar>(beta_) * a).expm1();
  }

 private:
  double beta_;
};

}  // namespace chainrule
