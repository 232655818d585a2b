#pragma once
// Products with one vector. Sums in the order k = 0, 1, 2, ... would wait for one another; so each entry has several, added in pairs: as
// many, and in the same order, on every machine.

#include <algorithm>
#include <chainrule/kernels/map.hpp>
#include <utility>

#define CHAINRULE_KERNEL <chainrule/kernels/vector_products.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// c[i] = start + A(i, :) . b for rows of A that lie in memory in one piece, `a_step` apart. Each is summed in 16 interleaved sums, k =
/// 0, 16, 32, ... and so on, and these in pairs.
template <class Scalar>
[[gnu::noinline]] void dot_products(const Scalar* a, Index a_step, const Scalar* b, Index depth, Scalar start, VectorView<Scalar> c) {
  dispatch<Scalar>([&](auto set) { dot_products(set, a, a_step, b, depth, start, c.data(), c.size()); });
}

/// c = start + A b for one column b and columns of A that are `a_step` apart. Each entry is summed in four interleaved sums, k = 0, 4, 8,
/// ... and so on, and these in pairs: few rows are over several times as soon.
template <class Scalar>
[[gnu::noinline]] void matrix_times_vector(const Scalar* a, Index a_step, const Scalar* b, Index depth, const Scalar* start,
                                           VectorView<Scalar> c) {
  dispatch<Scalar>([&](auto set) { matrix_times_vector(set, a, a_step, b, depth, start, c.data(), c.size()); });
}

}  // namespace chainrule::kernels
