#pragma once
// Softmax of every column. The sums are in the order of the rows, so how many columns there are shows in no result.

#include <algorithm>
#include <chainrule/kernels/map.hpp>

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
  dispatch<Scalar>([&](auto set) { softmax(set, z.data(), z.outerStride(), z.rows(), z.cols(), p.data(), p.outerStride()); });
}

}  // namespace chainrule::kernels
