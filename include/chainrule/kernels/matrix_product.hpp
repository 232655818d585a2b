#pragma once
// Matrix products, in which most of the time of training is spent:  W a + b,  W^T delta,  delta a^T.  They allocate nothing. Every entry is
// summed in the order k = 0, 1, 2, ... in blocks of at most max_chain terms (sum_order.hpp): the first block begins with the start value,
// each later one with zero, and is then added. So the order depends on the depth alone, and not on the rows and columns, alignment, the
// machine's vectors or the plan (product_plan.hpp).

#include <algorithm>
#include <chainrule/kernels/cache_sizes.hpp>
#include <chainrule/kernels/instruction_sets.hpp>
#include <chainrule/kernels/prefetch.hpp>
#include <chainrule/kernels/product_plan.hpp>
#include <chainrule/kernels/sum_order.hpp>
#include <utility>

namespace chainrule::kernels {

/// An m x k or k x n operand: element (i, j) is data[i * row_step + j * column_step]. `is_remote` says that other cores have written parts
/// of it; then it is prefetched where it is the left one.
template <class Scalar>
struct Operand {
  const Scalar* data;
  Index row_step;
  Index column_step;
  bool is_remote = false;
  const Scalar* at(Index i, Index j) const { return data + i * row_step + j * column_step; }
  /// The part that begins with element (i, j).
  Operand from(Index i, Index j) const { return {at(i, j), row_step, column_step}; }
};

/// Start value of the sums of a product:
///     zero      0
///     column    entry i of `column` for all of row i: a bias
///     all       the one number that `column` points to
///     c         what C holds
///     step      0, and C becomes C + f sum at the end, where f is the one number that `column` points to
enum class StartKind { zero, column, all, c, step };
template <class Scalar>
struct Start {
  StartKind kind = StartKind::zero;
  const Scalar* column = nullptr;
  Start from_row(Index i) const { return {kind, kind == StartKind::column ? column + i : column}; }
};

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/product.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// C = start + A B. The depth of a step is at most max_chain.
template <class Scalar>
struct Product {
  Operand<Scalar> a;  ///< rows of C x depth
  Operand<Scalar> b;  ///< depth x columns of C
  Index depth;
  Start<Scalar> start;
};

/// The plan of a product on this machine.
template <class Scalar>
ProductPlan plan_of(const Product<Scalar>& p, ConstMatrixView<Scalar> c) {
  return dispatch<Scalar>([&](auto set) { return plan_of(set, p.a, p.b, p.depth, p.start, c.outerStride(), c.rows(), c.cols()); });
}

/// Computes the product with the widest vectors of this machine: calls the `product` of product.inc for the best instruction set.
template <class Scalar>
[[gnu::noinline]] void product(const Product<Scalar>& p, MatrixView<Scalar> c) {
  dispatch<Scalar>([&](auto set) { product(set, p.a, p.b, p.depth, p.start, c.data(), c.outerStride(), c.rows(), c.cols()); });
}

}  // namespace chainrule::kernels
