#pragma once
// Softmax of every column of a matrix, for losses and predictions. The order of each sum depends only on the number of rows, so the result
// for a sample does not depend on the batch around it. Below it: map.hpp.

#include <algorithm>
#include <chainrule/kernels/map.hpp>

namespace chainrule::kernels {

/// Columns of at most this many rows are short: softmax computes W of them at once, one in each lane of the registers, where W is the width
/// of a register. Their W x 32 numbers (2 KiB with AVX-512) fit on the stack. Longer columns are computed one after the other.
inline constexpr Index max_short_column = 32;

}  // namespace chainrule::kernels

#include <chainrule/core/detail/undefine_min_max.inc>

#define CHAINRULE_KERNEL <chainrule/kernels/softmax.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

#include <chainrule/core/detail/restore_min_max.inc>

namespace chainrule::kernels {

/// p(:, j) = e^(z(:, j) - m) / sum of e^(z(:, j) - m) with m = max z(:, j), for every column j, so no exponential exceeds 1. p may be z.
template <class Scalar>
[[gnu::noinline]] void softmax(ConstMatrixView<Scalar> z, MatrixView<Scalar> p) {
  dispatch<Scalar>([&](auto set) { softmax(set, z.data(), z.outerStride(), z.rows(), z.cols(), p.data(), p.outerStride()); });
}

/// largest[j] = m = max z(:, j), and others[j] = the sum of e^(z(i, j) - m) over all i but one with z(i, j) = m, for every column j. The
/// logarithm of the sum of e^z is then m + ln(1 + others), also where others is tiny.
template <class Scalar>
[[gnu::noinline]] void exponential_sums(ConstMatrixView<Scalar> z, Scalar* largest, detail::Accumulator<Scalar>* others) {
  dispatch<Scalar>([&](auto set) { exponential_sums(set, z.data(), z.outerStride(), z.rows(), z.cols(), largest, others); });
}

}  // namespace chainrule::kernels
