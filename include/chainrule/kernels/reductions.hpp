#pragma once
// Sums in a fixed order: over the samples of a batch, and over the units of a sample.

#include <chainrule/core/chunks.hpp>
#include <chainrule/kernels/vectors.hpp>

namespace chainrule::kernels {

/// sums[i] = f(column 0 ...)(i) + f(column 1 ...)(i) + ..., added in the order of the columns. The matrices have one shape.
template <class Scalar, class F, class... Matrices>
[[gnu::noinline]] void row_sums_of(const F& f, Scalar* sums, ConstMatrixView<Scalar> m, const Matrices&... more) {
  const auto add = [&f](const Chunk<Scalar>& sum, const auto&... columns) -> Chunk<Scalar> { return sum + f(columns...); };
  for (Index i = 0; i < m.rows(); ++i) sums[i] = Scalar{0};
  for (Index j = 0; j < m.cols(); ++j)
    detail::for_chunks(m.rows(), add, sums, static_cast<const Scalar*>(sums), m.data() + j * m.outerStride(),
                       more.data() + j * more.outerStride()...);
}

/// f(in[0] ...) + f(in[1] ...) + ... + f(in[size - 1] ...), in as many interleaved sums as a chunk has numbers, and then those
/// one after the other.
template <class Scalar, class F, class... Inputs>
Scalar sum_of(Index size, const F& f, const Scalar* first, const Inputs*... more) {
  constexpr Index width = Chunk<Scalar>::SizeAtCompileTime;
  Chunk<Scalar> sums = Chunk<Scalar>::Zero();
  Index i = 0;
  for (; i + width <= size; i += width)
    sums += f(Chunk<Scalar>(Eigen::Map<const Chunk<Scalar>>(first + i)), Chunk<Scalar>(Eigen::Map<const Chunk<Scalar>>(more + i))...);
  if (i < size) {
    const Chunk<Scalar> rest = f(detail::padded_chunk(first + i, size - i), detail::padded_chunk(more + i, size - i)...);
    for (Index k = 0; k < size - i; ++k) sums[k] += rest[k];
  }
  Scalar sum = 0;
  for (Index k = 0; k < width; ++k) sum += sums[k];
  return sum;
}

}  // namespace chainrule::kernels
