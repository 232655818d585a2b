#pragma once
// Softmax of every column. The sums are in the order of the rows, so how many columns there are shows in no result.

#include <algorithm>
#include <chainrule/kernels/vector_math.hpp>

namespace chainrule::kernels {

/// Up to so many rows several columns are done at once.
inline constexpr Index few_outputs = 32;

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/softmax.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

// p = e^(z - max z) / sum of the same: no exponential above 1
/// p(:, j) = softmax(z(:, j)) for every column j; p may be z.
template <class Scalar>
[[gnu::noinline]] void softmax(ConstMatrixView<Scalar> z, MatrixView<Scalar> p) {
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return avx512::softmax(z.data(), z.outerStride(), z.rows(), z.cols(), p.data(), p.outerStride());
    if (set == InstructionSet::avx2) return avx2::softmax(z.data(), z.outerStride(), z.rows(), z.cols(), p.data(), p.outerStride());
  }
  if constexpr (HasVectors<Scalar>) return baseline::softmax(z.data(), z.outerStride(), z.rows(), z.cols(), p.data(), p.outerStride());
  for (Index j = 0; j < z.cols(); ++j) {
    const Scalar largest = z.col(j).maxCoeff();
    Scalar sum = 0;
    for (Index i = 0; i < z.rows(); ++i) sum += p(i, j) = std::exp(z(i, j) - largest);
    for (Index i = 0; i < z.rows(); ++i) p(i, j) /= sum;
  }
}

}  // namespace chainrule::kernels
