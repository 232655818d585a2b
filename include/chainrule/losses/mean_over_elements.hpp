#pragma once
// Helpers for losses that are a mean over all elements, J = 1/(outputs batch) sum f(y_hat, y): such a loss defines only f, df/dy_hat and,
// for second derivatives, d2f/dy_hat2.

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

/// The mean as a Scalar, but the largest finite number with its sign where it is too large for one; NaN stays NaN.
template <class Scalar, class Sum>
Scalar finite_mean(Sum mean) {
  constexpr Sum largest = static_cast<Sum>((std::numeric_limits<Scalar>::max)());
  return static_cast<Scalar>(mean > largest ? largest : mean < -largest ? -largest : mean);
}

/// Returns the sum of the formula f(first, in ...) over all entries of matrices of one shape, divided by `divisor`. Only a mean that is too
/// large itself is infinite, not one whose sum is.
template <class Sum, class F, class Scalar, class... In>
Sum mean_of_matrices(Sum divisor, const F& f, const ConstMatrixView<Scalar>& first, const In&... in) {
  return mean_of(divisor, [&](Sum d) {
    if (d == 1) return kernels::sum_matrices<Sum>(f, first, in...);
    return pairwise_sum<Sum>(first.rows(), first.cols(), [&](Index i, Index j) {
      const auto at = [i, j](const ConstMatrixView<Scalar>& m) { return m.data() + i + j * m.outerStride(); };
      return kernels::sum<Sum>(1, f, at(first), at(in)...) / d;
    });
  });
}

}  // namespace detail

/// Returns the mean of f(y_hat, y) over all elements of two matrices of the same shape, summed in double precision or better. It is
/// infinite only where an f is, or where the mean is too large for Scalar, also if the sum is too large for double. f is a function of two
/// Scalars, or a formula: a generic lambda marked CHAINRULE_FORMULA, which runs with the widest vectors of the machine.
///
///     J = 1/(outputs batch) sum f(y_hat, y)
template <class Scalar, class F>
Scalar mean_over_elements(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, const F& f) {
  using Sum = detail::Accumulator<Scalar>;
  const Sum size = static_cast<Sum>(y.size());
  if constexpr (kernels::FormulaOf<F, Scalar, 2>) {
    return static_cast<Scalar>(detail::mean_of_matrices<Sum>(size, f, y_hat, y));
  } else {
    return static_cast<Scalar>(detail::mean_of(size, [&](Sum d) {
      return detail::pairwise_sum<Sum>(y.rows(), y.cols(), [&](Index i, Index j) { return static_cast<Sum>(f(y_hat(i, j), y(i, j))) / d; });
    }));
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

/// Sets `out` to the derivative of the gradient along the direction d, which is what gradient_jvp of a loss computes. `curvature` is
/// d2f/dy_hat2, a function of two Scalars or a formula. `out` may be the direction.
///
///     out = curvature(y_hat, y) d/(outputs batch)        (outputs x batch)
template <class Scalar, class Curvature>
void curvatures_over_elements(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, ConstMatrixView<Scalar> direction,
                              MatrixView<Scalar> out, const Curvature& curvature) {
  const Scalar size = static_cast<Scalar>(y.size());
  if constexpr (kernels::FormulaOf<Curvature, Scalar, 2>) {
    kernels::map_matrices([curvature, size](auto p, auto t, auto d) CHAINRULE_FORMULA { return curvature(p, t) * d / size; }, out, y_hat, y,
                          direction);
  } else {
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i) out(i, j) = curvature(y_hat(i, j), y(i, j)) * direction(i, j) / size;
  }
}

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
