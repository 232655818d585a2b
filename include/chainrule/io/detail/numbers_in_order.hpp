#pragma once

#include <chainrule/core/tensor_shape.hpp>
#include <chainrule/core/types.hpp>

namespace chainrule::detail {

/// Gives out a network's parameters and buffers, layer after layer. Whoever goes through the layers of a network, from the first to the
/// last and into each Residual, asks once for those of every layer that has some. The network must outlive it.
template <class Scalar>
class NumbersInOrder {
 public:
  template <class Net>
  explicit NumbersInOrder(const Net& net) : parameters_{net.parameters().data()}, buffers_{net.buffers().data()} {}

  /// The parameters of the next layer, by their names: numbers.parameters_of(dense).weight.
  template <class L>
  auto parameters_of(const L& layer) {
    const Scalar* first = parameters_;
    parameters_ += size_of_tensors(layer.tensors());
    return layer.parameters(first);
  }
  /// The buffers of the next layer, by their names: numbers.buffers_of(batch_norm).running_mean.
  template <class L>
  auto buffers_of(const L& layer) {
    const Scalar* first = buffers_;
    buffers_ += size_of_tensors(layer.buffer_tensors());
    return layer.buffers(first);
  }

 private:
  const Scalar* parameters_;
  const Scalar* buffers_;
};

}  // namespace chainrule::detail
