#pragma once
// Helps tests make ONNX models by hand, as exporters write them, and read them.

#include <chainrule/any/any_network.hpp>
#include <chainrule/any/known.hpp>
#include <chainrule/io/detail/onnx/description_text.hpp>
#include <chainrule/io/detail/onnx/protobuf.hpp>
#include <optional>

namespace chainrule_test {

/// parse_onnx<float>(bytes, "m.onnx", loss), compiled once for all tests.
chainrule::AnyNetwork<float> read_onnx(const std::string& bytes, const std::optional<chainrule::AnyLoss<float>>& loss);

/// A model of one input x and one output y, operator set 17.
class Model {
 public:
  explicit Model(std::vector<std::int64_t> input_shape = {0, 2}, int operators = 17) {
    model.set_ir_version(8);
    model.add_opset_import()->set_version(operators);
    graph().add_output()->set_name("y");
    auto* input = graph().add_input();
    input->set_name("x");
    input->mutable_type()->mutable_tensor_type()->set_elem_type(1);
    for (const std::int64_t extent : input_shape) {
      auto* dim = input->mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim();
      if (extent == 0)
        dim->set_dim_param("batch");
      else
        dim->set_dim_value(extent);
    }
  }

  chainrule::detail::pb::GraphProto& graph() { return *model.mutable_graph(); }

  Model& constant(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& numbers) {
    fill(*graph().add_initializer(), shape, numbers).set_name(name);
    return *this;
  }
  Model& integers(const std::string& name, const std::vector<std::int64_t>& numbers) {
    auto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(7);
    tensor->add_dims(static_cast<std::int64_t>(numbers.size()));
    for (const std::int64_t number : numbers) tensor->add_int64_data(number);
    return *this;
  }
  static chainrule::detail::pb::TensorProto& fill(chainrule::detail::pb::TensorProto& tensor, const std::vector<std::int64_t>& shape,
                                                  const std::vector<float>& numbers) {
    tensor.set_data_type(1);
    for (const std::int64_t extent : shape) tensor.add_dims(extent);
    for (const float number : numbers) tensor.add_float_data(number);
    return tensor;
  }

  /// Adds a node that makes the value `output`; the node has the same name.
  Model& node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output) {
    auto* node = graph().add_node();
    node->set_op_type(op);
    node->set_name(output);
    for (const std::string& input : inputs) node->add_input(input);
    node->add_output(output);
    return *this;
  }
  /// Adds an integer as an attribute of the last node.
  Model& with(const std::string& name, std::int64_t value) {
    auto* attribute = last().add_attribute();
    attribute->set_name(name);
    attribute->set_type(chainrule::detail::pb::AttributeProto::INT);
    attribute->set_i(value);
    return *this;
  }
  /// Adds integers as an attribute of the last node.
  Model& with_integers(const std::string& name, const std::vector<std::int64_t>& values) {
    auto* attribute = last().add_attribute();
    attribute->set_name(name);
    attribute->set_type(chainrule::detail::pb::AttributeProto::INTS);
    for (const std::int64_t value : values) attribute->add_ints(value);
    return *this;
  }
  /// Adds a number as an attribute of the last node.
  Model& with_number(const std::string& name, float value) {
    auto* attribute = last().add_attribute();
    attribute->set_name(name);
    attribute->set_type(chainrule::detail::pb::AttributeProto::FLOAT);
    attribute->set_f(value);
    return *this;
  }
  chainrule::detail::pb::NodeProto& last() { return *graph().mutable_node(graph().node_size() - 1); }

  std::string bytes() const { return model.SerializeAsString(); }
  /// The network that is read, with a loss that has no link.
  chainrule::AnyNetwork<float> read() const { return read_onnx(bytes(), chainrule::MeanSquaredError{}); }
  /// The network that is read with this value as the output.
  chainrule::AnyNetwork<float> read_output(const std::string& output) {
    graph().mutable_output(0)->set_name(output);
    return read();
  }
  /// The network that is read, with the loss that the model says.
  chainrule::AnyNetwork<float> read_with_its_loss() const { return read_onnx(bytes(), std::nullopt); }

  chainrule::detail::pb::ModelProto model;
};

/// The layers as text: "Dense(ReLU) Dropout(rate=0.2) Dense(Identity)".
inline std::string kinds(const chainrule::AnyNetwork<float>& net) {
  std::string text;
  for (const auto& layer : net.layers()) text += (text.empty() ? "" : " ") + chainrule::detail::to_text(layer.describe());
  return text;
}

}  // namespace chainrule_test
