#pragma once

#include <chainrule/inspect/gradient_flow.hpp>
#include <functional>

namespace chainrule {

/// Observer that records the gradient flow every few steps of a training, and the update that the last step made. It measures on the
/// same samples each time, so that the curves show changes of the network and not of the batch.
/// @code{.cpp}
/// GradientFlowRecorder recorder{net, x, y, 10};  // every 10 steps; copies x and y, about 100 samples
/// trainer.fit(train, {.epochs = 5}, recorder);
/// for (const auto& [step, flow] : recorder.records) std::printf("%d %g\n", int(step), flow.layers[0].gradient_norm);
/// @endcode
/// Each record costs one forward and one backward pass over x. What these passes throw is thrown when the training starts.
template <class Net>
class GradientFlowRecorder {
  using Scalar = typename Net::ScalarType;

 public:
  /// The gradient flow at one step of the training.
  struct Record {
    Index step;         ///< number of steps done; 0 before the first step, where update_norm is unknown
    GradientFlow flow;  ///< the flow after this step, with update_norm of this step
  };
  std::vector<Record> records;  ///< records of the last training

  /// Copies x (inputs x samples) and y. `every_steps` is the number of steps between two records; throws ValueError if it is below 1.
  template <class X, class Y>
  GradientFlowRecorder(const Net&, const Eigen::DenseBase<X>& x, const Y& y, Index every_steps)
      : every_steps_{every_steps}, measure_{[x = Matrix<Scalar>(x), y = copy_of(y)](const Net& net) { return gradient_flow(net, x, y); }} {
    if (every_steps < 1) detail::raise<ValueError>("GradientFlowRecorder: every_steps must be at least 1, got ", every_steps);
  }

  /// Called by the trainer before the first step.
  template <class RunType>
  void training_started(const RunType& run) {
    records.clear();
    records.push_back({0, measure_(run.net)});
    theta_before_ = run.net.parameters();
  }
  /// Called by the trainer when training continues from a checkpoint, after this observer's archive was read.
  template <class RunType>
  void training_resumed(const RunType& run) {
    records.clear();
    theta_before_ = run.net.parameters();
  }
  /// Called by the trainer after each step.
  template <class RunType>
  void batch_ended(const RunType& run) {
    const Index step = (run.epoch - 1) * run.batches + run.batch;
    if (step % every_steps_ == 0) {
      records.push_back({step, measure_(run.net)});
      records.back().flow.measure_update(run.net, theta_before_);
    }
    if ((step + 1) % every_steps_ == 0) theta_before_ = run.net.parameters();
  }

 private:
  template <class Y>
  static auto copy_of(const Y& y) {
    if constexpr (detail::EigenDense<Y>)
      return y.eval();
    else
      return std::vector(std::begin(y), std::end(y));
  }

  Index every_steps_;
  std::function<GradientFlow(const Net&)> measure_;
  Vector<Scalar> theta_before_;  // parameters before the step whose update is recorded next
};

/// Deduces the template arguments from the constructor's arguments.
template <class Net, class X, class Y>
GradientFlowRecorder(const Net&, const X&, const Y&, Index) -> GradientFlowRecorder<Net>;

}  // namespace chainrule
