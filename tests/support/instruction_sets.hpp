#pragma once

#include <chainrule/kernels/instruction_sets.hpp>
#include <vector>

namespace chainrule_test {

/// The versions of a kernel for Scalar that this machine can run, the baseline first.
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

/// Calls call(tag) for each instruction set that this machine can run, the baseline first. Kernels take the tag as their first argument.
template <class Scalar, class Call>
void for_each_runnable_set(const Call& call) {
  namespace k = chainrule::kernels;
  call(k::baseline::Tag{});
#if CHAINRULE_DISPATCH >= 1
  if constexpr (k::HasWiderLanes<Scalar>) {
    const k::InstructionSet set = k::best_instruction_set();
#if CHAINRULE_DISPATCH >= 2
    if (set != k::InstructionSet::baseline) call(k::avx2::Tag{});
#endif
    if (set == k::InstructionSet::avx512) call(k::avx512::Tag{});
  }
#endif
}

}  // namespace chainrule_test
