#pragma once

#include <algorithm>
#include <chainrule/training/detail/epoch_runner.hpp>
#include <chainrule/training/detail/evaluator.hpp>
#include <chainrule/training/detail/notes.hpp>
#include <chainrule/training/detail/on_ranks.hpp>
#include <chainrule/training/detail/passes_of_shards.hpp>
#include <chainrule/training/history.hpp>
#include <chainrule/training/save_checkpoints.hpp>
#include <chrono>
#include <functional>

namespace chainrule {

/// Trains a network with an optimizer by gradient descent on mini-batches:
/// @code{.cpp}
/// Trainer trainer{net, Adam{}};
/// auto history = trainer.fit(train, {.epochs = 20, .batch_size = 32, .validation = test}, ProgressBar{}, EarlyStopping{});
/// @endcode
/// `fit` runs this loop, which you can also write yourself. It makes work, dJ, state and batches before the loop and allocates nothing
/// in a step:
/// @code{.cpp}
/// for (Index epoch = 0; epoch < options.epochs; ++epoch) {
///   batches.start_epoch(epoch);                // shuffles the samples
///   for (auto [x, y] : batches) {
///     net.forward(x, work);                    // 1  make a prediction
///     J = net.loss(y, work);                   // 2  calculate the loss
///     net.backward(x, y, work, dJ);            // 3  calculate its gradient by the chain rule
///                                              //    (add the gradients of l1 and l2; clip_by_value; clip_by_norm)
///     rule.step(net.parameters(), dJ, state);  // 4  step in the opposite direction, at learning_rate * schedule(time)
///     net.update_statistics(work);             //    running statistics of BatchNorm and FakeQuantize
///                                              //    observers: batch_ended(run)
///   }                                          // 5  iterate
///                                              //    evaluate on options.validation; observers: epoch_ended(run)
/// }
/// @endcode
/// With .accumulate = n, steps 1 to 3 and update_statistics are done for n batches, and their gradients added, each times its share of the
/// samples, before penalties, clipping and step 4. In a loop of your own: net.backward(x, y, work, dJ_of_batch);
/// dJ.flat() += dJ_of_batch.flat() / n.
///
/// The trainer keeps the optimizer's state and the number of epochs done, so a second `fit` continues where the first one ended.
/// Where samples or classes have weights, J of a batch is sum w_j J_j / (batch m), with the mean weight m of all samples
/// (core/weighting.hpp), and every loss that is reported is the weighted mean sum w_j J_j / sum w_j over the samples of the epoch or of the
/// validation set, whatever the batches.
///
/// It keeps a reference to the network, which must outlive it and stay where it is. A trainer cannot be copied or moved; an object that
/// holds both, and that moves, keeps them behind a pointer: std::unique_ptr.
template <class Net, Optimizer Rule>
class Trainer {
  using Scalar = typename Net::ScalarType;

 public:
  /// Allocates the optimizer's state.
  Trainer(Net& net, Rule rule) : net_{net}, rule_{rule}, state_{rule.make_state(net)} {}
  Trainer(const Trainer&) = delete;  // chainrule: a Trainer refers to its network; keep both behind a std::unique_ptr to move them
  Trainer& operator=(const Trainer&) = delete;

  const Rule& rule() const { return rule_; }                      ///< the optimizer
  const OptimizerState<Scalar>& state() const { return state_; }  ///< the optimizer's state: moments and number of steps
  Index epochs_done() const { return epochs_done_; }              ///< complete epochs, of all calls of fit together

  /// Trains for options.epochs passes over the data, or until an observer stops the training, and returns the history. Observers are
  /// called in the order given. They can be ProgressBar, EarlyStopping, History, Interrupt, ReduceOnPlateau, GradientFlowRecorder, or
  /// any function that takes the Run, called after each epoch: [](auto& run) { if (run.loss < 0.01) run.stop("good enough"); }. With
  /// a Checkpoint among them, training continues from its file. With .threads = n, fit uses a ThreadTeam while it runs; the result has
  /// the same bits for every n.
  ///
  /// With Ranks among the observers, such as an Mpi, all ranks call fit with the same network, options and observers, and train together.
  /// `data` is then the part of the samples that Ranks::part_of gives to this rank; batch_size, J, metrics, clipping and weights are those
  /// of all ranks, and the validation set is whole on each rank. Shard s of a batch consists of samples of part s of the data, in a random
  /// order of this part, so the result depends on the number of shards, but has the same bits for any number of ranks. Rank 0 alone draws a
  /// ProgressBar, and reads and writes the file of a Checkpoint. Where one rank throws, the others throw RankError with its reason.
  ///
  /// Data with which the training works, but probably not well, gives a sentence in the notes of Progress and of the history, which
  /// ProgressBar prints: features that are not scaled, as pixels from 0 to 255; targets that the last activation cannot reach; a batch_size
  /// above the number of samples, which is taken as that; a loss that begins far above that of a constant prediction, for which the first
  /// fit makes one more forward pass of a batch, or that a too large learning rate raises in the first epoch.
  ///
  /// Throws before anything has changed: ShapeError for data that does not fit the network or the batch size, ValueError for data that
  /// is not finite or for targets that the loss does not accept. Throws DivergenceError at the first loss, gradient or parameter that is
  /// not finite, with the cause as far as it can be seen, and leaves the network with the parameters of the last finite step. An exception
  /// of an observer ends the training and is thrown after training_ended of all observers.
  template <class Data, class... Observers>
  History fit(const Data& data, const std::type_identity_t<detail::OptionsFor<Scalar, Data>>& options, Observers&&... observers) {
    static_assert(((detail::Observer<std::remove_reference_t<Observers>, Run<Net>> || detail::is_checkpoint<Observers> ||
                    detail::is_ranks<Observers>)&&...),
                  "chainrule: an observer must be callable with the Run, or have one of the members training_started, batch_ended, "
                  "epoch_ended and training_ended");
    if constexpr ((detail::is_ranks<Observers> || ...))
      return detail::ranks_among(observers...).together([&] { return fit_on_ranks(data, options, observers...); });
    else
      return fit_here(data, options, observers...);
  }

 private:
  // fit in a single process
  template <class Data, class... Observers>
  History fit_here(const Data& data, const detail::OptionsFor<Scalar, Data>& options, Observers&... observers) {
    using View = detail::ViewOf<Scalar, Data>;
    const View train(data);
    detail::check_fit(net_, train, options);
    detail::check_batches(net_, train.size(), options);
    detail::check_not_negative<Scalar>(Rule::name, "learning_rate", rule_.learning_rate);
    Batches<Scalar, typename View::TargetsView> batches(
        train, (std::min)(options.batch_size, train.size()),
        {options.shuffle, derived_seed(options.seed, 0), false, detail::mean_weight_of_data(net_, train)});
    const detail::StepsOfEpoch steps = detail::steps_of_epoch(train.size(), options);  // drop_last leaves out a step, not a batch
    detail::Evaluator<Net, typename View::TargetsView> evaluator(net_, train, options);
    detail::EpochRunner<Net, Rule> epochs(net_, rule_, state_, steps, derived_seed(options.seed, 1), options.threads, options.precision);
    Run<Net> run = begin_run(train, train.size(), steps, evaluator, options);
    return fit_with(batches, evaluator, epochs, options, run, detail::training_fingerprint(rule_, train.size(), options, run), nullptr,
                    observers...);
  }

  // fit on several ranks, each of which has the samples of its own part; see detail::ShardBatches.
  template <class Data, class... Observers>
  History fit_on_ranks(const Data& data, const detail::OptionsFor<Scalar, Data>& options, Observers&... observers) {
    using View = detail::ViewOf<Scalar, Data>;
    Ranks& ranks = detail::ranks_among(observers...);
    const View part(data);
    detail::check_fit(net_, part, options);
    detail::check_not_negative<Scalar>(Rule::name, "learning_rate", rule_.learning_rate);
    const Index samples = detail::samples_on_ranks(ranks, part.size());
    const detail::StepsOfEpoch steps = detail::steps_on_ranks(net_, ranks, samples, options);
    detail::ShardBatches<Scalar, typename View::TargetsView> batches(ranks, part, samples, steps.batch_size, options.shuffle,
                                                                     derived_seed(options.seed, 0),
                                                                     detail::mean_weight_on_ranks(net_, ranks, part, samples));
    detail::Evaluator<Net, typename View::TargetsView> evaluator(net_, part, options);
    detail::EpochRunner<Net, Rule, detail::PassesOfShards<Net>> epochs(net_, rule_, state_, steps, derived_seed(options.seed, 1),
                                                                       options.threads, options.precision, ranks);
    Run<Net> run = begin_run(part, samples, steps, evaluator, options);
    std::string fingerprint = detail::training_fingerprint(rule_, samples, options, run);
    detail::add_line(fingerprint, "shards: ", ranks.shards());
    if (detail::merges_statistics(net_, ranks)) detail::add_line(fingerprint, "BatchNorm: statistics of all shards");
    std::string settings = detail::fingerprint_of(net_, state_) + fingerprint;
    detail::add_line(settings, "epochs: ", options.epochs, ", done: ", epochs_done_, ", observers: ", sizeof...(observers),
                     ", bucket_bytes: ", ranks.bucket_bytes());
    if (options.validation)
      detail::add_line(settings, "validation: ", options.validation->size(), ", sum: ", options.validation->features.sum());
    detail::check_same_on_ranks(ranks, net_, std::as_const(state_), settings);
    ProgressBar silent{.style = ProgressBar::Style::silent};
    return fit_with(batches, evaluator, epochs, options, run, fingerprint, &ranks, detail::shown_by_first(ranks, observers, silent)...);
  }

  // The Run of a training that begins.
  template <class View, class EvaluatorType, class Options>
  Run<Net> begin_run(const View& train, Index samples, const detail::StepsOfEpoch& steps, const EvaluatorType& evaluator,
                     const Options& options) {
    Run<Net> run(net_);
    run.epochs = options.epochs;
    run.batches = steps.steps;
    run.samples_per_epoch = steps.samples;
    run.quantities = evaluator.quantities();
    run.notes = detail::notes_on_data(net_, train);
    if (samples < options.batch_size)
      run.notes.push_back(detail::text_of("batch_size is ", options.batch_size, ", but there are only ", samples,
                                          " samples, so each step is made with all of them"));
    else if (steps.batches_per_step < options.accumulate)
      run.notes.push_back(detail::text_of("accumulate is ", options.accumulate, " batches of ", options.batch_size, ", but there are only ",
                                          samples, " samples, so each step is made with all of them"));
    run.started = std::chrono::steady_clock::now();
    return run;
  }

  // Trains with these observers, and with a checkpoint if there is one among them.
  template <class BatchesType, class EvaluatorType, class RunnerType, class Options, class... Observers>
  History fit_with(BatchesType& batches, EvaluatorType& evaluator, RunnerType& epochs, const Options& options, Run<Net>& run,
                   [[maybe_unused]] const std::string& fingerprint, Ranks* ranks, Observers&... observers) {
    History history;
    detail::AgreementOnStop agreement{ranks};
    if constexpr ((detail::is_checkpoint<Observers> || ...)) {
      static_assert((detail::is_checkpoint<Observers> + ...) == 1, "chainrule: fit takes at most one Checkpoint");
      detail::CheckpointWriter<Net> writer(detail::checkpoint_among(observers...), net_, state_, epochs_done_, fingerprint, ranks, history,
                                           observers...);
      run_epochs(batches, evaluator, epochs, options, run, detail::ObserverList<Run<Net>>(history, observers..., agreement, writer),
                 writer.resumes(), ranks, [&writer](Run<Net>& resumed) { return writer.resume_or_write(resumed); });
    } else {
      run_epochs(batches, evaluator, epochs, options, run, detail::ObserverList<Run<Net>>(history, observers..., agreement), false, ranks);
    }
    history.stopped_because = run.stopped_because;  // Interrupt may have given its reason after training_ended of the history
    return history;
  }

  // The loop over epochs. `resume` reads the state of the run from a checkpoint, which may be in the middle of an epoch, if there is one,
  // and returns whether it has; `resumes` says so before.
  template <class BatchesType, class EvaluatorType, class RunnerType, class Options>
  void run_epochs(BatchesType& batches, EvaluatorType& evaluator, RunnerType& epochs, const Options& options, Run<Net>& run,
                  const detail::ObserverList<Run<Net>>& observers, bool resumes, Ranks* ranks,
                  const std::function<bool(Run<Net>&)>& resume = {}) {
    detail::FirstLoss first;
    if (state_.steps == 0 && !resumes) {
      const auto [x, y] = batches[0];
      if (x.cols() >= net_.fewest_training_samples()) first.measure(net_, x, y, epochs.workspace(), run.notes);
      if (ranks != nullptr) first.average(*ranks);
    }
    observers.during_training(run, [&] {
      if (resume && resume(run)) observers.training_resumed(run);
      const auto is_within_epoch = [&] { return run.batch > 0 && run.batch < run.batches; };
      while ((run.epoch < options.epochs || is_within_epoch()) && !run.stopped()) {
        if (!is_within_epoch()) epochs.start_epoch(run);
        batches.start_epoch(epochs_done_);
        epochs.run_epoch(batches, options, run, observers);
        if (run.batch < run.batches) return;  // an observer stopped the training within the epoch
        ++epochs_done_;
        {
          const detail::Pause pause(run);
          const double penalty = epochs.penalty(options);
          evaluator.measure(run, epochs.workspace(), penalty);
          if (run.epoch == 1) first.compare(run.loss - penalty, rule_.learning_rate, run.notes);
        }
        observers.epoch_ended(run);
      }
    });
  }

  Net& net_;
  Rule rule_;
  OptimizerState<Scalar> state_;
  Index epochs_done_ = 0;
};

}  // namespace chainrule
