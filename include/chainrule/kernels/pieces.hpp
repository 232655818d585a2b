#pragma once
// How the work of a kernel is cut into pieces for a team of threads. Every number is computed whole by whoever has its piece, so how
// many pieces there are, and who does which, shows in no result.

#include <algorithm>
#include <chainrule/core/team.hpp>

namespace chainrule::kernels {

/// `extent` rows or columns, cut into pieces of `size` >= 1, the last one perhaps shorter; of nothing there are no pieces.
struct Pieces {
  Index extent;
  Index size;
  Index count() const { return (extent + size - 1) / size; }
  Index first(Index piece) const { return piece * size; }
  Index length(Index piece) const { return std::min(size, extent - first(piece)); }
};

/// Columns and rows of a view, as views.
template <class View>
View columns(View m, Index first, Index count) {
  return {m.data() + first * m.outerStride(), m.rows(), count, Eigen::OuterStride<>(m.outerStride())};
}
template <class View>
View rows(View m, Index first, Index count) {
  return {m.data() + first, count, m.cols(), Eigen::OuterStride<>(m.outerStride())};
}

/// What pieces are multiples of, so that they fit tiles and cache lines: samples, and units of a layer.
inline constexpr Index sample_unit = 8;
inline constexpr Index unit_block = 48;

/// Pieces of a multiple of `unit` rows or columns. One, if nobody shares the work, or if it is not worth it: a piece should take some
/// microseconds at least. Several for each thread otherwise, so that one that is kept from working delays the others little.
inline Pieces cut(Index extent, Index unit, double operations, const Team* team) {
  constexpr double worth_sharing = 5e5, smallest = 2e5;
  if (team == nullptr || operations < worth_sharing || team->threads() < 2) return {extent, std::max(Index{1}, extent)};
  const Index most = std::min(4 * team->threads(), static_cast<Index>(operations / smallest));
  const Index units = (extent + unit - 1) / unit;
  return {extent, std::max(Index{1}, (units + most - 1) / most) * unit};
}

}  // namespace chainrule::kernels
