#pragma once
// The three products of a layer with Out x In weights:  W x + b,  W^T delta,  delta x^T,  and the row sums of delta.

#include <chainrule/kernels/matrix_product.hpp>
#include <chainrule/kernels/pieces.hpp>
#include <chainrule/kernels/vector_products.hpp>
#include <chainrule/kernels/vectors.hpp>

namespace chainrule::kernels {

/// From this many outputs on one sample's sums keep the machine busy in the order that they have in a batch. With fewer they are
/// interleaved.
inline constexpr Index many_outputs = 128;

/// All extents are values, so that all shapes share their code; small_layer.hpp is for those that are types.
template <class Scalar>
class LayerProducts {
  using Const = ConstMatrixView<Scalar>;
  using View = MatrixView<Scalar>;

 public:
  LayerProducts(Index outputs, Index inputs) : outputs_{outputs}, inputs_{inputs} {}

  // rows first, first + 1, ... of Z = W X + b, with b added to every column          (z.rows() x samples); x may be a part of a batch
  void affine(const Scalar* w, Const x, const Scalar* bias, Index first, View z, Index batch) const {
    if (batch == 1 && outputs_ > 1 && outputs_ < many_outputs)
      matrix_times_vector<Scalar>(w + first, outputs_, x.data(), inputs_, bias + first, {z.data(), z.rows()});
    else if (outputs_ == 1)
      dot_products<Scalar>(x.data(), x.outerStride(), w, inputs_, *bias, {z.data(), z.cols()});
    else
      product<Scalar>({{w + first, 1, outputs_}, {x.data(), 1, x.outerStride()}, inputs_, {StartKind::column, bias + first}}, z);
  }

  // columns first .. first + count of dJ/dW = delta X^T          (Out x count)
  void weight_gradient(Const delta, Const x, Index first, Index count, Scalar* dW) const {
    product<Scalar>({{delta.data(), 1, delta.outerStride()}, {x.data() + first, x.outerStride(), 1}, x.cols(), {}},
                    {dW + first * outputs_, outputs_, count, Eigen::OuterStride<>(outputs_)});
  }

  // columns first .. first + count of W <- W + factor delta X^T, whose gradient lies in `room` (Out x count) a block at a time, so that it
  // stays in the cache
  void add_multiple_of_gradient(Scalar factor, Const delta, Const x, Index first, Index count, Scalar* w, Scalar* room) const {
    w += first * outputs_;
    if (x.cols() == 1) return add_multiple_of_outer_product(delta.data(), outputs_, x.data() + first, count, factor, w);
    constexpr Index most_rows = 96, block_size = 96 * 256;
    const Pieces rows{outputs_, outputs_ <= 2 * most_rows ? outputs_ : most_rows};
    const Pieces columns{count, std::max(Index{16}, block_size / rows.size / 16 * 16)};
    for (Index j = 0; j < columns.count(); ++j)
      for (Index i = 0; i < rows.count(); ++i) {
        const View block = {room, rows.length(i), columns.length(j), Eigen::OuterStride<>(rows.length(i))};
        product<Scalar>({{delta.data() + rows.first(i), 1, delta.outerStride()},
                         {x.data() + first + columns.first(j), x.outerStride(), 1},
                         x.cols(),
                         {}},
                        block);
        add_multiple_of_columns(block.rows(), block.cols(), factor, room, w + rows.first(i) + columns.first(j) * outputs_, outputs_);
      }
  }

  // dJ/db = row sums of delta          (Out)
  void bias_gradient(Const delta, Scalar* db) const { row_sums<Scalar>(delta, db); }

  // rows first .. first + count of dJ/dX = W^T delta          (count x samples)
  void input_gradient(const Scalar* w, Const delta, Index first, Index count, View dX) const {
    if (delta.cols() == 1)
      dot_products<Scalar>(w + first * outputs_, outputs_, delta.data(), outputs_, 0, {dX.data() + first, count});
    else
      product<Scalar>({{w + first * outputs_, outputs_, 1}, {delta.data(), 1, delta.outerStride()}, outputs_, {}},
                      {dX.data() + first, count, dX.cols(), Eigen::OuterStride<>(dX.outerStride())});
  }

 private:
  Index outputs_;
  Index inputs_;
};

}  // namespace chainrule::kernels
