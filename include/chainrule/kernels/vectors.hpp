#pragma once
// Passes over whole vectors of numbers, as fast as memory gives them.

#include <algorithm>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/kernels/instruction_sets.hpp>

#define CHAINRULE_KERNEL <chainrule/kernels/vectors.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// Whether all of data[0 .. size) is finite.
template <class Scalar>
[[gnu::noinline]] bool all_finite(Index size, const Scalar* data) {
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return avx512::all_finite(size, data);
    if (set == InstructionSet::avx2) return avx2::all_finite(size, data);
  }
  return baseline::all_finite(size, data);
}

/// y <- y + a x, each entry rounded once where the machine has fused multiply-adds.
template <class Scalar>
[[gnu::noinline]] void add_multiple(Index size, Scalar a, const Scalar* x, Scalar* y) {
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return avx512::add_multiple(size, a, x, y);
    if (set == InstructionSet::avx2) return avx2::add_multiple(size, a, x, y);
  }
  baseline::add_multiple(size, a, x, y);
}

/// The same for matrices whose columns may lie apart.
template <class Scalar>
void add_multiple_of_matrix(Scalar a, ConstMatrixView<Scalar> x, MatrixView<Scalar> y) {
  if (x.outerStride() == x.rows() && y.outerStride() == y.rows()) return add_multiple(x.size(), a, x.data(), y.data());
  for (Index j = 0; j < x.cols(); ++j) add_multiple(x.rows(), a, x.data() + j * x.outerStride(), y.data() + j * y.outerStride());
}

/// C <- C + a (u v^T), likewise, for one column u and one row v^T.
template <class Scalar>
[[gnu::noinline]] void add_multiple_of_outer_product(const Scalar* u, const Scalar* v, Scalar a, MatrixView<Scalar> c) {
  const Index rows = c.rows(), columns = c.cols(), step = c.outerStride();
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return avx512::add_multiple_of_outer_product(u, rows, v, columns, a, c.data(), step);
    if (set == InstructionSet::avx2) return avx2::add_multiple_of_outer_product(u, rows, v, columns, a, c.data(), step);
  }
  baseline::add_multiple_of_outer_product(u, rows, v, columns, a, c.data(), step);
}

/// a = max(0, z), elementwise; NaN stays NaN; a and z may be the same memory.
template <class Scalar>
[[gnu::noinline]] void rectify(Index size, const Scalar* z, Scalar* a) {
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return avx512::rectify(size, z, a);
    if (set == InstructionSet::avx2) return avx2::rectify(size, z, a);
  }
  baseline::rectify(size, z, a);
}

/// sums[i] = m(i, 0) + m(i, 1) + ..., added in the order of the columns.
template <class Scalar>
[[gnu::noinline]] void row_sums(ConstMatrixView<Scalar> m, Scalar* sums) {
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return avx512::row_sums(m.data(), m.outerStride(), m.rows(), m.cols(), sums);
    if (set == InstructionSet::avx2) return avx2::row_sums(m.data(), m.outerStride(), m.rows(), m.cols(), sums);
  }
  baseline::row_sums(m.data(), m.outerStride(), m.rows(), m.cols(), sums);
}

}  // namespace chainrule::kernels
