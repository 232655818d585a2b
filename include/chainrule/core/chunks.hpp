#pragma once
// Elementwise work on arrays in chunks of 64 bytes. Every chunk goes through the same vector instructions, and the last, short one is
// padded to a whole chunk, so the result of an element depends neither on its place in the array nor on its alignment.

#include <array>
#include <chainrule/core/types.hpp>
#include <tuple>
#include <utility>

namespace chainrule {

/// 64 bytes of numbers as an Eigen array of fixed size: the argument and result type of an activation's functions. Eigen aligns it as one
/// number (DontAlign), because its own choice depends on the compiler's flags: a function compiled with -mavx could then not read a chunk
/// of a file that was compiled without.
template <class Scalar>
using Chunk = Eigen::Array<Scalar, 64 / static_cast<int>(sizeof(Scalar)), 1, Eigen::ColMajor | Eigen::DontAlign>;

namespace detail {

/// A chunk of the first `count` (>= 1) numbers of `data`, filled up with copies of the last of them.
template <class Scalar>
Chunk<Scalar> padded_chunk(const Scalar* data, Index count) {
  Chunk<Scalar> chunk = Chunk<Scalar>::Constant(data[count - 1]);
  for (Index i = 0; i < count; ++i) chunk[i] = data[i];
  return chunk;
}

/// Computes out[i] = f(in[i] ...) for all i < size, where f takes and returns chunks; out may be one of the inputs.
template <class Scalar, class F, class... Inputs>
void for_chunks(Index size, F f, Scalar* out, const Inputs*... in) {
  constexpr Index width = Chunk<Scalar>::SizeAtCompileTime;
  Index i = 0;
  for (; i + width <= size; i += width) Eigen::Map<Chunk<Scalar>>(out + i) = f(Chunk<Scalar>(Eigen::Map<const Chunk<Scalar>>(in + i))...);
  if (i == size) return;
  const Chunk<Scalar> last = f(padded_chunk(in + i, size - i)...);
  for (Index k = i; k < size; ++k) out[k] = last[k - i];
}

/// Passes through several arrays of `size` numbers at once, for example the gradient, theta and the moments in a step of an optimizer. In
/// each iteration f gets one chunk of every array, by reference, and may change it; the chunks are then written back, except to arrays of
/// const numbers.
template <class F, class... Scalars>
void update_chunks(Index size, F f, Scalars*... arrays) {
  using Scalar = std::remove_const_t<std::tuple_element_t<0, std::tuple<Scalars...>>>;
  constexpr Index width = Chunk<Scalar>::SizeAtCompileTime;
  const auto store = [](const Chunk<Scalar>& chunk, auto* to, Index count) {
    if constexpr (!std::is_const_v<std::remove_pointer_t<decltype(to)>>) {
      Eigen::Map<Chunk<Scalar>> whole(to);
      if (count == width) whole = chunk;
      for (Index k = 0; k < (count == width ? 0 : count); ++k) to[k] = chunk[k];
    }
  };
  const auto step = [&]<std::size_t... A>(Index i, Index count, std::index_sequence<A...>) {
    std::array<Chunk<Scalar>, sizeof...(Scalars)> chunks{
        (count == width ? Chunk<Scalar>(Eigen::Map<const Chunk<Scalar>>(arrays + i)) : padded_chunk<Scalar>(arrays + i, count))...};
    f(chunks[A]...);
    (store(chunks[A], arrays + i, count), ...);
  };
  Index i = 0;
  for (; i + width <= size; i += width) step(i, width, std::index_sequence_for<Scalars...>{});
  if (i < size) step(i, size - i, std::index_sequence_for<Scalars...>{});
}

}  // namespace detail
}  // namespace chainrule
