#pragma once

#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/data/batches.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <chainrule/optimizers/clip.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/optimizers/detail/skips_frozen.hpp>
#include <chainrule/optimizers/penalty.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <chainrule/training/detail/observer_list.hpp>
#include <chainrule/training/detail/passes_of_batches.hpp>
#include <chainrule/training/divergence.hpp>
#include <chainrule/training/fit_options.hpp>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace chainrule::detail {

/// EpochRunner looks whether all parameters are finite after this many steps, and copies theta, the moments and the buffers before them.
inline constexpr std::size_t steps_between_checks = 64;

/// Runs the training steps of an epoch: steps 1 to 4 of gradient descent for each batch. Owns the passes and the threads of one `fit`, all
/// of which the constructor allocates.
///
/// A copy of theta before each step, so that the step can be undone, and a look at all parameters after it would take up to as long as the
/// step itself. So steps are made in groups, which stop only at a loss or a gradient that is not finite, and the parameters are looked at
/// once in a group. Where a number is not finite, the network and the optimizer are set back to the beginning of the group. Its steps,
/// which give the same bits again, are then repeated with all checks, up to the first that fails. No observer sees parameters that were not
/// looked at: a group ends before an observer reads the network, and where one may do so after each step, there are no groups.
///
/// With Passes = PassesOfShards<Net>, several ranks make each step together. Losses and gradients are then the same on all ranks before
/// anything is decided by them, so that all ranks make, undo and repeat the same steps.
template <class Net, class Rule, class Passes = PassesOfBatches<Net>>
class EpochRunner {
  using Scalar = typename Net::ScalarType;
  using Gradients = typename Net::Gradients;
  static constexpr bool is_sharded = Passes::is_sharded;

 public:
  /// `ranks`: the Ranks of PassesOfShards; none for PassesOfBatches.
  template <class... Ranks>
  EpochRunner(Net& net, const Rule& rule, OptimizerState<Scalar>& state, const StepsOfEpoch& steps, Seed seed, Index threads,
              const ProductPrecision& precision, Ranks&... ranks)
      : net_{net},
        rule_{rule},
        state_{state},
        passes_(net, steps, precision, seed, ranks...),
        accumulates_{steps.batches_per_step > 1},
        theta_before_(net.parameters().size()),
        moments_before_(state.flat().size()),
        buffers_before_(net.buffers().size()) {
    if (net.frozen() != nullptr) check_skips_frozen<Scalar>(rule);
    follow_frozen();
    rates_.reserve(steps_between_checks);
    if (threads > 1) state_.team = &team_.emplace(threads);
    workspace().set_team(state_.team.get());
  }
  EpochRunner(const EpochRunner&) = delete;
  EpochRunner& operator=(const EpochRunner&) = delete;
  ~EpochRunner() {
    if (team_) state_.team = nullptr;
  }

  auto& workspace() { return passes_.workspace(); }

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
    passes_.set_pass(state_.steps);
    if (!has_started_) largest_parameter_at_start_ = largest_magnitude(std::as_const(net_).parameters());
    has_started_ = true;
    while (run.batch < run.batches && !run.stopped()) {
      follow_frozen();
      if (observers.look_at_each_step() || run.batch + 1 == run.batches) {
        set_learning_rate(options, run);
        checked_step(batches, options, run);
        observers.batch_ended(run);
        passes_.ask_others_to_stop(run);
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
        passes_.ask_others_to_stop(run);
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
    passes_.set_pass(state_.steps);
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
    const auto visit = [&](const auto& pass, const auto& x, const auto& y, double& J_of_step) {
      pass.forward_of_checked(x);  // 1  make a prediction
      J_of_step += pass.loss(y);   // 2  calculate the loss
      if (!is_finite(J_of_step)) return false;
      if (fuses)
        descend(net_, x, y, pass.work(), dJ(), rule, state_);  // 3 and 4
      else
        pass.add_gradient(x, y, J_of_step);  // 3  calculate the gradient by the chain rule
      pass.update_statistics();
      return true;
    };
    const Index samples = passes_.for_each_of_step(batches, run, state_.steps, J, visit);
    if (samples == 0) return false;
    if (is_sharded && !is_finite(J)) return false;
    if (!fuses) {
      add_penalties(options);
      if (!kernels::all_finite(dJ().flat().size(), dJ().flat().data())) return false;
      clip(options, run);
      rule.step(net_.parameters(), dJ(), state_);  // 4  step in the opposite direction
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
    const auto visit = [&](const auto& pass, const auto& x, const auto& y, double& J_of_step) {
      add_checked_loss(J_of_step, pass, x, y, run);
      if constexpr (is_sharded) {
        look_at(seen, x, y);
        check_gradient_of_batch(pass.add_gradient(x, y, J_of_step), pass, x, y, run);
      } else if (!can_fuse(rule, options) || !fused_step_succeeds(pass, x, y, rule)) {
        separate_steps(pass, x, y, options, rule, run);
      }
      pass.update_statistics();
      return true;
    };
    const Index samples = passes_.for_each_of_step(batches, run, state_.steps, J, visit);
    if constexpr (is_sharded) {
      if (!is_finite(J)) stop_diverged(run, text_of("the loss is ", J), seen);
      complete_step(options, rule, run, [&](bool) { return seen; });
    }
    is_done = true;
    count_loss(J, samples, run);
  }

  // dJ/dtheta of the step
  auto& dJ() { return passes_.gradients(); }

  // Makes a forward pass and adds its loss to J. Throws DivergenceError where J is not finite.
  template <class Pass, class X, class Y>
  void add_checked_loss(double& J, const Pass& pass, const X& x, const Y& y, Run<Net>& run) {
    pass.forward(x);
    J += pass.loss(y);
    if (is_finite(J)) return;
    const std::string where = first_activation_not_finite(net_.layers(), pass.work());
    Circumstances at;
    at.outputs_are_finite = where.empty();
    if (where.empty()) at.largest_output = largest_magnitude(NetworkAccess::output_of(net_, pass.work(), x.cols()));
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
    return is_plain_descent(rule) && !changes_gradient && !accumulates_ && !is_sharded;
  }

  // Steps 3 and 4 in one pass. Returns false and restores theta if a parameter is not finite afterwards.
  template <class Pass, class X, class Y>
  bool fused_step_succeeds(const Pass& pass, const X& x, const Y& y, const Rule& rule) {
    descend(net_, x, y, pass.work(), dJ(), rule, state_);
    auto theta = net_.parameters();
    if (kernels::all_finite(theta.size(), theta.data())) return true;
    theta = theta_before_;
    --state_.steps;
    return false;
  }

  // Steps 3 and 4 one after the other, step 4 with the last batch of the step alone. Repeats a fused step that failed, too, to find out
  // whether the gradient or the step was the first that was not finite.
  template <class Pass, class X, class Y, class Options>
  void separate_steps(const Pass& pass, const X& x, const Y& y, const Options& options, const Rule& rule, Run<Net>& run) {
    check_gradient_of_batch(pass.add_gradient(x, y, 0), pass, x, y, run);
    if (!pass.is_last) return;
    complete_step(options, rule, run, [&](bool looks_at_outputs) {
      Circumstances at;
      look_at(at, x, y);
      if (looks_at_outputs) look_at_outputs(at, pass, x);
      return at;
    });
  }

  // Throws DivergenceError where the gradient that a batch has given is not finite.
  template <class Pass, class X, class Y>
  void check_gradient_of_batch(const Gradients& dJ_of_batch, const Pass& pass, const X& x, const Y& y, Run<Net>& run) {
    if (kernels::all_finite(dJ_of_batch.flat().size(), dJ_of_batch.flat().data())) return;
    Circumstances at{.stage = Circumstances::Stage::gradient};
    look_at_outputs(at, pass, x);
    stop_diverged(run, not_finite(dJ_of_batch), x, y, at);
  }
  std::string not_finite(const Gradients& gradients) const {
    return text_of("the gradient is not finite, first dJ/d ", first_not_finite(net_.layers(), gradients.flat().data()));
  }

  // Step 4 with the gradient of the whole step. Throws DivergenceError where the gradient or a new parameter is not finite, with the
  // Circumstances that see(whether outputs of the network are looked at too) returns.
  template <class Options, class See>
  void complete_step(const Options& options, const Rule& rule, Run<Net>& run, const See& see) {
    add_penalties(options);
    if (!kernels::all_finite(dJ().flat().size(), std::as_const(dJ()).flat().data())) {
      Circumstances at = see(true);
      at.stage = Circumstances::Stage::gradient;
      stop_diverged(run, not_finite(dJ()), at);
    }
    clip(options, run);

    auto theta = net_.parameters();
    rule.step(theta, dJ(), state_);
    if (!kernels::all_finite(theta.size(), theta.data())) {
      const std::string where = first_not_finite(net_.layers(), theta.data());
      theta = theta_before_;
      --state_.steps;
      const bool was_finite = kernels::all_finite(theta.size(), std::as_const(theta).data());
      Circumstances at = see(false);
      at.stage = Circumstances::Stage::step;
      at.largest_gradient = largest_magnitude(std::as_const(dJ()).flat());
      stop_diverged(run, was_finite ? "a step made a parameter that is not finite, first " + where : "a parameter is not finite", at);
    }
  }

  // Adds the gradients of the penalties to dJ/dtheta.
  template <class Options>
  void add_penalties(const Options& options) {
    if (options.l1 > 0) L1{options.l1}.add_gradient(net_.parameters(), dJ(), state_.segments());
    if (options.l2 > 0) L2{options.l2}.add_gradient(net_.parameters(), dJ(), state_.segments());
  }
  template <class Options>
  void clip(const Options& options, Run<Net>& run) {
    if (options.clip_value > 0) clip_by_value(dJ(), options.clip_value);
    if (options.clip_norm > 0) run.gradient_norm = static_cast<double>(clip_by_norm(dJ(), options.clip_norm));
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
  template <class Pass, class X>
  void look_at_outputs(Circumstances& at, const Pass& pass, const X& x) {
    pass.forward(x);
    at.largest_output = largest_magnitude(NetworkAccess::output_of(net_, pass.work(), x.cols()));
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
    raise_divergence(text_of("epoch ", run.epoch, ", batch ", run.batch, " of ", run.batches, passes_.place()), what, at);
  }

  Net& net_;
  Rule rule_;
  OptimizerState<Scalar>& state_;
  std::optional<ThreadTeam> team_;
  Passes passes_;
  bool accumulates_;  // whether a step is made with the gradients of several batches
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
