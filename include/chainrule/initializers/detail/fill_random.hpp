#pragma once

#include <chainrule/core/random.hpp>
#include <span>

namespace chainrule::detail {

/// Fills the weights from U(-bound, bound). Draws in double, so that float weights are the rounded double weights.
template <class Scalar>
void fill_uniform(std::span<Scalar> weights, double bound, Random& random) {
  for (Scalar& w : weights) w = static_cast<Scalar>(bound * (2 * random.uniform() - 1));
}

/// Fills the weights from N(0, deviation^2). Draws in double, so that float weights are the rounded double weights.
template <class Scalar>
void fill_normal(std::span<Scalar> weights, double deviation, Random& random) {
  for (Scalar& w : weights) w = static_cast<Scalar>(deviation * random.normal());
}

}  // namespace chainrule::detail
