#pragma once

#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <chainrule/training/fit_options.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace chainrule::detail {

/// The passes of the steps in a training of a single process: forward and backward passes of the batches of which a step consists, and the
/// sum of their gradients. Owns the workspace and the gradients, which the constructor allocates.
template <class Net>
class PassesOfBatches {
  using Scalar = typename Net::ScalarType;
  using Work = typename Net::template Workspace<>;
  using Gradients = typename Net::Gradients;

 public:
  static constexpr bool is_sharded = false;

  PassesOfBatches(Net& net, const StepsOfEpoch& steps, const ProductPrecision& precision, Seed seed)
      : net_{net}, steps_{steps}, work_{net.make_workspace(steps.batch_size, precision)}, dJ_{net.make_gradients()} {
    if (steps.batches_per_step > 1) dJ_of_batch_.emplace(net.make_gradients());
    work_.set_seed(seed);
  }

  Work& workspace() { return work_; }
  /// dJ/dtheta of the step.
  Gradients& gradients() { return dJ_; }

  /// Numbers the next pass, by which the layers draw their masks: batches_per_step numbers belong to each step.
  void set_pass(std::uint64_t steps_made) { work_.set_step(steps_made * static_cast<std::uint64_t>(steps_.batches_per_step)); }

  /// One of the batches that make a step.
  struct Pass {
    PassesOfBatches& all;
    double share;  ///< number of its samples / number of samples of the step
    bool is_first, is_last;

    Work& work() const { return all.work_; }

    /// The forward pass; `forward_of_checked` leaves out the checks of x.
    template <class X>
    void forward(const X& x) const {
      all.net_.forward(x, work());
    }
    template <class X>
    void forward_of_checked(const X& x) const {
      NetworkAccess::forward_of_checked(all.net_, x, work());
    }
    /// The part of the step's J that the last forward pass adds.
    template <class Y>
    double loss(const Y& y) const {
      return rounded(share * static_cast<double>(all.net_.loss(y, work())));
    }
    /// Makes the backward pass and adds its gradient, times the share of the samples, to that of the step. Returns what the backward pass
    /// wrote.
    ///
    ///     dJ/dtheta = sum over batches of (samples of batch / samples of step) dJ_batch/dtheta
    template <class X, class Y>
    const Gradients& add_gradient(const X& x, const Y& y, double) const {
      Gradients& sum = all.dJ_;
      Gradients& dJ = is_first ? sum : *all.dJ_of_batch_;
      all.net_.backward(x, y, work(), dJ);
      if (!is_first)
        kernels::add_multiple<Scalar>(dJ.flat().size(), static_cast<Scalar>(share), std::as_const(dJ).flat().data(), sum.flat().data());
      else if (!is_last)
        sum.flat() *= static_cast<Scalar>(share);
      return dJ;
    }
    void update_statistics() const { all.net_.update_statistics(work()); }
  };

  /// Calls visit(pass, x, y, J) for each batch of step number run.batch, and counts the step. Stops where visit returns false. Returns the
  /// number of samples of the step, or 0 where it has stopped.
  template <class BatchesType, class RunType, class Visit>
  [[gnu::always_inline]] Index for_each_of_step(BatchesType& batches, RunType& run, std::uint64_t, double& J, const Visit& visit) {
    const Index step = run.batch++, first = step * steps_.batches_per_step, end = first + steps_.batches_of(step);
    const Index samples = steps_.samples_of(step);
    for (Index i = first; i < end; ++i) {
      const auto [x, y] = batches[i];
      // most steps have one batch, for which a division would take 1 % of a small step
      const double share = x.cols() == samples ? 1 : static_cast<double>(x.cols()) / static_cast<double>(samples);
      if (!visit(Pass{*this, share, i == first, i + 1 == end}, x, y, J)) return 0;
    }
    return samples;
  }

  template <class RunType>
  void ask_others_to_stop(RunType&) {}
  /// Says which part of a step is at work, where a step has named parts.
  std::string place() const { return {}; }

 private:
  Net& net_;
  StepsOfEpoch steps_;
  Work work_;
  Gradients dJ_;
  std::optional<Gradients> dJ_of_batch_;  // where several batches make a step
};

}  // namespace chainrule::detail
