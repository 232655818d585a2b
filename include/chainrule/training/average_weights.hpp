#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/training/weight_average.hpp>
#include <string_view>

namespace chainrule {

/// Observer that keeps a running mean of the parameters, which often predicts better than the parameters of the last step (Polyak and
/// Juditsky 1992; PyTorch's get_ema_multi_avg_fn, Keras's use_ema). When the training ends, for whatever reason, the network gets the mean.
/// @code{.cpp}
/// AverageWeights average{.decay = 0.99};
/// trainer.fit(train, {.epochs = 20}, average);
/// recompute_statistics(net, train);  // where the net has a BatchNorm
/// average.mean.swap(net);            // back to the parameters of the last step; call it again for the mean
/// @endcode
/// The mean is that of theta after the steps from start_epoch on, where step s of t has a weight of decay^(t - s), divided by the sum of
/// these weights, as in Adam. So the first steps are not pulled towards 0 or towards the initial parameters, and the mean is over about
/// 1/(1 - decay) steps.
///
///     mean <- mean + (1 - decay)/(1 - decay^t) (theta - mean)        after step t = 1, 2, ...
///
/// Losses and metrics in the history are those of the parameters that are trained, not of the mean. Buffers stay as they are; those of a
/// BatchNorm belong to other parameters then, so call recompute_statistics. A second fit would start at the mean; swap back before it.
/// EarlyStopping sets the parameters at the end too: of such observers in one fit, the last one in the list decides.
/// Throws ValueError at the start of a training unless 0 <= decay < 1 and start_epoch >= 1. Allocates when a training starts, not in steps.
struct AverageWeights {
  static constexpr std::string_view name = "AverageWeights";  ///< the name in descriptions, files and messages

  double decay = 0.999;   ///< the weight of a step relative to the step after it, in [0, 1); with 0 the mean is theta after the last step
  Index start_epoch = 1;  ///< the first epoch whose steps count
  bool apply = true;      ///< give the network the mean when the training ends
  WeightAverage mean{};   ///< the mean; after a training that applied it, the parameters of the last step
  double decay_to_the_t = 1.0;  ///< decay^t after t steps

  /// Called by the trainer before the first step.
  template <class RunType>
  void training_started(RunType& run) {
    detail::check_fraction(name, "decay", decay);
    if (start_epoch < 1) detail::raise<ValueError>("AverageWeights: start_epoch must be at least 1, got ", start_epoch);
    mean.reset(run.net.parameters());
    decay_to_the_t = 1;
  }
  /// Called by the trainer after each step.
  template <class RunType>
  void batch_ended(RunType& run) {
    if (run.epoch < start_epoch) return;
    decay_to_the_t *= decay;
    mean.add(run.net.parameters(), (1 - decay) / (1 - decay_to_the_t));
  }
  /// Writes to or reads from a checkpoint what this observer needs to resume.
  template <class Archive>
  void archive(Archive& a) {
    a(mean, decay_to_the_t);
    a.expect(decay_to_the_t >= 0 && decay_to_the_t <= 1, "found an impossible power of the decay, ", decay_to_the_t);
  }
  /// Called by the trainer at the end, also when an exception ends the training.
  template <class RunType>
  void training_ended(RunType& run) {
    if (apply) mean.swap(run.net);
  }
};

}  // namespace chainrule
