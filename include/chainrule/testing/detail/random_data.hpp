#pragma once
// Data for tests: seeded, and the same numbers (up to rounding) for every scalar. They are targets for check_loss too.

#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <vector>

namespace chainrule::testing {

/// Uniform in [-1, 1).
template <class Scalar>
Matrix<Scalar> random_matrix(Index rows, Index cols, Random& random) {
  Matrix<Scalar> m(rows, cols);
  for (Scalar& entry : m.reshaped()) entry = static_cast<Scalar>(2 * random.uniform() - 1);
  return m;
}

/// Columns of probabilities that sum to 1.
template <class Scalar>
Matrix<Scalar> random_distributions(Index rows, Index cols, Random& random) {
  Matrix<Scalar> m(rows, cols);
  for (Scalar& entry : m.reshaped()) entry = static_cast<Scalar>(random.uniform() + 0.1);
  for (auto column : m.colwise()) column /= column.sum();
  return m;
}

/// A class from 0 to classes - 1 for each of `count` samples.
inline std::vector<int> random_labels(Index count, Index classes, Random& random) {
  std::vector<int> labels(static_cast<std::size_t>(count));
  for (int& label : labels) label = static_cast<int>(random.below(static_cast<std::uint64_t>(classes)));
  return labels;
}

}  // namespace chainrule::testing
