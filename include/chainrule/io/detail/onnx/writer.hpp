#pragma once

#include <chainrule/bytes/binary_array.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/io/detail/onnx/protobuf.hpp>
#include <map>
#include <span>
#include <vector>

namespace chainrule::detail {

/// Adds nodes and constants to an ONNX graph. The name of a value says which layer of the network it belongs to: "2.Gemm", "2.weight".
template <class Scalar>
class OnnxWriter {
  using Text = std::string;

 public:
  static constexpr bool is_float = sizeof(Scalar) == sizeof(float);

  explicit OnnxWriter(pb::GraphProto& graph) : graph_{graph} {}

  /// The prefix of the names of the following nodes and constants: "2." for layer<2>, "2.0." for the first layer inside that Residual.
  std::string place;

  /// Adds a node, and returns the name of its output.
  std::string node(std::string_view op, const std::vector<std::string>& inputs) {
    pb::NodeProto* node = graph_.add_node();
    node->set_op_type(std::string(op));
    for (const std::string& input : inputs) node->add_input(input);
    const std::string name = unused(op);
    node->set_name(name);
    node->add_output(name);
    return name;
  }

  /// Adds an attribute to the last node.
  void attribute(const char* name, double value) {
    pb::AttributeProto* attribute = new_attribute(name, pb::AttributeProto::FLOAT);
    attribute->set_f(static_cast<float>(value));
  }
  void attribute(const char* name, int value) {
    pb::AttributeProto* attribute = new_attribute(name, pb::AttributeProto::INT);
    attribute->set_i(value);
  }
  /// Splits the units of a value into parts of these sizes, and returns their names.
  std::vector<std::string> split(const std::string& value, const std::vector<Index>& sizes) {
    std::vector<std::string> parts{node("Split", {value, integers("sizes", {sizes.begin(), sizes.end()})})};
    attribute("axis", 1);
    pb::NodeProto& split = *graph_.mutable_node(graph_.node_size() - 1);
    while (parts.size() < sizes.size()) {
      parts.push_back(text_of(split.name(), ".", parts.size()));
      split.add_output(parts.back());
    }
    return parts;
  }
  /// Adds values of the same shape, and returns the name of the result.
  std::string sum(const std::vector<std::string>& parts) { return node("Sum", parts); }
  /// Joins the units of values, and returns the name of the result.
  std::string concatenate(const std::vector<std::string>& parts) {
    const Text all = node("Concat", parts);
    attribute("axis", 1);
    return all;
  }

  // The operations of formulas. Each returns the name of its result.
  Text multiply(const Text& a, const Text& b) { return node("Mul", {a, b}); }
  Text multiply(const Text& a, double b) { return b == 1 ? a : multiply(a, number(b)); }
  Text add(const Text& a, const Text& b) { return node("Add", {a, b}); }
  Text add(const Text& a, double b) { return add(a, number(b)); }
  Text divide(const Text& a, const Text& b) { return node("Div", {a, b}); }
  Text divide(const Text& a, double b) { return divide(a, number(b)); }
  Text(min)(const Text& a, double b) { return node("Min", {a, number(b)}); }
  Text clip(const Text& a, double low, double high) { return node("Clip", {a, number(low), number(high)}); }
  Text cast(const Text& a, pb::TensorProto::DataType to) {
    const Text same = node("Cast", {a});
    attribute("to", static_cast<int>(to));
    return same;
  }

  /// Adds a single number, and returns its name.
  std::string number(double value, const char* name = "number") {
    const Scalar number = static_cast<Scalar>(value);
    return constant(unused(name), {}, onnx_type<Scalar>(), std::span(&number, 1));
  }
  std::string integers(const char* name, const std::vector<std::int64_t>& numbers) {
    return constant(unused(name), {static_cast<Index>(numbers.size())}, pb::TensorProto::INT64, std::span(numbers.data(), numbers.size()));
  }
  std::string integer(const char* name, std::int64_t number) {
    return constant(unused(name), {}, pb::TensorProto::INT64, std::span<const std::int64_t>(&number, 1));
  }
  /// Adds a tensor of quantized numbers, int8 or int32, row by row, and returns its name.
  template <class Number>
  std::string quantized(const char* name, const std::vector<Index>& shape, std::span<const Number> numbers) {
    return constant(unused(name), shape, sizeof(Number) == 1 ? pb::TensorProto::INT8 : pb::TensorProto::INT32, numbers);
  }
  /// Adds a vector of a layer, an Eigen::Map, and returns its name.
  template <class Map>
  std::string vector(const char* name, const Map& numbers) {
    return constant(unused(name), {numbers.rows()}, onnx_type<Scalar>(), numbers_of(numbers));
  }
  /// Adds the transpose of a matrix, an Eigen::Map, and returns its name. ONNX is row-major, so the numbers keep their order.
  template <class Map>
  std::string transposed(const char* name, const Map& matrix) {
    return constant(unused(name), {matrix.cols(), matrix.rows()}, onnx_type<Scalar>(), numbers_of(matrix));
  }

 private:
  pb::AttributeProto* new_attribute(const char* name, pb::AttributeProto::AttributeType type) {
    pb::AttributeProto* attribute = graph_.mutable_node(graph_.node_size() - 1)->add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  }

  // a name that no other value has: "2.Mul" the first time, "2.Mul_2" the second
  std::string unused(std::string_view name) {
    std::string full = place + std::string(name);
    if (const int count = ++used_[full]; count > 1) full += "_" + std::to_string(count);
    return full;
  }

  template <class Map>
  static std::span<const Scalar> numbers_of(const Map& map) {
    return {map.data(), static_cast<std::size_t>(map.size())};
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
