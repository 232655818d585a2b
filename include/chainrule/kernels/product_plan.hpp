#pragma once
// The plan of a matrix product: which loops compute it, what is packed, and what is prefetched. All such decisions are made here, from the
// shape of the product and a few facts about the machine, with their reasons; product.inc carries a plan out. A plan decides about speed
// alone: the order of every sum (sum_order.hpp) depends on nothing but the depth of the product.

#include <algorithm>
#include <chainrule/core/types.hpp>
#include <chainrule/kernels/cache_sizes.hpp>
#include <chainrule/kernels/sum_order.hpp>

namespace chainrule::kernels {

/// C = start + A B as a plan needs to know it. Steps are the distances between neighbours, in numbers.
struct ProductShape {
  Index rows, columns, depth;  ///< C is rows x columns
  Index a_row_step, a_column_step;
  Index b_row_step, b_column_step;
  Index c_step;              ///< between columns of C, whose rows follow one another
  Index scalar_size;         ///< bytes of a number
  bool starts_with_zero;     ///< C = A B
  bool adds_at_the_end;      ///< C <- C + f A B, which needs the whole sum at once
  bool a_is_remote = false;  ///< other cores have written parts of A
};

/// The vectors of an instruction set.
struct VectorUnit {
  Index width;       ///< numbers in a register
  Index half_width;  ///< numbers in a register of half the size; equal to width where there is none
  Index registers;
  bool is_fallback;  ///< Eigen's vectors although the program also has AVX2 or AVX-512 kernels: few tile shapes, to compile faster
  bool half_is_faster = false;  ///< a register of half the size is multiplied in half the time
};

enum class ProductMethod {
  row,         ///< C is one row in one piece: computed as a column, C^T = start^T + B^T A^T
  outer,       ///< C = a b^T or C + f a b^T for one column a and one row b^T, column by column; the speed of memory limits it
  column,      ///< C is one column: up to 8 vectors of rows at a time, so that the processor has independent sums to add to
  tiles,       ///< tiles of C stay in registers during the loop over the depth
  transposed,  ///< C has few columns: C^T = B^T A^T by tiles, with B^T packed and A read in place, and then transposed
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
  Index columns_at_once;  ///< `column` and `tiles` read so many columns of A for many rows before the next ones; 0: all
  Index columns_of_part;  ///< `tiles` computes so many columns of C for the whole depth before the next ones; 0: all
  int tile_columns;       ///< columns of C in a tile
  bool packs_a;           ///< each panel of A (of B^T where C is computed transposed) is copied, so that its columns follow one another
  bool packs_b;           ///< the part of B that columns_of_part columns of C need is copied, a block of the depth at a time
  bool prefetches_a;      ///< the next panel of A is prefetched while this one is computed
  bool prefetches_c;      ///< the next tile of C is prefetched

  /// The most rows of a panel where `left` >= width rows are left. 48 rows of float with AVX-512: 3 registers x 8 columns are 24 sums in 32
  /// registers, and each number of B is used three times. Four registers' worth of rows is 2 + 2, which is faster than 3 + 1.
  Index most_rows(Index left) const {
    if (vectors.is_fallback || (left > 3 * vectors.width && left <= 4 * vectors.width)) return 2 * vectors.width;
    return 3 * vectors.width;
  }

  /// The panel that comes next. Registers of half the size compute rows that fill no more than one, and the last rows where this saves
  /// time.
  RowPanel next_panel(Index left) const {
    const bool has_halves = vectors.half_width < vectors.width;
    if (has_halves && left <= vectors.half_width) return {left, 1, true};
    const Index over = left % vectors.width;
    const bool half_at_the_end = has_halves && vectors.half_is_faster && over <= vectors.half_width;
    const Index in_whole_registers = half_at_the_end ? left - over : left;
    const Index rows = (std::min)(in_whole_registers, most_rows(in_whole_registers));
    return {rows, static_cast<int>((rows + vectors.width - 1) / vectors.width), false};
  }
};

/// Columns in a tile of one, two or three registers of rows. With 32 registers 3 x 8 sums, 3 registers of A and one of B. With 16 registers
/// 3 x 4 sums, and 1 x 8, because two ports and a latency of 4 cycles need 8 sums that do not wait for one another.
constexpr int columns_of_tile(const VectorUnit& vectors, int registers_of_rows = 3) {
  if (vectors.registers >= 32) return 8;
  return registers_of_rows == 1 && vectors.width > 1 && !vectors.is_fallback ? 8 : 4;
}

/// Whether tiles with one column less are compiled: 3 x 3 sums are as fast as 3 x 4, but 3 x 2 and 3 x 1 are too few.
constexpr bool has_narrower_tiles(const VectorUnit& vectors, int registers_of_rows) {
  return vectors.width > 1 && vectors.registers < 32 && !vectors.is_fallback && registers_of_rows > 1;
}

/// How many tiles have a column less, so that none has much fewer: 10 columns are 4 + 3 + 3. With 0, columns are left over: of 5, 2 and 1.
constexpr Index narrower_tiles(Index columns, Index tile_columns) {
  const Index tiles = (columns + tile_columns - 1) / tile_columns, missing = tiles * tile_columns - columns;
  return missing <= tiles ? missing : 0;
}

/// Whether tiles with one column more are compiled: 3 x 9 sums and 3 registers of A leave 2, which suffice where multiplications read B
/// from memory.
constexpr bool has_wider_tiles(const VectorUnit& vectors) { return vectors.width >= 8 && vectors.registers >= 32 && !vectors.is_fallback; }

/// How many tiles have a column more, so that few columns are left for narrow tiles, which have too few independent sums: 65 columns are
/// 7 x 8 + 9 and not 8 x 8 + 1. Half a tile's columns stay in a tile of their own.
constexpr Index wider_tiles(Index columns, Index tile_columns) {
  const Index over = columns % (tile_columns / 2);
  return over <= columns / tile_columns ? over : 0;
}

/// Columns at least this many bytes apart lie in pages of their own, or almost (a page has 4 KiB): the processor does not prefetch the next
/// one by itself, each takes an entry of the TLB, and all fall into few sets of the L1 cache.
inline constexpr Index bytes_of_almost_a_page = 3072;

using detail::bytes_of_line;

/// The sizes in bytes at which plans change, for an L2 cache. They grow with it up to 1 MiB, as Zen 4 has it. On Sapphire Rapids, which has
/// 2 MiB, twice these sizes took 1.00 of the time and half of them 1.01, in the mean of 95 products; so only `of_a` grows further.
struct PlanSizes {
  explicit constexpr PlanSizes(const CacheSizes& caches)
      : beyond{(std::min)(caches.plausible().l2, Index{1} << 20)},
        within{beyond / 2},
        far_beyond{4 * beyond},
        of_a{(std::max)(within, caches.plausible().l2 / 2)} {}
  Index beyond;      ///< a matrix of this size does not stay in L2, which other data share
  Index within;      ///< the most of A, and about as much of B and C together, that stays in L2 while it is used again and again
  Index far_beyond;  ///< a matrix of this size does not stay in L2 even in part
  Index of_a;        ///< the largest A that stays in L2 while much larger B and C pass through it, a part at a time
};

/// Columns of A that are half a page apart or more are read from end to end, a few at a time, where A is read once or comes from memory:
/// this suits the hardware prefetcher.
inline constexpr Index bytes_of_half_a_page = 2048;

/// Whether C^T may be computed with these vectors: with those of AVX2 and AVX-512. Others have to be measured first.
constexpr bool can_transpose(const VectorUnit& vectors, Index scalar_size) {
  return vectors.width * scalar_size >= 32 && vectors.registers >= 16 && !vectors.is_fallback;
}

/// C^T is not computed for sums of fewer terms, because the cost of transposing it is divided by their number.
inline constexpr Index min_depth_to_transpose = 96;

/// Whether C^T = B^T A^T is cheaper than C = A B where the rows of A are contiguous. Costs are counted in multiplications of a register's
/// worth of A by a number. For A B, A is packed first, which costs as much as 13 columns of B, or as 21 if each of its rows lies in a page
/// of its own. For B^T A^T, B^T is packed, which is small, and each number of A is multiplied by whole registers; it has to be loaded for
/// each multiplication and C^T to be transposed, so a register costs 1.25 times as much as its numbers in A B. (Measured with AVX-512 from
/// 100 x 100 to 1000 x 1000 and for 2 to 96 columns, where these costs predict the faster one unless they differ by less than 5 %; with
/// AVX2 for 8 to 48 columns, likewise.)
inline bool is_cheaper_transposed(const ProductShape& shape, const VectorUnit& vectors) {
  const Index min_rows = 4 * vectors.width;  // a piece with fewer rows than a register has is transposed row by row
  if (!can_transpose(vectors, shape.scalar_size) || shape.a_column_step != 1 || !shape.starts_with_zero ||
      shape.depth < min_depth_to_transpose || shape.rows < min_rows)
    return false;
  const Index columns_to_pack = shape.a_row_step * shape.scalar_size >= bytes_of_almost_a_page ? 21 : 13;
  const Index columns_in_whole_registers = (shape.columns + vectors.width - 1) / vectors.width * vectors.width;
  return 5 * columns_in_whole_registers <= 4 * (shape.columns + columns_to_pack);
}

/// A B of medium size is not packed for fewer rows of C, which are two panels of 48 floats and one of 32.
inline constexpr Index min_rows_to_pack_medium_b = 128;

/// Completes the plan of a product that is no row, column or outer product and not small.
template <class Caches>
[[gnu::noinline]] void plan_large_product(const ProductShape& shape, Caches caches, ProductPlan& plan) {
  if (shape.rows == 0 || shape.columns == 0) return;
  const VectorUnit& vectors = plan.vectors;
  const PlanSizes sizes(caches);
  const bool columns_of_a_are_contiguous = shape.a_row_step == 1;
  if (!columns_of_a_are_contiguous && is_cheaper_transposed(shape, vectors)) {
    plan.method = ProductMethod::transposed;
    return;
  }
  const bool a_is_in_pages = shape.a_column_step * shape.scalar_size >= bytes_of_almost_a_page;
  const bool has_whole_tiles = vectors.width > 1 && shape.columns >= plan.tile_columns;
  const Index bytes_of_a = shape.a_column_step * shape.depth * shape.scalar_size;
  // A large A that one tile of columns multiplies is read once, and one from memory costs more than its few tiles: both are read in the
  // order in which they are stored. Between passes the sums of a tile are stored to C, so a pass must not be too short.
  const Index bytes_to_read_in_order = (shape.columns <= plan.tile_columns ? 1 : 2) * sizes.far_beyond;
  if (vectors.width > 1 && columns_of_a_are_contiguous && shape.columns <= 32 && !shape.adds_at_the_end && shape.depth > 32 &&
      shape.a_column_step * shape.scalar_size >= bytes_of_half_a_page && bytes_of_a >= bytes_to_read_in_order) {
    plan.columns_at_once = 32;
    plan.prefetches_a = has_whole_tiles && bytes_of_a >= 2 * sizes.far_beyond;
    return;
  }
  // Where A stays in the L2 cache, but not together with C, and their columns lie in pages of their own, each panel of A would reach for
  // all of C and its pages again. So a few columns of C are computed for all panels of A, which costs less than to pack A. A larger A
  // leaves the L1 cache sooner and slows this down, which pays for a large C alone, and not where much is computed for each tile of C.
  const Index bytes_of_c = shape.c_step * shape.columns * shape.scalar_size, bytes_of_panels = shape.rows * shape.depth * shape.scalar_size;
  const bool has_small_a = bytes_of_panels <= sizes.within && bytes_of_panels + bytes_of_c >= 3 * sizes.within;
  const bool has_large_c = bytes_of_panels <= 2 * sizes.within && bytes_of_c >= 2 * sizes.far_beyond && shape.depth <= 128;
  // Where B is a transposed matrix, a tile reads a part of a line for each term. If the rows of B for a block of the depth lie far apart
  // and A, B and C do not stay in the L2 cache together, every panel of A would wait for these lines again. So two lines' worth of columns
  // of B are copied for all panels, and A need not be packed. Half as large matrices are worth copying for three panels or more of an A
  // that stays in L2, at least for a block of the depth: all of it is read again for these columns.
  const Index depth_of_block = (std::min)(shape.depth, max_chain);
  const Index bytes_of_b_row = shape.b_row_step * shape.scalar_size;
  const bool has_several_panels =
      shape.rows >= min_rows_to_pack_medium_b && shape.rows * depth_of_block * shape.scalar_size <= sizes.beyond;
  const Index medium = has_several_panels ? sizes.within / 2 : sizes.within;
  plan.packs_b = vectors.width > 1 && columns_of_a_are_contiguous && shape.b_column_step == 1 &&
                 bytes_of_b_row * depth_of_block >= medium && bytes_of_panels + bytes_of_b_row * shape.depth + bytes_of_c >= 4 * medium;
  if (plan.packs_b || (columns_of_a_are_contiguous && a_is_in_pages && (has_small_a || has_large_c))) {
    const Index few = (std::max)(Index{32}, sizes.within / 4 / (shape.rows * shape.scalar_size) / 8 * 8);
    plan.columns_of_part = plan.packs_b ? 2 * bytes_of_line / shape.scalar_size : few;
    plan.prefetches_c = has_whole_tiles && bytes_of_c >= sizes.beyond;
    return;
  }
  // A panel that is used for 192 columns or more is worth copying out of its pages. A panel of AVX2's registers fits in the L1 cache,
  // unless its columns collide there, and then pays earlier.
  const bool fits_if_packed = columns_of_a_are_contiguous && vectors.registers < 32 && shape.columns >= 64 && shape.depth >= 128 &&
                              detail::columns_collide(shape.a_column_step * shape.scalar_size);
  plan.packs_a = plan.packs_a || (vectors.width > 1 && ((a_is_in_pages && shape.columns >= 192) || fits_if_packed));
  // Where A is small and B and C do not stay in the L2 cache, they would come from further away for every panel of A and every block of the
  // depth. So they are computed a part at a time, of enough columns to make up for reading or packing A again.
  const Index bytes_of_column = (shape.depth + shape.rows) * shape.scalar_size;
  const Index bytes_of_columns = bytes_of_column * shape.columns;
  if (bytes_of_columns >= sizes.beyond && bytes_of_column * 32 <= sizes.within &&
      bytes_of_panels <= (bytes_of_columns >= 2 * bytes_of_panels ? sizes.of_a : sizes.within)) {
    const Index columns_within = sizes.within / bytes_of_column / 8 * 8;
    plan.columns_of_part = plan.packs_a ? std::max<Index>(columns_within, 512) : columns_within;
  }
  const bool has_next_tiles = has_whole_tiles && shape.columns > plan.tile_columns;
  // A line that another core has written takes some 100 ns. A tile that needs it waits, unless it was prefetched with the panel before.
  // (Two threads on Sapphire Rapids: 11 % less time for a training step of 28-300x5-1 with 64 samples, 6 % for 256x6 with 512.)
  const bool a_is_far = shape.a_is_remote || ((a_is_in_pages || fits_if_packed) && bytes_of_a >= sizes.beyond);
  plan.prefetches_a = has_next_tiles && columns_of_a_are_contiguous && a_is_far;
  plan.prefetches_c = has_next_tiles && bytes_of_c >= sizes.beyond;
}

/// The plan for a shape on a machine. `caches` is a CacheSizes or converts to one.
template <class Caches = CacheSizes>
inline ProductPlan plan_product(const ProductShape& shape, const VectorUnit& vectors, Caches caches = {}) {
  ProductPlan plan{ProductMethod::tiles, vectors, 0, 0, columns_of_tile(vectors), false, false, false, false};
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
    constexpr Index few = 8;
    const bool are_far_apart = shape.a_column_step * shape.scalar_size >= bytes_of_half_a_page;
    if (are_far_apart && shape.depth > few && !shape.adds_at_the_end) plan.columns_at_once = few;
    return plan;
  }
  // where the columns of A are not contiguous, its panels must be copied if a register holds several rows
  plan.packs_a = vectors.width > 1 && !columns_of_a_are_contiguous;
  // a small product stays in the caches by any plan, and would notice the time to choose one
  constexpr Index few_numbers = 96;
  static_assert(few_numbers <= min_depth_to_transpose);
  if (shape.rows < few_numbers && shape.columns < few_numbers && shape.depth < few_numbers) return plan;
  plan_large_product(shape, caches, plan);
  return plan;
}

/// "3 x 8 tiles of 16 numbers, 72 columns of C at a time, packs A, prefetches C".
template <class Stream>
Stream& operator<<(Stream& out, const ProductPlan& plan) {
  if (plan.method == ProductMethod::row) out << "a row, as a column";
  if (plan.method == ProductMethod::outer) out << "an outer product, column by column";
  if (plan.method == ProductMethod::column) out << "a column";
  if (plan.method == ProductMethod::transposed) out << "the transpose of C, packs B, in ";
  if (plan.method == ProductMethod::tiles || plan.method == ProductMethod::transposed)
    out << (plan.vectors.is_fallback ? 2 : 3) << " x " << plan.tile_columns << " tiles of " << plan.vectors.width << " numbers";
  if (plan.columns_at_once > 0) out << ", " << plan.columns_at_once << " columns of A at a time";
  if (plan.columns_of_part > 0) out << ", " << plan.columns_of_part << " columns of C at a time";
  if (plan.packs_a && plan.method == ProductMethod::tiles) out << ", packs A";
  if (plan.packs_b) out << ", packs B";
  if (plan.prefetches_a) out << ", prefetches A";
  if (plan.prefetches_c) out << ", prefetches C";
  return out;
}

}  // namespace chainrule::kernels
