#pragma once

#include <chainrule/minimize/detail/stopping.hpp>
#include <chainrule/minimize/objective.hpp>
#include <chainrule/training/detail/evaluator.hpp>
#include <chainrule/training/detail/notes.hpp>
#include <chainrule/training/history.hpp>
#include <chainrule/training/save_checkpoints.hpp>
#include <chrono>
#include <functional>

namespace chainrule {

/// Options of `minimize`.
template <class Scalar, class Targets>
struct MinimizeOptions {
  Index iterations = 1000;           ///< most iterations, at least 1
  Index evaluations = 0;             ///< no further iteration begins after so many evaluations of J; 0: no limit
  double gradient_tolerance = 1e-6;  ///< stops where |dJ/dtheta|, the Euclidean norm, is at most this; 0: never
  double loss_tolerance = 1e-9;      ///< stops where an iteration lowers J by at most this share of J
  /// Data on which loss and metrics are measured after each iteration, without training on it: a Dataset, or DataView{x, y}. It is viewed,
  /// so it must outlive the options.
  std::optional<DataView<Scalar, Targets>> validation = std::nullopt;
  Index threads = 1;  ///< number of threads that share the work of each pass; the result has the same bits for any number
  double l2 = 0;      ///< adds l2/2 sum w^2 over the weights to J
  /// Metrics of the predictions on the validation set, measured after each iteration. Empty: accuracy if the targets are labels.
  std::vector<Metric<Scalar, Targets>> metrics = {};
  bool training_metrics = false;  ///< measure the metrics on the training set too
};

/// The result of `minimize`.
struct Minimum {
  double loss;                  ///< J after the last iteration, over all samples, the penalty included
  double gradient_norm;         ///< |dJ/dtheta| there, the Euclidean norm
  Index iterations;             ///< number of iterations
  Index evaluations;            ///< number of evaluations of J, with or without its gradient
  bool converged;               ///< whether it stopped at the gradient_tolerance or the loss_tolerance
  std::string stopped_because;  ///< why it stopped, as a sentence
  History history;              ///< loss and other quantities after every iteration

  /// One line with everything but the history.
  std::string to_string() const { return detail::description_of_minimum(loss, gradient_norm, iterations, evaluations, stopped_because); }
};

namespace detail {

template <class Scalar, class Data>
using MinimizeOptionsFor = MinimizeOptions<Scalar, typename ViewOf<Scalar, Data>::TargetsView>;

/// Throws ValueError or ShapeError for options out of their range, or for a validation set that does not fit the network.
template <class Net, class Scalar, class Targets>
void check_minimize(const Net& net, const MinimizeOptions<Scalar, Targets>& options) {
  if (options.validation) {
    const auto& data = *options.validation;
    const WeightedTargets<Scalar, Targets> y{data.targets, weights_of(data, 0, data.size())};
    NetworkAccess::check_data("minimize, validation set", net, data.features, y);
    mean_weight_of("minimize, validation set", net.loss_function(), y);
  }
  check_tolerances("minimize", options);
}

/// One line for each setting that must be the same when a minimization is resumed, besides its network and observers.
template <class Net, class Rule, class Options>
std::string minimization_fingerprint(const Net& net, const Rule& rule, Index samples, const Options& options, const Progress& run) {
  std::string lines;
  if (net.frozen() != nullptr)
    for (const auto& range : net.frozen()->ranges()) add_line(lines, "frozen: ", range.begin, " to ", range.end);
  add_rule(lines, rule);
  add_line(lines, "samples: ", samples);
  add_line(lines, "l2: ", options.l2);
  for (const Quantity& quantity : run.quantities) add_line(lines, "measured: ", quantity.name);
  return lines;
}

/// The loop over the iterations of one `minimize`, which shows them to observers as epochs of one batch.
template <class Net, class Targets, class Minimizer>
class MinimizeLoop {
  using Scalar = typename Net::ScalarType;
  using Options = MinimizeOptions<Scalar, Targets>;

 public:
  MinimizeLoop(Net& net, Objective<Net, Targets>& J, Minimizer& minimizer, const Options& options, OptimizerState<Scalar>& state,
               Index& iterations_done)
      : net_{net}, J_{J}, minimizer_{minimizer}, options_{options}, state_{state}, iterations_done_{iterations_done} {}

  /// Whether the last iteration reached one of the tolerances.
  bool converged() const { return converged_; }

  /// Runs until something stops the run. `resume` reads the state of the run from a checkpoint and returns whether there was one.
  template <class EvaluatorType>
  void run(EvaluatorType& evaluator, Run<Net>& run, const ObserverList<Run<Net>>& observers,
           const std::function<bool(Run<Net>&)>& resume = {}) {
    observers.during_training(run, [&] {
      if (resume && resume(run)) observers.training_resumed(run);
      if (!minimizer_.started) {
        minimizer_.start(std::as_const(net_).parameters());
        if (!minimizer_.is_finite()) ObjectiveAccess::passes(J_).refuse("minimize", minimizer_.gradient().data());
      }
      stop_if_done(run);
      while (run.epoch < options_.iterations && !run.stopped()) {
        run.epoch_started = std::chrono::steady_clock::now();
        run.pause = 0;
        if (!minimizer_.iterate()) return run.stop(no_lower_loss);
        show(run);
        stop_if_done(run);
        observers.batch_ended(run);
        {
          const Pause pause(run);
          evaluator.measure(run, ObjectiveAccess::passes(J_).workspace(),
                            static_cast<double>(ObjectiveAccess::penalty(J_, minimizer_.theta())));
        }
        observers.epoch_ended(run);
        if (run.learning_rate_factor != 1)
          raise<ValueError>(
              "minimize: an observer (ReduceOnPlateau) set learning_rate_factor, but there is no learning rate here; leave it out");
      }
    });
  }

 private:
  // Gives the network the parameters after an iteration, and observers its numbers.
  void show(Run<Net>& run) {
    net_.parameters() = minimizer_.theta();
    ++iterations_done_;
    ++state_.steps;
    ++run.epoch;
    run.batch = 1;
    run.samples = run.samples_per_epoch;
    run.loss = static_cast<double>(minimizer_.loss);
    run.loss_sum = run.loss * static_cast<double>(run.samples);
    run.gradient_norm = static_cast<double>(minimizer_.gradient_norm);
    run.learning_rate = static_cast<double>(minimizer_.step);
  }

  void stop_if_done(Run<Net>& run) {
    const ReasonToStop reason = reason_to_stop(minimizer_, options_, run.epoch);
    if (reason.sentence.empty()) return;
    converged_ = reason.converged;
    run.stop(reason.sentence);
  }

  Net& net_;
  Objective<Net, Targets>& J_;
  Minimizer& minimizer_;
  const Options& options_;
  OptimizerState<Scalar>& state_;
  Index& iterations_done_;
  bool converged_ = false;
};

}  // namespace detail

/// Minimizes J of a network over a whole data set with a rule that looks at all samples in each step: LBFGS for any smooth loss,
/// LevenbergMarquardt for least squares of small networks. Both need far fewer passes over the data than gradient descent where the data is
/// small or J must become very small, and no learning rate. Parameters that are frozen when it begins keep their bits.
/// @code{.cpp}
/// const Minimum found = minimize(net, train, LBFGS{}, {.iterations = 500, .validation = test}, ProgressBar{.every_epochs = 20});
/// std::printf("%s\n", found.to_string().c_str());
/// @endcode
/// J is that of Objective: the loss as `evaluate` defines it for all samples, with weights of samples and classes, plus l2/2 sum w^2. An
/// iteration is one epoch of one batch for the observers, which may be those of Trainer::fit: ProgressBar, EarlyStopping, History,
/// Interrupt, Checkpoint, or any function that takes the Run. run.epoch counts iterations, run.loss is J after the iteration,
/// run.gradient_norm |dJ/dtheta|, and run.learning_rate the size of its step. All memory is allocated before the first iteration, and the
/// result has the same bits for any number of threads. With a Checkpoint, a run continues from its file with the same bits.
///
/// Throws before anything has changed what Objective throws: for data that does not fit, Dropout and BatchNorm among others; ValueError for
/// options and hyperparameters out of their range, for parameters that are not finite, and at an observer that sets learning_rate_factor;
/// DivergenceError, with the cause as far as it can be seen, where J or its gradient is not finite at the parameters of the network. Later
/// a J that is not finite only makes steps shorter. The network always has the parameters after the last complete iteration, also where an
/// exception ends the run, unless EarlyStopping restores those of a better one.
template <class Net, class Data, class Rule, class... Observers>
Minimum minimize(Net& net, const Data& data, const Rule& rule,
                 const std::type_identity_t<detail::MinimizeOptionsFor<typename Net::ScalarType, Data>>& options = {},
                 Observers&&... observers) {
  using Scalar = typename Net::ScalarType;
  using View = detail::ViewOf<Scalar, Data>;
  using Targets = typename View::TargetsView;
  static_assert(((detail::Observer<std::remove_reference_t<Observers>, Run<Net>> || detail::is_checkpoint<Observers>)&&...),
                "chainrule: an observer must be callable with the Run, or have one of the members training_started, batch_ended, "
                "epoch_ended and training_ended");
  const View train(data);
  detail::check_minimize(net, options);
  Objective<Net, Targets> J = detail::ObjectiveAccess::make<Objective<Net, Targets>>(
      "minimize", net, train, ObjectiveOptions{.l2 = options.l2, .threads = options.threads});
  auto minimizer = rule.make_minimizer(J);
  detail::Evaluator<Net, Targets> evaluator(net, train, options);

  Run<Net> run(net);
  run.epochs = options.iterations;
  run.batches = 1;
  run.samples_per_epoch = train.size();
  run.quantities = evaluator.quantities();
  run.notes = detail::notes_on_data(net, train);
  run.started = std::chrono::steady_clock::now();
  History history;
  OptimizerState<Scalar> state(net, 0);
  Index iterations_done = 0;
  detail::MinimizeLoop loop(net, J, minimizer, options, state, iterations_done);
  if constexpr ((detail::is_checkpoint<Observers> || ...)) {
    static_assert((detail::is_checkpoint<Observers> + ...) == 1, "chainrule: minimize takes at most one Checkpoint");
    detail::CheckpointWriter<Net> writer(detail::checkpoint_among(observers...), net, state, iterations_done,
                                         detail::minimization_fingerprint(net, rule, train.size(), options, run), nullptr, minimizer,
                                         history, observers...);
    loop.run(evaluator, run, detail::ObserverList<Run<Net>>(history, observers..., writer),
             [&writer](Run<Net>& resumed) { return writer.resume_or_write(resumed); });
  } else {
    loop.run(evaluator, run, detail::ObserverList<Run<Net>>(history, observers...));
  }
  history.stopped_because = run.stopped_because;  // Interrupt may have given its reason after training_ended of the history
  return {static_cast<double>(minimizer.loss),
          static_cast<double>(minimizer.gradient_norm),
          run.epoch,
          minimizer.evaluations,
          loop.converged(),
          run.stopped() ? run.stopped_because : detail::text_of("all ", options.iterations, " iterations were made"),
          std::move(history)};
}

}  // namespace chainrule
