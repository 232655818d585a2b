#pragma once
// Catch2 wrappers for chainrule/testing/loss_contract.hpp. A target is a matrix (outputs x batch) or a std::vector of labels, as for a
// network.

#include <chainrule/testing/loss_contract.hpp>

#include "support/catch.hpp"
#include "support/contract.hpp"
#include "support/random_data.hpp"

namespace chainrule_test {

using chainrule::Index;
using chainrule::LossProperties;
using chainrule::Matrix;
using chainrule::testing::check_target;
using chainrule::testing::equal;
using chainrule::testing::linked;
using chainrule::testing::linked_tangent;
using chainrule::testing::loss_gradient;
using chainrule::testing::loss_gradient_jvp;
using chainrule::testing::loss_value;
using chainrule::testing::repeated;

/// A matrix from its rows: matrix<float>({{1, 2}, {3, 4}}).
template <class Scalar>
Matrix<Scalar> matrix(std::initializer_list<std::initializer_list<Scalar>> rows) {
  return Matrix<Scalar>(rows);
}

/// Targets as a matrix that can be compared with y_hat: labels become one-hot columns, a matrix stays as it is.
template <class Scalar>
const Matrix<Scalar>& as_matrix(const Matrix<Scalar>& y, Index) {
  return y;
}
template <class Scalar, class Label>
Matrix<Scalar> as_matrix(const std::vector<Label>& y, Index outputs) {
  Matrix<Scalar> one_hot = Matrix<Scalar>::Zero(outputs, static_cast<Index>(y.size()));
  for (std::size_t j = 0; j < y.size(); ++j) one_hot(static_cast<Index>(y[j]), static_cast<Index>(j)) = 1;
  return one_hot;
}

template <class Scalar, class L, class Y>
void check_gradient_of_loss(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  check_clause([&](auto& report) { chainrule::testing::check_gradient_of_loss(report, loss, y_hat, y); });
}
template <class Scalar, class L, class Y>
void check_gradient_jvp_of_loss(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  check_clause([&](auto& report) { chainrule::testing::check_gradient_jvp_of_loss(report, loss, y_hat, y); });
}
template <class Scalar, class L, class Y>
void check_mean_over_batch(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  check_clause([&](auto& report) { chainrule::testing::check_mean_over_batch(report, loss, y_hat, y); });
}
template <class Scalar, class L, class Y>
void check_memory_layout(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  check_clause([&](auto& report) { chainrule::testing::check_memory_layout(report, loss, y_hat, y); });
}

/// Checks that a loss matches its link, bit for bit:
///     dJ/dz = (link(z) - y)/batch        the lecture's factor (y_hat - y)
template <class Scalar, class L, class Y>
void check_matching_link(const L& loss, const Matrix<Scalar>& z, const Y& y) {
  const Matrix<Scalar> y_hat = linked(loss, z);
  const Matrix<Scalar> expected = (y_hat - as_matrix<Scalar>(y, z.rows())) / static_cast<Scalar>(z.cols());
  CHECK(equal(loss_gradient(loss, z, y), expected));
}

template <class Scalar, class L, class MakeTarget>
void check_loss(const L& loss, const MakeTarget& make_target, const LossProperties& properties = {}) {
  check(chainrule::testing::check_loss<Scalar>(loss, make_target, properties));
}

}  // namespace chainrule_test
