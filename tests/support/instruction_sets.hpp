#pragma once

#include <chainrule/kernels/instruction_sets.hpp>
#include <vector>

namespace chainrule_test {

/// A kernel as it is for each instruction set, for Scalar: those that this machine can run, as built first.
template <class Scalar, class Kernel>
std::vector<Kernel> runnable(Kernel baseline, Kernel avx2, Kernel avx512) {
  using chainrule::kernels::InstructionSet;
  std::vector<Kernel> kernels{baseline};
  if constexpr (chainrule::kernels::HasWiderLanes<Scalar>) {
    const InstructionSet set = chainrule::kernels::best_instruction_set();
    if (CHAINRULE_DISPATCH >= 2 && set != InstructionSet::baseline) kernels.push_back(avx2);
    if (set == InstructionSet::avx512) kernels.push_back(avx512);
  }
  return kernels;
}

}  // namespace chainrule_test
