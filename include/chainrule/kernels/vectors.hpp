#pragma once
// Passes over vectors and matrices that memory bandwidth limits: finiteness, y + a x, sums of columns and row sums. Layers and optimizers
// use them. Below it: map.hpp.

#include <algorithm>
#include <array>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/kernels/map.hpp>

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

/// Adds `count` columns, each of `size` numbers anywhere in memory, to y. They are added one after the other, from y on where `from_y`,
/// else from 0, and y is added at the end.
template <class Scalar>
[[gnu::noinline]] void add_columns(Index size, Index count, const Scalar* const* columns, bool from_y, Scalar* y) {
  dispatch<Scalar>([&](auto set) { add_columns(set, size, count, columns, from_y, y); });
}

/// sums[i] = m(i, 0) + m(i, 1) + ..., in the order of row_sums_of.
template <class Scalar>
[[gnu::noinline]] void row_sums(ConstMatrixView<Scalar> m, Scalar* sums) {
  row_sums_of([](auto& sum, const auto& term) CHAINRULE_FORMULA { sum = sum + term; }, std::array{sums}, m.rows(), m.cols(), columns(m));
}

}  // namespace chainrule::kernels
