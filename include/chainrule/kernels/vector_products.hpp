#pragma once
// Matrix-vector products, for a layer that predicts a single sample; matrix_product.hpp is for batches, layer_products.hpp chooses. A sum
// in the order k = 0, 1, 2, ... would wait 4 cycles, the latency of a fused multiply-add, for each term. So each entry is split into
// several interleaved sums that are added in pairs at the end: the same number of sums in the same order on every instruction set. Where
// these would have more than max_chain terms, the product is summed in blocks (sum_order.hpp): each from zero, then added to c.

#include <algorithm>
#include <chainrule/kernels/map.hpp>
#include <chainrule/kernels/sum_order.hpp>
#include <utility>

#define CHAINRULE_KERNEL <chainrule/kernels/vector_products.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// c[i] = start + A(i, :) . b for a row-major A with rows `a_step` numbers apart. Each dot product is 16 interleaved sums (k = 0, 16, 32,
/// ... to k = 15, 31, 47, ...), which are added in pairs.
template <class Scalar>
[[gnu::noinline]] void dot_products(const Scalar* a, Index a_step, const Scalar* b, Index depth, Scalar start, VectorView<Scalar> c) {
  dispatch<Scalar>([&](auto set) { dot_products(set, a, a_step, b, depth, start, c.data(), c.size()); });
}

/// c = start + A b for a column-major A with columns `a_step` numbers apart; `start` has c.size() numbers. Each entry is four interleaved
/// sums (k = 0, 4, 8, ... to k = 3, 7, 11, ...), which are added in pairs, so a matrix of few rows keeps four times as many additions in
/// flight.
template <class Scalar>
[[gnu::noinline]] void matrix_times_vector(const Scalar* a, Index a_step, const Scalar* b, Index depth, const Scalar* start,
                                           VectorView<Scalar> c) {
  dispatch<Scalar>([&](auto set) { matrix_times_vector(set, a, a_step, b, depth, start, c.data(), c.size()); });
}

}  // namespace chainrule::kernels
