#pragma once
// Reads ONNX models (onnx.ai) of feedforward networks, as chainrule, PyTorch, Keras and scikit-learn export them. Needs the protobuf
// messages of ONNX (link with chainrule::onnx), so chainrule.hpp does not include it.

#include <chainrule/bytes/file.hpp>
#include <chainrule/io/detail/layers_with_tensors.hpp>
#include <chainrule/io/detail/onnx/description_text.hpp>
#include <chainrule/io/detail/onnx/read_link.hpp>

namespace chainrule {
namespace detail {

/// Copies the numbers that were read into the network that `layers` were made from.
template <class Scalar>
void fill_tensors(const std::vector<LayerWithTensors<Scalar>>& layers, std::vector<ReadLayer<Scalar>>& read) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].inside.empty()) {
      fill_tensors(layers[i].inside, read[i].inside);
      continue;
    }
    for (const NamedTensor<Scalar>& tensor : layers[i].tensors) {
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
    raise<ValueError>(name, " is no model of ONNX, or not a complete one");
  return model;
}

/// Returns f(). Errors that f throws get the file's name in front.
template <class F>
auto with_file_name(const std::string& name, const F& f) {
  try {
    return f();
  } catch (const ShapeError& error) {
    raise<ShapeError>(name, ": ", error.what());
  } catch (const Error& error) {
    raise<ValueError>(name, ": ", error.what());
  }
}

}  // namespace detail

/// Reads a network from the bytes of an ONNX model; errors call them `name`. The network predicts what the model computes. Its loss is the
/// one that to_onnx wrote into the model; for a model from elsewhere it is the loss whose link the last node is (Softmax:
/// SoftmaxCrossEntropy, Sigmoid: BinaryCrossEntropy, Exp: PoissonNLL), or MeanSquaredError if the last node is no link. `Own`: losses of
/// yours that the model may name. Activations are recognized by their values, to six digits, whatever operators compute them. Throws
/// ValueError or ShapeError that names the node and its operator for a graph that is no chain of this library's layers, and ValueError for
/// bytes that are no complete model.
template <class Scalar, class... Own>
AnyNetwork<Scalar> parse_onnx(std::string_view bytes, const std::string& name = "the input") {
  const detail::pb::ModelProto model = detail::parse_onnx_model(bytes, name);
  detail::OnnxGraph graph(model, name);
  const detail::OnnxEnd end(model, graph);
  const AnyLoss<Scalar> loss = detail::with_file_name(name, [&] { return make_loss<Scalar, Own...>(end.loss()); });
  auto layers = detail::read_onnx_layers<Scalar>(graph, end);
  return detail::with_file_name(name, [&] {
    std::vector<Description> descriptions;
    for (const auto& layer : layers) descriptions.push_back(layer.what);
    AnyNetwork<Scalar> net = AnyNetwork<Scalar>::zeros(loss, make_layers<Scalar>(descriptions));
    detail::fill_tensors(layers_with_tensors(net), layers);
    return net;
  });
}

/// Reads a network from a file with an ONNX model. Throws what parse_onnx throws, and ValueError where the file cannot be read.
template <class Scalar, class... Own>
AnyNetwork<Scalar> load_onnx(const std::string& path) {
  return parse_onnx<Scalar, Own...>(detail::read_file("load_onnx", path), path);
}

}  // namespace chainrule
