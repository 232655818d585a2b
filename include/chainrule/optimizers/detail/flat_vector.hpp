#pragma once
// Whole vectors as plain memory: what optimizers, clipping and penalties work on.

#include <chainrule/core/chunks.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/error.hpp>
#include <limits>
#include <string_view>

namespace chainrule::detail {

template <class V>
concept HasFlat = requires(V& v) {
  v.flat();
};

template <class Scalar>
void check_one_piece(std::string_view who, const char* name, const ConstMatrixView<Scalar>& m) {
  if (m.cols() > 1 && m.outerStride() != m.rows())
    raise<ShapeError>(who, ": ", name, " must lie in memory in one piece; copy it with .eval()");
}

/// A vector of the user's, or what `net.make_gradients()` made, to read. Throws ShapeError if it does not lie in one piece.
template <class Scalar, class V>
ConstVectorView<Scalar> const_flat(std::string_view who, const char* name, const V& v) {
  if constexpr (HasFlat<const V>) {
    return v.flat();
  } else {
    const ConstMatrixView<Scalar> m = const_view<Scalar>(v);
    check_one_piece(who, name, m);
    return {m.data(), m.size()};
  }
}

/// The same, to write to.
template <class Scalar, class V>
VectorView<Scalar> mutable_flat(std::string_view who, const char* name, V& v) {
  if constexpr (HasFlat<V>) {
    return v.flat();
  } else {
    MatrixView<Scalar> m = mutable_view<Scalar>(v);
    check_one_piece(who, name, as_const(m));
    return {m.data(), m.size()};
  }
}

/// The scalar of such a vector.
template <class V>
struct FlatScalar {
  using Type = typename V::Scalar;
};
template <HasFlat V>
struct FlatScalar<V> {
  using Type = typename decltype(std::declval<V&>().flat())::Scalar;
};
template <class V>
using ScalarOf = typename FlatScalar<std::remove_reference_t<V>>::Type;

inline void check_same_size(std::string_view who, Index theta, Index gradient) {
  if (theta != gradient) raise<ShapeError>(who, ": theta has ", theta, " parameters, but the gradient has ", gradient);
}

/// -1, 0 or 1, elementwise; not for NaN. Made of what is one instruction for a whole vector, as comparisons in Eigen 3.4 are not:
/// numbers grow until they meet the bounds, the smallest ones (below 1 / large) at the second time.
template <class Scalar>
Chunk<Scalar> sign(const Chunk<Scalar>& x) {
  constexpr Scalar large = 1 / std::numeric_limits<Scalar>::min();
  const Chunk<Scalar> grown = (x * large).max(Scalar{-1}).min(Scalar{1});
  return (grown * large).max(Scalar{-1}).min(Scalar{1});
}

/// What a sum over a whole vector is kept in: as many sums side by side as a chunk has numbers.
template <class Scalar>
using ChunkSum = Eigen::Array<Accumulator<Scalar>, Chunk<Scalar>::SizeAtCompileTime, 1>;

/// The sum of f(data[i]) over all i < size in an order that is fixed by size alone. f: from ChunkSum to ChunkSum, with f(0) = 0.
template <class Scalar, class F>
Accumulator<Scalar> flat_sum(Index size, const Scalar* data, const F& f) {
  constexpr Index width = Chunk<Scalar>::SizeAtCompileTime;
  using Sum = ChunkSum<Scalar>;
  Sum sum = Sum::Zero();
  Index i = 0;
  for (; i + width <= size; i += width) sum += f(Sum(Eigen::Map<const Chunk<Scalar>>(data + i).template cast<Accumulator<Scalar>>()));
  if (i < size) {
    Sum last = Sum::Zero();
    for (Index k = i; k < size; ++k) last[k - i] = static_cast<Accumulator<Scalar>>(data[k]);
    sum += f(last);
  }
  Accumulator<Scalar> total = 0;
  for (Index k = 0; k < width; ++k) total += sum[k];
  return total;
}

}  // namespace chainrule::detail
