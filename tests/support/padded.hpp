#pragma once

#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <limits>
#include <vector>

namespace chainrule_test {

/// Tests of products check every size_step-th size; only a third of the sizes in the slow builds with sanitizers.
#if defined(CHAINRULE_SMALL_GRID)
inline constexpr chainrule::Index size_step = 3;
#else
inline constexpr chainrule::Index size_step = 1;
#endif

/// A matrix with padding: `start` numbers before it and `gap` numbers between its columns, all equal to `fill`. The memory ends with the
/// last column, so that a sanitizer notices access beyond it.
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

  /// Whether all padding still has its initial value.
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
