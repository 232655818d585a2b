#pragma once

#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/parallel/shard_sum.hpp>
#include <chainrule/training/detail/synchronized_shards.hpp>
#include <chainrule/training/fit_options.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace chainrule::detail {

/// The passes of the steps in a training on several ranks, as PassesOfBatches for a single process: forward and backward passes of this
/// rank's shards of a batch, and the sum over the shards of all ranks. Where layers take statistics from all shards, those of this rank
/// make their passes at the same time; else one after the other.
template <class Net>
class PassesOfShards {
  using Work = typename Net::template Workspace<>;
  using Gradients = typename Net::Gradients;

 public:
  static constexpr bool is_sharded = true;

  PassesOfShards(Net& net, const StepsOfEpoch& steps, const ProductPrecision& precision, Seed seed, Ranks& ranks)
      : net_{net}, steps_{steps}, sum_{net, ranks}, work_{net.make_workspace(steps.batch_size, precision)}, dJ_{net.make_gradients()} {
    work_.set_seed(seed);
    if (merges_statistics(net, ranks)) synchronized_.emplace(net, ranks, steps.batch_size, precision, seed);
  }

  Work& workspace() { return work_; }
  /// dJ/dtheta of the step, summed over all ranks.
  Gradients& gradients() { return dJ_; }
  void set_pass(std::uint64_t) const {}  // each shard numbers its own passes

  /// A shard that makes its passes by itself, when it is visited. ShardSum multiplies J and dJ/dtheta by its share of the samples.
  struct Pass {
    PassesOfShards& all;
    double share;

    Work& work() const { return all.work_; }
    template <class X>
    void forward(const X& x) const {
      all.net_.forward(x, work());
    }
    template <class X>
    void forward_of_checked(const X& x) const {
      NetworkAccess::forward_of_checked(all.net_, x, work());
    }
    template <class Y>
    double loss(const Y& y) const {
      return static_cast<double>(all.net_.loss(y, work()));
    }
    template <class X, class Y>
    const Gradients& add_gradient(const X& x, const Y& y, double J) const {
      all.sum_.backward_and_add(all.net_, x, y, work(), all.dJ_, J, share);
      return all.dJ_;
    }
    void update_statistics() const {}  // ShardSum::total does it
  };

  /// A shard whose passes were made before it is visited, at the same time as those of all other shards.
  struct SynchronizedPass {
    PassesOfShards& all;
    double share;
    typename SynchronizedShards<Net>::Shard& shard;

    Work& work() const { return shard.work; }
    template <class X>
    void forward(const X&) const {}
    template <class X>
    void forward_of_checked(const X&) const {}
    template <class Y>
    double loss(const Y&) const {
      return shard.J;
    }
    template <class X, class Y>
    const Gradients& add_gradient(const X&, const Y&, double J) const {
      all.sum_.add(all.net_, work(), shard.dJ, J, share);
      return shard.dJ;
    }
    void update_statistics() const {}
  };

  /// Calls visit(pass, x, y, J) for each shard of this rank in step number run.batch, adds the shards of all ranks in gradients() and J,
  /// and counts the step. Returns the number of samples of the step on all ranks.
  template <class BatchesType, class RunType, class Visit>
  Index for_each_of_step(BatchesType& batches, RunType& run, std::uint64_t steps_made, double& J, const Visit& visit) {
    const Index step = run.batch++, samples = steps_.samples_of(step);
    const auto share_of = [&](const auto& x) { return static_cast<double>(x.cols()) / static_cast<double>(samples); };
    if (synchronized_) {
      synchronized_->run(batches, step, steps_made);
      for_each_shard(batches, step, [&](std::size_t s, double& J_of_shard) {
        const auto& [x, y] = batches.gathered(s);
        return visit(SynchronizedPass{*this, share_of(x), (*synchronized_)[static_cast<Index>(s)]}, x, y, J_of_shard);
      });
    } else {
      for_each_shard(batches, step, [&](std::size_t s, double& J_of_shard) {
        work_.set_step(steps_made * static_cast<std::uint64_t>(sum_.ranks().shards()) + static_cast<std::uint64_t>(shard_));
        const auto [x, y] = batches.samples(s, step);
        return visit(Pass{*this, share_of(x)}, x, y, J_of_shard);
      });
    }
    J += sum_.total(net_, dJ_);
    if (const std::string reason = sum_.stop_reason(); !reason.empty()) {
      run.stop(reason);
      all_stop_ = true;
    }
    return samples;
  }

  /// Where an observer of this rank alone, such as Interrupt, stops the training within an epoch, the rank makes one more step, with which
  /// it tells all ranks to stop.
  template <class RunType>
  void ask_others_to_stop(RunType& run) {
    if (!run.stopped() || all_stop_ || run.batch == run.batches) return;
    sum_.ask_to_stop(run.stopped_because);
    run.stopped_because.clear();
  }
  /// Says which shard is visited, if there is one.
  std::string place() const { return shard_ < 0 ? std::string() : text_of(", shard ", shard_, " on rank ", sum_.ranks().rank()); }

 private:
  // Calls visit(s, J) for each shard s of this rank that has samples in the step; where it returns false, the shard adds J alone.
  template <class BatchesType, class Visit>
  void for_each_shard(const BatchesType& batches, Index step, const Visit& visit) {
    const Ranks& ranks = sum_.ranks();
    for (Index s = 0; s < ranks.shards_here(); ++s) {
      shard_ = ranks.first_shard() + s;
      double J_of_shard = 0;
      if (!batches.has(static_cast<std::size_t>(s), step) || !visit(static_cast<std::size_t>(s), J_of_shard)) sum_.add_nothing(J_of_shard);
    }
    shard_ = -1;
  }

  Net& net_;
  StepsOfEpoch steps_;
  ShardSum<Net> sum_;
  Work work_;
  Gradients dJ_;
  std::optional<SynchronizedShards<Net>> synchronized_;
  Index shard_ = -1;       // the shard that is visited; -1 between the visits
  bool all_stop_ = false;  // whether all ranks know that the training stops
};

}  // namespace chainrule::detail
