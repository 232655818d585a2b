#pragma once
// For losses that are a mean over all elements, J = 1/(outputs batch) sum f(y_hat, y): what f is, is all they have to say.

#include <chainrule/core/types.hpp>

namespace chainrule::detail {

/// 1/(outputs batch) sum of f(y_hat, y) over all elements, in their order.
template <class Scalar, class F>
Scalar mean_over_elements(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, const F& f) {
  Accumulator<Scalar> sum = 0;
  for (Index j = 0; j < y.cols(); ++j)
    for (Index i = 0; i < y.rows(); ++i) sum += static_cast<Accumulator<Scalar>>(f(y_hat(i, j), y(i, j)));
  return static_cast<Scalar>(sum / static_cast<Accumulator<Scalar>>(y.size()));
}

/// dJ/dy_hat = df/dy_hat / (outputs batch), elementwise.
template <class Scalar, class Slope>
void slopes_over_elements(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ, const Slope& slope) {
  const Scalar size = static_cast<Scalar>(y.size());
  for (Index j = 0; j < y.cols(); ++j)
    for (Index i = 0; i < y.rows(); ++i) dJ(i, j) = slope(y_hat(i, j), y(i, j)) / size;
}

}  // namespace chainrule::detail

namespace chainrule {
using detail::mean_over_elements;  // for losses of your own
using detail::slopes_over_elements;
}  // namespace chainrule
