#pragma once

#include <chainrule/training/detail/scores.hpp>
#include <chainrule/training/detail/training_steps.hpp>
#include <chainrule/training/history.hpp>
#include <chainrule/training/save_checkpoints.hpp>

namespace chainrule {

/// Trains a network with an optimizer:
/// @code{.cpp}
/// Trainer trainer{net, Adam{}};
/// auto history = trainer.fit(train, {.epochs = 20, .batch_size = 32, .validation = test}, ProgressBar{}, EarlyStopping{});
/// @endcode
/// `fit` is this loop, which anybody can write for himself; work, dJ, state and batches are made before it, and it allocates
/// nothing per step:
/// @code{.cpp}
/// for (Index epoch = 0; epoch < options.epochs; ++epoch) {
///   batches.start_epoch(epoch);                // another order of the samples
///   for (auto [x, y] : batches) {
///     net.forward(x, work);                    // 1  make a prediction
///     J = net.loss(y, work);                   // 2  calculate the loss
///     net.backward(x, y, work, dJ);            // 3  calculate its gradient by the chain rule
///                                              //    (penalties of l1 and l2; clip_by_value; clip_by_norm)
///     rule.step(net.parameters(), dJ, state);  // 4  step in the opposite direction, with the schedule's factor
///     net.update_statistics(work);             //    running statistics, where there is a BatchNorm
///                                              //    observers: batch_ended(run)
///   }                                          // 5  iterate
///                                              //    evaluate on options.validation; observers: epoch_ended(run)
/// }
/// @endcode
/// The trainer keeps the optimizer's state and the number of epochs done, so a second `fit` goes on where the first one ended.
/// The network must outlive it.
template <class Net, Optimizer Rule>
class Trainer {
  using Scalar = typename Net::ScalarType;

 public:
  /// Allocates the optimizer's state.
  Trainer(Net& net, Rule rule) : net_{net}, rule_{rule}, state_{rule.make_state(net)} {}

  const Rule& rule() const { return rule_; }                      ///< the optimizer
  const OptimizerState<Scalar>& state() const { return state_; }  ///< what it remembers
  Index epochs_done() const { return epochs_done_; }              ///< by all calls of fit

  /// Goes through the data options.epochs times, or until an observer stops it; returns the history. Observers are called in
  /// their order: ProgressBar, EarlyStopping, History, Interrupt, ReduceOnPlateau, or anything that can be called with the Run
  /// after an epoch: [](auto& run) { if (run.loss < 0.01) run.stop("good enough"); }. With a Checkpoint it goes on from a file.
  /// Before anything has changed it throws ShapeError for data that does not fit the network or the batch size, ValueError for
  /// data that is not finite or no target of the loss. DivergenceError at the first loss, gradient or parameter that is not
  /// finite: the parameters are then those of the last finite step. With .threads = n it makes a ThreadTeam for as long as it runs,
  /// and trains to the same bits.
  template <class Data, class... Observers>
  History fit(const Data& data, const std::type_identity_t<detail::OptionsFor<Scalar, Data>>& options, Observers&&... observers) {
    using View = detail::ViewOf<Scalar, Data>;
    static_assert(((detail::Observer<std::remove_reference_t<Observers>, Run<Net>> || detail::is_checkpoint<Observers>)&&...),
                  "chainrule: an observer is called with the Run after each epoch, or has training_started, batch_ended, epoch_ended or "
                  "training_ended");
    const View train(data);
    detail::check_fit(net_, train, options);
    Batches<Scalar, typename View::TargetsView> batches(train, options.batch_size,
                                                        {options.shuffle, derived_seed(options.seed, 0), options.drop_last});
    detail::Scores<Net, typename View::TargetsView> scores(net_, train, options);
    detail::Steps<Net, Rule> steps(net_, rule_, state_, options.batch_size, derived_seed(options.seed, 1), options.threads);

    Run<Net> run(net_);
    run.epochs = options.epochs;
    run.batches = batches.batches();
    run.samples_per_epoch = batches.samples();
    run.quantities = scores.quantities();
    run.started = std::chrono::steady_clock::now();
    History history;
    if constexpr ((detail::is_checkpoint<Observers> || ...)) {
      static_assert((detail::is_checkpoint<Observers> + ...) == 1, "chainrule: one training has one Checkpoint");
      detail::CheckpointWriter<Net> writer(detail::checkpoint_among(observers...), net_, state_, epochs_done_,
                                           detail::identity_of_training(rule_, train.size(), options, run), history, observers...);
      run_epochs(batches, scores, steps, options, run, detail::Observers<Run<Net>>(history, observers..., writer),
                 [&writer](Run<Net>& to_go_on) { return writer.resume(to_go_on); });
    } else {
      run_epochs(batches, scores, steps, options, run, detail::Observers<Run<Net>>(history, observers...));
    }
    return history;
  }

 private:
  template <class BatchesType, class ScoresType, class StepsType, class Options>
  void run_epochs(BatchesType& batches, ScoresType& scores, StepsType& steps, const Options& options, Run<Net>& run,
                  const detail::Observers<Run<Net>>& observers, const std::function<bool(Run<Net>&)>& resume = {}) {
    observers.training_started(run);
    const detail::AtExit tell_the_end([&] { observers.training_ended(run); });
    if (resume && resume(run)) observers.training_resumed(run);
    const auto is_amid_epoch = [&] { return run.batch > 0 && run.batch < run.batches; };
    while ((run.epoch < options.epochs || is_amid_epoch()) && !run.stopped()) {
      if (!is_amid_epoch()) steps.start_epoch(run);
      batches.start_epoch(epochs_done_);
      steps.run_epoch(batches, options, run, observers);
      if (run.batch < run.batches) return;  // an observer stopped it amid the epoch
      ++epochs_done_;
      scores.measure(run, steps.workspace(), steps.penalty(options));
      observers.epoch_ended(run);
    }
  }

  Net& net_;
  Rule rule_;
  OptimizerState<Scalar> state_;
  Index epochs_done_ = 0;
};

}  // namespace chainrule
