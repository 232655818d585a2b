#pragma once

#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/data/batches.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <chainrule/optimizers/clip.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/optimizers/detail/skips_frozen.hpp>
#include <chainrule/optimizers/penalty.hpp>
#include <chainrule/parallel/shard_sum.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <chainrule/training/detail/observer_list.hpp>
#include <chainrule/training/detail/synchronized_shards.hpp>
#include <chainrule/training/divergence.hpp>
#include <chainrule/training/fit_options.hpp>
#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace chainrule::detail {

/// EpochRunner looks whether all parameters are finite after this many steps, and copies theta, the moments and the buffers before them.
inline constexpr std::size_t steps_between_checks = 64;

/// Stands for a ShardSum in a training of a single process.
struct OneProcess {};

/// Runs the training steps of an epoch: steps 1 to 4 of gradient descent for each batch. Owns the workspace, the gradients and the
/// threads of one `fit`, all of which the constructor allocates.
///
/// A copy of theta before each step, so that the step can be undone, and a look at all parameters after it would take up to as long as the
/// step itself. So steps are made in groups, which stop only at a loss or a gradient that is not finite, and the parameters are looked at
/// once in a group. Where a number is not finite, the network and the optimizer are set back to the beginning of the group. Its steps,
/// which give the same bits again, are then repeated with all checks, up to the first that fails. No observer sees parameters that were not
/// looked at: a group ends before an observer reads the network, and where one may do so after each step, there are no groups.
///
/// With Sum = ShardSum<Net>, several ranks make each step together. Losses and gradients are then the same on all ranks before anything is
/// decided by them, so that all ranks make, undo and repeat the same steps.
template <class Net, class Rule, class Sum = OneProcess>
class EpochRunner {
  using Scalar = typename Net::ScalarType;
  static constexpr bool is_sharded = !std::is_same_v<Sum, OneProcess>;

 public:
  /// `sum`: adds the shards of all ranks; nullptr for OneProcess. `synchronized`: whether layers take statistics from all shards. Then the
  /// shards of a rank make their passes at the same time, and `threads` share the steps of the optimizer alone.
  EpochRunner(Net& net, const Rule& rule, OptimizerState<Scalar>& state, const StepsOfEpoch& steps, Seed seed, Index threads,
              Sum* sum = nullptr, [[maybe_unused]] bool synchronized = false)
      : net_{net},
        rule_{rule},
        state_{state},
        steps_{steps},
        sum_{sum},
        work_{net.make_workspace(steps.batch_size)},
        dJ_{net.make_gradients()},
        theta_before_(net.parameters().size()),
        moments_before_(state.flat().size()),
        buffers_before_(net.buffers().size()) {
    if (accumulates()) dJ_of_batch_.emplace(net.make_gradients());
    work_.set_seed(seed);
    if (net.frozen() != nullptr) check_skips_frozen<Scalar>(rule);
    follow_frozen();
    rates_.reserve(steps_between_checks);
    if (threads > 1) state_.team = &team_.emplace(threads);
    work_.set_team(state_.team.get());
    if constexpr (is_sharded)
      if (synchronized) shards_.emplace(net, sum->ranks(), steps.batch_size, seed);
  }
  EpochRunner(const EpochRunner&) = delete;
  EpochRunner& operator=(const EpochRunner&) = delete;
  ~EpochRunner() {
    if (team_) state_.team = nullptr;
  }

  auto& workspace() { return work_; }

  /// l1 sum |w| + l2/2 sum w^2 over the weights of the network as it is now.
  template <class Options>
  double penalty(const Options& options) const {
    const auto theta = std::as_const(net_).parameters();
    double sum = 0;
    if (options.l1 > 0) sum += static_cast<double>(L1{options.l1}.value(theta, state_.segments()));
    if (options.l2 > 0) sum += static_cast<double>(L2{options.l2}.value(theta, state_.segments()));
    return sum;
  }

  /// Counts the epoch and resets the counters and sums that belong to one epoch.
  void start_epoch(Run<Net>& run) const {
    ++run.epoch;
    run.batch = 0;
    run.samples = 0;
    run.loss_sum = 0;
    run.pause = 0;
    run.epoch_started = std::chrono::steady_clock::now();
  }

  /// Trains on the batches from run.batch to the end of the epoch, or until an observer stops the training.
  template <class BatchesType, class Options>
  void run_epoch(BatchesType& batches, const Options& options, Run<Net>& run, const ObserverList<Run<Net>>& observers) {
    set_pass();
    if (!has_started_) largest_parameter_at_start_ = largest_magnitude(std::as_const(net_).parameters());
    has_started_ = true;
    while (run.batch < run.batches && !run.stopped()) {
      follow_frozen();
      if (observers.look_at_each_step() || run.batch + 1 == run.batches) {
        set_learning_rate(options, run);
        checked_step(batches, options, run);
        observers.batch_ended(run);
        ask_others_to_stop(run);
      } else {
        group_of_steps(batches, options, run, observers);
      }
    }
  }

 private:
  // Makes up to steps_between_checks steps, which end with a check of the parameters, at the latest before an observer looks at the
  // network.
  template <class BatchesType, class Options>
  void group_of_steps(BatchesType& batches, const Options& options, Run<Net>& run, const ObserverList<Run<Net>>& observers) {
    begin_group(run);
    const auto check = [&] {
      const auto theta = std::as_const(net_).parameters();
      if (!kernels::all_finite(theta.size(), theta.data())) repeat_group(batches, options, run);
      has_group_ = false;
    };
    const auto make_steps = [&] {
      while (has_group_ && rates_.size() < steps_between_checks && run.batch < run.batches && !run.stopped()) {
        set_learning_rate(options, run);
        rates_.push_back(run.learning_rate);
        if (!quick_step(batches, options, run)) {
          repeat_group(batches, options, run);
          has_group_ = false;
        }
        observers.batch_ended(run, check);
        ask_others_to_stop(run);
      }
      if (has_group_) check();
    };
#if defined(__cpp_exceptions)
    try {
      make_steps();
    } catch (...) {                            // a layer, a loss or an observer of the user may throw at a number that is not finite
      if (has_group_ && !is_sharded) check();  // other ranks would not take part in the steps that check may repeat
      throw;
    }
#else
    make_steps();
#endif
  }

  // Remembers the numbers that repeat_group begins with.
  void begin_group(const Run<Net>& run) {
    theta_before_ = net_.parameters();
    moments_before_ = std::as_const(state_).flat();
    buffers_before_ = net_.buffers();
    steps_before_ = state_.steps;
    batch_before_ = run.batch;
    samples_before_ = run.samples;
    loss_sum_before_ = run.loss_sum;
    loss_before_ = run.loss;
    rates_.clear();
    has_group_ = true;
  }

  // Sets everything back to the beginning of the group and makes its steps again, with all checks.
  template <class BatchesType, class Options>
  void repeat_group(BatchesType& batches, const Options& options, Run<Net>& run) {
    has_group_ = false;
    net_.parameters() = theta_before_;
    state_.flat() = moments_before_;
    net_.buffers() = buffers_before_;
    state_.steps = steps_before_;
    set_pass();
    run.batch = batch_before_;
    run.samples = samples_before_;
    run.loss_sum = loss_sum_before_;
    run.loss = loss_before_;
    for (const double rate : rates_) {
      run.learning_rate = rate;
      checked_step(batches, options, run);
    }
  }

  template <class Options>
  void set_learning_rate(const Options& options, Run<Net>& run) const {
    // Only the division rounds, so that the second of 10 batches in the second epoch has the time 1.1, as the literal says.
    const auto batches = static_cast<double>(run.batches);
    const double time = (static_cast<double>(run.epoch - 1) * batches + static_cast<double>(run.batch)) / batches;
    run.learning_rate = rule_.learning_rate * (run.learning_rate_factor * (options.schedule ? options.schedule(time) : 1.0));
    // a schedule may come so close to 0 that Scalar cannot hold the rate
    if (is_within(run.learning_rate, 0, ScalarRange<Scalar>::smallest)) run.learning_rate = 0;
  }

  // Where an observer of this rank alone, such as Interrupt, stops the training within an epoch, the rank makes one more step, with which
  // it tells all ranks to stop.
  void ask_others_to_stop([[maybe_unused]] Run<Net>& run) {
    if constexpr (is_sharded) {
      if (!run.stopped() || all_stop_ || run.batch == run.batches) return;
      sum_->ask_to_stop(run.stopped_because);
      run.stopped_because.clear();
    }
  }

  // Adds J of the last batch to the mean loss of the epoch.
  void count_loss(double J, Index samples, Run<Net>& run) const {
    run.samples += samples;
    // In order, so that a checkpoint holds the sum as one number: a million batches of positive losses are off by 1e-10 of it at most.
    run.loss_sum += rounded(static_cast<double>(samples) * J);
    run.loss = run.loss_sum / static_cast<double>(run.samples);
  }

  // Makes one step; returns whether the loss and, where it is computed apart from the step, the gradient were finite.
  template <class BatchesType, class Options>
  bool quick_step(BatchesType& batches, const Options& options, Run<Net>& run) {
    Rule rule = rule_;
    rule.learning_rate = run.learning_rate;
    const bool fuses = can_fuse(rule, options);
    double J = penalty(options);
    const Index samples = for_each_batch_of_step(batches, run, J, [&](const auto& x, const auto& y, const Part& part, double& J_of_step) {
      if (!is_synchronized()) NetworkAccess::forward_of_checked(net_, x, work_);  // 1  make a prediction
      J_of_step += loss_of(y, part);                                              // 2  calculate the loss
      if (!is_finite(J_of_step)) return false;
      if (fuses)
        descend(net_, x, y, work_, dJ_, rule, state_);  // 3 and 4
      else
        add_gradient(x, y, part, J_of_step);  // 3  calculate the gradient by the chain rule
      if constexpr (!is_sharded) net_.update_statistics(work_);
      return true;
    });
    if (samples == 0) return false;
    if (is_sharded && !is_finite(J)) return false;
    if (!fuses) {
      add_penalties(options);
      if (!kernels::all_finite(dJ_.flat().size(), dJ_.flat().data())) return false;
      clip(options, run);
      rule.step(net_.parameters(), dJ_, state_);  // 4  step in the opposite direction
    }
    count_loss(J, samples, run);
    return true;
  }

  // Makes one step with all checks. Throws DivergenceError at the first number that is not finite, and leaves the parameters and buffers as
  // they were before the step.
  template <class BatchesType, class Options>
  void checked_step(BatchesType& batches, const Options& options, Run<Net>& run) {
    Rule rule = rule_;
    rule.learning_rate = run.learning_rate;
    theta_before_ = net_.parameters();
    buffers_before_ = net_.buffers();
    bool is_done = false;
    const ScopeExit restore([&] {
      if (!is_done) net_.buffers() = buffers_before_;
    });
    double J = penalty(options);
    [[maybe_unused]] Circumstances seen;
    const Index samples = for_each_batch_of_step(batches, run, J, [&](const auto& x, const auto& y, const Part& part, double& J_of_step) {
      add_checked_loss(J_of_step, x, y, part, run);
      if constexpr (is_sharded) {
        look_at(seen, x, y);
        check_gradient_of_batch(add_gradient(x, y, part, J_of_step), x, y, run);
      } else {
        if (!can_fuse(rule, options) || !fused_step_succeeds(x, y, rule)) separate_steps(x, y, part, options, rule, run);
        net_.update_statistics(work_);
      }
      return true;
    });
    if constexpr (is_sharded) {
      if (!is_finite(J)) stop_diverged(run, text_of("the loss is ", J), seen);
      complete_step(options, rule, run, [&](bool) { return seen; });
    }
    is_done = true;
    count_loss(J, samples, run);
  }

  // One of the batches that make a step.
  struct Part {
    double share;  // number of its samples / number of samples of the step
    bool is_first, is_last;
  };

  // Whether a step is made with the gradients of several batches.
  bool accumulates() const { return steps_.batches_per_step > 1; }

  // Numbers the next pass, by which the layers draw their masks: batches_per_step numbers belong to each step.
  void set_pass() { work_.set_step(state_.steps * static_cast<std::uint64_t>(steps_.batches_per_step)); }

  // Calls visit(x, y, part, J) for each batch of the next step, and counts the step. Stops where visit returns false. Returns the number of
  // samples of the step, or 0 where it has stopped.
  template <class BatchesType, class Visit>
  [[gnu::always_inline]] Index for_each_batch_of_step(BatchesType& batches, Run<Net>& run, double& J, const Visit& visit) {
    if constexpr (is_sharded) return for_each_shard_of_step(batches, run, J, visit);
    const Index step = run.batch++, first = step * steps_.batches_per_step, end = first + steps_.batches_of(step);
    const Index samples = (std::min)(steps_.samples_per_step, steps_.samples - step * steps_.samples_per_step);
    for (Index i = first; i < end; ++i) {
      const auto [x, y] = batches[i];
      // most steps have one batch, for which a division would take 1 % of a small step
      const double share = x.cols() == samples ? 1 : static_cast<double>(x.cols()) / static_cast<double>(samples);
      if (!visit(x, y, Part{share, i == first, i + 1 == end}, J)) return 0;
    }
    return samples;
  }

  // Calls visit(x, y, part, J) for each shard of this rank in the next step, adds the shards of all ranks in dJ_ and J, and counts the
  // step. Returns the number of samples of the step on all ranks.
  template <class BatchesType, class Visit>
  Index for_each_shard_of_step(BatchesType& batches, Run<Net>& run, double& J, const Visit& visit) {
    const Ranks& ranks = sum_->ranks();
    const Index step = run.batch++;
    const Index samples = (std::min)(steps_.samples_per_step, steps_.samples - step * steps_.samples_per_step);
    if (is_synchronized()) shards_->run(batches, step, state_.steps);
    for (Index s = 0; s < ranks.shards_here(); ++s) {
      shard_ = ranks.first_shard() + s;
      if (!batches.has(static_cast<std::size_t>(s), step)) {
        sum_->add_nothing();
        continue;
      }
      work_.set_step(state_.steps * static_cast<std::uint64_t>(ranks.shards()) + static_cast<std::uint64_t>(shard_));
      const auto [x, y] =
          is_synchronized() ? batches.gathered(static_cast<std::size_t>(s)) : batches.samples(static_cast<std::size_t>(s), step);
      double J_of_shard = 0;
      const double share = static_cast<double>(x.cols()) / static_cast<double>(samples);
      if (!visit(x, y, Part{share, true, true}, J_of_shard)) sum_->add_nothing(J_of_shard);
    }
    shard_ = -1;
    J += sum_->total(net_, dJ_);
    if (const std::string reason = sum_->stop_reason(); !reason.empty()) {
      run.stop(reason);
      all_stop_ = true;
    }
    return samples;
  }

  // Whether the passes of all shards of this rank in a step were made already, at the same time, when each is looked at.
  bool is_synchronized() const {
    if constexpr (is_sharded) return shards_.has_value();
    return false;
  }
  // The shard that is looked at, where is_synchronized().
  auto& shard_in_turn() { return (*shards_)[shard_ - sum_->ranks().first_shard()]; }
  // The workspace of the last forward pass.
  auto& last_work() {
    if constexpr (is_sharded)
      if (is_synchronized()) return shard_in_turn().work;
    return work_;
  }

  // Returns the part of J of a step that its last forward pass adds. (A ShardSum multiplies the loss of a shard by its share.)
  template <class Y>
  double loss_of(const Y& y, const Part& part) {
    if constexpr (is_sharded)
      if (is_synchronized()) return shard_in_turn().J;
    const double J = static_cast<double>(net_.loss(y, work_));
    return is_sharded ? J : rounded(part.share * J);
  }

  // Makes a forward pass and adds its loss to J. Throws DivergenceError where J is not finite.
  template <class X, class Y>
  void add_checked_loss(double& J, const X& x, const Y& y, const Part& part, Run<Net>& run) {
    if (!is_synchronized()) net_.forward(x, work_);
    J += loss_of(y, part);
    if (is_finite(J)) return;
    const std::string where = first_activation_not_finite(net_.layers(), last_work());
    Circumstances at;
    at.outputs_are_finite = where.empty();
    if (where.empty()) at.largest_output = largest_magnitude(NetworkAccess::output_of(net_, last_work(), x.cols()));
    stop_diverged(run, text_of("the loss is ", J, where), x, y, at);
  }

  // Takes over what is frozen, which an observer may have changed.
  void follow_frozen() {
    if (state_.frozen() == net_.frozen()) return;
    if (net_.frozen() != nullptr) check_skips_frozen<Scalar>(rule_);
    state_.follow(net_);
  }

  // Whether steps 3 and 4 can be one pass over the layers, which saves writing dJ/dW to memory and reading it again.
  template <class Options>
  bool can_fuse(const Rule& rule, const Options& options) const {
    const bool changes_gradient = options.l1 > 0 || options.l2 > 0 || options.clip_value > 0 || options.clip_norm > 0;
    return is_plain_descent(rule) && !changes_gradient && !accumulates() && !is_sharded;
  }

  // Steps 3 and 4 in one pass. Returns false and restores theta if a parameter is not finite afterwards.
  template <class X, class Y>
  bool fused_step_succeeds(const X& x, const Y& y, const Rule& rule) {
    descend(net_, x, y, work_, dJ_, rule, state_);
    auto theta = net_.parameters();
    if (kernels::all_finite(theta.size(), theta.data())) return true;
    theta = theta_before_;
    --state_.steps;
    return false;
  }

  // Steps 3 and 4 one after the other, step 4 with the last batch of the step alone. Repeats a fused step that failed, too, to find out
  // whether the gradient or the step was the first that was not finite.
  template <class X, class Y, class Options>
  void separate_steps(const X& x, const Y& y, const Part& part, const Options& options, const Rule& rule, Run<Net>& run) {
    check_gradient_of_batch(add_gradient(x, y, part, 0), x, y, run);
    if (!part.is_last) return;
    complete_step(options, rule, run, [&](bool looks_at_outputs) {
      Circumstances at;
      look_at(at, x, y);
      if (looks_at_outputs) look_at_outputs(at, x);
      return at;
    });
  }

  // Throws DivergenceError where the gradient that a batch has given is not finite.
  template <class X, class Y>
  void check_gradient_of_batch(const typename Net::Gradients& dJ, const X& x, const Y& y, Run<Net>& run) {
    if (kernels::all_finite(dJ.flat().size(), dJ.flat().data())) return;
    Circumstances at{.stage = Circumstances::Stage::gradient};
    look_at_outputs(at, x);
    stop_diverged(run, not_finite(dJ), x, y, at);
  }
  std::string not_finite(const typename Net::Gradients& dJ) const {
    return text_of("the gradient is not finite, first dJ/d ", first_not_finite(net_.layers(), dJ.flat().data()));
  }

  // Step 4 with the gradient of the whole step. Throws DivergenceError where the gradient or a new parameter is not finite, with the
  // Circumstances that see(whether outputs of the network are looked at too) returns.
  template <class Options, class See>
  void complete_step(const Options& options, const Rule& rule, Run<Net>& run, const See& see) {
    add_penalties(options);
    if (!kernels::all_finite(dJ_.flat().size(), std::as_const(dJ_).flat().data())) {
      Circumstances at = see(true);
      at.stage = Circumstances::Stage::gradient;
      stop_diverged(run, not_finite(dJ_), at);
    }
    clip(options, run);

    auto theta = net_.parameters();
    rule.step(theta, dJ_, state_);
    if (!kernels::all_finite(theta.size(), theta.data())) {
      const std::string where = first_not_finite(net_.layers(), theta.data());
      theta = theta_before_;
      --state_.steps;
      const bool was_finite = kernels::all_finite(theta.size(), std::as_const(theta).data());
      Circumstances at = see(false);
      at.stage = Circumstances::Stage::step;
      at.largest_gradient = largest_magnitude(std::as_const(dJ_).flat());
      stop_diverged(run, was_finite ? "a step made a parameter that is not finite, first " + where : "a parameter is not finite", at);
    }
  }

  // Adds dJ/dtheta of a batch, times its share of the samples, to that of the step, and with it J where the batch is a shard. Returns what
  // the backward pass wrote.
  //
  //     dJ/dtheta = sum over batches of (samples of batch / samples of step) dJ_batch/dtheta
  template <class X, class Y>
  const typename Net::Gradients& add_gradient(const X& x, const Y& y, const Part& part, [[maybe_unused]] double J) {
    if constexpr (is_sharded) {
      if (is_synchronized()) {
        auto& shard = shard_in_turn();
        sum_->add(net_, shard.work, shard.dJ, J, part.share);
        return shard.dJ;
      }
      sum_->backward_and_add(net_, x, y, work_, dJ_, J, part.share);
      return dJ_;
    }
    auto& dJ = part.is_first ? dJ_ : *dJ_of_batch_;
    net_.backward(x, y, work_, dJ);
    const Scalar share = static_cast<Scalar>(part.share);
    if (!part.is_first)
      kernels::add_multiple<Scalar>(dJ.flat().size(), share, std::as_const(dJ).flat().data(), dJ_.flat().data());
    else if (!part.is_last)
      dJ_.flat() *= share;
    return dJ;
  }
  // Adds the gradients of the penalties to dJ/dtheta.
  template <class Options>
  void add_penalties(const Options& options) {
    if (options.l1 > 0) L1{options.l1}.add_gradient(net_.parameters(), dJ_, state_.segments());
    if (options.l2 > 0) L2{options.l2}.add_gradient(net_.parameters(), dJ_, state_.segments());
  }
  template <class Options>
  void clip(const Options& options, Run<Net>& run) {
    if (options.clip_value > 0) clip_by_value(dJ_, options.clip_value);
    if (options.clip_norm > 0) run.gradient_norm = static_cast<double>(clip_by_norm(dJ_, options.clip_norm));
  }

  // Takes note of the largest numbers of a batch.
  template <class X, class Y>
  static void look_at(Circumstances& at, const X& x, const Y& y) {
    const auto keep = [](double& largest, double magnitude) { largest = (std::max)(largest, magnitude); };
    keep(at.largest_input, largest_magnitude(x));
    if constexpr (requires { without_weights(y).rows(); }) keep(at.largest_target, largest_magnitude(without_weights(y)));
    if constexpr (requires { y.weights; }) keep(at.largest_weight, largest_magnitude(y.weights));
  }

  // Takes note of the largest output of the network, which is finite, because otherwise the loss would not have been.
  template <class X>
  void look_at_outputs(Circumstances& at, const X& x) {
    if (!is_synchronized()) net_.forward(x, work_);
    at.largest_output = largest_magnitude(NetworkAccess::output_of(net_, last_work(), x.cols()));
    at.outputs_are_finite = true;
  }

  // Ends a training that met a number that is not finite. The network must have the parameters of the last finite step.
  template <class X, class Y>
  [[noreturn]] void stop_diverged(Run<Net>& run, const std::string& what, const X& x, const Y& y, Circumstances at) {
    look_at(at, x, y);
    stop_diverged(run, what, at);
  }
  [[noreturn]] void stop_diverged(Run<Net>& run, const std::string& what, Circumstances at) {
    run.stop("it diverged");
    const auto theta = std::as_const(net_).parameters();
    at.parameter_not_finite = first_not_finite(net_.layers(), theta.data());
    at.steps = state_.steps;
    at.learning_rate = run.learning_rate;
    at.limit = ScalarRange<Scalar>::largest;
    at.largest_parameter = largest_magnitude(theta);
    at.largest_parameter_at_start = largest_parameter_at_start_;
    std::string place = text_of("epoch ", run.epoch, ", batch ", run.batch, " of ", run.batches);
    if constexpr (is_sharded)
      if (shard_ >= 0) place += text_of(", shard ", shard_, " on rank ", sum_->ranks().rank());
    raise_divergence(place, what, at);
  }

  Net& net_;
  Rule rule_;
  OptimizerState<Scalar>& state_;
  StepsOfEpoch steps_;
  [[maybe_unused]] Sum* sum_;
  [[maybe_unused]] Index shard_ = -1;       // the shard that this rank works on; -1 between the passes
  [[maybe_unused]] bool all_stop_ = false;  // whether all ranks know that the training stops
  // Where layers take statistics from all shards, the shards of this rank.
  [[no_unique_address]] std::conditional_t<is_sharded, std::optional<SynchronizedShards<Net>>, OneProcess> shards_;
  std::optional<ThreadTeam> team_;
  typename Net::template Workspace<> work_;
  typename Net::Gradients dJ_;
  std::optional<typename Net::Gradients> dJ_of_batch_;  // where several batches make a step
  // The numbers before a group of steps; theta_before_ also holds theta before a checked step.
  Vector<Scalar> theta_before_, moments_before_, buffers_before_;
  std::uint64_t steps_before_ = 0;
  Index batch_before_ = 0, samples_before_ = 0;
  double loss_sum_before_ = 0, loss_before_ = 0;
  std::vector<double> rates_;  // the learning rates of the group's steps, the last of which may not have succeeded
  bool has_group_ = false;     // whether steps were made that are not checked
  bool has_started_ = false;
  double largest_parameter_at_start_ = 0;
};

}  // namespace chainrule::detail
