#pragma once

#include <algorithm>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <limits>

namespace chainrule::detail {

/// Returns for each feature of x (features x samples) a power of 2 that brings its largest finite number near 1. Sums and squares of
/// numbers that were multiplied by it neither overflow nor vanish, and have the same digits.
template <class Scalar>
Vector<Accumulator<Scalar>> scale_of_features(const ConstMatrixView<Scalar>& x) {
  using Sum = Accumulator<Scalar>;
  using Limits = std::numeric_limits<Sum>;
  if (sizeof(Sum) > sizeof(Scalar)) return Vector<Sum>::Ones(x.rows());  // Sum has the range for squares
  Vector<Sum> scale = Vector<Sum>::Zero(x.rows());
  for (Index j = 0; j < x.cols(); ++j)
    for (Index i = 0; i < x.rows(); ++i)
      if (is_finite(x(i, j))) scale[i] = (std::max)(scale[i], std::abs(static_cast<Sum>(x(i, j))));
  for (Sum& of_feature : scale)
    of_feature =
        of_feature == 0 ? Sum{1} : std::scalbn(Sum{1}, std::clamp(-std::ilogb(of_feature), Limits::min_exponent, Limits::max_exponent - 2));
  return scale;
}

}  // namespace chainrule::detail
