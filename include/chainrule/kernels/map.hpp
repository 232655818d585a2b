#pragma once
// Applies a formula to whole arrays with the widest vectors of the machine: map, update and sums. Activations, losses and optimizers
// reach the vector units through this file. Below it: simd.hpp. Above it: vectors.hpp, softmax.hpp and small_layer.hpp.
//
// A formula is a function object whose call operator is a CHAINRULE_FORMULA template over Simd (simd.hpp), such as a generic lambda:
//
//     kernels::map(size, [alpha](auto z) CHAINRULE_FORMULA { return select(z > 0, z, alpha * z); }, a, z);
//
// The last numbers of an array go through the same instructions as all others, by masked loads and stores, so the result for a number does
// not depend on its position, its alignment or the size of the array.

#include <algorithm>
#include <array>
#include <chainrule/core/chunks.hpp>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/formula.hpp>
#include <chainrule/kernels/simd.hpp>
#include <cstring>
#include <utility>

namespace chainrule::kernels {

/// Whether every kernel for this scalar computes one number at a time: long double, and all scalars on a microcontroller.
template <class Scalar>
inline constexpr bool scalar_only = baseline::Lanes<Scalar>::width == 1 && !HasWiderLanes<Scalar>;

/// Interleaved partial sums of an array: number i is added to sum i modulo `count`. There are 64 bytes / sizeof(Scalar) sums, as many as a
/// register of AVX-512 holds, on every instruction set, so all of them add in one order. For scalar_only scalars there is one sum.
template <class Sum, class Scalar>
struct InterleavedSums {
  static constexpr Index count = scalar_only<Scalar> ? 1 : 64 / static_cast<Index>(sizeof(Scalar));
  static constexpr Index block = count * detail::PairwiseSum<Sum>::block;  ///< numbers added before sum() begins new interleaved sums
  Sum sums[std::size_t{count}] = {};

  /// The sum of all sums, added in pairs: k and k + count/2, then k and k + count/4, and so on.
  Sum total() const {
    Sum left[std::size_t{count}];
    std::copy_n(sums, count, left);
    for (Index half = count / 2; half > 0; half /= 2)
      for (Index k = 0; k < half; ++k) left[k] += left[k + half];
    return left[0];
  }
};

/// The columns of a matrix in memory, `step` numbers apart. A step of 0 repeats one column.
template <class T>
struct Columns {
  T* data;
  Index step;
  T* operator[](Index j) const { return data + j * step; }
};
template <class Scalar>
Columns<const Scalar> columns(const ConstMatrixView<Scalar>& m) {
  return {m.data(), m.outerStride()};
}
template <class Scalar>
Columns<Scalar> columns(MatrixView<Scalar> m) {
  return {m.data(), m.outerStride()};
}

/// One column, repeated as often as a function asks for it.
template <class T>
Columns<T> one_column(T* numbers) {
  return {numbers, 0};
}

/// row_sums_of adds this many columns in order before it begins a new block.
inline constexpr Index columns_per_block = 128;
/// The number of sums of 2^k blocks that row_sums_of keeps; enough for 2^32 blocks, and for any number of columns where an Index has 32
/// bits, as on microcontrollers, whose stack is small.
inline constexpr int row_sum_levels = sizeof(Index) > 4 ? 32 : 24;

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/map.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// A function object that can be called with N Simd numbers, and so be compiled for each instruction set.
template <class F, class Scalar, int N>
concept FormulaOf = []<int... I>(std::integer_sequence<int, I...>) {
  return std::is_invocable_v<const F&, std::enable_if_t<(I >= 0), baseline::Simd<Scalar>>...>;
}
(std::make_integer_sequence<int, N>{});

/// out[i] = f(in[i] ...) for all i < size; out may be one of the inputs.
template <class F, class Scalar, class... In>
[[gnu::noinline]] void map(Index size, const F& f, Scalar* out, const In*... in) {
  dispatch<Scalar>([&](auto set) { map(set, size, f, out, in...); });
}

/// out[k][i] = f(in[i], k) for all i < size and each k whose array out[k] is not null; k is a std::integral_constant. The arrays must not
/// overlap `in`.
template <class F, class Scalar, std::size_t K>
[[gnu::noinline]] void map_several(Index size, const F& f, const Scalar* in, const std::array<Scalar*, K>& out) {
  dispatch<Scalar>([&](auto set) { map_several(set, size, f, in, out, std::make_index_sequence<K>{}); });
}

/// Calls f(first[i], arrays[i] ...) for all i < size. f changes its arguments in place; those of arrays of const numbers are not stored.
template <class F, class First, class... Arrays>
[[gnu::noinline]] void update(Index size, const F& f, First* first, Arrays*... arrays) {
  dispatch<std::remove_const_t<First>>([&](auto set) { update(set, size, f, first, arrays...); });
}

/// Calls f(out[0](i, j), ..., in(i, j) ...) for all rows i and columns j; f sets the outputs from the inputs:
/// [](auto& difference, auto& product, const auto& a, const auto& b) CHAINRULE_FORMULA { ... }. Does not read the outputs: columns follow
/// one another in memory, and a load next to a recent masked store would wait for it.
template <class F, class Scalar, std::size_t K, class... In>
[[gnu::noinline]] void map_columns(const F& f, const std::array<Columns<Scalar>, K>& out, Index rows, Index columns, Columns<In>... in) {
  dispatch<Scalar>([&](auto set) { map_columns(set, f, out, rows, columns, in...); });
}

/// sums <- sums + f(in[0] ...) + f(in[1] ...) + ..., for an array that is passed in several calls: all calls but the last must have a size
/// that is a multiple of sums.count.
template <class Sum, class Scalar, class F, class... In>
[[gnu::noinline]] void add_to_sums(InterleavedSums<Sum, Scalar>& sums, Index size, const F& f, const In*... in) {
  dispatch<Scalar>([&](auto set) { add_to_sums(set, sums, size, f, in...); });
}

/// f(in[0] ...) + f(in[1] ...) + ... + f(in[size - 1] ...), converted to Sum before adding. InterleavedSums of each 128 count numbers, and
/// the totals of these blocks in pairs, as in detail::PairwiseSum. With u = epsilon/2 of Sum
///
///     |error| <= (128 + log2 size) u sum |f|
template <class Sum, class F, class Scalar, class... In>
[[gnu::noinline]] Sum sum(Index size, const F& f, const Scalar* first, const In*... in) {
  return dispatch<Scalar>([&](auto set) { return sum<Sum>(set, size, f, first, in...); });
}

/// Adds up functions of the columns of matrices, one sum for each row:
///
///     f(sums[0][i], sums[1][i], ..., m(i, j), more(i, j) ...)    for all columns j and rows i, the sums being 0 at first
///
/// f adds a term to each sum: [](auto& sum, const auto& a, const auto& b) CHAINRULE_FORMULA { sum = sum + a * b; }. Columns are added in
/// blocks of 128, in order, and the blocks in pairs, so with u = epsilon/2
///
///     |error| <= (128 + log2 columns) u sum |term|
template <class F, class Scalar, std::size_t K, class... More>
[[gnu::noinline]] void row_sums_of(const F& f, const std::array<Scalar*, K>& sums, Index rows, Index columns, Columns<const Scalar> m,
                                   Columns<More>... more) {
  dispatch<Scalar>([&](auto set) { row_sums_of(set, f, sums, rows, columns, m, more...); });
}

/// Whether the columns of a matrix follow one another in memory without gaps.
template <class View>
bool is_contiguous(const View& m) {
  return m.outerStride() == m.rows() || m.cols() <= 1;
}

/// out = f(in ...), elementwise, for matrices of one shape with any column stride; out may be one of the inputs.
template <class F, class Scalar, class... In>
void map_matrices(const F& f, MatrixView<Scalar> out, const In&... in) {
  if (is_contiguous(out) && (is_contiguous(in) && ...)) return map(out.size(), f, out.data(), static_cast<const Scalar*>(in.data())...);
  for (Index j = 0; j < out.cols(); ++j)
    map(out.rows(), f, out.data() + j * out.outerStride(), static_cast<const Scalar*>(in.data() + j * in.outerStride())...);
}

/// f(first, in ...) of single numbers.
template <class F, class Scalar, class... In>
Scalar value_of_number(const F& f, Scalar first, In... in) {
  return f(baseline::Simd<Scalar>(first), baseline::Simd<Scalar>(in)...).v;
}

/// The sum of f(first, in ...) over all entries of matrices of one shape, in the order of sum() on contiguous matrices for any column
/// stride: entries of matrices with gaps are copied to small buffers first.
template <class Sum, class F, class Scalar, class... In>
Sum sum_matrices(const F& f, const ConstMatrixView<Scalar>& first, const In&... in) {
  detail::PairwiseSum<Sum> blocks;
  if constexpr (scalar_only<Scalar>) {
    for (Index j = 0; j < first.cols(); ++j)
      for (Index i = 0; i < first.rows(); ++i) blocks += static_cast<Sum>(value_of_number(f, first(i, j), in(i, j)...));
    return blocks.total();
  }
  if (is_contiguous(first) && (is_contiguous(in) && ...)) return sum<Sum>(first.size(), f, first.data(), in.data()...);
  using Sums = InterleavedSums<Sum, Scalar>;
  constexpr Index capacity = 4 * Sums::count;
  static_assert(Sums::block % capacity == 0);
  Sums sums;
  Scalar copies[1 + sizeof...(In)][std::size_t{capacity}] = {};
  Index size = 0, added = 0;
  const auto add = [&]<std::size_t... K>(std::index_sequence<K...>) {
    add_to_sums(sums, size, f, static_cast<const Scalar*>(copies[0]), static_cast<const Scalar*>(copies[1 + K])...);
    added += size;
    size = 0;
    if (added < Sums::block) return;
    blocks.add_block(sums.total());
    sums = {};
    added = 0;
  };
  for (Index j = 0; j < first.cols(); ++j)
    for (Index i = 0; i < first.rows(); ++i) {
      std::size_t k = 0;
      copies[k++][size] = first(i, j);
      ((copies[k++][size] = in(i, j)), ...);
      if (++size == capacity) add(std::index_sequence_for<In...>{});
    }
  add(std::index_sequence_for<In...>{});
  if (added > 0) blocks.add_block(sums.total());
  return blocks.total();
}

}  // namespace chainrule::kernels
