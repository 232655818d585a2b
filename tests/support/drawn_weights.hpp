#pragma once

#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <cstddef>
#include <span>
#include <vector>

namespace chainrule_test {

/// `count` weights that an initializer draws from Seed{42}.
template <class Scalar, class Init>
std::vector<Scalar> drawn(const Init& init, chainrule::Index fan_in, chainrule::Index fan_out, std::size_t count = 5) {
  std::vector<Scalar> weights(count);
  chainrule::Random random{chainrule::Seed{42}};
  init(std::span<Scalar>(weights), fan_in, fan_out, random);
  return weights;
}

inline double mean_square(const std::vector<double>& weights) {
  double sum = 0;
  for (const double w : weights) sum += w * w;
  return sum / static_cast<double>(weights.size());
}

}  // namespace chainrule_test
