#pragma once
// Access to theta and gradients as plain memory, for optimizers, clipping and penalties.

#include <algorithm>
#include <chainrule/core/chunks.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/kernels/map.hpp>
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

/// Returns the sum of f(data[i]) over all i < size, in the order of kernels::sum. f is a formula of numbers of the type of the sum, which
/// are double for float, so squares do not overflow.
template <class Scalar, class F>
Accumulator<Scalar> flat_sum(Index size, const Scalar* data, const F& f) {
  using Sum = Accumulator<Scalar>;
  if constexpr (std::is_same_v<Sum, Scalar>) {
    return kernels::sum<Sum>(size, f, data);
  } else {
    constexpr Index block = kernels::InterleavedSums<Sum, Sum>::block;
    Sum numbers[std::size_t{block}];
    PairwiseSum<Sum> blocks;
    for (Index first = 0; first < size; first += block) {
      const Index count = (std::min)(block, size - first);
      std::copy_n(data + first, count, numbers);
      blocks.add_block(kernels::sum<Sum>(count, f, static_cast<const Sum*>(numbers)));
    }
    return blocks.total();
  }
}

}  // namespace chainrule::detail
