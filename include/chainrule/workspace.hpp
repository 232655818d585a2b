#pragma once

#include <algorithm>
#include <atomic>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/detail/sequence.hpp>
#include <chainrule/core/detail/team_pointer.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/network_base.hpp>
#include <chainrule/core/product_precision.hpp>
#include <chainrule/kernels/partition.hpp>

namespace chainrule {
namespace detail {

/// Notices where two passes use one workspace at once. Each pass writes the address of an object on its own stack when it begins; where
/// that is not what it finds when it ends, another pass has begun meanwhile. This costs less than a flag that is also tested when a pass
/// begins and cleared when it ends, and a locked instruction would cost 20 cycles. It is known at the end, so the results are thrown away.
/// A pass that begins and ends while another one runs throws nothing itself; the other one throws.
class LastPass {
 public:
  /// An object on the stack, whose address marks a pass. A view could serve as well, but the compiler would then believe that others know
  /// its address, and read it again after each call.
  struct Mark {};

  LastPass() = default;
  LastPass(const LastPass&) noexcept {}
  LastPass& operator=(const LastPass&) noexcept { return *this; }
  ~LastPass() = default;

  /// Begins a pass. The mark lives as long as the pass.
  void begin(const Mark& mark) { mark_.store(&mark, std::memory_order_relaxed); }
  /// Ends the pass that began with this mark. Throws StateError where another one has begun.
  void end(const char* who, const Mark& mark) {
    if (mark_.load(std::memory_order_relaxed) == &mark) [[likely]]
      return;
    mark_.store(nullptr, std::memory_order_relaxed);  // so that the other pass throws too
    two_at_once(who);
  }

 private:
  [[noreturn, gnu::noinline, gnu::cold]] static void two_at_once(const char* who) {
    raise<StateError>(
        who, ": another pass used this workspace at the same time, so the numbers in it are lost; make a workspace for each thread");
  }

  std::atomic<const Mark*> mark_{nullptr};
};

/// The products by which a forward pass is made, and the number of its samples: negative after forward_jet, 0 where there is no pass. The
/// caches point to these products, so a copy, whose products are others, holds no forward pass.
template <class Scalar>
struct CachedPass {
  explicit CachedPass(std::unique_ptr<DenseProducts<Scalar>> of) : products{std::move(of)} {}
  CachedPass(const CachedPass& other)
      : samples{other.products == nullptr ? Index{other.samples} : 0},
        products{other.products == nullptr ? nullptr : other.products->clone()} {}
  CachedPass(CachedPass&&) noexcept = default;
  CachedPass& operator=(CachedPass other) noexcept {
    samples = other.samples;
    products.swap(other.products);
    return *this;
  }
  ~CachedPass() = default;

  ZeroAfterMove samples = 0;
  std::unique_ptr<DenseProducts<Scalar>> products;
};

}  // namespace detail

/// The memory in which a network's passes work: the caches that forward fills and the deltas that backward computes. Made by
/// `net.make_workspace(max_batch)`, which allocates; the passes do not, for any batch up to max_batch. Each thread needs one of its own:
/// where two use one at the same moment, at least one of the passes throws StateError, and the numbers of both are lost. One that was moved
/// from holds nothing, and passes on it throw StateError. Memory: 2 x max_batch x (sum of the layers' outputs) scalars; 3 x for layers
/// whose activation needs z for its derivative; and a cache line for each sample where a layer's outputs take a multiple of 256 bytes.
///
/// It also counts the training steps, because random numbers in a step (the mask of Dropout) depend only on seed and step.
template <class Scalar, int MaxBatch, class Sequence>
class Workspace {
 public:
  /// Allocates for up to max_batch samples, with products of dense layers in Scalar or in another precision. Throws ShapeError for a
  /// max_batch below 1, and for one that memory cannot hold.
  Workspace(const Sequence& sequence, Index max_batch, std::unique_ptr<DenseProducts<Scalar>> products = nullptr)
      : max_batch_{checked(max_batch)},
        pass_{std::move(products)},
        caches_{sequence.template make_caches_of_network<Scalar, inline_batch>(max_batch)},
        deltas_{sequence.template make_spaced_deltas<Scalar, inline_batch>(max_batch)} {}

  /// The largest batch that it can hold; 0 where it was moved from.
  Index max_batch() const { return max_batch_; }

  /// The number of samples of the forward pass whose caches it holds; 0 where it holds none, and loss and backward would throw.
  Index cached_samples() const {
    const Index samples = pass_.samples;
    return samples > 0 ? samples : 0;  // std::max would take addresses, and so write both numbers to memory
  }

  /// a(I+2), the activation of layer I in the last forward pass, outputs x cached_samples(): a view, valid until the next pass. There may
  /// be gaps between its columns, but not in the last layer. StateError where there is no forward pass: before the first one, and after
  /// predict and evaluate, which keep nothing.
  template <std::size_t I>
  ConstMatrixView<Scalar> activation() const {
    detail::check_not_moved_from("activation", max_batch_);
    detail::check_forward_ran("activation", pass_.samples);
    return cache<I>().output.first(pass_.samples);
  }
  /// The activation of layer i as activation<i>() gives it, for an index known only at run time. Throws ValueError where the network has no
  /// layer i.
  ConstMatrixView<Scalar> activation(Index i) const {
    detail::check_not_moved_from("activation", max_batch_);
    detail::check_forward_ran("activation", pass_.samples);
    const Index layers = static_cast<Index>(detail::size_of(caches_));
    if (i < 0 || i >= layers) detail::raise<ValueError>("activation(", i, "): the network has ", layers, " layers, counted from 0");
    const Scalar* a = nullptr;
    Index units = 0, distance = 0;
    detail::for_each_index(caches_, [&](auto k) {
      if (static_cast<Index>(k) != i) return;
      const ConstMatrixView<Scalar> output = detail::element(caches_, k).output.first(pass_.samples);
      a = output.data();
      units = output.rows();
      distance = output.outerStride();
    });
    return {a, units, pass_.samples, Eigen::OuterStride<>(distance)};
  }

  /// The cache of layer I: what its forward pass keeps for backward. Throws StateError where the workspace was moved from.
  template <std::size_t I>
  const auto& cache() const {
    detail::check_not_moved_from("cache", max_batch_);
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
  /// use here: this function and the passes throw StateError where it was destroyed before. Several workspaces may have the same team as
  /// long as only one at a time uses it. Results are the same bits for any team.
  Team* team() const { return team_.get(); }
  /// Sets the team. The forward pass that the workspace holds is lost, because backward has to use its team.
  void set_team(Team* team) {
    team_ = team;
    pass_.samples = 0;
  }

  /// Whether the last forward pass was one of this network, and nothing was assigned to the network since.
  bool was_forward_of(const detail::NetworkIdentity<Scalar>& network) const { return network == network_; }

 private:
  template <class, class, class...>
  friend class Network;
  friend struct detail::NetworkAccess;
  static constexpr int inline_batch = Sequence::template inline_batch<Scalar, MaxBatch, true>();

  static Index checked(Index max_batch) {
    if (max_batch < 1) detail::raise<ShapeError>("make_workspace: max_batch must be at least 1, got ", max_batch);
    return max_batch;
  }

  void set_cached_samples(Index samples) { pass_.samples = samples; }

  // Remembers the network of the last forward pass, and the x that it has checked, so that backward need not check x again.
  void set_forward_pass(const detail::NetworkIdentity<Scalar>& network, const ConstMatrixView<Scalar>& x) {
    input_ = x.data();
    input_stride_ = x.outerStride();
    network_ = network;
    pass_.samples = x.cols();
  }
  // Remembers that the workspace holds the caches of forward_jet, a prediction, which loss and backward must not use.
  void set_jet_pass(const detail::NetworkIdentity<Scalar>& network, const ConstMatrixView<Scalar>& x) {
    set_forward_pass(network, x);
    pass_.samples = -x.cols();
  }
  Index jet_samples() const { return (std::max)(Index{0}, -Index{pass_.samples}); }
  bool has_checked(ConstMatrixView<Scalar> x) const {
    return x.data() == input_ && x.cols() == pass_.samples && (x.outerStride() == input_stride_ || x.cols() == 1);
  }

  // The team, or nullptr where a pass over so many samples is too small to be shared; a pass has two operations for each sample and each
  // parameter. For far_minimum see worth_sharing; without it, that of training.
  Team* team_for(Index parameters, Index samples) const { return team_for(parameters, samples, kernels::far_minimum_of_training(samples)); }
  Team* team_for(Index parameters, Index samples, double far_minimum) const {
    Team* const team = team_.get();
    const double operations = 2.0 * static_cast<double>(parameters) * static_cast<double>(samples);
    return kernels::worth_sharing(operations, team, far_minimum) ? team : nullptr;
  }

  // The context of a training pass in this step.
  ForwardContext<Scalar> training_pass(const Scalar* buffers, Team* team) const {
    return {Mode::train, buffers, derived_seed(seed_, step_), first_sample_, team, {}, nullptr, pass_.products.get()};
  }

  detail::ZeroAfterMove max_batch_;
  detail::CachedPass<Scalar> pass_;
  detail::LastPass last_pass_;
  const Scalar* input_ = nullptr;
  Index input_stride_ = 0;
  std::uint64_t step_ = 0;
  // not beside input_: g++ 12 would store both at once, after moves that take longer than two stores
  detail::NetworkIdentity<Scalar> network_{};
  Seed seed_{};
  Index first_sample_ = 0;
  detail::TeamPointer team_;
  typename Sequence::template Caches<Scalar, inline_batch> caches_;
  typename Sequence::template Deltas<Scalar, inline_batch> deltas_;
};

}  // namespace chainrule
