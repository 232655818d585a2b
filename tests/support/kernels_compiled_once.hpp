#pragma once
// Declares the kernels as extern templates, so that tests and examples compile them once, in kernels_compiled_once.cpp, and not in each
// file that calls them. Kernels are never inlined, so programs run the same code either way.

#include <chainrule/kernels/matrix_product.hpp>
#include <chainrule/kernels/softmax.hpp>
#include <chainrule/kernels/vector_products.hpp>
#include <chainrule/kernels/vectors.hpp>

#ifndef CHAINRULE_TEST_COMPILE
#define CHAINRULE_TEST_COMPILE extern
#endif

#define CHAINRULE_TEST_KERNELS(Scalar)                                                                                               \
  CHAINRULE_TEST_COMPILE template void product<Scalar>(const Product<Scalar>&, MatrixView<Scalar>);                                  \
  CHAINRULE_TEST_COMPILE template void dot_products<Scalar>(const Scalar*, Index, const Scalar*, Index, Scalar, VectorView<Scalar>); \
  CHAINRULE_TEST_COMPILE template void matrix_times_vector<Scalar>(const Scalar*, Index, const Scalar*, Index, const Scalar*,        \
                                                                   VectorView<Scalar>);                                              \
  CHAINRULE_TEST_COMPILE template bool all_finite<Scalar>(Index, const Scalar*);                                                     \
  CHAINRULE_TEST_COMPILE template void row_sums<Scalar>(ConstMatrixView<Scalar>, Scalar*);                                           \
  CHAINRULE_TEST_COMPILE template void softmax<Scalar>(ConstMatrixView<Scalar>, MatrixView<Scalar>)

namespace chainrule::kernels {

CHAINRULE_TEST_KERNELS(float);
CHAINRULE_TEST_KERNELS(double);
CHAINRULE_TEST_KERNELS(long double);

}  // namespace chainrule::kernels

#undef CHAINRULE_TEST_KERNELS
#undef CHAINRULE_TEST_COMPILE
