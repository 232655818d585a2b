#pragma once
// LeCun, Bottou, Orr and Mueller 1998, "Efficient BackProp": the variance
//     Var W = 1 / fan_in
// gives every z(l+1) the variance of a(l), as activations need that keep mean 0 and variance 1 by themselves (SELU).

#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <span>
#include <string_view>

namespace chainrule {

/// W ~ U(-r, r) with r = sqrt(3 / fan_in).
struct LecunUniform {
  static constexpr std::string_view name = "LecunUniform";

  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index, Random& random) const {
    const double r = std::sqrt(3 / static_cast<double>(fan_in));
    for (Scalar& w : weights) w = static_cast<Scalar>(r * (2 * random.uniform() - 1));
  }
};

/// W ~ N(0, s^2) with s = sqrt(1 / fan_in); equation 16 of the paper.
struct LecunNormal {
  static constexpr std::string_view name = "LecunNormal";

  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index fan_in, Index, Random& random) const {
    const double s = std::sqrt(1 / static_cast<double>(fan_in));
    for (Scalar& w : weights) w = static_cast<Scalar>(s * random.normal());
  }
};

}  // namespace chainrule
