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
inline constexpr Index sample_unit = 4;
inline constexpr Index unit_block = 16;

/// Whether work of so many operations is worth sharing at all: what threads exchange takes time too, and more where they are far apart.
/// Asked once for a whole pass or step, since memory that changes hands between its parts costs most.
inline bool worth_sharing(double operations, const Team* team) {
  constexpr double near = 1e6, far = 1.2e7;
  return team != nullptr && team->threads() > 1 && operations >= near && (operations >= far || !team->far_apart());
}

/// Pieces of a multiple of `unit` rows or columns. One, if nobody shares the work or it is over at once. One for each thread otherwise,
/// and several where that would be long ones, so that a thread that is kept from working delays the others little.
[[gnu::noinline]] inline Pieces cut_for(const Team& team, Index extent, Index unit, double operations) {
  constexpr double over_at_once = 1e5, long_enough = 4e6;
  if (operations < over_at_once || team.threads() < 2) return {extent, std::max(Index{1}, extent)};
  const Index units = (extent + unit - 1) / unit;
  const Index pieces = std::clamp(static_cast<Index>(std::min(operations / long_enough, 1e6)), team.threads(), 4 * team.threads());
  return {extent, std::max(Index{1}, (units + pieces - 1) / pieces) * unit};
}
inline Pieces cut(Index extent, Index unit, double operations, const Team* team) {
  if (team == nullptr) return {extent, std::max(Index{1}, extent)};
  return cut_for(*team, extent, unit, operations);
}

}  // namespace chainrule::kernels
