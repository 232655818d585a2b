#pragma once

#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/product_precision.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/parallel/detail/shards_at_once.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace chainrule::detail {

/// Whether the shards of a batch make their passes at the same time, because a layer takes its statistics from all of them.
template <class Net>
bool merges_statistics(const Net& net, const Ranks& ranks) {
  // all layers count, because what is frozen now may learn later
  return ranks.sync_batch_norm() && ranks.shards() > 1 && NetworkAccess::sequence(net).fewest_training_samples() > 1;
}

/// The shards of this rank in a training whose layers take statistics from the whole batch: each with a thread, a workspace and a gradient
/// of its own.
template <class Net>
class SynchronizedShards {
  using Scalar = typename Net::ScalarType;

 public:
  /// A shard: the memory of its passes, and their results.
  struct Shard {
    typename Net::template Workspace<> work;
    typename Net::Gradients dJ;
    double J = 0;
  };

  /// Allocates everything, and starts the threads. Keeps references to the network and the ranks.
  SynchronizedShards(const Net& net, Ranks& ranks, Index batch_size, const ProductPrecision& precision, Seed seed)
      : net_{net}, ranks_{ranks}, at_once_{ranks} {
    shards_.reserve(static_cast<std::size_t>(ranks.shards_here()));
    for (Index s = 0; s < ranks.shards_here(); ++s) {
      shards_.push_back({net.make_workspace(batch_size, precision), net.make_gradients()});
      shards_.back().work.set_seed(seed);
    }
  }

  /// Makes the forward pass, the loss and the backward pass of all shards of this rank in step number `step` of an epoch, before which the
  /// training has made `steps` steps. The backward pass is made where J is not finite, too, because other shards wait for this one in it.
  template <class ShardBatchesType>
  void run(ShardBatchesType& batches, Index step, std::uint64_t steps) {
    at_once_.run([&](std::size_t s, ShardReduction<Scalar>& reduction) {
      Shard& shard = shards_[s];
      batches.gather(s, step);
      const auto& [x, y] = batches.gathered(s);
      shard.work.set_step(steps * static_cast<std::uint64_t>(ranks_.shards()) + static_cast<std::uint64_t>(ranks_.first_shard()) + s);
      NetworkAccess::forward_of_shard(net_, x, shard.work, reduction);
      shard.J = static_cast<double>(net_.loss(y, shard.work));
      net_.backward(x, y, shard.work, shard.dJ);
    });
  }

  /// Shard number s of this rank.
  Shard& operator[](Index s) { return shards_[static_cast<std::size_t>(s)]; }

 private:
  const Net& net_;
  const Ranks& ranks_;
  std::vector<Shard> shards_;
  ShardsAtOnce<Scalar> at_once_;
};

}  // namespace chainrule::detail
