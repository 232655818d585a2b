#pragma once
// LeCun initialization: LeCun, Bottou, Orr and Mueller 1998, "Efficient BackProp". The variance
//     Var W = 1 / fan_in
// gives every z(l+1) the variance of a(l). Activations that keep mean 0 and variance 1 by themselves, such as SELU, need this.

#include <chainrule/core/types.hpp>
#include <chainrule/initializers/detail/fill_random.hpp>
#include <cmath>
#include <string_view>

namespace chainrule {

/// LeCun initialization with a uniform distribution: W ~ U(-r, r) with r = sqrt(3 / fan_in). For layers with SELU (LeCun et al. 1998).
struct LecunUniform {
  static constexpr std::string_view name = "LecunUniform";  ///< the name in descriptions, files and messages

  /// Fills `weights`, fan_out x fan_in numbers.
  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index, Random& random) const {
    detail::fill_uniform(weights, std::sqrt(3 / static_cast<double>(fan_in)), random);
  }
};

/// LeCun initialization with a normal distribution: W ~ N(0, s^2) with s = sqrt(1 / fan_in). For layers with SELU (LeCun et al. 1998,
/// equation 16).
struct LecunNormal {
  static constexpr std::string_view name = "LecunNormal";  ///< the name in descriptions, files and messages

  /// Fills `weights`, fan_out x fan_in numbers.
  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index, Random& random) const {
    detail::fill_normal(weights, std::sqrt(1 / static_cast<double>(fan_in)), random);
  }
};

}  // namespace chainrule
