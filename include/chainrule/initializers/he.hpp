#pragma once
// Initializers for layers with ReLU: He, Zhang, Ren and Sun 2015, "Delving deep into rectifiers". ReLU sets half of its inputs to 0, so the
// variance of the weights is twice that of LeCun's initialization. For leaky ReLU with negative slope alpha (equation 15 of the paper):
//     Var W = 2 / ((1 + alpha^2) fan_in)

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/initializers/detail/fill_random.hpp>
#include <cmath>
#include <string_view>

namespace chainrule {

/// He initialization with a uniform distribution: W ~ U(-r, r) with r = sqrt(6 / ((1 + alpha^2) fan_in)). For layers with ReLU or leaky
/// ReLU (He et al. 2015).
struct HeUniform {
  static constexpr std::string_view name = "HeUniform";  ///< the name in descriptions, files and messages

  double negative_slope = 0;  ///< alpha, the negative slope of leaky ReLU; 0 for ReLU

  /// Fills `weights`, fan_out x fan_in numbers. Throws ValueError for a negative_slope that is not finite.
  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index, Random& random) const {
    detail::check_number(name, "negative_slope", negative_slope);
    const double r = std::sqrt(6 / (std::fma(negative_slope, negative_slope, 1.0) * static_cast<double>(fan_in)));
    detail::fill_uniform(weights, r, random);
  }
};

/// He initialization with a normal distribution: W ~ N(0, s^2) with s = sqrt(2 / ((1 + alpha^2) fan_in)). For layers with ReLU or leaky
/// ReLU (He et al. 2015).
struct HeNormal {
  static constexpr std::string_view name = "HeNormal";  ///< the name in descriptions, files and messages

  double negative_slope = 0;  ///< alpha, the negative slope of leaky ReLU; 0 for ReLU

  /// Fills `weights`, fan_out x fan_in numbers. Throws ValueError for a negative_slope that is not finite.
  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index, Random& random) const {
    detail::check_number(name, "negative_slope", negative_slope);
    const double s = std::sqrt(2 / (std::fma(negative_slope, negative_slope, 1.0) * static_cast<double>(fan_in)));
    detail::fill_normal(weights, s, random);
  }
};

}  // namespace chainrule
