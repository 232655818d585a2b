#pragma once
// One formula for whole arrays, with the widest vectors of the machine: map, update and sum.
//
// A formula is a function object whose call operator is a CHAINRULE_FORMULA template over Simd (simd.hpp), such as a generic lambda:
//
//     kernels::map(size, [alpha](auto z) CHAINRULE_FORMULA { return select(z > 0, z, alpha * z); }, a, z);
//
// The formula is copied into each kernel, so what it computes does not depend on the place of a number in an array.

#include <chainrule/core/chunks.hpp>
#include <chainrule/core/formula.hpp>
#include <chainrule/kernels/simd.hpp>
#include <cstring>
#include <utility>

namespace chainrule::kernels {

/// Whether every kernel for this scalar computes one number at a time, as on a microcontroller and for long double.
template <class Scalar>
inline constexpr bool one_by_one = baseline::Lanes<Scalar>::width == 1 && !HasWiderLanes<Scalar>;

/// As many sums as 64 bytes hold numbers of type Scalar, side by side: number i of an array is added to sum i modulo `count`. One sum where
/// numbers are computed one at a time.
template <class Sum, class Scalar>
struct InterleavedSums {
  static constexpr Index count = one_by_one<Scalar> ? 1 : 64 / static_cast<Index>(sizeof(Scalar));
  Sum sums[count] = {};

  /// All of them, added one after the other.
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

/// Whether F is a formula of N numbers that kernels can compile for each instruction set.
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

/// f(array[i] ...) for all i < size: f reads arrays of const numbers and changes the others in place.
template <class F, class First, class... Arrays>
[[gnu::noinline]] void update(Index size, const F& f, First* first, Arrays*... arrays) {
  dispatch<std::remove_const_t<First>>([&](auto set) { update(set, size, f, first, arrays...); });
}

/// sums <- sums + f(in[0] ...) + f(in[1] ...) + ...; all calls for one set of sums but the last have a multiple of sums.count numbers.
template <class Sum, class Scalar, class F, class... In>
[[gnu::noinline]] void add_to_sums(InterleavedSums<Sum, Scalar>& sums, Index size, const F& f, const In*... in) {
  dispatch<Scalar>([&](auto set) { add_to_sums(set, sums, size, f, in...); });
}

/// f(in[0] ...) + f(in[1] ...) + ... + f(in[size - 1] ...), added as numbers of type Sum in an order that size alone decides.
template <class Sum, class F, class Scalar, class... In>
Sum sum(Index size, const F& f, const Scalar* first, const In*... in) {
  InterleavedSums<Sum, Scalar> sums;
  add_to_sums(sums, size, f, first, in...);
  return sums.total();
}

/// sums[i] = f(column 0 ...)(i) + f(column 1 ...)(i) + ..., added in the order of the columns. The matrices have one shape.
template <class F, class Scalar, class... Matrices>
void row_sums_of(const F& f, Scalar* sums, ConstMatrixView<Scalar> m, const Matrices&... more) {
  std::fill_n(sums, m.rows(), Scalar{0});
  for (Index j = 0; j < m.cols(); ++j)
    update(
        m.rows(), [&f](auto& sum, const auto&... columns) CHAINRULE_FORMULA { sum = sum + f(columns...); }, sums,
        static_cast<const Scalar*>(m.data() + j * m.outerStride()), static_cast<const Scalar*>(more.data() + j * more.outerStride())...);
}

/// Whether the columns of a matrix follow one another without gaps.
template <class View>
bool is_contiguous(const View& m) {
  return m.outerStride() == m.rows() || m.cols() <= 1;
}

/// out = f(in ...) for matrices of one shape, whose columns may lie apart; out may be one of the inputs.
template <class F, class Scalar, class... In>
void map_matrices(const F& f, MatrixView<Scalar> out, const In&... in) {
  if (is_contiguous(out) && (is_contiguous(in) && ...)) return map(out.size(), f, out.data(), static_cast<const Scalar*>(in.data())...);
  for (Index j = 0; j < out.cols(); ++j)
    map(out.rows(), f, out.data() + j * out.outerStride(), static_cast<const Scalar*>(in.data() + j * in.outerStride())...);
}

/// f of single numbers.
template <class F, class Scalar, class... In>
Scalar value_of_number(const F& f, Scalar first, In... in) {
  return f(baseline::Simd<Scalar>(first), baseline::Simd<Scalar>(in)...).v;
}

/// The sum of f(in ...) over all entries of matrices of one shape, in the same order whether columns follow one another or lie apart.
template <class Sum, class F, class Scalar, class... In>
Sum sum_matrices(const F& f, const ConstMatrixView<Scalar>& first, const In&... in) {
  InterleavedSums<Sum, Scalar> sums;
  if constexpr (one_by_one<Scalar>) {
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
