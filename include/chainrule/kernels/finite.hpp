#pragma once
// Whether numbers are finite, and an error that names the place where they are not.

#include <chainrule/core/checks.hpp>
#include <chainrule/kernels/vectors.hpp>

namespace chainrule::detail {

/// Whether all of data[0 .. size) is finite.
template <class Scalar>
bool all_finite(const Scalar* data, Index size) {
  if (size > 8) return kernels::all_finite(size, data);
  for (Index i = 0; i < size; ++i)
    if (!is_finite(data[i])) return false;
  return true;
}

/// NaN and infinity in data are an error of the caller's, found here before they can spoil the parameters.
template <class Scalar>
[[gnu::noinline]] void check_finite(const char* who, const char* name, ConstMatrixView<Scalar> m) {
  if (m.outerStride() == m.rows() && all_finite(m.data(), m.size())) return;
  for (Index j = 0; j < m.cols(); ++j) {
    const Scalar* column = m.data() + j * m.outerStride();
    if (all_finite(column, m.rows())) continue;
    Index i = 0;
    while (all_finite(column + i, 1)) ++i;
    raise<ValueError>(who, ": ", name, "(", i, ", ", j, ") is ", column[i], " (feature or output ", i, " of sample ", j,
                      "); all numbers must be finite: clean the data first");
  }
}

}  // namespace chainrule::detail
