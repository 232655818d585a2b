#include <algorithm>
#include <chainrule/kernels/pack.hpp>
#include <cmath>
#include <iterator>
#include <limits>

#include "support/catch.hpp"

#define CHAINRULE_KERNEL "kernels/pack_probe.inc"
#include <chainrule/kernels/for_each_instruction_set.inc>

using namespace chainrule;

namespace {

template <class Scalar, class Errors>
void check(void (*look)(Errors&)) {
  Errors errors;
  look(errors);
  CHECK(errors.exponential <= 1.1L);
  CHECK(errors.exponential_of_sum <= 1.5L);
  CHECK(errors.exponential_less_1 <= 2);
  CHECK(errors.log_of_1_plus <= 2);
  CHECK(errors.others == 0);
}

}  // namespace

TEMPLATE_TEST_CASE("functions of Pack are accurate on each instruction set of this machine", "", float, double, long double) {
  check<TestType>(kernels::baseline::look_at_pack<TestType>);
  if constexpr (kernels::HasWiderLanes<TestType>) {
    const kernels::InstructionSet set = kernels::best_instruction_set();
    if (CHAINRULE_DISPATCH >= 2 && set != kernels::InstructionSet::baseline) check<TestType>(kernels::avx2::look_at_pack<TestType>);
    if (set == kernels::InstructionSet::avx512) check<TestType>(kernels::avx512::look_at_pack<TestType>);
  }
}
