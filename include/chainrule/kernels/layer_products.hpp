#pragma once
// The three products of a layer with Out x In weights:  W x + b,  W^T delta,  delta x^T,  and the row sums of delta.

#include <chainrule/kernels/matrix_product.hpp>
#include <chainrule/kernels/vector_products.hpp>
#include <chainrule/kernels/vectors.hpp>

namespace chainrule::kernels {

/// Up to this many inputs and outputs a product is over so soon that it is built for just these extents where they are types: if the
/// program's flags allow the widest vectors, for the choice of others at run time is worth more. To the same bits in any case.
inline constexpr Index small_layer = 16;
constexpr bool is_small_layer(int outputs, int inputs) {
  return outputs != Dynamic && inputs != Dynamic && outputs <= small_layer && inputs <= small_layer;
}

/// From this many outputs on one sample's sums keep the machine busy in the order that they have in a batch. With fewer they are
/// interleaved.
inline constexpr Index many_outputs = 128;

/// Out and In may be Dynamic. All views have extents that are values, so that all shapes share their code.
template <class Scalar, int Out, int In>
class LayerProducts {
  using Const = ConstMatrixView<Scalar>;
  using View = MatrixView<Scalar>;
  static constexpr bool fixed_and_small = is_small_layer(Out, In) && !HasWiderLanes<Scalar>;

 public:
  LayerProducts(Index outputs, Index inputs) : outputs_{outputs}, inputs_{inputs} {}

  // rows first, first + 1, ... of Z = W X + b, with b added to every column          (z.rows() x samples); x may be a part of a batch
  void affine(const Scalar* w, Const x, const Scalar* bias, Index first, View z, Index batch) const {
    if (batch == 1 && outputs_ > 1 && outputs_ < many_outputs)
      one_sample(w + first, x.data(), bias + first, z);
    else if constexpr (fixed_and_small)
      fixed_affine(w, x.data(), x.outerStride(), bias, z.data(), z.cols());
    else if (outputs_ == 1)
      dot_products<Scalar>(x.data(), x.outerStride(), w, inputs_, *bias, {z.data(), z.cols()});
    else
      product<Scalar>({{w + first, 1, outputs_}, {x.data(), 1, x.outerStride()}, inputs_, {StartKind::column, bias + first}}, z);
  }

  // columns first .. first + count of dJ/dW = delta X^T          (Out x count)
  void weight_gradient(Const delta, Const x, Index first, Index count, Scalar* dW) const {
    if constexpr (fixed_and_small)
      fixed_weight_gradient(delta.data(), x.data(), x.outerStride(), x.cols(), dW);
    else
      product<Scalar>({{delta.data(), 1, delta.outerStride()}, {x.data() + first, x.outerStride(), 1}, x.cols(), {}},
                      {dW + first * outputs_, outputs_, count, Eigen::OuterStride<>(outputs_)});
  }

  // dJ/db = row sums of delta          (Out)
  void bias_gradient(Const delta, Scalar* db) const {
    if constexpr (fixed_and_small)
      fixed_row_sums(delta.data(), delta.cols(), db);
    else
      row_sums<Scalar>(delta, db);
  }

  // rows first .. first + count of dJ/dX = W^T delta          (count x samples)
  void input_gradient(const Scalar* w, Const delta, Index first, Index count, View dX) const {
    if constexpr (fixed_and_small)
      fixed_input_gradient(w, delta.data(), dX.data(), dX.outerStride(), dX.cols());
    else if (delta.cols() == 1)
      dot_products<Scalar>(w + first * outputs_, outputs_, delta.data(), outputs_, 0, {dX.data() + first, count});
    else
      product<Scalar>({{w + first * outputs_, outputs_, 1}, {delta.data(), 1, delta.outerStride()}, outputs_, {}},
                      {dX.data() + first, count, dX.cols(), Eigen::OuterStride<>(dX.outerStride())});
  }

 private:
  void one_sample(const Scalar* w, const Scalar* x, const Scalar* bias, View z) const {
    if constexpr (fixed_and_small)
      fixed_one_sample(w, x, bias, z.data());
    else
      matrix_times_vector<Scalar>(w, outputs_, x, inputs_, bias, {z.data(), z.rows()});
  }

  // All of a product in one function whose loops have known lengths; delta's and z's columns lie one after the other.
  [[gnu::noinline, gnu::flatten]] static void fixed_affine(const Scalar* w, const Scalar* x, Index x_step, const Scalar* bias, Scalar* z,
                                                           Index samples) {
    if constexpr (Out == 1)
      as_built::dot_products<Scalar>(x, x_step, w, In, *bias, z, samples);
    else
      as_built::product<Scalar>({w, 1, Out}, {x, 1, x_step}, In, {StartKind::column, bias}, z, Out, Out, samples);
  }
  [[gnu::noinline, gnu::flatten]] static void fixed_one_sample(const Scalar* w, const Scalar* x, const Scalar* bias, Scalar* z) {
    as_built::matrix_times_vector<Scalar>(w, Out, x, In, bias, z, Out);
  }
  [[gnu::noinline, gnu::flatten]] static void fixed_weight_gradient(const Scalar* delta, const Scalar* x, Index x_step, Index samples,
                                                                    Scalar* dW) {
    as_built::product<Scalar>({delta, 1, Out}, {x, x_step, 1}, samples, {}, dW, Out, Out, In);
  }
  [[gnu::noinline, gnu::flatten]] static void fixed_row_sums(const Scalar* delta, Index samples, Scalar* db) {
    as_built::row_sums<Scalar>(delta, Out, Out, samples, db);
  }
  [[gnu::noinline, gnu::flatten]] static void fixed_input_gradient(const Scalar* w, const Scalar* delta, Scalar* dX, Index dX_step,
                                                                   Index samples) {
    if (samples == 1)
      as_built::dot_products<Scalar>(w, Out, delta, Out, 0, dX, In);
    else
      as_built::product<Scalar>({w, Out, 1}, {delta, 1, Out}, Out, {}, dX, dX_step, In, samples);
  }

  Index outputs_;
  Index inputs_;
};

}  // namespace chainrule::kernels
