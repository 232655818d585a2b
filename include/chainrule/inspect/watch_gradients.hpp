#pragma once

#include <chainrule/inspect/gradient_flow.hpp>
#include <functional>

namespace chainrule {

/// Observes how the gradient flows while a network learns: every so many steps a GradientFlow of the same samples, with what the step
/// before did to each layer. The same samples each time, so that curves tell of the network and not of the batch.
/// @code{.cpp}
/// WatchGradients watch{net, x, y, 10};  // every 10 steps; x and y are copied, some 100 samples will do
/// trainer.fit(train, {.epochs = 5}, watch);
/// for (const auto& [step, flow] : watch.seen) std::printf("%d %g\n", int(step), flow.layers[0].gradient_norm);
/// @endcode
/// Costs one forward and one backward pass over x each time. ValueError for `every` below 1; what the passes throw, when training starts.
template <class Net>
class WatchGradients {
  using Scalar = typename Net::ScalarType;

 public:
  /// The flow at one step.
  struct Look {
    Index step;         ///< how many steps were done; 0: before the first one, so without an update
    GradientFlow flow;  ///< what was found there
  };
  std::vector<Look> seen;  ///< of the last training

  /// Copies x, inputs x samples, and y. every: how many steps lie between two looks.
  template <class X, class Y>
  WatchGradients(const Net&, const Eigen::DenseBase<X>& x, const Y& y, Index every)
      : every_{every}, look_{[x = Matrix<Scalar>(x), y = copy_of(y)](const Net& net) { return gradient_flow(net, x, y); }} {
    if (every < 1) detail::raise<ValueError>("WatchGradients: it looks every so many steps, at least 1, got ", every);
  }

  template <class RunType>
  void training_started(const RunType& run) {
    seen.clear();
    seen.push_back({0, look_(run.net)});
    before_ = run.net.parameters();
  }
  template <class RunType>
  void training_resumed(const RunType& run) {
    seen.clear();
    before_ = run.net.parameters();
  }
  template <class RunType>
  void batch_ended(const RunType& run) {
    const Index step = (run.epoch - 1) * run.batches + run.batch;
    if (step % every_ == 0) {
      seen.push_back({step, look_(run.net)});
      seen.back().flow.measure_update(run.net, before_);
    }
    if ((step + 1) % every_ == 0) before_ = run.net.parameters();
  }

 private:
  template <class Y>
  static auto copy_of(const Y& y) {
    if constexpr (detail::EigenDense<Y>)
      return y.eval();
    else
      return std::vector(std::begin(y), std::end(y));
  }

  Index every_;
  std::function<GradientFlow(const Net&)> look_;
  Vector<Scalar> before_;
};

template <class Net, class X, class Y>
WatchGradients(const Net&, const X&, const Y&, Index) -> WatchGradients<Net>;

}  // namespace chainrule
