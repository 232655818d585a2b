#pragma once
// Random data for tests, reproducible from a seed and the same, up to rounding, for every scalar type. check_loss takes random_matrix and
// random_distributions as functions that make targets.

#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <vector>

namespace chainrule::testing {

/// A matrix of numbers uniform in [-1, 1).
template <class Scalar>
Matrix<Scalar> random_matrix(Index rows, Index cols, Random& random) {
  Matrix<Scalar> m(rows, cols);
  for (Scalar& entry : m.reshaped()) entry = static_cast<Scalar>(2 * random.uniform() - 1);
  return m;
}

/// A matrix of odd sixteenths between -1 and 1, none of them 0: directions d for which y_hat + h d is exact if h is a power of 2.
template <class Scalar>
Matrix<Scalar> random_direction(Index rows, Index cols, Random& random) {
  Matrix<Scalar> m(rows, cols);
  for (Scalar& entry : m.reshaped()) entry = (static_cast<Scalar>(2 * random.below(16)) - 15) / 16;
  return m;
}

/// A matrix whose columns are probabilities that sum to 1.
template <class Scalar>
Matrix<Scalar> random_distributions(Index rows, Index cols, Random& random) {
  Matrix<Scalar> m(rows, cols);
  for (Scalar& entry : m.reshaped()) entry = static_cast<Scalar>(random.uniform() + 0.1);
  for (auto column : m.colwise()) column /= column.sum();
  return m;
}

/// `count` labels, uniform in 0, ..., classes - 1.
inline std::vector<int> random_labels(Index count, Index classes, Random& random) {
  std::vector<int> labels(static_cast<std::size_t>(count));
  for (int& label : labels) label = static_cast<int>(random.below(static_cast<std::uint64_t>(classes)));
  return labels;
}

}  // namespace chainrule::testing
