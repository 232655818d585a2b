#pragma once
// Helpers for losses that are a mean over all elements, J = 1/(outputs batch) sum f(y_hat, y): such a loss defines only f and df/dy_hat.

#include <chainrule/kernels/map.hpp>
#include <limits>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {
namespace detail {

/// x, but the largest finite number with its sign where x is infinite; NaN stays NaN. A formula.
template <class V>
CHAINRULE_FORMULA inline V finite(const V& x) {
  constexpr auto largest = (std::numeric_limits<typename V::Scalar>::max)();
  return min(max(x, -largest), largest);
}

/// sum/size, but the largest finite number with its sign where that is too large for Scalar; NaN stays NaN.
template <class Scalar, class Sum>
Scalar finite_mean(Sum sum, Index size) {
  constexpr Sum largest = static_cast<Sum>((std::numeric_limits<Scalar>::max)());
  const Sum mean = sum / static_cast<Sum>(size);
  return static_cast<Scalar>(mean > largest ? largest : mean < -largest ? -largest : mean);
}

}  // namespace detail

/// Returns the mean of f(y_hat, y) over all elements of two matrices of the same shape, summed in double precision or better. f is a
/// function of two Scalars, or a formula: a generic lambda marked CHAINRULE_FORMULA, which runs with the widest vectors of the machine.
///
///     J = 1/(outputs batch) sum f(y_hat, y)
template <class Scalar, class F>
Scalar mean_over_elements(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, const F& f) {
  using Sum = detail::Accumulator<Scalar>;
  const auto mean = [&](Sum sum) { return static_cast<Scalar>(sum / static_cast<Sum>(y.size())); };
  if constexpr (kernels::FormulaOf<F, Scalar, 2>) {
    return mean(kernels::sum_matrices<Sum>(f, y_hat, y));
  } else {
    return mean(detail::pairwise_sum<Sum>(y.rows(), y.cols(), [&](Index i, Index j) { return f(y_hat(i, j), y(i, j)); }));
  }
}

/// Sets dJ to the gradient of mean_over_elements. `slope` is df/dy_hat, a function of two Scalars or a formula.
///
///     dJ/dy_hat = slope(y_hat, y)/(outputs batch)        (outputs x batch)
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

#include <chainrule/core/detail/restore_min_max.inc>
