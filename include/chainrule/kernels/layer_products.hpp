#pragma once
// The three products of a layer with Out x In weights:  W x + b,  W^T delta,  delta x^T,  and the row sums of delta.

#include <chainrule/kernels/layer_blocks.hpp>
#include <chainrule/kernels/matrix_product.hpp>
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

  // a block of dJ/dW = delta X^T          (Out x In)
  void weight_gradient(Const delta, Const x, const Block& block, Scalar* dW) const {
    product<Scalar>(gradient(delta, x, block, {}), block.of(weight(dW)));
  }

  // a block of W <- W + factor delta X^T; `room` is Out x In, for a gradient that cannot be added at once. (Views are made where they are
  // passed on: a copy of one takes longer.)
  void add_multiple_of_gradient(Scalar factor, Const delta, Const x, const Block& block, Scalar* w, Scalar* room) const {
    constexpr Index several = 16, next_to_none = 4;  // with fewer outputs the columns of W are too near to each other, if there are some
    if (x.cols() == 1 && (outputs_ >= several || block.columns <= next_to_none))
      return add_multiple_of_outer_product(delta.data() + block.first_row, x.data() + block.first_column, factor, block.of(weight(w)));
    if (x.cols() == 1 || x.cols() > step_depth<Scalar>()) {
      weight_gradient(delta, x, block, room);
      return add_multiple_of_matrix(factor, block.of(weight(static_cast<const Scalar*>(room))), block.of(weight(w)));
    }
    product<Scalar>(gradient(delta, x, block, {StartKind::step, &factor}), block.of(weight(w)));
  }

  // dJ/db = row sums of delta          (Out)
  void bias_gradient(Const delta, Scalar* db) const { row_sums<Scalar>(delta, db); }

  // of dJ/dX = W^T delta, In x samples, the rows of a block's columns
  void input_gradient(const Scalar* w, Const delta, const Block& block, View dX) const {
    const Index first = block.first_column, count = block.columns;
    if (delta.cols() == 1)
      dot_products<Scalar>(w + first * outputs_, outputs_, delta.data(), outputs_, 0, {dX.data() + first, count});
    else
      product<Scalar>({{w + first * outputs_, outputs_, 1}, {delta.data(), 1, delta.outerStride()}, outputs_, {}},
                      {dX.data() + first, count, dX.cols(), Eigen::OuterStride<>(dX.outerStride())});
  }

 private:
  auto weight(auto* w) const { return detail::matrix_view(w, outputs_, inputs_); }
  static Product<Scalar> gradient(Const delta, Const x, const Block& block, Start<Scalar> start) {
    return {{delta.data() + block.first_row, 1, delta.outerStride()}, {x.data() + block.first_column, x.outerStride(), 1}, x.cols(), start};
  }

  Index outputs_;
  Index inputs_;
};

}  // namespace chainrule::kernels
