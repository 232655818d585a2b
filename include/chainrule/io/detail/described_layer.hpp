#pragma once
// A network as those see it who write it down for somebody else: what each layer is, and its numbers by name.

#include <chainrule/core/description.hpp>

namespace chainrule {

/// One tensor of a network, column-major: weight of a Dense is outputs x inputs.
template <class Scalar>
struct TensorOf {
  std::string name;                           ///< "weight"
  Index rows = 0;                             ///< outputs, for a weight
  Index cols = 0;                             ///< inputs, for a weight
  Scalar* numbers = nullptr;                  ///< rows * cols of them, the network's own
  Index size() const { return rows * cols; }  ///< how many numbers it has
};

/// A layer with its tensors, those of its parameters and those of its buffers; of a Residual the layers inside, with theirs. Valid as
/// long as the network it was made of.
template <class Scalar>
struct DescribedLayer {
  Description what;                       ///< name, extents, hyperparameters
  std::vector<TensorOf<Scalar>> tensors;  ///< parameters, then buffers
  std::vector<DescribedLayer> inside;     ///< the layers of a Residual

  bool is(std::string_view kind) const { return what.kind == kind; }  ///< whether that is its name: "Dense"

  /// The tensor of this name; ValueError if there is none.
  const TensorOf<Scalar>& tensor(std::string_view name) const {
    for (const TensorOf<Scalar>& one : tensors)
      if (one.name == name) return one;
    detail::raise<ValueError>(what.kind, " has no tensor \"", name, "\"");
  }
};

namespace detail {

/// Adds the tensors of these shapes, which lie one after the other; returns where they end.
template <class Scalar, class Shapes>
Scalar* add_tensors(std::vector<TensorOf<Scalar>>& tensors, const Shapes& shapes, Scalar* numbers) {
  for (const TensorShape& shape : shapes) {
    tensors.push_back({std::string(std::string_view(shape.name)), shape.rows, shape.cols, numbers});
    numbers += shape.size();
  }
  return numbers;
}

/// Gives the tensors of a Residual, "0.weight" and so on, to the layers inside that they belong to.
template <class Scalar>
void deal_out(DescribedLayer<Scalar>& layer) {
  if (!layer.is("Residual")) return;
  for (std::size_t i = 0; i < layer.what.parts.size(); ++i) {
    DescribedLayer<Scalar> one{layer.what.parts[i], {}, {}};
    const std::string prefix = text_of(i, ".");
    for (TensorOf<Scalar> tensor : layer.tensors)
      if (tensor.name.starts_with(prefix)) {
        tensor.name.erase(0, prefix.size());
        one.tensors.push_back(std::move(tensor));
      }
    deal_out(one);
    layer.inside.push_back(std::move(one));
  }
}

}  // namespace detail

/// The layers of a network, from the first to the last. Of a network that is const the numbers are const.
template <class Net>
auto described_layers(Net& net) {
  using Scalar = std::remove_pointer_t<decltype(net.parameters().data())>;
  std::vector<DescribedLayer<Scalar>> layers;
  Scalar* theta = net.parameters().data();
  Scalar* buffers = net.buffers().data();
  detail::for_each_layer(net.layers(), [&](const auto& layer) {
    DescribedLayer<Scalar> one{describe(layer), {}, {}};
    theta = detail::add_tensors(one.tensors, layer.tensors(), theta);
    if constexpr (requires { layer.buffer_tensors(); }) buffers = detail::add_tensors(one.tensors, layer.buffer_tensors(), buffers);
    detail::deal_out(one);
    layers.push_back(std::move(one));
  });
  return layers;
}

}  // namespace chainrule
