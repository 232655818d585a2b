#pragma once
// Checks that inputs and targets are finite; the error names the place of the first NaN or infinity. Uses the vectorized all_finite of
// vectors.hpp.

#include <atomic>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/kernels/partition.hpp>
#include <chainrule/kernels/vectors.hpp>

namespace chainrule::detail {

/// Throws the ValueError that names the first entry of m, in column order, that is not finite, and ends with `remedy`, what to do about it.
/// There must be such an entry.
template <class Scalar>
[[noreturn, gnu::noinline, gnu::cold]] void not_finite(const char* who, const char* name, ConstMatrixView<Scalar> m,
                                                       const char* remedy = "clean the data first") {
  Index i = 0, j = 0;
  while (is_finite(m(i, j))) {
    i = i + 1 == m.rows() ? 0 : i + 1;
    j += i == 0 ? 1 : 0;
  }
  raise<ValueError>(who, ": ", name, "(", i, ", ", j, ") is ", m(i, j), " (feature or output ", i, " of sample ", j,
                    "); all numbers must be finite: ", remedy);
}

/// Whether all entries of a matrix with any column stride are finite. Up to 8 numbers in a row are tested in place, which is faster than a
/// call and a dispatch.
template <class Scalar>
[[gnu::always_inline]] inline bool all_finite(const ConstMatrixView<Scalar>& m) {
  const auto are_finite = [](const Scalar* data, Index size) {
    if (size > 8) return kernels::all_finite(size, data);
    for (Index i = 0; i < size; ++i)
      if (!is_finite(data[i])) return false;
    return true;
  };
  if (m.outerStride() == m.rows()) return are_finite(m.data(), m.size());
  for (Index j = 0; j < m.cols(); ++j)
    if (!are_finite(m.data() + j * m.outerStride(), m.rows())) return false;
  return true;
}

/// Throws ValueError if m has a NaN or an infinity, before it can spoil the parameters. The message begins with `who`, the function that
/// was called, and calls the matrix `name`. Always inlined, so the view stays in registers.
template <class Scalar>
[[gnu::always_inline]] inline void check_finite(const char* who, const char* name, const ConstMatrixView<Scalar>& m) {
  if (!all_finite(m)) not_finite(who, name, m);
}

/// Throws ValueError if m has a NaN or an infinity, like the overload without a team; each thread of the team looks at some of the columns.
template <class Scalar>
void check_finite(const char* who, const char* name, const ConstMatrixView<Scalar>& m, Team& team) {
  const double as_operations = 4.0 * static_cast<double>(m.size());  // a number that comes from memory takes as long as 4 operations
  const kernels::Partition samples = kernels::partition(m.cols(), kernels::sample_granularity, as_operations, &team);
  std::atomic<bool> finite{true};
  for_items(&team, samples.count(), [&](Index part) {
    if (!all_finite(columns_of(m, samples.first(part), samples.length(part)))) finite.store(false, std::memory_order_relaxed);
  });
  if (!finite.load(std::memory_order_relaxed)) not_finite(who, name, m);
}

}  // namespace chainrule::detail
