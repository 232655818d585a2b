#pragma once

#include <chainrule/core/types.hpp>
#include <type_traits>

namespace chainrule {

/// Merges numbers of a layer over all shards of a batch, whose training passes go on at the same time on several threads and ranks
/// (RankOptions::sync_batch_norm). BatchNorm takes its statistics from the whole batch with it; a layer of your own finds it in its
/// ForwardContext, and keeps the pointer in its cache for backward. A layer makes the same calls, in the same order, in all shards.
/// Networks give it to their layers where the fewest_training_samples() of some layer is above 1.
template <class Scalar>
class ShardReduction {
 public:
  /// The numbers that are merged: double, or long double in networks of long double.
  using Number = std::conditional_t<(sizeof(Scalar) > sizeof(double)), Scalar, double>;
  /// Merges two lists of `count` numbers into `low`: `low` holds those of some neighbouring shards, `high` those of as many shards after
  /// them.
  using Merge = void (*)(Number* low, const Number* high, Index count);

  /// Memory for `count` numbers of this shard, valid until the next call.
  virtual Number* numbers(Index count) = 0;
  /// Waits for the other shards, and replaces the numbers of all of them by those of the whole batch: shards are merged in pairs, then
  /// these pairs, and so on, so that the bits do not depend on the number of ranks. Throws where another shard has ended before, or a rank
  /// does not take part.
  virtual void reduce(Merge merge) = 0;

 protected:
  ~ShardReduction() = default;  ///< for derived classes
};

}  // namespace chainrule
