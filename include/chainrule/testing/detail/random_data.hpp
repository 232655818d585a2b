#pragma once
// Random data for tests, reproducible from a seed and the same, up to rounding, for every scalar type. check_loss takes random_matrix and
// random_distributions as functions that make targets.

#include <chainrule/core/category_row.hpp>
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

/// Samples for a layer: numbers uniform in [-1, 1), and categories in the rows that have them.
template <class Scalar, class L>
Matrix<Scalar> random_input(const L& layer, Index samples, Random& random) {
  Matrix<Scalar> x = random_matrix<Scalar>(layer.inputs(), samples, random);
  for (const CategoryRow& of : detail::category_rows_of(layer))
    for (Index j = 0; j < samples; ++j) x(of.row, j) = static_cast<Scalar>(random.below(static_cast<std::uint64_t>(of.categories)));
  return x;
}

/// Directions of x for a layer: numbers uniform in [-1, 1), and 0 in rows of categories, along which there is no derivative.
template <class Scalar, class L>
Matrix<Scalar> random_directions(const L& layer, Index columns, Random& random) {
  Matrix<Scalar> directions = random_matrix<Scalar>(layer.inputs(), columns, random);
  for (const CategoryRow& of : detail::category_rows_of(layer)) directions.row(of.row).setZero();
  return directions;
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
