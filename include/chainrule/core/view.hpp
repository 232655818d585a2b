#pragma once

#include <chainrule/core/detail/views.hpp>

namespace chainrule {

/// A read-only view on a matrix, vector, block or map of the caller's, which must outlive it: for calls of a loss by hand.
/// @code{.cpp}
/// const Eigen::MatrixXf y_hat = net.predict(x), targets = one_hot<float>(labels, 3);
/// const float J = Huber{}.value(view(y_hat.topRows(2)), view(targets.topRows(2)));
/// Eigen::MatrixXf dJ(3, x.cols());
/// Huber{}.gradient(view(y_hat.topRows(2)), view(targets.topRows(2)), mutable_view(dJ.topRows(2)));
/// @endcode
/// Does not compile for an expression and for a row-major matrix. Throws ShapeError for a column vector that is not contiguous.
template <class Derived>
ConstMatrixView<typename Derived::Scalar> view(const Eigen::DenseBase<Derived>& m) {
  return detail::const_view<typename Derived::Scalar>(m);
}

/// A view on a matrix, vector, block or map of the caller's to write to, which must outlive it. Restrictions and errors are those of view;
/// ShapeError for columns that overlap, too.
template <detail::EigenDense M>
MatrixView<typename std::remove_cvref_t<M>::Scalar> mutable_view(M&& m) {
  return detail::mutable_view<typename std::remove_cvref_t<M>::Scalar>(m);
}

}  // namespace chainrule
