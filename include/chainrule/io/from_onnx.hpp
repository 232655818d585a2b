#pragma once
// ONNX models (onnx.ai) of feedforward networks, as chainrule, PyTorch, Keras and scikit-learn export them. Needs the messages of ONNX
// (link with chainrule::onnx).

#include <chainrule/bytes/file.hpp>
#include <chainrule/io/detail/onnx/description_text.hpp>
#include <chainrule/io/detail/onnx/read_link.hpp>

namespace chainrule {
namespace detail {

/// Puts the numbers that were read into the network's.
template <class Scalar>
void fill_tensors(std::vector<DescribedLayer<Scalar>> layers, std::vector<ReadLayer<Scalar>>& read) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].is("Residual")) {
      fill_tensors(layers[i].inside, read[i].inside);
      continue;
    }
    for (const TensorOf<Scalar>& tensor : layers[i].tensors) {
      const std::vector<Scalar>& numbers = read[i].tensor(tensor.name);
      if (static_cast<Index>(numbers.size()) != tensor.size())
        raise<ShapeError>(read[i].what.kind, ": expected ", tensor.size(), " numbers of ", tensor.name, ", but found ", numbers.size());
      std::copy(numbers.begin(), numbers.end(), tensor.numbers);
    }
  }
}

inline pb::ModelProto parse_onnx_model(std::string_view bytes, const std::string& name) {
  if (bytes.empty()) raise<ValueError>(name, " is empty");
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    raise<ValueError>(name, " is too large for a file of ONNX, which may have 2^31 - 1 bytes");
  pb::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph())
    raise<ValueError>(name, " is no model of ONNX, or not a whole one");
  return model;
}

/// What f gives; errors are of the file.
template <class F>
auto of_file(const std::string& name, const F& f) {
  try {
    return f();
  } catch (const ShapeError& error) {
    raise<ShapeError>(name, ": ", error.what());
  } catch (const Error& error) {
    raise<ValueError>(name, ": ", error.what());
  }
}

}  // namespace detail

/// The network that these bytes of an ONNX model are; errors call them `name`. It predicts what the model gives. The loss is the one that
/// to_onnx wrote down; elsewhere the one whose link the last node is (Softmax: SoftmaxCrossEntropy, Sigmoid: BinaryCrossEntropy, Exp:
/// PoissonNLL), and MeanSquaredError if it is none. `Own`: losses of yours that may be named. An activation is known by its values, to
/// six digits, however it is written. Throws ValueError or ShapeError, with the node and its operator, for what is no chain of layers
/// known here, and for bytes that are no whole model.
template <class Scalar, class... Own>
AnyNetwork<Scalar> parse_onnx(std::string_view bytes, const std::string& name = "the input") {
  const detail::pb::ModelProto model = detail::parse_onnx_model(bytes, name);
  detail::OnnxGraph graph(model, name);
  const detail::OnnxEnd end(model, graph);
  const AnyLoss<Scalar> loss = detail::of_file(name, [&] { return make_loss<Scalar, Own...>(end.loss()); });
  auto layers = detail::read_onnx_layers<Scalar>(graph, end);
  return detail::of_file(name, [&] {
    std::vector<Description> descriptions;
    for (const auto& layer : layers) descriptions.push_back(layer.what);
    AnyNetwork<Scalar> net = AnyNetwork<Scalar>::zeros(loss, make_layers<Scalar>(descriptions));
    detail::fill_tensors(described_layers(net), layers);
    return net;
  });
}

/// The same from a file.
template <class Scalar, class... Own>
AnyNetwork<Scalar> load_onnx(const std::string& path) {
  return parse_onnx<Scalar, Own...>(detail::read_file("load_onnx", path), path);
}

}  // namespace chainrule
