#pragma once
// The kernels are compiled once for all tests and examples, in kernels_compiled_once.cpp, and not in each file that calls them. They are
// functions that are never inlined, so it is the same code.

#include <chainrule/kernels/derivatives.hpp>
#include <chainrule/kernels/few_units.hpp>
#include <chainrule/kernels/formulas.hpp>
#include <chainrule/kernels/matrix_product.hpp>
#include <chainrule/kernels/softmax.hpp>
#include <chainrule/kernels/update_rules.hpp>
#include <chainrule/kernels/vector_math.hpp>
#include <chainrule/kernels/vector_products.hpp>
#include <chainrule/kernels/vectors.hpp>

#ifndef CHAINRULE_TEST_COMPILE
#define CHAINRULE_TEST_COMPILE extern
#endif

#define CHAINRULE_TEST_FORMULA(f, Scalar)                                                                         \
  CHAINRULE_TEST_COMPILE template void values<Formula::f, Scalar>(Index, const Scalar*, Scalar*, Scalar, Scalar); \
  CHAINRULE_TEST_COMPILE template void times_derivative<Formula::f, Scalar>(Index, const Scalar*, Scalar*, Scalar, Scalar)

#define CHAINRULE_TEST_RULE(Rule, Scalar, ...) \
  CHAINRULE_TEST_COMPILE template void update(const Rule<Scalar>&, Index, const Scalar*, Scalar* __VA_OPT__(, ) __VA_ARGS__)

#define CHAINRULE_TEST_KERNELS(Scalar)                                                                                                  \
  CHAINRULE_TEST_FORMULA(leaky_relu, Scalar);                                                                                           \
  CHAINRULE_TEST_FORMULA(elu, Scalar);                                                                                                  \
  CHAINRULE_TEST_FORMULA(softplus, Scalar);                                                                                             \
  CHAINRULE_TEST_FORMULA(silu, Scalar);                                                                                                 \
  CHAINRULE_TEST_FORMULA(gelu, Scalar);                                                                                                 \
  CHAINRULE_TEST_FORMULA(gelu_tanh, Scalar);                                                                                            \
  CHAINRULE_TEST_FORMULA(mish, Scalar);                                                                                                 \
  CHAINRULE_TEST_FORMULA(softsign, Scalar);                                                                                             \
  CHAINRULE_TEST_FORMULA(hard_tanh, Scalar);                                                                                            \
  CHAINRULE_TEST_FORMULA(hard_sigmoid, Scalar);                                                                                         \
  CHAINRULE_TEST_RULE(MomentumRule, Scalar);                                                                                            \
  CHAINRULE_TEST_RULE(MomentumRule, Scalar, Scalar*);                                                                                   \
  CHAINRULE_TEST_RULE(AdamRule, Scalar, Scalar*, Scalar*);                                                                              \
  CHAINRULE_TEST_RULE(AdamRule, Scalar, Scalar*, Scalar*, Scalar*);                                                                     \
  CHAINRULE_TEST_RULE(NAdamRule, Scalar, Scalar*, Scalar*);                                                                             \
  CHAINRULE_TEST_RULE(AdagradRule, Scalar, Scalar*);                                                                                    \
  CHAINRULE_TEST_RULE(AdadeltaRule, Scalar, Scalar*, Scalar*);                                                                          \
  CHAINRULE_TEST_RULE(RpropRule, Scalar, Scalar*, Scalar*);                                                                             \
  CHAINRULE_TEST_RULE(LionRule, Scalar, Scalar*);                                                                                       \
  CHAINRULE_TEST_COMPILE template class FewUnits<Scalar>;                                                                               \
  CHAINRULE_TEST_COMPILE template void product<Scalar>(const Product<Scalar>&, MatrixView<Scalar>);                                     \
  CHAINRULE_TEST_COMPILE template void dot_products<Scalar>(const Scalar*, Index, const Scalar*, Index, Scalar, VectorView<Scalar>);    \
  CHAINRULE_TEST_COMPILE template void matrix_times_vector<Scalar>(const Scalar*, Index, const Scalar*, Index, const Scalar*,           \
                                                                   VectorView<Scalar>);                                                 \
  CHAINRULE_TEST_COMPILE template bool all_finite<Scalar>(Index, const Scalar*);                                                        \
  CHAINRULE_TEST_COMPILE template void add_multiple<Scalar>(Index, Scalar, const Scalar*, Scalar*);                                     \
  CHAINRULE_TEST_COMPILE template void add_multiple_of_outer_product<Scalar>(const Scalar*, const Scalar*, Scalar, MatrixView<Scalar>); \
  CHAINRULE_TEST_COMPILE template void rectify<Scalar>(Index, const Scalar*, Scalar*);                                                  \
  CHAINRULE_TEST_COMPILE template void row_sums<Scalar>(ConstMatrixView<Scalar>, Scalar*);                                              \
  CHAINRULE_TEST_COMPILE template void softmax<Scalar>(ConstMatrixView<Scalar>, MatrixView<Scalar>);                                    \
  CHAINRULE_TEST_COMPILE template void exponentials<Scalar>(Index, const Scalar*, Scalar*);                                             \
  CHAINRULE_TEST_COMPILE template void tanhs<Scalar>(Index, const Scalar*, Scalar*);                                                    \
  CHAINRULE_TEST_COMPILE template void sigmoids<Scalar>(Index, const Scalar*, Scalar*);                                                 \
  CHAINRULE_TEST_COMPILE template void times_derivative<Function::tanh, Scalar>(Index, const Scalar*, Scalar*);                         \
  CHAINRULE_TEST_COMPILE template void times_derivative<Function::sigmoid, Scalar>(Index, const Scalar*, Scalar*);                      \
  CHAINRULE_TEST_COMPILE template void times_derivative<Function::relu, Scalar>(Index, const Scalar*, Scalar*)

namespace chainrule::kernels {

CHAINRULE_TEST_KERNELS(float);
CHAINRULE_TEST_KERNELS(double);
CHAINRULE_TEST_KERNELS(long double);

}  // namespace chainrule::kernels

#undef CHAINRULE_TEST_KERNELS
#undef CHAINRULE_TEST_FORMULA
#undef CHAINRULE_TEST_RULE
#undef CHAINRULE_TEST_COMPILE
