#pragma once
// A small layer (small_layer.hpp) of numbers that the machine has no vectors of, or only those that every machine has: plain loops, which
// take little room in a program.

#include <chainrule/kernels/derivatives.hpp>
#include <chainrule/kernels/small_layer_pass.hpp>
#include <chainrule/kernels/vector_math.hpp>
#include <chainrule/kernels/vectors.hpp>

namespace chainrule::kernels {

template <class Scalar, int Out, int In>
class ScalarLayer {
  using Pass = SmallLayerPass<Scalar>;

 public:
  template <Function f>
  static void forward(const Pass& pass, const Scalar* bias, Scalar* a) {
    for (Index j = 0; j < pass.samples; ++j)
      for (int o = 0; o < Out; ++o) a[j * Out + o] = affine(pass.w + o, pass.x + j * pass.x_step, bias[o], pass.samples);
    if constexpr (f == Function::relu) baseline::rectify(Out * pass.samples, a, a);
    if constexpr (HasVectors<Scalar>) {
      if constexpr (f == Function::tanh) baseline::tanhs(Out * pass.samples, a, a);
      if constexpr (f == Function::sigmoid) baseline::sigmoids(Out * pass.samples, a, a);
    } else {
      if constexpr (f == Function::tanh) tanhs(Out * pass.samples, a, a);
      if constexpr (f == Function::sigmoid) sigmoids(Out * pass.samples, a, a);
    }
  }

  /// dX may be nullptr. With a factor dW and db are W and b, to which factor times the gradients are added at the end.
  template <Function f>
  static void backward(const Pass& pass, const Scalar* a, Scalar* delta, Scalar* dW, Scalar* db, Scalar* dX, Index dX_step,
                       const Scalar* factor = nullptr) {
    if constexpr (f != Function::identity) baseline::times_derivative<f>(Out * pass.samples, a, delta);
    for (Index j = 0; dX != nullptr && j < pass.samples; ++j)
      for (int i = 0; i < In; ++i) dX[j * dX_step + i] = transposed(pass.w + i * Out, delta + j * Out, pass.samples);
    for (int o = 0; o < Out; ++o) {
      for (int i = 0; i < In; ++i) put(dW + i * Out + o, over_samples(pass, delta + o, pass.x + i, pass.x_step), factor);
      const Scalar one = 1;
      put(db + o, over_samples(pass, delta + o, &one, 0), factor);
    }
  }

 private:
  // a b + c as a lane of the program's vectors gives it
  static Scalar multiply_add(Scalar a, Scalar b, Scalar c) {
    if constexpr (EigenLanes<Scalar>::width == 1)
      return EigenLanes<Scalar>::fma(a, b, c);
    else
      return a * b + c;
  }

  // b + row w of W times x, in the order of LayerProducts::affine
  static Scalar affine(const Scalar* w, const Scalar* x, Scalar b, Index samples) {
    if (Out == 1) return b + in_pairs<In>(w, x);
    Scalar sums[4] = {b};
    const int mask = samples == 1 ? 3 : 0;
    for (int i = 0; i < In; ++i) sums[i & mask] = multiply_add(w[i * Out], x[i], sums[i & mask]);
    return samples == 1 ? (sums[0] + sums[1]) + (sums[2] + sums[3]) : sums[0];
  }

  // column w of W times delta
  static Scalar transposed(const Scalar* w, const Scalar* delta, Index samples) {
    if (samples == 1) return Scalar{0} + in_pairs<Out>(w, delta);
    Scalar sum = 0;
    for (int o = 0; o < Out; ++o) sum = multiply_add(w[o], delta[o], sum);
    return sum;
  }

  // sum of delta times x over the samples
  static Scalar over_samples(const Pass& pass, const Scalar* delta, const Scalar* x, Index x_step) {
    Scalar sum = 0;
    for (Index j = 0; j < pass.samples; ++j) sum = multiply_add(delta[j * Out], x[j * x_step], sum);
    return sum;
  }

  // products of N numbers that follow one another, added in pairs: i and i + 8, then i and i + 4, and so on
  template <int N>
  static Scalar in_pairs(const Scalar* a, const Scalar* b) {
    Scalar sums[16] = {};
    for (int i = 0; i < N; ++i) sums[i] = multiply_add(a[i], b[i], Scalar{0});
    for (int half = 8; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) sums[i] += sums[half + i];
    return sums[0];
  }

  static void put(Scalar* p, Scalar sum, const Scalar* factor) { *p = factor == nullptr ? sum : multiply_add(*factor, sum, *p); }
};

}  // namespace chainrule::kernels
