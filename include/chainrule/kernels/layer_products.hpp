#pragma once
// The products of a dense layer with Out x In weights:  W x + b,  W^T delta,  delta x^T  and the row sums of delta. Chooses the kernel for
// each shape: matrix_product.hpp for batches, vector_products.hpp for a single sample or output, vectors.hpp for outer products. A block
// (layer_blocks.hpp) says which rows or columns to compute. small_layer.hpp has the passes of layers of at most 16 inputs and outputs.

#include <chainrule/kernels/layer_blocks.hpp>
#include <chainrule/kernels/matrix_product.hpp>
#include <chainrule/kernels/vector_products.hpp>
#include <chainrule/kernels/vectors.hpp>

namespace chainrule::kernels {

/// From this many outputs on, a single sample is summed in the order of a batch (k = 0, 1, 2, ...) and so gets the same bits: 128 floats
/// are 8 registers of AVX-512, which fill 2 ports x 4 cycles of latency with independent fused multiply-adds. With 2 to 127 outputs each
/// output of a single sample is four interleaved sums, which is another order.
inline constexpr Index min_outputs_for_batch_order = 128;

/// The products of one layer. Extents are run-time values also for layers of fixed shape, so all layers of a program share this code.
template <class Scalar>
class LayerProducts {
  using Const = ConstMatrixView<Scalar>;
  using View = MatrixView<Scalar>;

 public:
  LayerProducts(Index outputs, Index inputs) : outputs_{outputs}, inputs_{inputs} {}

  /// z = rows first, first + 1, ... of W X + b, with b added to every column        (z.rows() x samples). A null `bias` gives the bits of a
  /// bias of 0. x may be some samples of a batch of size `batch`, which threads then share, so that others may have written parts of W; a
  /// batch of 1 is summed as min_outputs_for_batch_order says.
  void affine(const Scalar* w, Const x, const Scalar* bias, Index first, View z, Index batch) const {
    static constexpr Scalar zeros[static_cast<std::size_t>(min_outputs_for_batch_order)] = {};
    if (bias == nullptr && outputs_ < min_outputs_for_batch_order) bias = zeros;
    if (batch == 1 && outputs_ > 1 && outputs_ < min_outputs_for_batch_order)
      matrix_times_vector<Scalar>(w + first, outputs_, x.data(), inputs_, bias + first, {z.data(), z.rows()});
    else if (outputs_ == 1)
      dot_products<Scalar>(x.data(), x.outerStride(), w, inputs_, *bias, {z.data(), z.cols()});
    else
      product<Scalar>({{w + first, 1, outputs_, z.cols() < batch},
                       {x.data(), 1, x.outerStride()},
                       inputs_,
                       bias == nullptr ? Start<Scalar>{} : Start<Scalar>{StartKind::column, bias + first}},
                      z);
  }

  /// z = W X        (Out x columns)
  void linear(const Scalar* w, Const x, View z) const {
    product<Scalar>({{w, 1, outputs_}, {x.data(), 1, x.outerStride()}, inputs_, {}}, z);
  }

  /// z <- z + W X        (Out x columns)
  void add_linear(const Scalar* w, const Const x, View z) const {
    product<Scalar>({{w, 1, outputs_}, {x.data(), 1, x.outerStride()}, inputs_, {StartKind::c}}, z);
  }
  /// dJ/dW <- dJ/dW + delta X^T        (Out x In)
  void add_weight_gradient(Const delta, Const x, Scalar* dW) const {
    product<Scalar>(gradient(delta, x, Block{0, outputs_, 0, inputs_}, {StartKind::c}), weight(dW));
  }
  /// dJ/dX <- dJ/dX + W^T delta        (In x columns)
  void add_input_gradient(const Scalar* w, const Const delta, View dX) const {
    product<Scalar>({{w, outputs_, 1}, {delta.data(), 1, delta.outerStride()}, outputs_, {StartKind::c}}, dX);
  }

  /// Writes a block of dJ/dW = delta X^T          (Out x In)
  void weight_gradient(Const delta, Const x, const Block& block, Scalar* dW) const {
    product<Scalar>(gradient(delta, x, block, {}), block.of(weight(dW)));
  }

  /// Updates a block of W <- W + factor delta X^T, with the bits of weight_gradient followed by add_multiple. `scratch` is Out x In, for
  /// the gradients of shapes that cannot be added while they leave the registers. (Views are made inside the calls, because a copy of a
  /// named view takes longer.)
  void add_multiple_of_gradient(Scalar factor, Const delta, Const x, const Block& block, Scalar* w, Scalar* scratch) const {
    // With fewer than 16 outputs, columns of W are so close that loads of one wait for masked stores of the one before.
    constexpr Index enough_outputs = 16, few_columns = 4;
    if (x.cols() > max_chain || (x.cols() == 1 && outputs_ < enough_outputs && block.columns > few_columns)) {
      weight_gradient(delta, x, block, scratch);
      return add_multiple_of_matrix(factor, block.of(weight(static_cast<const Scalar*>(scratch))), block.of(weight(w)));
    }
    product<Scalar>(gradient(delta, x, block, {StartKind::step, &factor}), block.of(weight(w)));
  }

  /// dJ/db = row sums of delta          (Out)
  void bias_gradient(Const delta, Scalar* db) const { row_sums<Scalar>(delta, db); }

  /// Writes rows of dJ/dX = W^T delta          (In x samples): those that belong to the columns of W in the block.
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
  // A part of W is computed by a thread that shares the work with others, which have written parts of delta.
  Product<Scalar> gradient(Const delta, Const x, const Block& block, Start<Scalar> start) const {
    const bool is_part = block.rows < outputs_ || block.columns < inputs_;
    return {{delta.data() + block.first_row, 1, delta.outerStride(), is_part},
            {x.data() + block.first_column, x.outerStride(), 1},
            x.cols(),
            start};
  }

  Index outputs_;
  Index inputs_;
};

}  // namespace chainrule::kernels
