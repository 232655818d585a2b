#pragma once

#include <chainrule/kernels/instruction_sets.hpp>
#include <vector>

namespace chainrule_test {

/// A kernel as it is for each instruction set, for Scalar: those that this machine can run, as built first.
template <class Scalar, class Kernel>
std::vector<Kernel> runnable(Kernel as_built, Kernel avx2, Kernel avx512) {
  using chainrule::kernels::InstructionSet;
  std::vector<Kernel> kernels{as_built};
  if constexpr (chainrule::kernels::HasWiderLanes<Scalar>) {
    const InstructionSet set = chainrule::kernels::widest();
    if (CHAINRULE_DISPATCH >= 2 && set != InstructionSet::as_built) kernels.push_back(avx2);
    if (set == InstructionSet::avx512) kernels.push_back(avx512);
  }
  return kernels;
}

}  // namespace chainrule_test
