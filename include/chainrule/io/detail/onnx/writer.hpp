#pragma once
// The nodes and constants of an ONNX graph, added one after the other.

#include <chainrule/bytes/binary_array.hpp>
#include <chainrule/io/detail/described_layer.hpp>
#include <chainrule/io/detail/onnx/protobuf.hpp>
#include <initializer_list>
#include <map>
#include <span>

namespace chainrule::detail {

/// Writes into a graph. A value's name says where in the network it is made, "2.Gemm"; so does a constant's, "2.weight".
template <class Scalar>
class OnnxWriter {
 public:
  explicit OnnxWriter(pb::GraphProto& graph) : graph_{graph} {}

  /// Where the following nodes and constants belong: "2.", inside a Residual "2.0.".
  std::string place;

  /// Adds a node; gives the name of its output.
  std::string node(std::string_view op, std::initializer_list<std::string> inputs) {
    pb::NodeProto* node = graph_.add_node();
    node->set_op_type(std::string(op));
    for (const std::string& input : inputs) node->add_input(input);
    const std::string name = unused(op);
    node->set_name(name);
    node->add_output(name);
    return name;
  }

  // of the last node
  void attribute(const char* name, double value) {
    pb::AttributeProto* attribute = new_attribute(name, pb::AttributeProto::FLOAT);
    attribute->set_f(static_cast<float>(value));
  }
  void attribute(const char* name, int value) {
    pb::AttributeProto* attribute = new_attribute(name, pb::AttributeProto::INT);
    attribute->set_i(value);
  }
  std::string second_output() {
    pb::NodeProto& node = *graph_.mutable_node(graph_.node_size() - 1);
    node.add_output(node.name() + ".second");
    return node.output(1);
  }

  /// A number that the formula of an activation needs.
  std::string number(double value, const char* name = "number") {
    const Scalar number = static_cast<Scalar>(value);
    return constant(unused(name), {}, onnx_type<Scalar>(), std::span(&number, 1));
  }
  std::string integers(const char* name, std::initializer_list<std::int64_t> numbers) {
    return constant(unused(name), {static_cast<Index>(numbers.size())}, pb::TensorProto::INT64, std::span(numbers.begin(), numbers.end()));
  }

  /// A layer's tensor: of one extent, or a matrix whose rows are the columns here, so that the numbers lie as they do here.
  std::string tensor(const TensorOf<const Scalar>& of) {
    std::vector<Index> shape{of.rows};
    if (of.cols != 1) shape = {of.cols, of.rows};
    return tensor(of, shape);
  }
  std::string tensor(const TensorOf<const Scalar>& of, const std::vector<Index>& shape) {
    return constant(unused(of.name), shape, onnx_type<Scalar>(), std::span(of.numbers, static_cast<std::size_t>(of.size())));
  }

 private:
  pb::AttributeProto* new_attribute(const char* name, pb::AttributeProto::AttributeType type) {
    pb::AttributeProto* attribute = graph_.mutable_node(graph_.node_size() - 1)->add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  }

  // "2.Mul", the next time "2.Mul_2"
  std::string unused(std::string_view name) {
    std::string full = place + std::string(name);
    if (const int count = ++used_[full]; count > 1) full += "_" + std::to_string(count);
    return full;
  }

  template <class Number>
  std::string constant(const std::string& name, const std::vector<Index>& shape, pb::TensorProto::DataType type,
                       std::span<const Number> numbers) {
    pb::TensorProto* tensor = graph_.add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (const Index extent : shape) tensor->add_dims(extent);
    std::string& bytes = *tensor->mutable_raw_data();
    bytes.reserve(numbers.size_bytes());
    for (const Number number : numbers) append_bytes(bytes, number);
    return name;
  }

  pb::GraphProto& graph_;
  std::map<std::string, int> used_ = {};
};

}  // namespace chainrule::detail
