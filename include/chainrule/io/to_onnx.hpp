#pragma once
// Writes networks as ONNX models (onnx.ai), which onnxruntime and others run. Needs the protobuf messages of ONNX (link with
// chainrule::onnx), so chainrule.hpp does not include it.

#include <algorithm>
#include <chainrule/bytes/file.hpp>
#include <chainrule/core/version.hpp>
#include <chainrule/io/detail/onnx/description_text.hpp>
#include <chainrule/io/detail/onnx/write_layers.hpp>
#include <chainrule/io/detail/onnx/write_links.hpp>

namespace chainrule {

/// How a network is written as an ONNX model.
struct OnnxOptions {
  bool raw_outputs = false;      ///< leave out the loss's link, so that the model gives logits, not probabilities
  std::string input = "x";       ///< the input's name
  std::string output = "y";      ///< the output's name
  std::string name = "network";  ///< the graph's name
};

namespace detail {

/// Describes the graph's input or output: batch x units, for a batch of any size.
inline void describe_onnx_value(pb::ValueInfoProto& value, const std::string& name, pb::TensorProto::DataType type, Index units) {
  value.set_name(name);
  pb::TypeProto::Tensor& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape()->add_dim()->set_dim_param("batch");
  tensor.mutable_shape()->add_dim()->set_dim_value(units);
}

/// Completes a model whose graph has all its nodes, the last of which computes the output, and returns its bytes. Throws ValueError where
/// they are too many.
template <class Scalar>
std::string finished_onnx(pb::ModelProto& model, const OnnxOptions& options, Index inputs, Index outputs) {
  pb::GraphProto& graph = *model.mutable_graph();
  graph.mutable_node(graph.node_size() - 1)->set_output(0, options.output);

  int operators = 13;  // the first set that has all operators of the graph
  for (const auto& node : graph.node()) {
    if (node.op_type() == "HardSwish") operators = (std::max)(operators, 14);
    if (node.op_type() == "LayerNormalization" || node.op_type() == "PRelu") operators = 17;  // both for double
  }
  model.set_ir_version(operators == 17 ? 8 : 7);
  model.add_opset_import()->set_version(operators);
  model.set_producer_name("chainrule");
  model.set_producer_version(version);
  graph.set_name(options.name);
  describe_onnx_value(*graph.add_input(), options.input, onnx_type<Scalar>(), inputs);
  describe_onnx_value(*graph.add_output(), options.output, onnx_type<Scalar>(), outputs);

  std::string bytes;
  if (model.ByteSizeLong() > static_cast<std::size_t>((std::numeric_limits<std::int32_t>::max)()) || !model.SerializeToString(&bytes))
    raise<ValueError>("to_onnx: the network is too large for one file of ONNX, which may have 2^31 - 1 bytes");
  return bytes;
}

inline void check_onnx_names(const OnnxOptions& options) {
  // all other values of the graph have names that begin with a digit
  const auto usable = [](const std::string& name) { return !name.empty() && !is_digit(name[0]); };
  if (!usable(options.input) || !usable(options.output) || options.input == options.output || options.name.empty())
    raise<ValueError>("to_onnx: expected two names that begin with no digit, for input and output, and one for the graph, but found ",
                      in_quotes(options.input), ", ", in_quotes(options.output), " and ", in_quotes(options.name));
}

inline void add_onnx_metadata(pb::ModelProto& model, const char* key, const std::string& value) {
  pb::StringStringEntryProto* entry = model.add_metadata_props();
  entry->set_key(key);
  entry->set_value(value);
}

}  // namespace detail

/// The bytes of an ONNX model that computes what net.predict computes: x is batch x inputs, y is batch x outputs, both of the network's
/// float or double. The model uses operator set 13, or 17 where it has a LayerNorm or a PReLU. Dropout is written too, although runtimes do
/// nothing there, so that parse_onnx makes the same network again. A runtime computes GELU to 7 digits and BatchNorm and LayerNorm, whose
/// epsilon is a float in ONNX, to 10 digits for a network of double; everything else is exact up to rounding. Throws what predict throws
/// for a network that cannot predict yet; ValueError for an activation, a layer or a loss that has no form in ONNX, for layers nested more
/// than max_nesting deep, and for a model of more than 2^31 - 1 bytes.
template <class Net>
std::string to_onnx(const Net& net, const OnnxOptions& options = {}) {
  using Scalar = typename Net::ScalarType;
  detail::check_onnx_names(options);
  net.predict(Matrix<Scalar>::Zero(net.inputs(), 1).eval());
  const std::vector<Description> layers = describe_layers(net);
  for (const Description& layer : layers) detail::check_nesting(layer, "to_onnx");

  detail::pb::ModelProto model;
  detail::pb::GraphProto& graph = *model.mutable_graph();
  detail::OnnxWriter<Scalar> writer(graph);
  detail::NumbersInOrder<Scalar> numbers(net);
  const std::string z = detail::add_onnx_layers(net.layers(), writer, numbers, options.input);
  writer.place = std::to_string(layers.size()) + ".";
  if (!options.raw_outputs) detail::add_onnx_link(net.loss_function(), writer, z, net.outputs());
  detail::add_onnx_metadata(model, detail::onnx_loss_key, detail::to_text(describe(net.loss_function())));
  detail::add_onnx_metadata(model, detail::onnx_outputs_key, options.raw_outputs ? "raw" : "predictions");
  return detail::finished_onnx<Scalar>(model, options, net.inputs(), net.outputs());
}

/// Writes to_onnx(net, options) into a file. An existing file is replaced only when the new one is complete. Throws what to_onnx throws,
/// and ValueError with the system's reason where the file cannot be written.
template <class Net>
void save_onnx(const Net& net, const std::string& path, const OnnxOptions& options = {}) {
  detail::write_file("save_onnx", path, to_onnx(net, options));
}

}  // namespace chainrule
