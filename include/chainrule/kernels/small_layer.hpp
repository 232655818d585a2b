#pragma once
// A dense layer of at most 16 inputs and outputs, built for just these extents. Its sums, and their order, are those of LayerProducts, so
// the bits are too.
//
//     forward    z = W x + b,  a = f(z)
//     backward   delta = dJ/da f'(z),  dJ/dx = W^T delta,  dJ/dW = delta x^T,  dJ/db = row sums of delta

#include <chainrule/kernels/few_units.hpp>
#include <chainrule/kernels/register_layer.hpp>
#include <chainrule/kernels/scalar_layer.hpp>

namespace chainrule::kernels {

/// With the vectors that the program's flags allow, or else with AVX2's where the machine has them: those of AVX-512 would hardly be
/// filled. Where there are neither it is plain loops.
template <class Scalar, int Out, int In>
class SmallLayer {
  using Pass = SmallLayerPass<Scalar>;
  using Loops = ScalarLayer<Scalar, Out, In>;
  static constexpr bool has_avx2_beside = HasWiderLanes<Scalar> && CHAINRULE_DISPATCH >= 2;
  using Vectors = avx2::RegisterLayer<Scalar, Out, In>;  // or baseline's, see for_each_instruction_set.inc
  using Best = std::conditional_t<has_avx2_beside || HasVectors<Scalar>, Vectors, Loops>;

 public:
  SmallLayer(Index, Index) {}
  static constexpr bool is_small() { return true; }

  template <Function f>
  static void forward(const Pass& pass, const Scalar* bias, Scalar* a) {
    if constexpr (has_avx2_beside)
      if (best_instruction_set() == InstructionSet::baseline) return Loops::template forward<f>(pass, bias, a);
    Best::template forward<f>(pass, bias, a);
  }

  /// dX may be nullptr. With a factor dW and db are W and b, to which factor times the gradients are added at the end.
  template <Function f>
  static void backward(const Pass& pass, const Scalar* a, Scalar* delta, Scalar* dW, Scalar* db, Scalar* dX, Index dX_step,
                       const Scalar* factor = nullptr) {
    if constexpr (has_avx2_beside)
      if (best_instruction_set() == InstructionSet::baseline)
        return Loops::template backward<f>(pass, a, delta, dW, db, dX, dX_step, factor);
    Best::template backward<f>(pass, a, delta, dW, db, dX, dX_step, factor);
  }
};

/// That, or a layer of few units, where an extent is a value.
template <class Scalar, int Out, int In>
using SmallLayerOf = std::conditional_t<is_small_layer(Out, In), SmallLayer<Scalar, Out, In>, FewUnits<Scalar>>;

}  // namespace chainrule::kernels
