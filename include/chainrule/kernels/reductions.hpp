#pragma once
// Sums over the batch.

#include <chainrule/core/chunks.hpp>

namespace chainrule::kernels {

/// sums[i] = m(i, 0) + m(i, 1) + ..., the sums of the rows, added in the order of the columns.
template <class Scalar>
[[gnu::noinline]] void row_sums(ConstMatrixView<Scalar> m, Scalar* sums) {
  const auto add = [](const Chunk<Scalar>& sum, const Chunk<Scalar>& column) -> Chunk<Scalar> { return sum + column; };
  for (Index i = 0; i < m.rows(); ++i) sums[i] = Scalar{0};
  for (Index j = 0; j < m.cols(); ++j)
    detail::for_chunks(m.rows(), add, sums, static_cast<const Scalar*>(sums), m.data() + j * m.outerStride());
}

}  // namespace chainrule::kernels
