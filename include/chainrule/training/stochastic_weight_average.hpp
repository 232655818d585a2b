#pragma once

#include <chainrule/core/error.hpp>
#include <chainrule/training/weight_average.hpp>
#include <string_view>

namespace chainrule {

/// Observer for stochastic weight averaging (Izmailov et al. 2018; PyTorch's AveragedModel): the mean of the parameters after some epochs,
/// each with the same weight, from an epoch on at which the training has come close to a minimum. With a learning rate that stays high,
/// constant or cyclic (Cosine with restarts), the steps then wander around in a wide region of low loss, and their mean is in its middle.
/// When the training ends, for whatever reason, the network gets the mean.
/// @code{.cpp}
/// StochasticWeightAverage average{.start_epoch = 15};
/// trainer.fit(train, {.epochs = 20}, average);
/// recompute_statistics(net, train);  // where the net has a BatchNorm
/// average.mean.swap(net);            // back to the parameters of the last step; call it again for the mean
/// @endcode
///
///     mean <- mean + (theta - mean)/n        after epochs start_epoch, start_epoch + every, ..., which are n = 1, 2, ...
///
/// Losses and metrics in the history are those of the parameters that are trained, not of the mean. Buffers stay as they are; those of a
/// BatchNorm belong to other parameters then, so call recompute_statistics. A second fit would start at the mean; swap back before it.
/// EarlyStopping sets the parameters at the end too: of such observers in one fit, the last one in the list decides. A training that ends
/// before the end of start_epoch keeps its parameters. Throws ValueError at the start of a training unless start_epoch and every are at
/// least 1.
struct StochasticWeightAverage {
  static constexpr std::string_view name = "StochasticWeightAverage";  ///< the name in descriptions, files and messages

  Index start_epoch = 1;  ///< the first epoch in the mean, usually after about three quarters of all epochs
  Index every = 1;        ///< number of epochs from one in the mean to the next: the length of a cycle of the learning rate
  bool apply = true;      ///< give the network the mean when the training ends
  WeightAverage mean{};   ///< the mean; after a training that applied it, the parameters of the last step

  /// Called by the trainer before the first step.
  template <class RunType>
  void training_started(RunType& run) {
    if (start_epoch < 1 || every < 1)
      detail::raise<ValueError>("StochasticWeightAverage: start_epoch and every must be at least 1, got ", start_epoch, " and ", every);
    mean.reset(run.net.parameters());
  }
  /// Called by the trainer after each epoch.
  template <class RunType>
  void epoch_ended(RunType& run) {
    if (run.epoch < start_epoch || (run.epoch - start_epoch) % every != 0) return;
    mean.add(run.net.parameters(), 1 / static_cast<double>(mean.count + 1));
  }
  /// Writes to or reads from a checkpoint what this observer needs to resume.
  template <class Archive>
  void archive(Archive& a) {
    a(mean);
  }
  /// Called by the trainer at the end, also when an exception ends the training.
  template <class RunType>
  void training_ended(RunType& run) {
    if (apply) mean.swap(run.net);
  }
};

}  // namespace chainrule
