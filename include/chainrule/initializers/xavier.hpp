#pragma once
// Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks": the variance
//     Var W = 2 / (fan_in + fan_out)
// keeps the variances of a(l) and of delta(l) about the same from layer to layer, for activations that are linear at 0.

#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <span>
#include <string_view>

namespace chainrule {

/// W ~ U(-r, r) with r = sqrt(6 / (fan_in + fan_out)); equation 16 of the paper.
struct XavierUniform {
  static constexpr std::string_view name = "XavierUniform";

  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index fan_out, Random& random) const {
    const double r = std::sqrt(6 / static_cast<double>(fan_in + fan_out));
    for (Scalar& w : weights) w = static_cast<Scalar>(r * (2 * random.uniform() - 1));
  }
};

/// W ~ N(0, s^2) with s = sqrt(2 / (fan_in + fan_out)).
struct XavierNormal {
  static constexpr std::string_view name = "XavierNormal";

  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index fan_out, Random& random) const {
    const double s = std::sqrt(2 / static_cast<double>(fan_in + fan_out));
    for (Scalar& w : weights) w = static_cast<Scalar>(s * random.normal());
  }
};

}  // namespace chainrule
