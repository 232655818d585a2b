#pragma once

#include <algorithm>
#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/data/dataset.hpp>

namespace chainrule {

/// Makes the running statistics of every BatchNorm, and the range of every FakeQuantize, anew, as the mean over one pass of batches of the
/// training data, for parameters that no training step has left behind: the mean of AverageWeights or StochasticWeightAverage, or the
/// parameters of another network (PyTorch's update_bn). The layers work as in training, so Dropout drops units. A network with neither of
/// these layers stays as it is.
///
///     running <- sum over batches of samples_b statistics_b / sum of samples_b
///
/// data: a Dataset or a DataView; only its features are looked at. batch_size: the samples of a batch, as in the training. A last batch of
/// one sample has no variance and is left out. Throws what a forward pass throws, and ShapeError for fewer than two samples or a batch_size
/// below 2 where there is a BatchNorm. A call that throws has changed nothing.
template <class Net, class Data>
void recompute_statistics(Net& net, const Data& data, Index batch_size = 256) {
  using Scalar = typename Net::ScalarType;
  const auto view = DataView(data);
  if (view.size() < net.fewest_training_samples())
    detail::raise<ShapeError>("recompute_statistics: it needs at least ", net.fewest_training_samples(), " samples, got ", view.size());
  auto work = net.make_workspace((std::min)(batch_size, (std::max)(view.size(), Index{1})));
  const Vector<Scalar> before = net.buffers();
  bool is_done = false;
  const auto restore = [&] {
    if (!is_done) net.buffers() = before;
  };
  const detail::ScopeExit guard(restore);
  Index samples = 0;
  for (Index first = 0; first < view.size(); first += batch_size) {
    const Index count = (std::min)(batch_size, view.size() - first);
    if (first > 0 && count < net.fewest_training_samples()) break;
    net.forward(detail::columns_of(view.features, first, count), work);
    samples += count;
    net.update_statistics(work, static_cast<double>(count) / static_cast<double>(samples));
  }
  is_done = true;
}

}  // namespace chainrule
