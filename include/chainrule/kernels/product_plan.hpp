#pragma once
// The plan of a matrix product: which loops compute it, what is packed, and what is prefetched. All such decisions are made here, from the
// shape of the product and a few facts about the machine, with their reasons; product.inc carries a plan out. A plan decides about speed
// alone: the order of every sum (sum_order.hpp) depends on nothing but the depth of the product.

#include <algorithm>
#include <chainrule/core/types.hpp>

namespace chainrule::kernels {

/// C = start + A B as a plan needs to know it. Steps are the distances between neighbours, in numbers.
struct ProductShape {
  Index rows, columns, depth;  ///< C is rows x columns
  Index a_row_step, a_column_step;
  Index c_step;           ///< between columns of C, whose rows follow one another
  Index scalar_size;      ///< bytes of a number
  bool starts_with_zero;  ///< C = A B
  bool adds_at_the_end;   ///< C <- C + f A B, which needs the whole sum at once
};

/// The vectors of an instruction set.
struct VectorUnit {
  Index width;       ///< numbers in a register
  Index half_width;  ///< numbers in a register of half the size; equal to width where there is none
  Index registers;
  bool is_fallback;  ///< Eigen's vectors although the program also has AVX2 or AVX-512 kernels: few tile shapes, to compile faster
};

enum class ProductMethod {
  row,     ///< C is one row in one piece: computed as a column, C^T = start^T + B^T A^T
  outer,   ///< C = a b^T or C + f a b^T for one column a and one row b^T, column by column; the speed of memory limits it
  column,  ///< C is one column: up to 8 vectors of rows at a time, so that the processor has independent sums to add to
  tiles,   ///< tiles of C stay in registers during the loop over the depth
};

/// The next rows of A and C that a product by tiles computes.
struct RowPanel {
  Index rows;    ///< at most vectors * width
  int vectors;   ///< registers that a column of it takes: 1 to 3
  bool is_half;  ///< in registers of half the size
};

struct ProductPlan {
  ProductMethod method;
  VectorUnit vectors;
  Index columns_at_once;  ///< `column` reads so many columns of A for all rows before the next ones
  Index columns_of_part;  ///< `tiles` computes so many columns of C for the whole depth before the next ones; 0: all
  int tile_columns;       ///< columns of C in a tile
  bool packs_a;           ///< each panel of A is copied, so that its columns follow one another
  bool prefetches_a;      ///< the next panel of A is prefetched while this one is computed
  bool prefetches_c;      ///< the next tile of C is prefetched

  /// The most rows of a panel where `left` >= width rows are left. 48 rows of float with AVX-512: 3 registers x 8 columns are 24 sums in 32
  /// registers, and each number of B is used three times. Four registers' worth of rows is 2 + 2, which is faster than 3 + 1.
  Index most_rows(Index left) const {
    if (vectors.is_fallback || (left > 3 * vectors.width && left <= 4 * vectors.width)) return 2 * vectors.width;
    return 3 * vectors.width;
  }

  /// The panel that comes next. Rows that fill less than half a register are computed in registers of half the size, last of all.
  RowPanel next_panel(Index left) const {
    const Index over = left % vectors.width;
    const bool half_at_the_end = vectors.half_width < vectors.width && over <= vectors.half_width;
    const Index in_whole_registers = half_at_the_end ? left - over : left;
    if (in_whole_registers == 0) return {over, 1, true};
    const Index rows = (std::min)(in_whole_registers, most_rows(in_whole_registers));
    return {rows, static_cast<int>((rows + vectors.width - 1) / vectors.width), false};
  }
};

/// Columns in a tile: with 32 registers 3 x 8 sums, 3 registers of A and one of B; with 16 registers 3 x 4 sums.
constexpr int columns_of_tile(Index registers) { return registers >= 32 ? 8 : 4; }

/// Columns at least this many bytes apart lie in pages of their own, or almost (a page has 4 KiB): the processor does not prefetch the next
/// one by itself, each takes an entry of the TLB, and all fall into few sets of the first cache.
inline constexpr Index bytes_of_almost_a_page = 3072;

/// A matrix of this many bytes does not stay in the second cache (1 MiB on Zen 4, 2 MiB on Sapphire Rapids, shared with other data).
inline constexpr Index bytes_beyond_second_cache = Index{1} << 20;

/// The most bytes of A, and about as many of B and C together, that stay in the second cache while they are used again and again.
inline constexpr Index bytes_within_second_cache = Index{1} << 19;

/// The plan for a shape on a machine.
inline ProductPlan plan_product(const ProductShape& shape, const VectorUnit& vectors) {
  ProductPlan plan{ProductMethod::tiles, vectors, shape.depth, 0, columns_of_tile(vectors.registers), false, false, false};
  const bool columns_of_a_are_contiguous = shape.a_row_step == 1;
  if (shape.rows == 1 && shape.columns > 1 && shape.c_step == 1) {
    plan.method = ProductMethod::row;
    return plan;
  }
  if (columns_of_a_are_contiguous && shape.depth == 1 && (shape.starts_with_zero || shape.adds_at_the_end)) {
    plan.method = ProductMethod::outer;
    return plan;
  }
  if (columns_of_a_are_contiguous && shape.columns == 1) {
    plan.method = ProductMethod::column;
    // columns of A half a page apart or more are read eight at a time from end to end: this suits the hardware prefetcher
    const bool few_at_a_time = shape.a_column_step * shape.scalar_size >= 2048 && !shape.adds_at_the_end;
    if (few_at_a_time) plan.columns_at_once = 8;
    return plan;
  }
  const bool a_is_in_pages = shape.a_column_step * shape.scalar_size >= bytes_of_almost_a_page;
  // a panel that is used for 192 columns or more is worth copying out of its pages; one whose columns are not contiguous must be copied if
  // a register holds several of its rows
  plan.packs_a = vectors.width > 1 && (!columns_of_a_are_contiguous || (a_is_in_pages && shape.columns >= 192));
  // Where A is small and B and C do not stay in the second cache, they would come from further away for every panel of A and every block of
  // the depth. So they are computed a part at a time, of enough columns to make up for reading or packing A again.
  const Index bytes_of_column = (shape.depth + shape.rows) * shape.scalar_size;
  if (bytes_of_column * shape.columns >= bytes_beyond_second_cache && bytes_of_column * 64 <= bytes_within_second_cache &&
      shape.rows * shape.depth * shape.scalar_size <= bytes_within_second_cache) {
    const Index columns_within = bytes_within_second_cache / bytes_of_column / 8 * 8;
    plan.columns_of_part = plan.packs_a ? std::max<Index>(columns_within, 512) : columns_within;
  }
  const bool has_whole_tiles = vectors.width > 1 && shape.columns > plan.tile_columns;
  plan.prefetches_a = has_whole_tiles && columns_of_a_are_contiguous && a_is_in_pages &&
                      shape.a_column_step * shape.depth * shape.scalar_size >= bytes_beyond_second_cache;
  plan.prefetches_c = has_whole_tiles && shape.c_step * shape.columns * shape.scalar_size >= bytes_beyond_second_cache;
  return plan;
}

/// "3 x 8 tiles of 16 numbers, 72 columns of C at a time, packs A, prefetches C".
template <class Stream>
Stream& operator<<(Stream& out, const ProductPlan& plan) {
  if (plan.method == ProductMethod::row) out << "a row, as a column";
  if (plan.method == ProductMethod::outer) out << "an outer product, column by column";
  if (plan.method == ProductMethod::column) out << "a column, " << plan.columns_at_once << " columns of A at once";
  if (plan.method != ProductMethod::tiles) return out;
  out << (plan.vectors.is_fallback ? 2 : 3) << " x " << plan.tile_columns << " tiles of " << plan.vectors.width << " numbers";
  if (plan.columns_of_part > 0) out << ", " << plan.columns_of_part << " columns of C at a time";
  if (plan.packs_a) out << ", packs A";
  if (plan.prefetches_a) out << ", prefetches A";
  if (plan.prefetches_c) out << ", prefetches C";
  return out;
}

}  // namespace chainrule::kernels
