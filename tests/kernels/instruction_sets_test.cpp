#include <algorithm>
#include <chainrule/kernels/instruction_sets.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.hpp"

#define CHAINRULE_KERNEL "kernels/lanes_probe.inc"
#include <chainrule/kernels/for_each_instruction_set.inc>

using namespace chainrule;
using kernels::InstructionSet;

TEMPLATE_TEST_CASE("every lane operation gives the expected result on each instruction set of this machine", "", float, double,
                   long double) {
  CHECK(kernels::baseline::wrong_lanes<TestType>() == 0);
  CHECK(kernels::baseline::lanes_width<TestType>() >= 1);
  if constexpr (kernels::HasWiderLanes<TestType>) {
    const InstructionSet set = kernels::best_instruction_set();
    if (CHAINRULE_DISPATCH >= 2 && set != InstructionSet::baseline) {
      CHECK(kernels::avx2::wrong_lanes<TestType>() == 0);
      CHECK(kernels::avx2::lanes_width<TestType>() == 32 / static_cast<int>(sizeof(TestType)));
    }
    if (set == InstructionSet::avx512) {
      CHECK(kernels::avx512::wrong_lanes<TestType>() == 0);
      CHECK(kernels::avx512::lanes_width<TestType>() == 64 / static_cast<int>(sizeof(TestType)));
    }
  }
}

TEST_CASE("best_instruction_set is one that the processor supports and the compiler flags do not already cover") {
  const InstructionSet set = kernels::best_instruction_set();
  CHECK(kernels::best_instruction_set() == set);
#if CHAINRULE_DISPATCH == 0
  CHECK(set == InstructionSet::baseline);
#else
  if (set == InstructionSet::avx512) CHECK(__builtin_cpu_supports("avx512f"));
  if (set == InstructionSet::avx2) CHECK((CHAINRULE_DISPATCH == 2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")));
  if (set == InstructionSet::baseline) CHECK_FALSE(__builtin_cpu_supports("avx512vl"));
#endif
}

// The namespaces avx2 and avx512 exist for long double too, which has no vectors, so that callers need no special case.
TEST_CASE("only float and double have wider lanes, and only if the compiler flags do not already enable the widest") {
  STATIC_REQUIRE_FALSE(kernels::HasWiderLanes<long double>);
  STATIC_REQUIRE(kernels::HasWiderLanes<float> == (CHAINRULE_DISPATCH >= 1));
  STATIC_REQUIRE(kernels::HasWiderLanes<double> == (CHAINRULE_DISPATCH >= 1));
  STATIC_REQUIRE(kernels::EigenLanes<long double>::width == 1);
}
