#pragma once
// Losses that are a mean over all elements, J = 1/(outputs batch) sum f(y_hat, y), say f and df/dy_hat and nothing else.

#include <chainrule/kernels/map.hpp>

namespace chainrule {

/// 1/(outputs batch) sum of f(y_hat, y) over all elements of two matrices of one shape, summed in double precision or better. f is a
/// formula over numbers of any kind (a generic lambda marked CHAINRULE_FORMULA, which then runs with the widest vectors of the machine), or
/// a function of two Scalars.
template <class Scalar, class F>
Scalar mean_over_elements(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, const F& f) {
  using Sum = detail::Accumulator<Scalar>;
  Sum sum = 0;
  if constexpr (kernels::FormulaOf<F, Scalar, 2>) {
    sum = kernels::sum_matrices<Sum>(f, y_hat, y);
  } else {
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i) sum += static_cast<Sum>(f(y_hat(i, j), y(i, j)));
  }
  return static_cast<Scalar>(sum / static_cast<Sum>(y.size()));
}

/// dJ/dy_hat = slope(y_hat, y) / (outputs batch), elementwise. slope is a formula or a function of two Scalars, as in mean_over_elements.
template <class Scalar, class Slope>
void slopes_over_elements(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ, const Slope& slope) {
  const Scalar size = static_cast<Scalar>(y.size());
  if constexpr (kernels::FormulaOf<Slope, Scalar, 2>) {
    kernels::map_matrices([slope, size](auto p, auto t) CHAINRULE_FORMULA { return slope(p, t) / size; }, dJ, y_hat, y);
  } else {
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i) dJ(i, j) = slope(y_hat(i, j), y(i, j)) / size;
  }
}

}  // namespace chainrule
