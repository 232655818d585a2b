#pragma once

#include <algorithm>
#include <chainrule/core/weighting.hpp>
#include <chainrule/training/fit_options.hpp>
#include <chainrule/training/progress.hpp>

namespace chainrule::detail {

/// Measures a network after each epoch: loss and metrics on the validation set, and metrics on the training set if
/// `training_metrics` is set. Predicts a whole set in batches of the workspace's size; the constructor allocates all memory.
template <class Net, class Targets>
class Evaluator {
  using Scalar = typename Net::ScalarType;
  using View = DataView<Scalar, Targets>;

 public:
  /// `options`: FitOptions or MinimizeOptions. Calls each metric once on uniform predictions, so that one that does not fit the data
  /// (TopKAccuracy with k above the number of classes) throws before the training starts.
  template <class Options>
  Evaluator(const Net& net, const View& train, const Options& options)
      : train_{train}, validation_{options.validation}, metrics_{options.metrics} {
    if constexpr (!std::is_same_v<Targets, ConstMatrixView<Scalar>>)
      if (metrics_.empty()) metrics_.push_back(accuracy);
    measures_train_ = options.training_metrics && !metrics_.empty();
    const Index max_samples = (std::max)(measures_train_ ? train.size() : 0, validation_ ? validation_->size() : 0);
    predictions_.setConstant(net.outputs(), max_samples, net.outputs() == 1 ? Scalar(0.5) : 1 / static_cast<Scalar>(net.outputs()));
    if (measures_train_) try_metrics(train);
    if (validation_) {
      try_metrics(*validation_);
      validation_mean_weight_ = mean_weight_of_data(net, *validation_);
    }
  }

  /// The names of all quantities that measure() fills, in its order.
  std::vector<Quantity> quantities() const {
    std::vector<Quantity> all{{"loss"}};
    if (measures_train_) add_metric_names(all, "");
    if (validation_) {
      all.push_back({"validation_loss"});
      add_metric_names(all, "validation_");
    }
    return all;
  }

  /// Fills run.quantities, the first with run.loss, which must be the mean of the epoch. Adds `penalty` to the validation loss, because
  /// run.loss includes it too.
  template <class RunType, class Work>
  void measure(RunType& run, Work& work, double penalty) {
    std::size_t next = 0;
    run.quantities[next++].value = run.loss;
    if (measures_train_) {
      predict(run.net, train_, 1, work);
      measure_metrics(train_, run.quantities, next);
    }
    if (!validation_) return;
    run.quantities[next++].value = predict(run.net, *validation_, validation_mean_weight_, work) + penalty;
    measure_metrics(*validation_, run.quantities, next);
  }

 private:
  void add_metric_names(std::vector<Quantity>& all, const char* prefix) const {
    for (const auto& metric : metrics_) all.push_back({prefix + metric.name});
  }

  // Writes the predictions of all samples to predictions_, and returns the mean loss; mean_weight is the mean weight of all samples.
  template <class Work>
  double predict(const Net& net, const View& data, double mean_weight, Work& work) {
    PairwiseSum<double> sum;
    for (Index first = 0; first < data.size(); first += work.max_batch()) {
      const Index count = (std::min)(work.max_batch(), data.size() - first);
      const WeightedTargets<Scalar, Targets> y{columns_of(data.targets, first, count), weights_of(data, first, count), mean_weight};
      const auto [J, y_hat] = net.evaluate(columns_of(data.features, first, count), y, work);
      sum += static_cast<double>(count) * static_cast<double>(J);
      predictions_.middleCols(first, count) = y_hat;
    }
    return sum.total() / static_cast<double>(data.size());
  }

  void try_metrics(const View& data) {
    const ConstMatrixView<Scalar> y_hat = const_view<Scalar>(predictions_.leftCols(data.size()));
    for (const auto& metric : metrics_) static_cast<void>(metric.value(y_hat, data.targets));
  }

  // quantities[next], quantities[next + 1], ... <- the metrics of the predictions
  void measure_metrics(const View& data, std::vector<Quantity>& quantities, std::size_t& next) {
    const ConstMatrixView<Scalar> y_hat = const_view<Scalar>(predictions_.leftCols(data.size()));
    for (const auto& metric : metrics_) quantities[next++].value = metric.value(y_hat, data.targets);
  }

  View train_;
  std::optional<View> validation_;
  std::vector<Metric<Scalar, Targets>> metrics_;
  double validation_mean_weight_ = 1;
  bool measures_train_ = false;
  Matrix<Scalar> predictions_;  // outputs x samples of the larger set
};

}  // namespace chainrule::detail
