#pragma once
// A network as a list of layers with named tensors, for file formats that store tensors by name.

#include <chainrule/any/detail/visit_known.hpp>
#include <chainrule/core/description.hpp>

namespace chainrule {

/// One tensor of a network, column-major.
template <class Scalar>
struct NamedTensor {
  std::string name;                           ///< "weight"
  Index rows = 0;                             ///< outputs, for a weight
  Index cols = 0;                             ///< inputs, for a weight
  Scalar* numbers = nullptr;                  ///< rows * cols numbers, in the network's own memory
  Index size() const { return rows * cols; }  ///< rows * cols
};

/// A layer with its tensors. Valid as long as the network that it was made from.
template <class Scalar>
struct LayerWithTensors {
  Description what;                          ///< the layer's name, extents and hyperparameters
  std::vector<NamedTensor<Scalar>> tensors;  ///< parameters, then buffers; those of a Residual are named "0.weight"
  std::vector<LayerWithTensors> inside;      ///< the layers inside a Residual, with the same tensors again; empty for other layers
};

namespace detail {

/// Adds tensors of these shapes, which lie one after the other in memory, and returns where the last one ends.
template <class Scalar, class Shapes>
Scalar* add_tensors(std::vector<NamedTensor<Scalar>>& tensors, const Shapes& shapes, Scalar* numbers) {
  for (const TensorShape& shape : shapes) {
    tensors.push_back({std::string(std::string_view(shape.name)), shape.rows, shape.cols, numbers});
    numbers += shape.size();
  }
  return numbers;
}

/// Fills `inside` of a Residual: its tensor "0.weight" is the tensor "weight" of the first layer inside.
template <class Scalar>
void find_layers_inside(LayerWithTensors<Scalar>& layer) {
  if (!describes<DescribedResidual>(layer.what)) return;
  for (std::size_t i = 0; i < layer.what.parts.size(); ++i) {
    LayerWithTensors<Scalar> one{layer.what.parts[i], {}, {}};
    const std::string prefix = text_of(i, ".");
    for (NamedTensor<Scalar> tensor : layer.tensors)
      if (tensor.name.starts_with(prefix)) {
        tensor.name.erase(0, prefix.size());
        one.tensors.push_back(std::move(tensor));
      }
    find_layers_inside(one);
    layer.inside.push_back(std::move(one));
  }
}

}  // namespace detail

/// The layers of a network, from the first to the last. Where the network is const, so are the numbers.
template <class Net>
auto layers_with_tensors(Net& net) {
  using Scalar = std::remove_pointer_t<decltype(net.parameters().data())>;
  std::vector<LayerWithTensors<Scalar>> layers;
  Scalar* theta = net.parameters().data();
  Scalar* buffers = net.buffers().data();
  detail::for_each_layer(net.layers(), [&](const auto& layer) {
    LayerWithTensors<Scalar> one{describe(layer), {}, {}};
    theta = detail::add_tensors(one.tensors, layer.tensors(), theta);
    if constexpr (requires { layer.buffer_tensors(); }) buffers = detail::add_tensors(one.tensors, layer.buffer_tensors(), buffers);
    detail::find_layers_inside(one);
    layers.push_back(std::move(one));
  });
  return layers;
}

}  // namespace chainrule
