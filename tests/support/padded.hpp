#pragma once
// What the tests of products share: operands, and how many sizes are looked at.

#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <limits>
#include <vector>

namespace chainrule_test {

#if defined(CHAINRULE_SMALL_GRID)  // under sanitizers, which are slow: every third size
inline constexpr chainrule::Index size_step = 3;
#else
inline constexpr chainrule::Index size_step = 1;
#endif

/// A matrix in memory of its own that ends where its last column ends, with `gap` numbers between columns and `start` before.
template <class Scalar>
struct Padded {
  Padded(chainrule::Index rows_, chainrule::Index cols_, chainrule::Index gap = 0, chainrule::Index start_ = 0,
         Scalar fill = std::numeric_limits<Scalar>::quiet_NaN())
      : rows{rows_}, cols{cols_}, stride{rows_ + gap}, start{start_}, padding{fill} {
    memory.assign(static_cast<std::size_t>(start + stride * (cols - 1) + rows), fill);
  }

  chainrule::MatrixView<Scalar> view() { return {memory.data() + start, rows, cols, Eigen::OuterStride<>(stride)}; }
  chainrule::ConstMatrixView<Scalar> view() const { return {memory.data() + start, rows, cols, Eigen::OuterStride<>(stride)}; }

  Padded& randomize(chainrule::Random& random) {
    for (chainrule::Index j = 0; j < cols; ++j)
      for (chainrule::Index i = 0; i < rows; ++i) view()(i, j) = static_cast<Scalar>(2 * random.uniform() - 1);
    return *this;
  }

  /// Whether everything outside the matrix is still as it was.
  bool padding_is_untouched() const {
    for (chainrule::Index at = 0; at < static_cast<chainrule::Index>(memory.size()); ++at) {
      const bool is_padding = at < start || (at - start) % stride >= rows;
      if (is_padding && memory[static_cast<std::size_t>(at)] != padding) return false;
    }
    return true;
  }

  chainrule::Index rows, cols, stride, start;
  Scalar padding;
  std::vector<Scalar> memory;
};

}  // namespace chainrule_test
