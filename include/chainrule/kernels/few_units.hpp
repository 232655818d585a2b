#pragma once
// A small layer (small_layer.hpp) whose extents are values: one function for a pass through it, where LayerProducts calls one for each
// product, which takes longer than the product. To the same bits.

#include <algorithm>
#include <chainrule/kernels/derivatives.hpp>
#include <chainrule/kernels/small_layer_pass.hpp>
#include <chainrule/kernels/vector_math.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <utility>

#define CHAINRULE_KERNEL <chainrule/kernels/few_units.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// A layer of few inputs and few outputs: of no more than a register of AVX-512 holds, or two of AVX2. Where there are none, no layer is
/// small.
template <class Scalar>
class FewUnits {
  using Pass = SmallLayerPass<Scalar>;

 public:
  FewUnits(Index outputs, Index inputs) : outputs_{outputs}, inputs_{inputs} {}

  /// Whether they are few.
  bool is_small() const { return std::max(outputs_, inputs_) <= most(); }

  /// As that of SmallLayer.
  template <Function f>
  void forward(const Pass& pass, const Scalar* bias, Scalar* a) const {
    forward(f, pass, bias, a);
  }

  /// Likewise.
  template <Function f>
  void backward(const Pass& pass, const Scalar* a, Scalar* delta, Scalar* dW, Scalar* db, Scalar* dX, Index dX_step,
                const Scalar* factor = nullptr) const {
    backward(f, pass, a, delta, dW, db, dX, dX_step, factor);
  }

 private:
  // SSE2 and NEON have no masks
  static constexpr bool in_registers_as_built = HasVectors<Scalar> && !std::is_same_v<baseline::Lanes<Scalar>, EigenLanes<Scalar>>;

  static Index most() {
    if constexpr (HasWiderLanes<Scalar>) {
      const InstructionSet set = best_instruction_set();
      if (set == InstructionSet::avx512) return avx512::most_units<Scalar>;
      if (set == InstructionSet::avx2) return avx2::most_units<Scalar>;
    }
    return in_registers_as_built ? baseline::most_units<Scalar> : 0;
  }

  // one copy for all activations
  [[gnu::noinline]] void forward(Function f, const Pass& pass, const Scalar* bias, Scalar* a) const {
    if constexpr (HasWiderLanes<Scalar>) {
      const InstructionSet set = best_instruction_set();
      if (set == InstructionSet::avx512) return avx512::forward_of_few(outputs_, inputs_, f, pass, bias, a);
      if (set == InstructionSet::avx2) return avx2::forward_of_few(outputs_, inputs_, f, pass, bias, a);
    }
    if constexpr (in_registers_as_built) baseline::forward_of_few(outputs_, inputs_, f, pass, bias, a);
  }

  [[gnu::noinline]] void backward(Function f, const Pass& pass, const Scalar* a, Scalar* delta, Scalar* dW, Scalar* db, Scalar* dX,
                                  Index dX_step, const Scalar* factor) const {
    if constexpr (HasWiderLanes<Scalar>) {
      const InstructionSet set = best_instruction_set();
      if (set == InstructionSet::avx512) return avx512::backward_of_few(outputs_, inputs_, f, pass, a, delta, dW, db, dX, dX_step, factor);
      if (set == InstructionSet::avx2) return avx2::backward_of_few(outputs_, inputs_, f, pass, a, delta, dW, db, dX, dX_step, factor);
    }
    if constexpr (in_registers_as_built) baseline::backward_of_few(outputs_, inputs_, f, pass, a, delta, dW, db, dX, dX_step, factor);
  }

  Index outputs_;
  Index inputs_;
};

}  // namespace chainrule::kernels
