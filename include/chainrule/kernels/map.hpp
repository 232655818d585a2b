#pragma once
// Applies a formula to whole arrays with the widest vectors of the machine: map, update and sum. Activations, losses and optimizers
// reach the vector units through this file. Below it: simd.hpp. Above it: vectors.hpp, softmax.hpp and small_layer.hpp.
//
// A formula is a function object whose call operator is a CHAINRULE_FORMULA template over Simd (simd.hpp), such as a generic lambda:
//
//     kernels::map(size, [alpha](auto z) CHAINRULE_FORMULA { return select(z > 0, z, alpha * z); }, a, z);
//
// The last numbers of an array go through the same instructions as all others, by masked loads and stores, so the result for a number does
// not depend on its position, its alignment or the size of the array.

#include <chainrule/core/chunks.hpp>
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
  Sum sums[count] = {};

  /// sums[0] + sums[1] + ..., added in this order.
  Sum total() const {
    Sum total = 0;
    for (const Sum& sum : sums) total += sum;
    return total;
  }
};

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

/// Calls f(first[i], arrays[i] ...) for all i < size. f changes its arguments in place; those of arrays of const numbers are not stored.
template <class F, class First, class... Arrays>
[[gnu::noinline]] void update(Index size, const F& f, First* first, Arrays*... arrays) {
  dispatch<std::remove_const_t<First>>([&](auto set) { update(set, size, f, first, arrays...); });
}

/// sums <- sums + f(in[0] ...) + f(in[1] ...) + ..., for an array that is passed in several calls: all calls but the last must have a size
/// that is a multiple of sums.count.
template <class Sum, class Scalar, class F, class... In>
[[gnu::noinline]] void add_to_sums(InterleavedSums<Sum, Scalar>& sums, Index size, const F& f, const In*... in) {
  dispatch<Scalar>([&](auto set) { add_to_sums(set, sums, size, f, in...); });
}

/// f(in[0] ...) + f(in[1] ...) + ... + f(in[size - 1] ...), converted to Sum before adding, in the order of InterleavedSums.
template <class Sum, class F, class Scalar, class... In>
Sum sum(Index size, const F& f, const Scalar* first, const In*... in) {
  InterleavedSums<Sum, Scalar> sums;
  add_to_sums(sums, size, f, first, in...);
  return sums.total();
}

/// sums[i] = f(m(i, 0), ...) + f(m(i, 1), ...) + ..., added in the order of the columns. All matrices have the shape of m.
template <class F, class Scalar, class... Matrices>
void row_sums_of(const F& f, Scalar* sums, ConstMatrixView<Scalar> m, const Matrices&... more) {
  std::fill_n(sums, m.rows(), Scalar{0});
  for (Index j = 0; j < m.cols(); ++j)
    update(
        m.rows(), [&f](auto& sum, const auto&... columns) CHAINRULE_FORMULA { sum = sum + f(columns...); }, sums,
        static_cast<const Scalar*>(m.data() + j * m.outerStride()), static_cast<const Scalar*>(more.data() + j * more.outerStride())...);
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
  InterleavedSums<Sum, Scalar> sums;
  if constexpr (scalar_only<Scalar>) {
    for (Index j = 0; j < first.cols(); ++j)
      for (Index i = 0; i < first.rows(); ++i) sums.sums[0] += static_cast<Sum>(value_of_number(f, first(i, j), in(i, j)...));
    return sums.total();
  }
  if (is_contiguous(first) && (is_contiguous(in) && ...)) return sum<Sum>(first.size(), f, first.data(), in.data()...);
  constexpr Index capacity = 4 * sums.count;
  Scalar copies[1 + sizeof...(In)][capacity];
  Index size = 0;
  const auto add = [&]<std::size_t... K>(std::index_sequence<K...>) {
    add_to_sums(sums, size, f, static_cast<const Scalar*>(copies[0]), static_cast<const Scalar*>(copies[1 + K])...);
    size = 0;
  };
  for (Index j = 0; j < first.cols(); ++j)
    for (Index i = 0; i < first.rows(); ++i) {
      std::size_t k = 0;
      copies[k++][size] = first(i, j);
      ((copies[k++][size] = in(i, j)), ...);
      if (++size == capacity) add(std::index_sequence_for<In...>{});
    }
  add(std::index_sequence_for<In...>{});
  return sums.total();
}

}  // namespace chainrule::kernels
