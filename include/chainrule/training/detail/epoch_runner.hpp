#pragma once

#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/data/batches.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <chainrule/optimizers/clip.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/optimizers/detail/skips_frozen.hpp>
#include <chainrule/optimizers/penalty.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <chainrule/training/detail/observer_list.hpp>
#include <chainrule/training/divergence.hpp>
#include <chainrule/training/fit_options.hpp>
#include <chrono>

namespace chainrule::detail {

/// Runs the training steps of an epoch: steps 1 to 4 of gradient descent for each batch. Owns the workspace, the gradients and the
/// threads of one `fit`, all of which the constructor allocates.
template <class Net, class Rule>
class EpochRunner {
  using Scalar = typename Net::ScalarType;

 public:
  EpochRunner(Net& net, const Rule& rule, OptimizerState<Scalar>& state, Index batch_size, Seed seed, Index threads)
      : net_{net},
        rule_{rule},
        state_{state},
        work_{net.make_workspace(batch_size)},
        dJ_{net.make_gradients()},
        theta_before_(net.parameters().size()) {
    work_.set_seed(seed);
    if (net.frozen() != nullptr) check_skips_frozen<Scalar>(rule);
    follow_frozen();
    if (threads > 1) state_.team = &team_.emplace(threads);
    work_.set_team(state_.team.get());
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
    work_.set_step(state_.steps);
    if (!has_started_) largest_parameter_at_start_ = largest_magnitude(std::as_const(net_).parameters());
    has_started_ = true;
    while (run.batch < batches.batches()) {
      follow_frozen();
      const auto [x, y] = batches[run.batch++];
      const double J = train_on_batch(x, y, options, run);
      run.samples += x.cols();
      // In order, so that a checkpoint holds the sum as one number: a million batches of positive losses are off by 1e-10 of it at most.
      run.loss_sum += rounded(static_cast<double>(x.cols()) * J);
      run.loss = run.loss_sum / static_cast<double>(run.samples);
      observers.batch_ended(run);
      if (run.stopped()) return;
    }
  }

 private:
  // One training step; returns J, penalties included.
  template <class X, class Y, class Options>
  double train_on_batch(const X& x, const Y& y, const Options& options, Run<Net>& run) {
    Rule rule = rule_;
    // Only the division rounds, so that the second of 10 batches in the second epoch has the time 1.1, as the literal says.
    const auto batches = static_cast<double>(run.batches);
    const double time = (static_cast<double>(run.epoch - 1) * batches + static_cast<double>(run.batch - 1)) / batches;
    rule.learning_rate *= run.learning_rate_factor * (options.schedule ? options.schedule(time) : 1.0);
    // a schedule may come so close to 0 that Scalar cannot hold the rate
    if (is_within(rule.learning_rate, 0, ScalarRange<Scalar>::smallest)) rule.learning_rate = 0;
    run.learning_rate = rule.learning_rate;

    const auto y_hat = net_.forward(x, work_);                                     // 1  make a prediction
    const double J = static_cast<double>(net_.loss(y, work_)) + penalty(options);  // 2  calculate the loss
    if (!is_finite(J)) {
      const std::string where = first_activation_not_finite(net_.layers(), work_);
      Circumstances at;
      at.outputs_are_finite = where.empty();
      if (where.empty()) at.largest_output = largest_magnitude(y_hat);
      stop_diverged(run, text_of("the loss is ", J, where), x, y, at);
    }

    theta_before_ = net_.parameters();
    const bool changes_gradient = options.l1 > 0 || options.l2 > 0 || options.clip_value > 0 || options.clip_norm > 0;
    const bool can_fuse = is_plain_descent(rule) && !changes_gradient;
    if (!can_fuse || !fused_step_succeeds(x, y, rule)) separate_steps(x, y, options, rule, run);
    net_.update_statistics(work_);
    return J;
  }

  // Takes over what is frozen, which an observer may have changed.
  void follow_frozen() {
    if (state_.frozen() == net_.frozen()) return;
    if (net_.frozen() != nullptr) check_skips_frozen<Scalar>(rule_);
    state_.follow(net_);
  }

  // Steps 3 and 4 in one pass over the layers, which saves writing dJ/dW to memory and reading it again. Returns false and restores
  // theta if a parameter is not finite afterwards.
  template <class X, class Y>
  bool fused_step_succeeds(const X& x, const Y& y, const Rule& rule) {
    descend(net_, x, y, work_, dJ_, rule, state_);
    auto theta = net_.parameters();
    if (kernels::all_finite(theta.size(), theta.data())) return true;
    theta = theta_before_;
    --state_.steps;
    return false;
  }

  // Steps 3 and 4 one after the other. Repeats a fused step that failed, too, to find out whether the gradient or the step was the
  // first that was not finite.
  template <class X, class Y, class Options>
  void separate_steps(const X& x, const Y& y, const Options& options, const Rule& rule, Run<Net>& run) {
    auto theta = net_.parameters();
    net_.backward(x, y, work_, dJ_);  // 3  calculate the gradient by the chain rule
    if (options.l1 > 0) L1{options.l1}.add_gradient(net_.parameters(), dJ_, state_.segments());
    if (options.l2 > 0) L2{options.l2}.add_gradient(net_.parameters(), dJ_, state_.segments());
    if (!kernels::all_finite(dJ_.flat().size(), dJ_.flat().data()))
      stop_diverged(run,
                    text_of("the gradient is not finite, first dJ/d ", first_not_finite(net_.layers(), std::as_const(dJ_).flat().data())),
                    x, y, {.stage = Circumstances::Stage::gradient});
    if (options.clip_value > 0) clip_by_value(dJ_, options.clip_value);
    if (options.clip_norm > 0) run.gradient_norm = static_cast<double>(clip_by_norm(dJ_, options.clip_norm));

    rule.step(theta, dJ_, state_);  // 4  step in the opposite direction
    if (!kernels::all_finite(theta.size(), theta.data())) {
      const std::string where = first_not_finite(net_.layers(), theta.data());
      theta = theta_before_;
      --state_.steps;
      const bool was_finite = kernels::all_finite(theta.size(), std::as_const(theta).data());
      stop_diverged(run, was_finite ? "a step made a parameter that is not finite, first " + where : "a parameter is not finite", x, y,
                    {.stage = Circumstances::Stage::step, .largest_gradient = largest_magnitude(std::as_const(dJ_).flat())});
    }
  }

  // Ends a training that met a number that is not finite. The network must have the parameters of the last finite step.
  template <class X, class Y>
  [[noreturn]] void stop_diverged(Run<Net>& run, const std::string& what, const X& x, const Y& y, Circumstances at) {
    run.stop("it diverged");
    const auto theta = std::as_const(net_).parameters();
    at.parameter_not_finite = first_not_finite(net_.layers(), theta.data());
    at.steps = state_.steps;
    at.learning_rate = run.learning_rate;
    at.limit = ScalarRange<Scalar>::largest;
    at.largest_input = largest_magnitude(x);
    if constexpr (requires { without_weights(y).rows(); }) at.largest_target = largest_magnitude(without_weights(y));
    if constexpr (requires { y.weights; }) at.largest_weight = largest_magnitude(y.weights);
    if (at.stage == Circumstances::Stage::gradient) {
      at.largest_output = largest_magnitude(net_.forward(x, work_));
      at.outputs_are_finite = true;  // otherwise the loss would not have been finite
    }
    at.largest_parameter = largest_magnitude(theta);
    at.largest_parameter_at_start = largest_parameter_at_start_;
    raise_divergence(text_of("epoch ", run.epoch, ", batch ", run.batch, " of ", run.batches), what, at);
  }

  Net& net_;
  Rule rule_;
  OptimizerState<Scalar>& state_;
  std::optional<ThreadTeam> team_;
  typename Net::template Workspace<> work_;
  typename Net::Gradients dJ_;
  Vector<Scalar> theta_before_;  // to restore the last finite parameters
  bool has_started_ = false;
  double largest_parameter_at_start_ = 0;
};

}  // namespace chainrule::detail
