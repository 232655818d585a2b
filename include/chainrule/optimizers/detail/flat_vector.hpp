#pragma once
// Access to theta and gradients as plain memory, for optimizers, clipping and penalties.

#include <chainrule/core/chunks.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/error.hpp>
#include <limits>
#include <string_view>

namespace chainrule::detail {

/// Satisfied by types with a member flat(), such as a network's Gradients.
template <class V>
concept HasFlat = requires(V& v) {
  v.flat();
};

/// Throws ShapeError if m is not contiguous in memory. `who` and `name` are for the message.
template <class Scalar>
void check_one_piece(std::string_view who, const char* name, const ConstMatrixView<Scalar>& m) {
  if (m.cols() > 1 && m.outerStride() != m.rows())
    raise<ShapeError>(who, ": ", name, " must lie in memory in one piece; copy it with .eval()");
}

/// Returns a view to read of a user's vector or of an object from net.make_gradients(). Throws ShapeError if it is not contiguous.
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

/// Returns a view to write of a user's vector or of an object from net.make_gradients(). Throws ShapeError if it is not contiguous.
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

/// The scalar type of a vector or of a type with flat().
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

/// Throws ShapeError if theta and the gradient have different sizes.
inline void check_same_size(std::string_view who, Index theta, Index gradient) {
  if (theta != gradient) raise<ShapeError>(who, ": theta has ", theta, " parameters, but the gradient has ", gradient);
}

/// Returns the sign of each number, -1, 0 or 1; unspecified for NaN. It multiplies by a large number and limits the result to [-1, 1],
/// twice because the smallest numbers (below 1 / large) do not reach the limits at once. These operations are vectorized in Eigen 3.4,
/// where comparisons are not.
template <class Scalar>
Chunk<Scalar> sign(const Chunk<Scalar>& x) {
  constexpr Scalar large = 1 / std::numeric_limits<Scalar>::min();
  const Chunk<Scalar> clamped = (x * large).max(Scalar{-1}).min(Scalar{1});
  return (clamped * large).max(Scalar{-1}).min(Scalar{1});
}

/// The partial sums of a sum over a vector: as many as a Chunk has numbers.
template <class Scalar>
using ChunkSum = Eigen::Array<Accumulator<Scalar>, Chunk<Scalar>::SizeAtCompileTime, 1>;

/// Returns the sum of f(data[i]) over all i < size, in an order that depends only on size. f maps ChunkSum to ChunkSum, with f(0) = 0.
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
