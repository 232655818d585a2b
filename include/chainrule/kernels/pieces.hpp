#pragma once
// How the work of a kernel is cut into pieces for a team of threads. Every number is computed whole by whoever has its piece, so how
// many pieces there are, and who does which, shows in no result.

#include <algorithm>
#include <chainrule/threads/team.hpp>

namespace chainrule::kernels {

/// `extent` rows or columns in pieces of whole units, none of them more than a unit longer than another. The last unit may be a part of
/// one; of nothing there are no pieces.
class Pieces {
 public:
  /// One piece.
  explicit Pieces(Index extent) : extent_{extent}, count_{extent > 0 ? 1 : 0} {}

  /// `count` >= 1 pieces, or as many as there are units where these are fewer.
  Pieces(Index extent, Index unit, Index count)
      : extent_{extent}, unit_{unit}, units_{(extent + unit - 1) / unit}, count_{std::min(count, units_)} {}

  Index count() const { return count_; }
  Index first(Index piece) const { return piece == 0 ? 0 : piece == count_ ? extent_ : units_ * piece / count_ * unit_; }
  Index length(Index piece) const { return first(piece + 1) - first(piece); }

 private:
  Index extent_;
  Index unit_ = 1;
  Index units_ = 1;
  Index count_;
};

/// Columns of a view, as a view.
template <class View>
View columns(View m, Index first, Index count) {
  return {m.data() + first * m.outerStride(), m.rows(), count, Eigen::OuterStride<>(m.outerStride())};
}

/// What pieces are multiples of, so that they fit tiles and cache lines: samples, and units of a layer. Where columns of so many units do
/// not begin with cache lines, smaller pieces are shared out more evenly.
inline constexpr Index sample_unit = 4;
constexpr Index unit_block(Index units) { return units % 16 == 0 ? 16 : 8; }

/// Whether work of so many operations is worth sharing at all: what threads exchange takes time too, and more where they are far apart.
/// Asked once for a whole pass or step, since memory that changes hands between its parts costs most.
inline bool worth_sharing(double operations, const Team* team) {
  constexpr double near = 1e6, far = 1.2e7;
  return team != nullptr && operations >= near && team->threads() > 1 && (operations >= far || !team->far_apart());
}

/// Pieces of a multiple of `unit` rows or columns. One, if nobody shares the work or it is over at once. One for each thread otherwise,
/// and several where that would be long ones, so that a thread that is kept from working delays the others little.
[[gnu::noinline]] inline Pieces cut_for(const Team& team, Index extent, Index unit, double operations) {
  constexpr double over_at_once = 1e5, long_enough = 4e6;
  if (operations < over_at_once || team.threads() < 2) return Pieces(extent);
  const double for_each = operations / long_enough / static_cast<double>(team.threads());
  return {extent, unit, team.threads() * static_cast<Index>(std::clamp(for_each, 1.0, 4.0))};
}
inline Pieces cut(Index extent, Index unit, double operations, const Team* team) {
  return team == nullptr ? Pieces(extent) : cut_for(*team, extent, unit, operations);
}

}  // namespace chainrule::kernels
