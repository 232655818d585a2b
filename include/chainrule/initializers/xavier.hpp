#pragma once
// Xavier initialization: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks". The variance
//     Var W = 2 / (fan_in + fan_out)
// keeps the variances of a(l) and of delta(l) about the same from layer to layer, for activations that are linear near 0.

#include <chainrule/core/types.hpp>
#include <chainrule/initializers/detail/fill_random.hpp>
#include <cmath>
#include <string_view>

namespace chainrule {

/// Xavier (Glorot) initialization with a uniform distribution: W ~ U(-r, r) with r = sqrt(6 / (fan_in + fan_out)). For activations that are
/// linear near 0, such as tanh (Glorot and Bengio 2010, equation 16).
struct XavierUniform {
  static constexpr std::string_view name = "XavierUniform";  ///< the name in descriptions, files and messages

  /// Fills `weights`, fan_out x fan_in numbers.
  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index fan_out, Random& random) const {
    detail::fill_uniform(weights, std::sqrt(6 / static_cast<double>(fan_in + fan_out)), random);
  }
};

/// Xavier (Glorot) initialization with a normal distribution: W ~ N(0, s^2) with s = sqrt(2 / (fan_in + fan_out)). For activations that are
/// linear near 0, such as tanh (Glorot and Bengio 2010).
struct XavierNormal {
  static constexpr std::string_view name = "XavierNormal";  ///< the name in descriptions, files and messages

  /// Fills `weights`, fan_out x fan_in numbers.
  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index fan_out, Random& random) const {
    detail::fill_normal(weights, std::sqrt(2 / static_cast<double>(fan_in + fan_out)), random);
  }
};

}  // namespace chainrule
