#pragma once
// What is measured after each epoch: loss and metrics of the validation set, and of the training set on request.

#include <algorithm>
#include <chainrule/core/weighting.hpp>
#include <chainrule/training/fit_options.hpp>
#include <chainrule/training/progress.hpp>

namespace chainrule::detail {

/// Predicts a whole set in pieces of a workspace's size and measures it. All memory is allocated at the start.
template <class Net, class Targets>
class Scores {
  using Scalar = typename Net::ScalarType;
  using View = DataView<Scalar, Targets>;
  using Options = FitOptions<Scalar, Targets>;

 public:
  Scores(const Net& net, const View& train, const Options& options)
      : train_{train}, validation_{options.validation}, metrics_{options.metrics} {
    if constexpr (!std::is_same_v<Targets, ConstMatrixView<Scalar>>)
      if (metrics_.empty()) metrics_.push_back(accuracy);
    of_train_ = options.training_metrics && !metrics_.empty();
    const Index most = std::max(of_train_ ? train.size() : 0, validation_ ? validation_->size() : 0);
    predictions_.setConstant(net.outputs(), most, net.outputs() == 1 ? Scalar(0.5) : 1 / static_cast<Scalar>(net.outputs()));
    // one try on even probabilities, so that a metric that cannot be (a k above the number of classes) says so before the training
    if (of_train_) try_metrics(train);
    if (validation_) try_metrics(*validation_);
  }

  std::vector<Quantity> quantities() const {
    std::vector<Quantity> all{{"loss"}};
    if (of_train_) add_names(all, "");
    if (validation_) {
      all.push_back({"validation_loss"});
      add_names(all, "validation_");
    }
    return all;
  }

  /// Fills run.quantities; run.loss is the epoch's. `penalty` is added to the validation loss, as it is in run.loss.
  template <class RunType, class Work>
  void measure(RunType& run, Work& work, double penalty) {
    std::size_t next = 0;
    run.quantities[next++].value = run.loss;
    if (of_train_) {
      predict(run.net, train_, work);
      measure_metrics(train_, run.quantities, next);
    }
    if (!validation_) return;
    run.quantities[next++].value = predict(run.net, *validation_, work) + penalty;
    measure_metrics(*validation_, run.quantities, next);
  }

 private:
  void add_names(std::vector<Quantity>& all, const char* prefix) const {
    for (const auto& metric : metrics_) all.push_back({prefix + metric.name});
  }

  // the predictions of all samples, and the mean of their loss
  template <class Work>
  double predict(const Net& net, const View& data, Work& work) {
    double sum = 0;
    double total = 0;
    for (Index first = 0; first < data.size(); first += work.max_batch()) {
      const Index count = std::min(work.max_batch(), data.size() - first);
      const WeightedTargets<Scalar, Targets> y{columns_of(data.targets, first, count), weights_of(data, first, count)};
      const auto [J, y_hat] = net.evaluate(columns_of(data.features, first, count), y, work);
      const double weight = total_weight(y);
      sum += weight * static_cast<double>(J);
      total += weight;
      predictions_.middleCols(first, count) = y_hat;
    }
    return total > 0 ? sum / total : 0;
  }

  void try_metrics(const View& data) {
    const ConstMatrixView<Scalar> y_hat = const_view<Scalar>(predictions_.leftCols(data.size()));
    for (const auto& metric : metrics_) static_cast<void>(metric.value(y_hat, data.targets));
  }

  // quantities[next], quantities[next + 1], ... <- the metrics
  void measure_metrics(const View& data, std::vector<Quantity>& quantities, std::size_t& next) {
    const ConstMatrixView<Scalar> y_hat = const_view<Scalar>(predictions_.leftCols(data.size()));
    for (const auto& metric : metrics_) quantities[next++].value = metric.value(y_hat, data.targets);
  }

  View train_;
  std::optional<View> validation_;
  std::vector<Metric<Scalar, Targets>> metrics_;
  bool of_train_ = false;
  Matrix<Scalar> predictions_;
};

}  // namespace chainrule::detail
