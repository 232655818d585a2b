#pragma once
// How the rows or columns of a kernel's work are divided among the threads of a team, and when that is worth it. Each number is computed
// entirely by the thread that has its part, so results do not depend on the number of parts or threads. layer_blocks.hpp applies this to
// the matrices of a layer.

#include <algorithm>
#include <chainrule/threads/team.hpp>

namespace chainrule::kernels {

/// A division of `extent` rows or columns into consecutive parts. Each part is a multiple of `granularity`, except that the last one ends
/// with the extent, and no part is longer than another by more than one granularity. An extent of 0 has no parts.
class Partition {
 public:
  /// The whole extent in one part.
  explicit Partition(Index extent) : extent_{extent}, count_{extent > 0 ? 1 : 0} {}

  /// `count` >= 1 parts, or fewer if the extent has fewer granules (of `granularity` rows or columns each).
  Partition(Index extent, Index granularity, Index count)
      : extent_{extent},
        granularity_{granularity},
        granules_{(extent + granularity - 1) / granularity},
        count_{(std::min)(count, granules_)} {}

  /// The number of parts.
  Index count() const { return count_; }
  /// The first row or column of a part, 0 <= part <= count(); that of part count() is the extent.
  Index first(Index part) const { return part == 0 ? 0 : part == count_ ? extent_ : granules_ * part / count_ * granularity_; }
  /// The number of rows or columns of a part.
  Index length(Index part) const { return first(part + 1) - first(part); }

 private:
  Index extent_;
  Index granularity_ = 1;
  Index granules_ = 1;
  Index count_;
};

/// Parts of a batch are multiples of 4 samples, since a tile of the matrix product has 4 or 8 columns.
inline constexpr Index sample_granularity = 4;

/// Parts of a layer's units (or inputs) are multiples of 16 if the number of units is: 16 floats are a cache line, and every column of the
/// matrix then begins with one, so no line belongs to two threads. For other numbers lines are shared in any case, and multiples of 8 give
/// more equal parts.
constexpr Index unit_granularity(Index units) { return units % 16 == 0 ? 16 : 8; }

/// Parts of a layer's units or inputs beyond one for each thread have at least so many: two panels of 48 floats. The matrix product reads
/// its other operand again for each part, and shorter parts have panels of few rows: 128 units in eight parts would be one register high.
inline constexpr Index enough_units = 96;

/// The far_minimum of an optimizer's step alone, and of training on few samples.
inline constexpr double usual_far_minimum = 1.2e7;
/// The far_minimum of a training step on so many samples. Its threads exchange W or activations in each layer (layer_blocks.hpp), and the
/// more samples there are, the more is computed with each number of W. (Two threads on Sapphire Rapids: steps of 6e6 to 1.2e7 operations
/// gained 0 to 50 % with 45 samples or more, and a step of 300-300-300 lost 16 % with 20.)
constexpr double far_minimum_of_training(Index samples) { return samples >= 40 ? 6e6 : usual_far_minimum; }
/// The far_minimum of predictions of so many samples. Threads share many samples among them and then exchange nothing between layers; they
/// share the units of each layer where samples are few, and then exchange its activations. (Two threads on Sapphire Rapids with 8 samples:
/// 0.83 to 1.06 times the speed of one for 4 to 6 million operations, 0.96 or more for 8 million.)
constexpr double far_minimum_of_predictions(Index samples) { return samples >= 16 ? 3e6 : 8e6; }

/// Whether a team should share work of this many operations (additions and multiplications): at least 1e6, or `far_minimum` if memory that
/// one thread has written takes long to reach another. Ask once for a whole pass or step and not for each of its products: data that one
/// thread wrote and another reads next costs most.
inline bool worth_sharing(double operations, const Team* team, double far_minimum = usual_far_minimum) {
  return team != nullptr && operations >= 1e6 && team->threads() > 1 && (operations >= far_minimum || !team->no_shared_cache());
}

/// The partition of `extent` rows or columns for a team, in multiples of `granularity`. One part below 1e5 operations or with a single
/// thread; else one part per thread, and up to four per thread if each still has 4e6 operations and `enough` rows or columns, so that a
/// thread that the system interrupts delays the others by a short part only.
[[gnu::noinline]] inline Partition partition_for_team(const Team& team, Index extent, Index granularity, double operations, Index enough) {
  constexpr double min_operations = 1e5, operations_of_long_part = 4e6;
  if (operations < min_operations || team.threads() < 2) return Partition(extent);
  const double threads = static_cast<double>(team.threads());
  const double long_parts = (std::min)(operations / operations_of_long_part, static_cast<double>(extent) / static_cast<double>(enough));
  return {extent, granularity, team.threads() * static_cast<Index>(std::clamp(long_parts / threads, 1.0, 4.0))};
}

/// The partition for a team, or the whole extent if `team` is null. Inlined, so that work without a team costs one comparison.
inline Partition partition(Index extent, Index granularity, double operations, const Team* team, Index enough = 1) {
  return team == nullptr ? Partition(extent) : partition_for_team(*team, extent, granularity, operations, enough);
}

}  // namespace chainrule::kernels
