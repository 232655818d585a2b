#pragma once
// He, Zhang, Ren and Sun 2015, "Delving deep into rectifiers": a ReLU passes half of its inputs, so the variance doubles;
// with a negative slope alpha (equation 15 of the paper)
//     Var W = 2 / ((1 + alpha^2) fan_in)

#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <span>
#include <string_view>

namespace chainrule {

/// W ~ U(-r, r) with r = sqrt(6 / ((1 + alpha^2) fan_in)).
struct HeUniform {
  static constexpr std::string_view name = "HeUniform";
  double negative_slope = 0;  ///< alpha

  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index, Random& random) const {
    const double r = std::sqrt(6 / (std::fma(negative_slope, negative_slope, 1.0) * static_cast<double>(fan_in)));
    for (Scalar& w : weights) w = static_cast<Scalar>(r * (2 * random.uniform() - 1));
  }
};

/// W ~ N(0, s^2) with s = sqrt(2 / ((1 + alpha^2) fan_in)).
struct HeNormal {
  static constexpr std::string_view name = "HeNormal";
  double negative_slope = 0;  ///< alpha

  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index, Random& random) const {
    const double s = std::sqrt(2 / (std::fma(negative_slope, negative_slope, 1.0) * static_cast<double>(fan_in)));
    for (Scalar& w : weights) w = static_cast<Scalar>(s * random.normal());
  }
};

}  // namespace chainrule
