#pragma once
// A register full of numbers, as Eigen's packets give it: for every scalar and every processor that Eigen knows, fixed when
// a program is compiled.

#include <algorithm>
#include <chainrule/core/types.hpp>

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of __m128 and its kin as a template argument
#endif

namespace chainrule::kernels {

/// What kernels are written in: V, `width` numbers; First, how many of them where a vector is not full.
template <class Scalar>
struct EigenLanes {
  using V = typename Eigen::internal::packet_traits<Scalar>::type;
  using First = Index;
  static constexpr int width = Eigen::internal::unpacket_traits<V>::size;
  static constexpr int registers = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS;

  static V load(const Scalar* p) { return Eigen::internal::ploadu<V>(p); }
  static void store(Scalar* p, const V& v) { Eigen::internal::pstoreu(p, v); }
  static V all(Scalar x) { return Eigen::internal::pset1<V>(x); }
  static V fma(const V& a, const V& b, const V& c) { return Eigen::internal::pmadd(a, b, c); }

  static First first(Index count) { return count; }
  static V load_first(const Scalar* p, First count) {
    alignas(64) Scalar numbers[width] = {};
    std::copy_n(p, count, numbers);
    return load(numbers);
  }
  static void store_first(Scalar* p, const V& v, First count) {
    alignas(64) Scalar numbers[width];
    store(numbers, v);
    std::copy_n(numbers, count, p);
  }

  /// out[r + c * out_step] = rows[r * distance + c] for r < width, c < transposed_columns
  static constexpr int transposed_columns = width;
  static void transpose(const Scalar* rows, Index distance, Scalar* out, Index out_step) {
    Eigen::internal::PacketBlock<V, width> block;
    for (int r = 0; r < width; ++r) block.packet[r] = load(rows + r * distance);
    if constexpr (width > 1) Eigen::internal::ptranspose(block);
    for (int c = 0; c < width; ++c) store(out + c * out_step, block.packet[c]);
  }
};

}  // namespace chainrule::kernels

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
