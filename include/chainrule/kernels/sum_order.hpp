#pragma once
// The order in which the terms of a matrix product are added. If n terms are added one after the other, the rounding error of the sum can
// grow like n: the sum of 60,000 equal floats then has 3 right digits. So blocks of terms are added, each from zero, and then the sums of
// the blocks. The blocks depend on the number of terms alone, so every instruction set, tile and number of threads gives the same bits.
// (Sums of other kinds are added in pairs: row_sums_of and sum in map.hpp.)

#include <algorithm>
#include <chainrule/core/types.hpp>

namespace chainrule::kernels {

/// The most terms of a matrix product that are added one after the other. The error of a sum of n terms is then at most 256 + n/256
/// rounding errors of the sum of their absolute values, not n. A panel of 48 rows of A x 256 floats (48 KiB) stays in the caches nearest to
/// the core; longer blocks were slower in products of 4096 samples and more.
inline constexpr Index max_chain = 256;

/// Divides a sum into one block or more, of at most max_terms terms. Their lengths differ by at most 1, longer ones first: 784 terms are
/// 4 x 196 and not 3 x 256 + 16, because each block costs a load and a store of the result.
class SumBlocks {
 public:
  explicit SumBlocks(Index terms, Index max_terms = max_chain)
      : terms_{terms}, count_{terms <= max_terms ? 1 : (terms + max_terms - 1) / max_terms} {}

  Index count() const { return count_; }
  /// The first term of a block, 0 <= block <= count(); that of block count() is the number of terms. (Divides only where there are several
  /// blocks, because small products would notice the time.)
  Index first(Index block) const {
    if (block == 0 || block == count_) return block == 0 ? 0 : terms_;
    return block * (terms_ / count_) + (std::min)(block, terms_ % count_);
  }
  /// The number of terms of a block.
  Index length(Index block) const { return first(block + 1) - first(block); }

 private:
  Index terms_;
  Index count_;
};

}  // namespace chainrule::kernels
