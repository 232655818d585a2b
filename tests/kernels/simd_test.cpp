#include <algorithm>
#include <array>
#include <chainrule/kernels/simd.hpp>
#include <cmath>
#include <iterator>
#include <limits>

#include "support/catch.hpp"

#define CHAINRULE_KERNEL "kernels/simd_probe.inc"
#include <chainrule/kernels/for_each_instruction_set.inc>

using namespace chainrule;

namespace {

template <class Scalar, class Errors>
void check(void (*measure)(Errors&)) {
  Errors errors;
  measure(errors);
  CHECK(errors.exponential <= 1.1L);
  CHECK(errors.exponential_of_sum <= 1.5L);
  CHECK(errors.exponential_less_1 <= 2);
  CHECK(errors.log_of_1_plus <= 2);
  CHECK(errors.others == 0);
}

}  // namespace

TEMPLATE_TEST_CASE("Simd's operators and functions give the results of single numbers, on each instruction set of this machine", "", float,
                   double, long double) {
  check<TestType>(kernels::baseline::measure_simd<TestType>);
  if constexpr (kernels::HasWiderLanes<TestType>) {
    const kernels::InstructionSet set = kernels::best_instruction_set();
    if (CHAINRULE_DISPATCH >= 2 && set != kernels::InstructionSet::baseline) check<TestType>(kernels::avx2::measure_simd<TestType>);
    if (set == kernels::InstructionSet::avx512) check<TestType>(kernels::avx512::measure_simd<TestType>);
  }
}
