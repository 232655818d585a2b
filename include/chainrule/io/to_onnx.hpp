#pragma once
// Networks as ONNX models (onnx.ai), which onnxruntime and others run. Needs the messages of ONNX (link with chainrule::onnx).

#include <chainrule/bytes/file.hpp>
#include <chainrule/core/version.hpp>
#include <chainrule/io/detail/onnx/description_text.hpp>
#include <chainrule/io/detail/onnx/write_layers.hpp>

namespace chainrule {

/// How a network is written as an ONNX model.
struct OnnxOptions {
  bool raw_outputs = false;      ///< what the last layer gives, not the prediction that the loss makes of it: logits, not probabilities
  std::string input = "x";       ///< the input's name
  std::string output = "y";      ///< the output's name
  std::string name = "network";  ///< the graph's name
};

namespace detail {

template <class Loss>
bool is_on_logits(const Loss& loss) {
  if constexpr (requires { loss.on_logits(); })
    return loss.on_logits();
  else
    return Loss::works_on_logits;
}

/// x or y: batch x units, where the batch is of any size.
inline void describe_onnx_value(pb::ValueInfoProto& value, const std::string& name, pb::TensorProto::DataType type, Index units) {
  value.set_name(name);
  pb::TypeProto::Tensor& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape()->add_dim()->set_dim_param("batch");
  tensor.mutable_shape()->add_dim()->set_dim_value(units);
}

inline void check_onnx_names(const OnnxOptions& options) {
  const auto usable = [](const std::string& name) { return !name.empty() && !is_digit(name[0]); };  // names of ours begin with a digit
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

/// The network as the bytes of an ONNX model that gives what net.predict gives: x is batch x inputs, y is batch x outputs, of the
/// network's float or double. Of operator set 13, with LayerNorm or PReLU 17. Dropout stays, so that it is there after parse_onnx; in a
/// runtime it does nothing. Throws what predict throws of a network that cannot predict yet, ValueError for an activation, a layer or a
/// loss that has no form in ONNX, and for a model of more than 2^31 - 1 bytes.
/// Of a network of doubles a runtime gives 7 digits of GELU, and 10 of BatchNorm and LayerNorm, whose epsilon is a float in ONNX; all
/// else to rounding.
template <class Net>
std::string to_onnx(const Net& net, const OnnxOptions& options = {}) {
  using Scalar = typename Net::ScalarType;
  detail::check_onnx_names(options);
  net.predict(Matrix<Scalar>::Zero(net.inputs(), 1).eval());
  const Description loss = describe(net.loss_function());
  const auto layers = described_layers(net);

  detail::pb::ModelProto model;
  detail::pb::GraphProto& graph = *model.mutable_graph();
  detail::OnnxWriter<Scalar> writer(graph);
  std::string y = detail::write_onnx_layers(writer, layers, options.input);
  writer.place = std::to_string(layers.size()) + ".";
  if (!options.raw_outputs) y = detail::write_onnx_link(writer, loss, detail::is_on_logits(net.loss_function()), net.outputs(), y);
  graph.mutable_node(graph.node_size() - 1)->set_output(0, options.output);

  int operators = 13;
  for (const auto& node : graph.node())
    if (node.op_type() == "LayerNormalization" || node.op_type() == "PRelu") operators = 17;  // the first that has it, also for double
  model.set_ir_version(operators == 17 ? 8 : 7);
  model.add_opset_import()->set_version(operators);
  model.set_producer_name("chainrule");
  model.set_producer_version(version);
  detail::add_onnx_metadata(model, detail::onnx_loss_key, detail::to_text(loss));
  detail::add_onnx_metadata(model, detail::onnx_outputs_key, options.raw_outputs ? "raw" : "predictions");
  graph.set_name(options.name);
  detail::describe_onnx_value(*graph.add_input(), options.input, detail::onnx_type<Scalar>(), net.inputs());
  detail::describe_onnx_value(*graph.add_output(), options.output, detail::onnx_type<Scalar>(), net.outputs());

  std::string bytes;
  if (model.ByteSizeLong() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()) || !model.SerializeToString(&bytes))
    detail::raise<ValueError>("to_onnx: the network is too large for one file of ONNX, which may have 2^31 - 1 bytes");
  return bytes;
}

/// Writes to_onnx(net, options) into a file; one that is there already is replaced when the new one is whole. Throws ValueError also
/// with the system's reason where it cannot be written.
template <class Net>
void save_onnx(const Net& net, const std::string& path, const OnnxOptions& options = {}) {
  detail::write_file("save_onnx", path, to_onnx(net, options));
}

}  // namespace chainrule
