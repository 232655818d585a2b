#pragma once
// Softmax of every column of a matrix, for losses and predictions. Each sum is added in the order of the rows, so the result for a sample
// does not depend on the batch around it. Below it: map.hpp.

#include <algorithm>
#include <chainrule/kernels/map.hpp>

namespace chainrule::kernels {

/// Columns of at most this many rows are short: softmax computes W of them at once, one in each lane of the registers, where W is the width
/// of a register. Their W x 32 numbers (2 KiB with AVX-512) fit on the stack. Longer columns are computed one after the other.
inline constexpr Index max_short_column = 32;

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/softmax.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// p(:, j) = e^(z(:, j) - m) / sum of e^(z(:, j) - m) with m = max z(:, j), for every column j, so no exponential exceeds 1. p may be z.
template <class Scalar>
[[gnu::noinline]] void softmax(ConstMatrixView<Scalar> z, MatrixView<Scalar> p) {
  dispatch<Scalar>([&](auto set) { softmax(set, z.data(), z.outerStride(), z.rows(), z.cols(), p.data(), p.outerStride()); });
}

}  // namespace chainrule::kernels
