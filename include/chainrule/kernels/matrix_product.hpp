#pragma once
// The matrix products that training time is spent in:  W a + b,  W^T delta,  delta a^T.  No heap, and every entry is summed in the same
// order, k = 0, 1, 2, ..., whatever its place, the shapes around it or the alignment of its memory.
//
// Tiling: P packets (of W numbers) x N columns of C stay in registers while k runs; A gives P packets, read in place where
// its columns are contiguous and otherwise from a packed panel; B gives one number at a time, broadcast.
//
//                 N columns of B                      W    numbers in a vector register (Eigen's packet)
//                 [ b b b b ]                         P    up to 3 packets: 48 rows of float with AVX-512
//     P*W rows  [ a ]  [ c c c c ]                    N    up to 8 columns where there are 32 registers, else 4
//     of A      [ a ]  [ c c c c ]                    a panel of A is at most `panel_depth` deep

#include <algorithm>
#include <chainrule/core/types.hpp>
#include <utility>

namespace chainrule::kernels {
namespace tiling {

namespace packets = Eigen::internal;

template <class Scalar>
using Packet = typename packets::packet_traits<Scalar>::type;

template <class Scalar>
inline constexpr int packet_width = packets::unpacket_traits<Packet<Scalar>>::size;

inline constexpr int tile_packets = 3;
inline constexpr int tile_columns = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 8 : 4;
inline constexpr Index panel_depth = 256;

/// An m x k or k x n operand: element (i, j) is data[i * row_step + j * column_step].
template <class Scalar>
struct Operand {
  const Scalar* data;
  Index row_step;
  Index column_step;
  const Scalar* at(Index i, Index j) const { return data + i * row_step + j * column_step; }
};

/// C[0 .. P*W, 0 .. N) += A[:, 0 .. depth) B[0 .. depth, :), with A's columns contiguous and `a_step` apart.
template <int P, int N, class Scalar>
[[gnu::noinline]] void add_tile(Index depth, const Scalar* a, Index a_step, Operand<Scalar> b, Scalar* c, Index c_step) {
  using V = Packet<Scalar>;
  constexpr int W = packet_width<Scalar>;
  const auto each = [&]<int... I>(std::integer_sequence<int, I...>, auto&& body) { (body(std::integral_constant<int, I>{}), ...); };
  constexpr std::make_integer_sequence<int, P> rows{};
  constexpr std::make_integer_sequence<int, N> columns{};

  V sum[N][P];
  each(columns, [&](auto j) { each(rows, [&](auto i) { sum[j][i] = packets::ploadu<V>(c + j * c_step + i * W); }); });
  const Scalar* b_k = b.data;
  for (Index k = 0; k < depth; ++k, a += a_step, b_k += b.row_step) {
    V a_k[P];
    each(rows, [&](auto i) { a_k[i] = packets::ploadu<V>(a + i * W); });
    each(columns, [&](auto j) {
      const V b_kj = packets::pset1<V>(b_k[j * b.column_step]);
      each(rows, [&](auto i) { sum[j][i] = packets::pmadd(a_k[i], b_kj, sum[j][i]); });
    });
  }
  each(columns, [&](auto j) { each(rows, [&](auto i) { packets::pstoreu(c + j * c_step + i * W, sum[j][i]); }); });
}

/// A panel of P*W rows times all columns of B. The last panel of C has fewer `rows`: it goes through a tile of its own.
template <int P, int N, class Scalar>
void add_panel(Index depth, const Scalar* a, Index a_step, Operand<Scalar> b, Index columns, Scalar* c, Index c_step, Index rows) {
  constexpr Index height = P * packet_width<Scalar>;
  Index j = 0;
  for (; j + N <= columns; j += N) {
    const Operand<Scalar> b_j{b.at(0, j), b.row_step, b.column_step};
    if (rows == height) {
      add_tile<P, N>(depth, a, a_step, b_j, c + j * c_step, c_step);
    } else {
      alignas(64) Scalar tile[height * N] = {};
      for (Index col = 0; col < N; ++col) std::copy_n(c + (j + col) * c_step, rows, tile + col * height);
      add_tile<P, N>(depth, a, a_step, b_j, tile, height);
      for (Index col = 0; col < N; ++col) std::copy_n(tile + col * height, rows, c + (j + col) * c_step);
    }
  }
  if constexpr (N > 1)
    if (j < columns)
      add_panel<P, N / 2>(depth, a, a_step, Operand<Scalar>{b.at(0, j), b.row_step, b.column_step}, columns - j, c + j * c_step, c_step,
                          rows);
}

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of __m128 and its kin as a template argument
#endif

/// panel[i + k * height] = A(i, k) for i < rows, and 0 for the rest of its height.
template <class Scalar>
[[gnu::noinline]] void pack_panel(Operand<Scalar> a, Index rows, Index depth, Scalar* panel, Index height) {
  using V = Packet<Scalar>;
  constexpr int W = packet_width<Scalar>;
  Index i = 0;
  if (a.column_step == 1) {  // A is a transposed matrix: W x W blocks are transposed in registers
    for (; i + W <= rows; i += W) {
      Index k = 0;
      for (; k + W <= depth; k += W) {
        packets::PacketBlock<V, W> block;
        for (int w = 0; w < W; ++w) block.packet[w] = packets::ploadu<V>(a.at(i + w, k));
        packets::ptranspose(block);
        for (int w = 0; w < W; ++w) packets::pstoreu(panel + (k + w) * height + i, block.packet[w]);
      }
      for (; k < depth; ++k)
        for (int w = 0; w < W; ++w) panel[k * height + i + w] = *a.at(i + w, k);
    }
  }
  for (Index k = 0; k < depth; ++k) {
    for (Index row = i; row < rows; ++row) panel[k * height + row] = *a.at(row, k);
    for (Index row = rows; row < height; ++row) panel[k * height + row] = Scalar{0};
  }
}

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/// C += A B for one panel of rows of C and one of k.
template <int P, class Scalar>
void add_block(Operand<Scalar> a, Operand<Scalar> b, Index depth, Index rows, Index columns, Scalar* c, Index c_step) {
  constexpr Index height = P * packet_width<Scalar>;
  if (a.row_step == 1 && rows == height) {
    add_panel<P, tile_columns>(depth, a.data, a.column_step, b, columns, c, c_step, rows);
  } else {
    alignas(64) Scalar panel[panel_depth * height];
    pack_panel(a, rows, depth, panel, height);
    add_panel<P, tile_columns>(depth, panel, height, b, columns, c, c_step, rows);
  }
}

/// C += A B. One function for each scalar; all extents are values.
template <class Scalar>
[[gnu::noinline]] void add_product(Operand<Scalar> a, Operand<Scalar> b, Index depth, MatrixView<Scalar> c) {
  constexpr Index W = packet_width<Scalar>;
  for (Index k = 0; k < depth; k += panel_depth) {
    const Index k_size = std::min(panel_depth, depth - k);
    for (Index i = 0; i < c.rows(); i += tile_packets * W) {
      const Index rows = std::min(tile_packets * W, c.rows() - i);
      const Operand<Scalar> a_i{a.at(i, k), a.row_step, a.column_step};
      const Operand<Scalar> b_k{b.at(k, 0), b.row_step, b.column_step};
      Scalar* c_i = c.data() + i;
      if (rows <= W) {
        add_block<1>(a_i, b_k, k_size, rows, c.cols(), c_i, c.outerStride());
      } else if (rows <= 2 * W) {
        add_block<2>(a_i, b_k, k_size, rows, c.cols(), c_i, c.outerStride());
      } else {
        add_block<tile_packets>(a_i, b_k, k_size, rows, c.cols(), c_i, c.outerStride());
      }
    }
  }
}

}  // namespace tiling

/// Z = A B + b, with b added to every column
template <class Scalar>
[[gnu::noinline]] void affine(ConstMatrixView<Scalar> a, ConstMatrixView<Scalar> b, const Scalar* bias, MatrixView<Scalar> z) {
  for (Index j = 0; j < z.cols(); ++j) std::copy_n(bias, z.rows(), z.data() + j * z.outerStride());
  tiling::add_product<Scalar>({a.data(), 1, a.outerStride()}, {b.data(), 1, b.outerStride()}, a.cols(), z);
}

/// C = A^T B
template <class Scalar>
[[gnu::noinline]] void transposed_times(ConstMatrixView<Scalar> a, ConstMatrixView<Scalar> b, MatrixView<Scalar> c) {
  for (Index j = 0; j < c.cols(); ++j) std::fill_n(c.data() + j * c.outerStride(), c.rows(), Scalar{0});
  tiling::add_product<Scalar>({a.data(), a.outerStride(), 1}, {b.data(), 1, b.outerStride()}, a.rows(), c);
}

/// C = A B^T
template <class Scalar>
[[gnu::noinline]] void times_transposed(ConstMatrixView<Scalar> a, ConstMatrixView<Scalar> b, MatrixView<Scalar> c) {
  for (Index j = 0; j < c.cols(); ++j) std::fill_n(c.data() + j * c.outerStride(), c.rows(), Scalar{0});
  tiling::add_product<Scalar>({a.data(), 1, a.outerStride()}, {b.data(), b.outerStride(), 1}, a.cols(), c);
}

}  // namespace chainrule::kernels
