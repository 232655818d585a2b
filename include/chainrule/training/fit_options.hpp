#pragma once

#include <algorithm>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/product_precision.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/metrics/accuracy.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace chainrule {

/// Type-erased metric: accuracy, TopKAccuracy{5}, ..., or Metric{"name", function} with a function of predictions and targets.
template <class Scalar, class Targets>
class Metric {
 public:
  using Function = std::function<double(const ConstMatrixView<Scalar>&, const Targets&)>;  ///< (predictions, targets) -> metric

  /// From a metric of the library or of yours: a callable with a `name`.
  template <class M>
  requires requires(const M& metric, const ConstMatrixView<Scalar>& y_hat, const Targets& y) {
    std::string(metric.name);
    { metric(y_hat, y) } -> std::convertible_to<double>;
  }
  Metric(const M& metric) : name(metric.name), value(metric) {}
  /// Does not compile for the name of a metric, as in Keras; the message says what to write instead.
  template <std::convertible_to<std::string_view> Name>
  Metric(const Name&) {
    static_assert(!std::is_same_v<Name, Name>,
                  "chainrule: a metric is an object, not its name: .metrics = {accuracy, macro_f1}, or Metric{\"name\", function}");
  }
  /// From a name and a function.
  Metric(std::string metric_name, Function function) : name(std::move(metric_name)), value(std::move(function)) {}

  std::string name;  ///< name of the quantity; measured on the validation set, it is prefixed with "validation_"
  Function value;    ///< computes the metric from predictions (outputs x samples, with the loss's link applied) and targets
};

/// Options of `Trainer::fit`.
template <class Scalar, class Targets>
struct FitOptions {
  Index epochs = 10;      ///< number of passes over the data, at least 1
  Index batch_size = 32;  ///< samples per pass, and per step unless accumulate is above 1; where there are fewer samples, all of them
  /// Number of batches whose gradients make one step, for steps of more samples than fit into memory at once, or with a BatchNorm that
  /// takes its statistics from batch_size samples. A step is that of the batch_size * accumulate samples together, J of which is the mean
  /// of the batches' J, each times its share of the samples; the last step of an epoch has what is left. Progress, schedules, penalties,
  /// clipping, drop_last and checkpoints see such a step as one batch; BatchNorm updates its running statistics, and Dropout draws its
  /// masks, for each batch of batch_size.
  ///
  /// Without BatchNorm and Dropout the step is that of the large batch but for rounding, because gradients of batches are added, whereas
  /// one batch is summed in blocks of 256 samples for weights and 128 for biases. With .batch_size = 256 and .accumulate = 2 both are the
  /// same sum for Dense, Embedding and LayerNorm, so that full steps have the bits of .batch_size = 512, unless .precision is set.
  Index accumulate = 1;
  /// Data on which loss and metrics are measured after each epoch, without training on it: a Dataset, or DataView{x, y}. It is viewed, so
  /// it must outlive the options; a temporary Dataset does not compile.
  std::optional<DataView<Scalar, Targets>> validation = std::nullopt;
  bool shuffle = true;  ///< use a new random order of the samples in every epoch
  bool drop_last =
      false;  ///< skip the last step of an epoch if it has fewer than batch_size * accumulate samples, unless it is the only one
  /// Number of threads that share the work of each pass, on the validation set too. The result has the same bits for any number. Each
  /// matrix product uses them only if it is large enough to gain from it, so a small network trains on one thread.
  Index threads = 1;
  /// How the matrix products of dense layers are computed, on the validation set too: in the network's Scalar, or in bfloat16
  /// (precision/bfloat16.hpp), for networks of float.
  ProductPrecision precision = {};
  Seed seed = {};  ///< seed of the order of the samples and of the dropout masks
  /// Factor on the optimizer's learning rate as a function of time: Cosine{...}, OneCycle{...}, or any function. It is called before each
  /// step with the number of epochs since fit began, fractions included: 2.5 is the middle of the third epoch. Empty: the factor is 1.
  std::function<double(double)> schedule = {};
  double clip_norm = 0;   ///< largest Euclidean norm of dJ/dtheta; a longer gradient is scaled down to it; 0: no limit
  double clip_value = 0;  ///< largest |dJ/dp| of any parameter p; a larger one is cut off; 0: no limit
  double l1 = 0;          ///< adds l1 sum |w| over the weights to J
  double l2 = 0;          ///< adds l2/2 sum w^2 over the weights to J
  /// Metrics of the predictions on the validation set, measured after each epoch. Empty: accuracy if the targets are labels. Weights of
  /// samples do not count in them, unless a function says so: Metric{"weighted_accuracy", [&](const auto& y_hat, const auto& y) { return
  /// accuracy(y_hat, weighted(y, validation.weights)); }}.
  std::vector<Metric<Scalar, Targets>> metrics = {};
  bool training_metrics = false;  ///< measure the metrics on the training set too
};

namespace detail {

template <class Scalar, class Data>
using ViewOf = decltype(DataView(std::declval<const Data&>()));

template <class Scalar, class Data>
using OptionsFor = FitOptions<Scalar, typename ViewOf<Scalar, Data>::TargetsView>;

/// The mean weight of the samples of a data set, the weights of their classes included.
template <class Net, class Scalar, class Targets>
double mean_weight_of_data(const Net& net, const DataView<Scalar, Targets>& data) {
  return mean_weight_of("fit", net.loss_function(), WeightedTargets<Scalar, Targets>{data.targets, weights_of(data, 0, data.size())});
}

/// How an epoch is divided into batches, and these into steps.
struct StepsOfEpoch {
  Index batch_size;        ///< samples per pass, at most as many as there are
  Index batches_per_step;  ///< the last step may have fewer
  Index samples_per_step;  ///< the last step may have fewer
  Index steps;
  Index samples;  ///< in all steps, without those that drop_last leaves out

  /// The number of batches in the step with this number, counted from 0.
  Index batches_of(Index step) const {
    const Index left = samples - step * samples_per_step;
    return left >= samples_per_step ? batches_per_step : (left + batch_size - 1) / batch_size;
  }
  /// The number of samples in this step.
  Index samples_of(Index step) const { return (std::min)(samples_per_step, samples - step * samples_per_step); }
};

/// The steps of an epoch over `samples` samples. Batch size and number of batches must be at least 1.
template <class Options>
StepsOfEpoch steps_of_epoch(Index samples, const Options& options) {
  StepsOfEpoch of{};
  of.batch_size = (std::min)(options.batch_size, samples);
  of.batches_per_step = (std::min)(options.accumulate, (samples + of.batch_size - 1) / of.batch_size);
  of.samples_per_step = (std::min)(of.batch_size * of.batches_per_step, samples);
  of.steps = samples / of.samples_per_step + (samples % of.samples_per_step > 0 && !options.drop_last ? 1 : 0);
  of.samples = (std::min)(samples, of.steps * of.samples_per_step);
  return of;
}

/// Throws ValueError or ShapeError for options out of their range, or for data that does not fit the network. check_batches looks at the
/// number of samples, mean_weight_of_data at the sum of their weights, which may be 0 in the part of one rank.
template <class Net, class Scalar, class Targets>
void check_fit(const Net& net, const DataView<Scalar, Targets>& train, const FitOptions<Scalar, Targets>& options) {
  const auto check = [&net](const char* who, const DataView<Scalar, Targets>& data) {
    const WeightedTargets<Scalar, Targets> y{data.targets, weights_of(data, 0, data.size())};
    NetworkAccess::check_data(who, net, data.features, y);
    return y;
  };
  check("fit", train);
  if (options.validation) mean_weight_of("fit, validation set", net.loss_function(), check("fit, validation set", *options.validation));
  if (net.parameters().size() > 0 && net.trainable_parameters() == 0)
    raise<ValueError>("fit: all parameters of the network are frozen, so nothing can learn; net.unfreeze(i) lets layer i learn");
  if (options.epochs < 1) raise<ValueError>("fit: epochs must be at least 1, got ", options.epochs);
  if (options.threads < 1 || options.threads > ThreadTeam::max_threads)
    raise<ValueError>("fit: threads must be 1 to ", ThreadTeam::max_threads, ", got ", options.threads);
  options.precision.template check<Scalar>("fit");
  check_not_negative<Scalar>("fit", "clip_norm", options.clip_norm);
  check_not_negative<Scalar>("fit", "clip_value", options.clip_value);
  check_not_negative<Scalar>("fit", "l1", options.l1);
  check_not_negative<Scalar>("fit", "l2", options.l2);
  if (options.accumulate < 1) raise<ValueError>("fit: accumulate must be at least 1, got ", options.accumulate);
}

/// Throws ShapeError where a batch of an epoch over `samples` samples would be too small for a layer.
template <class Net, class Options>
void check_batches(const Net& net, Index samples, const Options& options) {
  if (options.batch_size < 1) return;  // the constructor of Batches reports this
  const Index fewest = net.fewest_training_samples();
  const StepsOfEpoch epoch = steps_of_epoch(samples, options);
  const Index rest = epoch.samples % epoch.batch_size;
  if (epoch.batch_size < fewest || (rest > 0 && rest < fewest))
    raise<ShapeError>("fit: a layer (BatchNorm) needs batches of at least ", fewest, " samples, but ",
                      rest > 0 ? "an epoch's last batch" : "a batch", " would have ", rest > 0 ? rest : epoch.batch_size,
                      options.drop_last ? "; take another batch_size" : "; take another batch_size, or .drop_last = true");
}

}  // namespace detail
}  // namespace chainrule
