#pragma once

#include <chainrule/core/random.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/metrics/accuracy.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace chainrule {

/// A metric with its type forgotten: accuracy, TopKAccuracy{5}, ..., or Metric{"name", function} of predictions and targets.
template <class Scalar, class Targets>
class Metric {
 public:
  using Function = std::function<double(const ConstMatrixView<Scalar>&, const Targets&)>;  ///< of predictions and targets

  /// A metric of the library, or one of yours with a name.
  template <class M>
  requires requires(const M& metric, const ConstMatrixView<Scalar>& y_hat, const Targets& y) {
    std::string(metric.name);
    { metric(y_hat, y) } -> std::convertible_to<double>;
  }
  Metric(const M& metric) : name(metric.name), value(metric) {}
  /// A function and what it is called.
  Metric(std::string called, Function function) : name(std::move(called)), value(std::move(function)) {}

  std::string name;  ///< what history calls it, behind "validation_"
  Function value;    ///< of predictions (outputs x samples, the loss's link applied) and targets
};

/// What `Trainer::fit` is told beside the data.
template <class Scalar, class Targets>
struct FitOptions {
  Index epochs = 10;      ///< how often the data is gone through; at least 1
  Index batch_size = 32;  ///< samples a step; at most as many as there are
  /// Measured after each epoch, never learned from: a Dataset, or DataView{x, y}.
  std::optional<DataView<Scalar, Targets>> validation = std::nullopt;
  bool shuffle = true;     ///< another order of the samples in every epoch
  bool drop_last = false;  ///< leave out an epoch's last batch where it is short
  /// How many threads share the work of each pass, also on the validation set. The result is the same bits for any number; whether
  /// sharing is worth it is decided for each product, so small nets train on one thread whatever is said here.
  Index threads = 1;
  Seed seed = {};  ///< of the order of the samples and of dropout masks
  /// A factor for the optimizer's learning rate, from the time in epochs since fit began: Cosine{...}, OneCycle{...}, or any
  /// function. Empty: 1.
  std::function<double(double)> schedule = {};
  double clip_norm = 0;   ///< the largest norm of dJ/dtheta, longer ones are shortened to it; 0: no limit
  double clip_value = 0;  ///< the largest |dJ/dp| of any parameter; 0: no limit
  double l1 = 0;          ///< adds l1 sum |w| over the weights to J
  double l2 = 0;          ///< adds l2/2 sum w^2 over the weights to J
  /// Measured on the validation set after each epoch. None: accuracy where targets are labels.
  std::vector<Metric<Scalar, Targets>> metrics = {};
  bool training_metrics = false;  ///< measure them on the training set too, after each epoch, as predictions
};

namespace detail {

template <class Scalar, class Data>
using ViewOf = decltype(DataView(std::declval<const Data&>()));

template <class Scalar, class Data>
using OptionsFor = FitOptions<Scalar, typename ViewOf<Scalar, Data>::TargetsView>;

inline void check_not_negative(const char* what, double value) {
  if (!(value >= 0 && value <= std::numeric_limits<double>::max()))
    raise<ValueError>("fit: ", what, " must be at least 0 and finite, got ", value);
}

/// Throws where these options, or this data for this network, cannot be.
template <class Net, class Scalar, class Targets>
void check_fit(const Net& net, const DataView<Scalar, Targets>& train, const FitOptions<Scalar, Targets>& options) {
  const auto check = [&net](const char* who, const DataView<Scalar, Targets>& data) {
    const WeightedTargets<Scalar, Targets> y{data.targets, weights_of(data, 0, data.size())};
    net.check_data(who, data.features, y);
    if (total_weight(y) <= 0) raise<ValueError>(who, ": all weights of the samples are 0");
  };
  check("fit", train);
  if (options.validation) check("fit, validation set", *options.validation);
  if (options.epochs < 1) raise<ValueError>("fit: epochs must be at least 1, got ", options.epochs);
  if (options.threads < 1 || options.threads > ThreadTeam::max_threads)
    raise<ValueError>("fit: threads must be 1 to ", ThreadTeam::max_threads, ", got ", options.threads);
  check_not_negative("clip_norm", options.clip_norm);
  check_not_negative("clip_value", options.clip_value);
  check_not_negative("l1", options.l1);
  check_not_negative("l2", options.l2);
  if (options.batch_size < 1) return;  // which Batches will say
  const Index fewest = net.fewest_training_samples();
  const Index rest = train.size() % options.batch_size;
  if (options.batch_size < fewest || (rest > 0 && rest < fewest && !options.drop_last))
    raise<ShapeError>("fit: a layer (BatchNorm) needs batches of at least ", fewest, " samples, but ",
                      rest > 0 ? "an epoch's last batch" : "a batch", " would have ", rest > 0 ? rest : options.batch_size,
                      "; take another batch_size, or .drop_last = true");
}

}  // namespace detail
}  // namespace chainrule
