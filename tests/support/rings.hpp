#pragma once

#include <chainrule/core/random.hpp>
#include <chainrule/data/dataset.hpp>

namespace chainrule_test {

/// A small data set that a network learns within a few epochs: random points of the square [-1, 1)^2, with label 1 inside the circle of
/// radius 0.75 and label 0 outside.
template <class Scalar>
chainrule::Dataset<Scalar> rings(chainrule::Index samples, std::uint64_t seed) {
  chainrule::Random random{chainrule::Seed{seed}};
  chainrule::Dataset<Scalar> data;
  data.features.resize(2, samples);
  for (chainrule::Index i = 0; i < samples; ++i) {
    data.features(0, i) = static_cast<Scalar>(2 * random.uniform() - 1);
    data.features(1, i) = static_cast<Scalar>(2 * random.uniform() - 1);
    data.targets.push_back(data.features.col(i).norm() < Scalar(0.75) ? 1 : 0);
  }
  return data;
}

}  // namespace chainrule_test
