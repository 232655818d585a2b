#pragma once

#include <algorithm>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/kernels/matrix_product.hpp>
#include <chainrule/kernels/sum_order.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <chainrule/minimize/detail/minimizer_state.hpp>
#include <cmath>
#include <limits>

namespace chainrule::detail {

/// The damped normal equations of least squares for residuals r(theta), where J is dr/dtheta, residuals x parameters:
///
///     (J^T J + mu I) h = -J^T r          (Levenberg 1944)
///
/// They are added up and solved in double or wider. The Cholesky factorization is the library's own, because that of Eigen gives other bits
/// with other compiler flags.
template <class Number>
class NormalEquations {
 public:
  /// For `size` parameters. Throws ShapeError where memory cannot hold two matrices of size x size.
  explicit NormalEquations(Index size) {
    allocate_or_refuse("LevenbergMarquardt: J^T J", size, extent_product(2, size), [&] {
      matrix_.setZero(size, size);
      factor_.setZero(size, size);
      gradient_.setZero(size);
    });
  }

  Index size() const { return gradient_.size(); }
  const Vector<Number>& gradient() const { return gradient_; }  ///< J^T r
  Number largest_diagonal() const { return matrix_.diagonal().maxCoeff(); }

  void set_zero() {
    matrix_.setZero();
    gradient_.setZero();
  }

  /// Adds J^T J and J^T r of some residuals. `columns`: parameters x residuals, the gradient of each residual as a column; at most
  /// kernels::max_chain of them.
  ///
  ///     matrix <- matrix + J^T J (the upper triangle),   gradient <- gradient + J^T r
  void add(ConstMatrixView<Number> columns, const Number* r) {
    const Index stride = columns.outerStride(), depth = columns.cols();
    const Number* const J = columns.data();
    for (Index first = 0; first < size(); first += width) {
      const Index count = (std::min)(width, size() - first);
      MatrixView<Number> block(matrix_.data() + first * size(), first + count, count, Eigen::OuterStride<>(size()));
      kernels::product<Number>({{J, 1, stride}, {J + first, stride, 1}, depth, {kernels::StartKind::c}}, block);
    }
    kernels::product<Number>({{J, 1, stride}, {r, 1, depth}, depth, {kernels::StartKind::c}}, matrix_view(gradient_.data(), size(), 1));
  }

  /// Adds the penalty l2/2 |theta_i|^2 of parameter i.
  void add_penalty(Index i, Number l2, Number theta) {
    matrix_(i, i) += l2;
    gradient_[i] += rounded(l2 * theta);
  }

  /// h <- the solution. Returns false where the matrix is not positive definite to rounding errors.
  bool solve(Number mu, Vector<Number>& h) {
    if (!factorize(mu)) return false;
    // R^T y = -J^T r from the first to the last, then R h = y from the last to the first
    for (Index j = 0; j < size(); ++j) h[j] = (-gradient_[j] - dot(j, factor_.col(j).data(), h.data())) / factor_(j, j);
    for (Index j = size() - 1; j >= 0; --j) {
      h[j] /= factor_(j, j);
      kernels::add_multiple(j, -h[j], static_cast<const Number*>(factor_.col(j).data()), h.data());
    }
    return kernels::all_finite(size(), static_cast<const Number*>(h.data()));
  }

 private:
  // R^T R = A = J^T J + mu I, with R upper triangular, by blocks of rows. A product subtracts what the rows above add to a block; then,
  // column by column, with sums over the rows of the block alone:
  //     R(j, i) = (A(j, i) - R(0..j, j) . R(0..j, i))/R(j, j) for j < i,   R(i, i) = sqrt(A(i, i) - |R(0..i, i)|^2)
  bool factorize(Number mu) {
    factor_ = matrix_;
    factor_.diagonal().array() += mu;
    for (Index top = 0; top < size(); top += width) {
      const Index rows = (std::min)(width, size() - top);
      Number* const corner = &factor_(top, top);
      const MatrixView<Number> block(corner, rows, size() - top, Eigen::OuterStride<>(size()));
      const Number minus_one = -1;
      for (Index first = 0; first < top; first += kernels::max_chain) {
        const Number* const above = &factor_(first, top);
        const Index depth = (std::min)(kernels::max_chain, top - first);
        kernels::product<Number>({{above, size(), 1}, {above, 1, size()}, depth, {kernels::StartKind::step, &minus_one}}, block);
      }
      for (Index i = 0; i < block.cols(); ++i) {
        Number* const column = corner + i * size();
        for (Index j = 0; j < (std::min)(i, rows); ++j) {
          const Number* const before = corner + j * size();
          column[j] = (column[j] - dot(j, before, static_cast<const Number*>(column))) / before[j];
        }
        if (i >= rows) continue;
        const Number pivot = column[i] - dot(i, static_cast<const Number*>(column), static_cast<const Number*>(column));
        const Number smallest = (matrix_(top + i, top + i) + mu) * std::numeric_limits<Number>::epsilon();
        if (!is_finite(pivot) || !(pivot > smallest)) return false;
        column[i] = std::sqrt(pivot);
      }
    }
    return true;
  }

  static constexpr Index width = 64;  // columns or rows of a block

  Matrix<Number> matrix_;  // J^T J, the upper triangle
  Matrix<Number> factor_;  // R
  Vector<Number> gradient_;
};

}  // namespace chainrule::detail
