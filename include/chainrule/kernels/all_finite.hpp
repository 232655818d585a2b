#pragma once
// Whether numbers are finite, and an error that names the place where they are not.

#include <atomic>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/kernels/pieces.hpp>
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

/// The error that names the place.
template <class Scalar>
[[noreturn, gnu::noinline, gnu::cold]] void not_finite(const char* who, const char* name, ConstMatrixView<Scalar> m) {
  Index i = 0, j = 0;
  while (is_finite(m(i, j))) {
    i = i + 1 == m.rows() ? 0 : i + 1;
    j += i == 0 ? 1 : 0;
  }
  raise<ValueError>(who, ": ", name, "(", i, ", ", j, ") is ", m(i, j), " (feature or output ", i, " of sample ", j,
                    "); all numbers must be finite: clean the data first");
}

/// The same of a matrix, whose columns may lie apart.
template <class Scalar>
[[gnu::always_inline]] inline bool all_finite(const ConstMatrixView<Scalar>& m) {
  if (m.outerStride() == m.rows()) return all_finite(m.data(), m.size());
  for (Index j = 0; j < m.cols(); ++j)
    if (!all_finite(m.data() + j * m.outerStride(), m.rows())) return false;
  return true;
}

/// NaN and infinity in data are an error of the caller's, found here before they can spoil the parameters. Always inline, as the view
/// then stays in registers.
template <class Scalar>
[[gnu::always_inline]] inline void check_finite(const char* who, const char* name, const ConstMatrixView<Scalar>& m) {
  if (!all_finite(m)) not_finite(who, name, m);
}

/// The same by several threads.
template <class Scalar>
void check_finite(const char* who, const char* name, const ConstMatrixView<Scalar>& m, Team& team) {
  const double as_operations = 4.0 * static_cast<double>(m.size());
  const kernels::Pieces samples = kernels::cut(m.cols(), kernels::sample_unit, as_operations, &team);
  std::atomic<bool> finite{true};
  for_items(&team, samples.count(), [&](Index piece) {
    if (!all_finite(kernels::columns(m, samples.first(piece), samples.length(piece)))) finite.store(false, std::memory_order_relaxed);
  });
  if (!finite.load(std::memory_order_relaxed)) not_finite(who, name, m);
}

}  // namespace chainrule::detail
