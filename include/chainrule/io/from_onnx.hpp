#pragma once
// Reads ONNX models (onnx.ai) of feedforward networks, as chainrule, PyTorch, Keras and scikit-learn export them. Needs the protobuf
// messages of ONNX (link with chainrule::onnx), so chainrule.hpp does not include it.

#include <chainrule/any/from_description.hpp>
#include <chainrule/bytes/file.hpp>
#include <chainrule/io/detail/onnx/count_fields.hpp>
#include <chainrule/io/detail/onnx/description_text.hpp>
#include <chainrule/io/detail/onnx/fold_constants.hpp>
#include <chainrule/io/detail/onnx/read_link.hpp>

namespace chainrule {
namespace detail {

/// Copies the numbers that were read to the network's parameters and buffers, and moves the two pointers behind them.
template <class Scalar>
void copy_numbers(const std::vector<ReadLayer<Scalar>>& layers, Scalar*& parameters, Scalar*& buffers) {
  for (const ReadLayer<Scalar>& layer : layers) {
    for (const auto& [name, numbers] : layer.tensors) parameters = std::copy(numbers.begin(), numbers.end(), parameters);
    for (const auto& [name, numbers] : layer.buffers) buffers = std::copy(numbers.begin(), numbers.end(), buffers);
    copy_numbers(layer.inside, parameters, buffers);
  }
}

/// How many parameters and buffers layers have.
template <class Scalar>
std::array<Index, 2> count_numbers(const std::vector<ReadLayer<Scalar>>& layers) {
  std::array<Index, 2> count = {};
  for (const ReadLayer<Scalar>& layer : layers) {
    for (const auto& tensor : layer.tensors) count[0] += static_cast<Index>(tensor.second.size());
    for (const auto& tensor : layer.buffers) count[1] += static_cast<Index>(tensor.second.size());
    const std::array<Index, 2> inside = count_numbers(layer.inside);
    count[0] += inside[0];
    count[1] += inside[1];
  }
  return count;
}

inline pb::ModelProto parse_onnx_model(std::string_view bytes, const std::string& name) {
  if (bytes.empty()) raise<ValueError>(name, " is empty");
  if (bytes.size() > static_cast<std::size_t>((std::numeric_limits<std::int32_t>::max)()))
    raise<ValueError>(name, " is too large for a file of ONNX, which may have 2^31 - 1 bytes");
  const std::size_t most_fields = (std::size_t{1} << 16) + bytes.size() / 16;
  OnnxFieldCounter counter(bytes);
  const bool is_message = counter.count(*pb::ModelProto::descriptor(), most_fields);
  if (counter.fields() > most_fields)
    raise<ValueError>(name, ": expected at most ", most_fields, " nodes, names, tensors and other parts in a file of ", bytes.size(),
                      " bytes, but found more");
  pb::ModelProto model;
  if (!is_message || !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph())
    raise<ValueError>(name, " is no model of ONNX, or not a complete one");
  return model;
}

}  // namespace detail

/// Reads a network from the bytes of an ONNX model; errors call them `name`. The network predicts what the model computes, with its samples
/// in columns.
///
/// Its loss is `loss` if there is one. Where the model ends in this loss's link (Softmax: SoftmaxCrossEntropy, KLDivergence and
/// SoftmaxFocal, Sigmoid: BinaryCrossEntropy and BinaryFocal, Exp: PoissonNLL), that belongs to the loss; otherwise the model's outputs are
/// taken for the raw outputs z on which the loss works, and the network predicts the link of them. With a loss whose link is Softmax a
/// model that ends in LogSoftmax is read too, and the network predicts probabilities, not their logarithms. Without `loss` it is the one
/// that to_onnx wrote into the model, or the first one above whose link ends the model; other models are a ValueError, because outputs may
/// be logits.
///
/// Two outputs p and 1 - p, in either order, with p = sigma(z) are read for losses whose link is Softmax, as the softmax of z and 0; one
/// output 1 - sigma(z) is read for losses whose link is Sigmoid, as sigma(-z).
///
/// The reader knows these operators, with the meaning that the ONNX standard gives them in the model's operator set, from 6 on:
/// - Gemm and MatMul with a weight, and sums of their result and constants: Dense, or DenseWithoutBias where nothing is added
/// - Concat of columns of the input by Gather or Slice, and Gather from constant tables at columns that Gather and Cast make integers of:
///   Embedding
/// - BatchNormalization of batch x units; with more extents these must be 1, because channels of many places have no layer here
/// - LayerNormalization over each whole sample, also as single operations: ReduceMean, Sub, a square by Pow or Mul, and Div by a root, or
///   Mul by its reciprocal, in any form of Sqrt, Reciprocal, Pow and Div; and as x s + (bias - mean s), as Keras writes it
/// - PRelu, Dropout in its form for prediction, Scaler, and Add, Sub, Mul and Div with constants: Normalize
/// - x + F(x), by Add or Sum: Residual
/// - Flatten, Reshape, Squeeze, Unsqueeze and Transpose that keep each sample together, and Identity
/// - Cast of samples to float or double, which changes nothing: all numbers are computed in Scalar. A Cast to half precision is refused;
///   in a model of half precision throughout, numbers are rounded less than there.
/// - activations, recognized by algebra, whatever operators compute them, with Where, Max, Min and Clip where these make no jump. Their
///   constants may be off by the rounding of an exporter, to six digits. One that the library has only up to a scaling or shift gets a
///   Normalize before or after it.
/// - constants, also where they are computed from others by Add, Sub, Mul, Div, Neg, Transpose, Reshape, Flatten, Squeeze, Unsqueeze,
/// Slice,
///   Cast and DequantizeLinear, each number rounded to the type that ONNX gives it
///
/// Training it further trains the layers' parameters. A Dropout of ratio 1 is left out; an epsilon of 0 becomes the smallest number above;
/// a product with 0 may become a BatchNorm.
///
/// `Own`: losses of yours that the model may name. Throws ValueError or ShapeError that names the node and its operator for a graph that is
/// no chain of this library's layers, and for an attribute that is not known here. Throws ValueError for NaN and infinity in weights,
/// and for bytes that are no complete model.
///
/// Takes at most 40 MB of memory and 25 times the size of the file, beside the network, which has at most 2^22 numbers more than the file
/// has bytes. For this, a file may have 2^16 nodes, names, tensors and other parts, and one more for each 16 bytes; more are a ValueError.
template <class Scalar, class... Own>
AnyNetwork<Scalar> parse_onnx(std::string_view bytes, const std::string& name = "the input",
                              const std::optional<AnyLoss<Scalar>>& loss = {}) {
  constexpr std::size_t more_numbers = std::size_t{1} << 22;
  const detail::pb::ModelProto model = detail::parse_onnx_model(bytes, name);
  detail::OnnxGraph graph(model, name);
  detail::OnnxConstantFolder(graph, 2 * bytes.size() + more_numbers).fold();
  const detail::OnnxEnd end(model, graph, loss ? std::optional(loss->describe()) : std::nullopt);
  const AnyLoss<Scalar> made = loss ? *loss : detail::with_file_name(name, [&] { return make_loss<Scalar, Own...>(end.loss()); });
  auto layers = detail::read_onnx_layers<Scalar>(graph, end, bytes.size() + more_numbers);
  return detail::with_file_name(name, [&] {
    std::vector<Description> descriptions;
    for (const auto& layer : layers) descriptions.push_back(layer.what);
    AnyNetwork<Scalar> net = AnyNetwork<Scalar>::zeros(made, make_layers<Scalar>(descriptions));
    if (detail::count_numbers(layers) != std::array{net.parameters().size(), net.buffers().size()})
      detail::raise<ShapeError>("expected layers with as many numbers as their shapes say");
    Scalar* parameters = net.parameters().data();
    Scalar* buffers = net.buffers().data();
    detail::copy_numbers(layers, parameters, buffers);
    return net;
  });
}

/// Reads a network from a file with an ONNX model, as in `load_onnx<float>("net.onnx", SoftmaxCrossEntropy{})`. `loss` is as for
/// parse_onnx. Throws what parse_onnx throws, and ValueError where the file cannot be read.
template <class Scalar, class... Own>
AnyNetwork<Scalar> load_onnx(const std::string& path, const std::optional<AnyLoss<Scalar>>& loss = {}) {
  return parse_onnx<Scalar, Own...>(detail::read_file("load_onnx", path), path, loss);
}

}  // namespace chainrule
