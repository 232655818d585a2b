#pragma once
// A network as a list of layers with named tensors, for file formats that store tensors by name.

#include <algorithm>
#include <chainrule/any/detail/visit_known.hpp>
#include <chainrule/core/description.hpp>
#include <charconv>

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
  std::vector<LayerWithTensors> inside;      ///< the layers inside, such as those of a Residual, with the same tensors again
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

/// Fills `inside` of a layer that contains others, such as Residual: its tensor "0.weight" is the tensor "weight" of the first layer
/// inside.
template <class Scalar>
void find_layers_inside(LayerWithTensors<Scalar>& layer) {
  if (!contains_layers(layer.what)) return;
  for (const Description& part : layer.what.parts) layer.inside.push_back({part, {}, {}});
  for (const NamedTensor<Scalar>& tensor : layer.tensors) {
    const std::size_t dot = (std::min)(tensor.name.find('.'), tensor.name.size());
    std::size_t part = layer.inside.size();
    std::from_chars(tensor.name.data(), tensor.name.data() + dot, part);
    if (part < layer.inside.size())
      layer.inside[part].tensors.push_back({tensor.name.substr(dot + 1), tensor.rows, tensor.cols, tensor.numbers});
  }
  for (LayerWithTensors<Scalar>& part : layer.inside) find_layers_inside(part);
}

}  // namespace detail

/// The layers of a network, from the first to the last. Where the network is const, so are the numbers. Throws ValueError for layers nested
/// more than max_nesting deep, which no file can hold.
template <class Net>
auto layers_with_tensors(Net& net) {
  using Scalar = std::remove_pointer_t<decltype(net.parameters().data())>;
  std::vector<LayerWithTensors<Scalar>> layers;
  Scalar* theta = net.parameters().data();
  Scalar* buffers = net.buffers().data();
  detail::for_each_layer(net.layers(), [&](const auto& layer) {
    LayerWithTensors<Scalar> one{describe(layer), {}, {}};
    detail::check_nesting(one.what, one.what.kind);
    theta = detail::add_tensors(one.tensors, layer.tensors(), theta);
    if constexpr (requires { layer.buffer_tensors(); }) buffers = detail::add_tensors(one.tensors, layer.buffer_tensors(), buffers);
    detail::find_layers_inside(one);
    layers.push_back(std::move(one));
  });
  return layers;
}

}  // namespace chainrule
