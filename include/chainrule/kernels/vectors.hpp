#pragma once
// Passes over vectors and matrices that memory bandwidth limits: finiteness, y + a x and row sums. Layers and optimizers use
// them. Below it: map.hpp.

#include <algorithm>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/kernels/map.hpp>
#include <chainrule/kernels/sum_order.hpp>

#define CHAINRULE_KERNEL <chainrule/kernels/vectors.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// Whether all of data[0 .. size) is finite.
template <class Scalar>
[[gnu::noinline]] bool all_finite(Index size, const Scalar* data) {
  return dispatch<Scalar>([&](auto set) { return all_finite(set, size, data); });
}

/// y <- y + a x, each entry rounded once where the machine has fused multiply-adds.
template <class Scalar>
void add_multiple(Index size, Scalar a, const Scalar* x, Scalar* y) {
  map(
      size, [a](auto x_i, auto y_i) CHAINRULE_FORMULA { return fma(a, x_i, y_i); }, y, x, static_cast<const Scalar*>(y));
}

/// Y <- Y + a X for matrices of one shape with any column stride, each entry rounded once where the machine has fused multiply-adds.
template <class Scalar>
void add_multiple_of_matrix(Scalar a, ConstMatrixView<Scalar> x, MatrixView<Scalar> y) {
  map_matrices([a](auto x_i, auto y_i) CHAINRULE_FORMULA { return fma(a, x_i, y_i); }, y, x, y);
}

/// sums[i] = m(i, 0) + m(i, 1) + .... Columns are added one after the other if there are at most max_row_sum_chain, else their two halves
/// are summed in the same way and then added, so rounding errors grow like log(columns).
template <class Scalar>
[[gnu::noinline]] void row_sums(ConstMatrixView<Scalar> m, Scalar* sums) {
  dispatch<Scalar>([&](auto set) { row_sums(set, m.data(), m.outerStride(), m.rows(), m.cols(), sums); });
}

}  // namespace chainrule::kernels
