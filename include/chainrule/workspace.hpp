#pragma once

#include <chainrule/core/detail/sequence.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/kernels/partition.hpp>
#include <limits>

namespace chainrule {

/// What one thread needs to work with a network: the caches that forward fills and the deltas that backward computes.
/// Made by `net.make_workspace(max_batch)`, which allocates; the work on it does not, for any batch up to max_batch.
/// Memory: 2 x max_batch x (sum of the layers' outputs) scalars, 3 x for layers whose activation needs z for its derivative. Give each
/// thread one of its own.
///
/// It also counts the training steps, because what is random in a step (the mask of Dropout) depends on seed and step alone.
template <class Scalar, int MaxBatch, class Sequence>
class Workspace {
 public:
  /// For up to max_batch samples; ShapeError for fewer than 1.
  Workspace(const Sequence& sequence, Index max_batch)
      : max_batch_{checked(sequence.layers(), max_batch)},
        caches_{sequence.template make_caches<Scalar, MaxBatch>(max_batch)},
        deltas_{sequence.template make_deltas<Scalar, MaxBatch>(max_batch)} {}

  /// The largest batch it has room for.
  Index max_batch() const { return max_batch_; }

  /// The number of samples of the forward pass whose caches it holds; 0: none, so backward would throw.
  Index cached_samples() const { return cached_samples_; }

  /// a(I+2), the activation of layer I in the last forward pass, outputs x cached_samples(): a view, until the next pass. After predict,
  /// which keeps nothing, it has no columns.
  template <std::size_t I>
  ConstMatrixView<Scalar> activation() const {
    return cache<I>().output.first(cached_samples_);
  }

  /// All that layer I keeps for its backward pass.
  template <std::size_t I>
  const auto& cache() const {
    return detail::checked_element<I>(caches_);
  }

  /// What all layers keep for their backward passes: a std::tuple, or a std::vector where the layers are an AnyLayers.
  const auto& caches() const { return caches_; }

  /// The step that the next forward pass belongs to; each forward pass counts it up by one. Set it to repeat a step, or to go
  /// on after a checkpoint.
  std::uint64_t step() const { return step_; }
  void set_step(std::uint64_t step) { step_ = step; }  ///< see step

  /// The seed of all that is random in a step; at first Seed{0}.
  Seed seed() const { return seed_; }
  void set_seed(Seed seed) { seed_ = seed; }  ///< see seed

  /// Which sample of a step's whole batch is the first here, where several workspaces share a batch; at first 0.
  Index first_sample() const { return first_sample_; }
  void set_first_sample(Index first_sample) { first_sample_ = first_sample; }  ///< see first_sample

  /// The threads that share the work of its passes; nullptr, as at first: the calling thread alone. The team must outlive its use
  /// here. Several workspaces may name one team as long as one at a time uses it. Results are the same bits for any team.
  Team* team() const { return team_; }
  void set_team(Team* team) { team_ = team; }  ///< see team

 private:
  template <class, class, class...>
  friend class Network;

  template <class Layers>
  static Index checked(const Layers& layers, Index max_batch) {
    if (max_batch < 1) detail::raise<ShapeError>("make_workspace: max_batch must be at least 1, got ", max_batch);
    const Index numbers = std::numeric_limits<Index>::max() / Index{sizeof(Scalar)};
    const auto check = [&](const auto& layer) {
      if (max_batch > numbers / layer.outputs())
        detail::raise<ShapeError>("make_workspace: ", max_batch, " samples of ", layer.outputs(),
                                  " outputs are more than memory can address");
    };
    detail::for_each_layer(layers, check);
    return max_batch;
  }

  void set_cached_samples(Index samples) { cached_samples_ = samples; }

  /// What the last forward pass has read and checked, so that backward, which is given the same again, need not.
  void set_input(ConstMatrixView<Scalar> x) {
    input_ = x.data();
    input_stride_ = x.outerStride();
    cached_samples_ = x.cols();
  }
  bool has_checked(ConstMatrixView<Scalar> x) const {
    return x.data() == input_ && x.cols() == cached_samples_ && (x.outerStride() == input_stride_ || x.cols() == 1);
  }

  /// The team, if a pass over so many samples is worth sharing: two operations for each of them and each parameter.
  Team* team_for(Index parameters, Index samples) const {
    const double operations = 2.0 * static_cast<double>(parameters) * static_cast<double>(samples);
    return kernels::worth_sharing(operations, team_) ? team_ : nullptr;
  }

  /// What the layers are told of a training pass now.
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
