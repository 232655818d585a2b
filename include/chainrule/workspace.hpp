#pragma once

#include <chainrule/core/detail/sequence.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/kernels/partition.hpp>

namespace chainrule {

/// The memory in which a network's passes work: the caches that forward fills and the deltas that backward computes. Made by
/// `net.make_workspace(max_batch)`, which allocates; the passes do not, for any batch up to max_batch. Each thread needs one of its own.
/// Memory: 2 x max_batch x (sum of the layers' outputs) scalars; 3 x for layers whose activation needs z for its derivative.
///
/// It also counts the training steps, because random numbers in a step (the mask of Dropout) depend only on seed and step.
template <class Scalar, int MaxBatch, class Sequence>
class Workspace {
 public:
  /// Allocates for up to max_batch samples. ShapeError for a max_batch below 1, and for one that memory cannot hold.
  Workspace(const Sequence& sequence, Index max_batch)
      : max_batch_{checked(max_batch)},
        caches_{sequence.template make_caches<Scalar, MaxBatch>(max_batch)},
        deltas_{sequence.template make_deltas<Scalar, MaxBatch>(max_batch)} {}

  /// The largest batch that it can hold.
  Index max_batch() const { return max_batch_; }

  /// The number of samples of the forward pass whose caches it holds; 0 where it holds none, and loss and backward would throw.
  Index cached_samples() const { return cached_samples_; }

  /// a(I+2), the activation of layer I in the last forward pass, outputs x cached_samples(): a view, valid until the next pass. After
  /// predict, which keeps nothing, it has no columns.
  template <std::size_t I>
  ConstMatrixView<Scalar> activation() const {
    return cache<I>().output.first(cached_samples_);
  }

  /// The cache of layer I: what its forward pass keeps for backward.
  template <std::size_t I>
  const auto& cache() const {
    return detail::checked_element<I>(caches_);
  }

  /// The caches of all layers: a std::tuple, or a std::vector for an AnyNetwork.
  const auto& caches() const { return caches_; }

  /// The number of the step that the next forward pass belongs to; each forward pass adds 1. Set it to repeat a step, or to continue
  /// after a checkpoint.
  std::uint64_t step() const { return step_; }
  void set_step(std::uint64_t step) { step_ = step; }  ///< see step

  /// The seed of all random numbers in a step; Seed{0} at first.
  Seed seed() const { return seed_; }
  void set_seed(Seed seed) { seed_ = seed; }  ///< see seed

  /// The position of this workspace's first sample in the step's whole batch, where several workspaces share a batch; 0 at first.
  Index first_sample() const { return first_sample_; }
  void set_first_sample(Index first_sample) { first_sample_ = first_sample; }  ///< see first_sample

  /// The threads that share the work of its passes; nullptr, as at first, where the calling thread works alone. The team must outlive its
  /// use here. Several workspaces may have the same team as long as only one at a time uses it. Results are the same bits for any team.
  Team* team() const { return team_; }
  void set_team(Team* team) { team_ = team; }  ///< see team

 private:
  template <class, class, class...>
  friend class Network;

  static Index checked(Index max_batch) {
    if (max_batch < 1) detail::raise<ShapeError>("make_workspace: max_batch must be at least 1, got ", max_batch);
    return max_batch;
  }

  void set_cached_samples(Index samples) { cached_samples_ = samples; }

  // Remembers the x that the last forward pass has checked, so that backward need not check it again.
  void set_input(ConstMatrixView<Scalar> x) {
    input_ = x.data();
    input_stride_ = x.outerStride();
    cached_samples_ = x.cols();
  }
  bool has_checked(ConstMatrixView<Scalar> x) const {
    return x.data() == input_ && x.cols() == cached_samples_ && (x.outerStride() == input_stride_ || x.cols() == 1);
  }

  // The team, or nullptr where a pass over so many samples is too small to be shared; a pass has two operations for each sample and each
  // parameter.
  Team* team_for(Index parameters, Index samples) const {
    const double operations = 2.0 * static_cast<double>(parameters) * static_cast<double>(samples);
    return kernels::worth_sharing(operations, team_) ? team_ : nullptr;
  }

  // The context of a training pass in this step.
  ForwardContext<Scalar> training_pass(const Scalar* buffers, Team* team) const {
    return {Mode::train, buffers, derived_seed(seed_, step_), first_sample_, team};
  }

  Index max_batch_;
  Index cached_samples_ = 0;
  const Scalar* input_ = nullptr;
  Index input_stride_ = 0;
  std::uint64_t step_ = 0;
  Seed seed_{};
  Index first_sample_ = 0;
  Team* team_ = nullptr;
  typename Sequence::template Caches<Scalar, MaxBatch> caches_;
  typename Sequence::template Deltas<Scalar, MaxBatch> deltas_;
};

}  // namespace chainrule
