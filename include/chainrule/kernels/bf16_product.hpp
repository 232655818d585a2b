#pragma once
// Matrix products of bfloat16 numbers with sums in float, C = start + L R, for processors with AVX512_BF16 or AMX. Both instructions
// multiply pairs of terms that stand side by side, so L and R are packed first: into blocks of 16 rows of L, or 16 columns of R, by 32
// terms, 1 KiB each, which is a tile of AMX. Beyond the last row, column or term a block holds zeros.
//
//     block of L:  row 0: terms 0, 1, ..., 31;  row 1: terms 0, 1, ..., 31;  ...
//     block of R:  terms 0 and 1 of column 0, of column 1, ..., of column 15;  terms 2 and 3 of column 0, ...;  ...
//
// C is written by rows, each of which is contiguous in memory: a row of C is a column of an Eigen matrix.

#include <algorithm>
#include <chainrule/kernels/bf16.hpp>

#if defined(CHAINRULE_HAS_BF16_KERNELS)
#include <immintrin.h>
#endif

namespace chainrule::kernels {

/// The rows of L or columns of R, and the terms, that a block holds.
inline constexpr Index lines_of_block = 16, terms_of_block = 32;
/// The numbers in a block.
inline constexpr Index size_of_block = lines_of_block * terms_of_block;

/// The blocks that so many rows, columns or terms take.
constexpr Index blocks_of_lines(Index lines) { return (lines + lines_of_block - 1) / lines_of_block; }
constexpr Index blocks_of_terms(Index terms) { return (terms + terms_of_block - 1) / terms_of_block; }
/// The numbers in a packed matrix.
constexpr Index packed_size(Index lines, Index terms) { return blocks_of_lines(lines) * blocks_of_terms(terms) * size_of_block; }

/// A matrix of floats to be packed, or a part of it. A line is a row of L or a column of R.
struct Unpacked {
  const float* data;
  Index step;   ///< between lines that have their terms side by side in memory, or between terms that have their lines side by side
  bool across;  ///< memory has the lines of a term side by side
  Index lines, terms;
};

/// The matrix that a product writes, and what becomes of its sums.
struct Bf16Result {
  float* c;
  Index step;                     ///< between rows of C
  Index rows, columns;            ///< the extents of C
  const float* start = nullptr;   ///< the sums of column n begin with start[n]; null: with 0
  const float* factor = nullptr;  ///< C <- C + factor sums; null: C <- sums
  /// The part that begins with row m and column n.
  Bf16Result from(Index m, Index n) const {
    return {c + m * step + n, step, rows - m, columns - n, start == nullptr ? nullptr : start + n, factor};
  }
};

}  // namespace chainrule::kernels

#if defined(CHAINRULE_HAS_BF16_KERNELS)

namespace chainrule::kernels::avx512_bf16 {
#include <chainrule/kernels/lanes/begin_avx512_bf16.inc>

#include <chainrule/kernels/bf16_blocks_avx512.inc>
#include <chainrule/kernels/bf16_product.inc>

#include <chainrule/kernels/lanes/end.inc>
}  // namespace chainrule::kernels::avx512_bf16

namespace chainrule::kernels::amx_bf16 {
#include <chainrule/kernels/lanes/begin_amx_bf16.inc>

#include <chainrule/kernels/bf16_blocks_amx.inc>
#include <chainrule/kernels/bf16_product.inc>

#include <chainrule/kernels/lanes/end.inc>
}  // namespace chainrule::kernels::amx_bf16

#endif

namespace chainrule::kernels {

/// Packs lines of L (`is_left`) or of R: `packed` has packed_size(lines, terms) numbers. Call it only where best_bf16_unit() is not none.
inline void pack_bf16([[maybe_unused]] bool is_left, [[maybe_unused]] const Unpacked& from, [[maybe_unused]] Bf16* packed) {
#if defined(CHAINRULE_HAS_BF16_KERNELS)
  if (from.across == is_left)
    avx512_bf16::pack<true>(from, packed);
  else
    avx512_bf16::pack<false>(from, packed);
#endif
}

/// The most terms whose whole sums a unit has at once.
inline Index most_terms_at_once([[maybe_unused]] Bf16Unit unit) {
#if defined(CHAINRULE_HAS_BF16_KERNELS)
  return terms_of_block * (unit == Bf16Unit::amx ? amx_bf16::term_blocks_at_once : avx512_bf16::term_blocks_at_once);
#else
  return 0;
#endif
}

/// C = start + L R or C <- C + factor L R, for packed L and R of so many terms, on a unit that this processor has. With a factor there are
/// at most most_terms_at_once(unit) terms, because the whole sum is needed at once.
///
/// The order of a sum depends on the number of terms alone. AVX512_BF16: blocks of at most 256 terms, each from zero, the first from the
/// start; in a block the terms 1, 0, 3, 2, 5, 4, ... AMX: blocks of 32 terms, of which it adds those with even and those with odd numbers,
/// then both, and that to what is there.
inline void bf16_product([[maybe_unused]] Bf16Unit unit, [[maybe_unused]] Index terms, [[maybe_unused]] const Bf16* left,
                         [[maybe_unused]] const Bf16* right, [[maybe_unused]] const Bf16Result& result) {
#if defined(CHAINRULE_HAS_BF16_KERNELS)
  if (unit == Bf16Unit::amx) return bf16_product(amx_bf16::Tag{}, terms, left, right, result);
  if (unit == Bf16Unit::avx512) bf16_product(avx512_bf16::Tag{}, terms, left, right, result);
#endif
}

}  // namespace chainrule::kernels
