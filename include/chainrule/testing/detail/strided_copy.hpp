#pragma once

#include <chainrule/core/types.hpp>
#include <limits>

namespace chainrule::testing {

/// A copy of a matrix as a block of a larger one, so that its columns have an outer stride, with NaN before, between and after them.
template <class Scalar>
class StridedCopy {
 public:
  /// Copies m.
  explicit StridedCopy(const Matrix<Scalar>& m) : rows_{m.rows()} {
    larger_.setConstant(m.rows() + 3, m.cols() + 2, std::numeric_limits<Scalar>::quiet_NaN());
    larger_.block(1, 1, m.rows(), m.cols()) = m;
  }
  /// View on the copy.
  MatrixView<Scalar> view() {
    return {larger_.data() + larger_.rows() + 1, rows_, larger_.cols() - 2, Eigen::OuterStride<>(larger_.rows())};
  }
  /// Whether all numbers outside the copy are still NaN.
  bool padding_is_untouched() const { return larger_.array().isNaN().count() == larger_.size() - rows_ * (larger_.cols() - 2); }

 private:
  Index rows_;
  Matrix<Scalar> larger_;
};

}  // namespace chainrule::testing
