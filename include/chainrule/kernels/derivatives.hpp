#pragma once
// delta = dJ/da * f'(z) from a = f(z), for the activations that most nets have.

#include <chainrule/kernels/instruction_sets.hpp>

namespace chainrule::kernels {

/// f'(z) = 1 of the identity, (1 - a)(1 + a) of tanh, a (1 - a) of sigma, and of ReLU 1 where a > 0 and else 0.
enum class Function { identity, tanh, sigmoid, relu };

/// Says of the activation F that it is one of these. What is derived from F may compute something else, and has not said so.
template <class F>
struct Known {
  Function function;
};
template <class F>
concept IsKnown = requires {
  requires std::is_same_v<decltype(F::known), const Known<F>>;
};

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/derivatives.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// delta[i] <- delta[i] f'(z[i]) for all i < size, where a = f(z).
template <Function f, class Scalar>
[[gnu::noinline]] void times_derivative(Index size, const Scalar* a, Scalar* delta) {
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return avx512::times_derivative<f>(size, a, delta);
    if (set == InstructionSet::avx2) return avx2::times_derivative<f>(size, a, delta);
  }
  baseline::times_derivative<f>(size, a, delta);
}

}  // namespace chainrule::kernels
