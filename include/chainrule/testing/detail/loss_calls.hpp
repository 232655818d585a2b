#pragma once
// Calls the functions of a loss as a network calls them. Targets y are a matrix (outputs x batch) or a std::vector of labels, as for a
// network.

#include <algorithm>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/targets.hpp>
#include <limits>
#include <vector>

namespace chainrule::testing {

/// J(y, y_hat)
template <class Scalar, class L, class Y>
Scalar loss_value(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  return loss.value(detail::const_view<Scalar>(y_hat), detail::target_view<Scalar>(y));
}

/// dJ/dy_hat. The matrix is filled with NaN first, so that an entry that the loss does not set is noticed.
template <class Scalar, class L, class Y>
Matrix<Scalar> loss_gradient(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  Matrix<Scalar> dJ = Matrix<Scalar>::Constant(y_hat.rows(), y_hat.cols(), std::numeric_limits<Scalar>::quiet_NaN());
  loss.gradient(detail::const_view<Scalar>(y_hat), detail::target_view<Scalar>(y), detail::mutable_view<Scalar>(dJ));
  return dJ;
}

/// The derivative of dJ/dy_hat along a direction. The matrix is filled with NaN first, like that of loss_gradient.
template <class Scalar, class L, class Y>
Matrix<Scalar> loss_gradient_jvp(const L& loss, const Matrix<Scalar>& y_hat, const Y& y, const Matrix<Scalar>& direction) {
  Matrix<Scalar> out = Matrix<Scalar>::Constant(y_hat.rows(), y_hat.cols(), std::numeric_limits<Scalar>::quiet_NaN());
  loss.gradient_jvp(detail::const_view<Scalar>(y_hat), detail::target_view<Scalar>(y), detail::const_view<Scalar>(direction),
                    detail::mutable_view<Scalar>(out));
  return out;
}

/// The prediction for raw outputs z: the loss's link applied to z.
template <class Scalar, class L>
Matrix<Scalar> linked(const L& loss, Matrix<Scalar> z) {
  loss.link(detail::mutable_view<Scalar>(z));
  return z;
}

/// The Jacobian of the loss's link times each column of the tangent, for this prediction.
template <class Scalar, class L>
Matrix<Scalar> linked_tangent(const L& loss, const Matrix<Scalar>& prediction, Matrix<Scalar> tangent) {
  loss.link_jvp(detail::const_view<Scalar>(prediction), detail::mutable_view<Scalar>(tangent));
  return tangent;
}

/// Throws ValueError if y is not a valid target for this loss.
template <class Scalar, class L, class Y>
void check_target(const L& loss, const Matrix<Scalar>& y_hat, const Y& y) {
  loss.check(detail::const_view<Scalar>(y_hat), detail::target_view<Scalar>(y));
}

/// Whether two matrices have the same shape and bits, except for the sign of 0.
template <class Scalar>
bool equal(const Matrix<Scalar>& a, const Matrix<Scalar>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && std::equal(a.data(), a.data() + a.size(), b.data());
}

/// The columns or labels of y, repeated `times` times one after the other.
template <class Scalar>
Matrix<Scalar> repeated(const Matrix<Scalar>& y, Index times) {
  return y.replicate(1, times);
}
template <class Label>
std::vector<Label> repeated(const std::vector<Label>& y, Index times) {
  std::vector<Label> all;
  for (Index i = 0; i < times; ++i) all.insert(all.end(), y.begin(), y.end());
  return all;
}

/// Copies y into a block of `larger`, which starts at the given row, and returns a view on the block. Its columns thus have another
/// alignment and an outer stride. Returns labels unchanged.
template <class Scalar>
ConstMatrixView<Scalar> copied_into_block(const Matrix<Scalar>& y, Index row, Matrix<Scalar>& larger) {
  larger.setConstant(y.rows() + 5, y.cols() + 2, Scalar(1e30));
  larger.block(row, 1, y.rows(), y.cols()) = y;
  return detail::const_view<Scalar>(larger.block(row, 1, y.rows(), y.cols()));
}
template <class Scalar, class Label>
Labels<Label> copied_into_block(const std::vector<Label>& y, Index, Matrix<Scalar>&) {
  return y;
}

}  // namespace chainrule::testing
