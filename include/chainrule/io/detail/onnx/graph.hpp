#pragma once

#include <algorithm>
#include <chainrule/io/detail/onnx/layout.hpp>
#include <chainrule/io/detail/onnx/numbers.hpp>
#include <deque>
#include <map>
#include <set>

namespace chainrule::detail {

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

/// The graph of an ONNX model: which node makes each value, and which nodes take it. Its constructor throws ValueError unless each value
/// has a name of its own and is made before it is taken, so the graph has no cycles. The model must outlive it.
class OnnxGraph {
  template <class Container>
  static auto& at(Container& of, int i) {
    return of[static_cast<std::size_t>(i)];
  }

 public:
  struct Node {
    const pb::NodeProto* proto = nullptr;
    std::vector<int> inputs = {};   ///< numbers of values; -1 for an optional input that is left out
    std::vector<int> outputs = {};  ///< numbers of values; -1 for an optional output that is left out
  };
  struct Value {
    std::string_view name;
    int maker = -1;                 ///< the number of the node that makes it; -1 for inputs and constants
    std::vector<int> takers = {};   ///< the numbers of the nodes that take it
    OnnxConstant constant = {};     ///< set for a constant
    bool depends_on_input = false;  ///< whether it changes with the graph's input
  };

  OnnxGraph(const pb::ModelProto& model, std::string file) : file_{std::move(file)}, graph_{model.graph()} {
    for (const auto& set : model.opset_import())
      if (set.domain().empty() || set.domain() == "ai.onnx") operators_ = set.version();
    if (operators_ < 6) raise<ValueError>(file_, ": expected operators of set 6 or newer, but found set ", operators_);
    for (const pb::TensorProto& tensor : graph_.initializer()) at(values_, add_value(tensor.name(), -1)).constant = checked(&tensor);
    for (const auto& input : graph_.input()) {
      if (find(input.name()) >= 0) continue;  // a constant: old models list constants among their inputs
      if (input_ >= 0)
        raise<ValueError>(file_, ": expected a graph of one input, but found ", in_quotes(at(values_, input_).name), " and ",
                          in_quotes(input.name()));
      input_ = add_value(input.name(), -1);
      at(values_, input_).depends_on_input = true;
      input_info_ = &input;
    }
    if (input_ < 0) raise<ValueError>(file_, ": expected a graph of one input, but found none");
    for (const pb::NodeProto& node : graph_.node()) add_node(node);
    marks_.assign(nodes_.size(), 0);
  }

  const std::string& file() const { return file_; }
  std::int64_t operators() const { return operators_; }
  const pb::GraphProto& proto() const { return graph_; }
  int input() const { return input_; }
  const pb::ValueInfoProto& input_info() const { return *input_info_; }
  int node_count() const { return static_cast<int>(nodes_.size()); }
  const Node& node(int i) const { return at(nodes_, i); }
  const Value& value(int i) const { return at(values_, i); }
  /// The number of the value of this name, or -1 if there is none.
  int find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? -1 : found->second;
  }
  /// The node that makes a value, or nullptr.
  const Node* maker(int value) const { return value < 0 || at(values_, value).maker < 0 ? nullptr : &at(nodes_, at(values_, value).maker); }

  /// The node as errors name it: m.onnx: node "y" (Relu)
  std::string place(const Node& node) const {
    const std::string& name = node.proto->name();
    return text_of(file_, ": node ", in_quotes(name.empty() && node.proto->output_size() > 0 ? node.proto->output(0) : name), " (",
                   excerpt(node.proto->op_type()), ")");
  }
  /// Whether the node applies this operator of ONNX.
  bool is_op(const Node& node, std::string_view op) const {
    const std::string& domain = node.proto->domain();
    return node.proto->op_type() == op && (domain.empty() || domain == "ai.onnx" || domain == "ai.onnx.ml");
  }
  /// The number of the value that a node takes as its input i, or -1 if it takes none there.
  int input_of(const Node& node, std::size_t i) const { return i < node.inputs.size() ? node.inputs[i] : -1; }
  /// The constant that a node takes as its input i, or nullptr if it takes no constant there.
  const OnnxConstant* constant(const Node& node, std::size_t i) const {
    const int value = input_of(node, i);
    return value < 0 || !at(values_, value).constant ? nullptr : &at(values_, value).constant;
  }
  /// The tensor as a constant. Throws ShapeError for more extents than a value may have here.
  OnnxConstant checked(const pb::TensorProto* tensor) const {
    if (tensor->dims_size() > static_cast<int>(OnnxLayout::max_rank))
      raise<ShapeError>(file_, ", tensor ", in_quotes(tensor->name()), ": expected at most ", OnnxLayout::max_rank, " extents, but found ",
                        tensor->dims_size());
    return {tensor};
  }
  /// Sets the constant that a value is.
  void set_constant(int value, OnnxConstant constant) { at(values_, value).constant = std::move(constant); }
  /// The constant that a node takes as its input i, as errors name it.
  std::string place_of_constant(const Node& node, std::size_t i) const {
    return text_of(place(node), ", tensor ", in_quotes(at(values_, input_of(node, i)).name));
  }
  /// All numbers of the constant that a node takes as its input i, row-major.
  template <class Number>
  std::vector<Number> numbers(const Node& node, std::size_t i) const {
    return onnx_numbers<Number>(*constant(node, i), place_of_constant(node, i));
  }
  /// How many numbers the constant has that a node takes as its input i.
  std::size_t size(const Node& node, std::size_t i) const { return onnx_size(*constant(node, i), place_of_constant(node, i)); }

  /// The extents of the constant that a node takes as its input i, as ONNX aligns them with a value of `rank` extents: with 1s before the
  /// constant's own. Throws ShapeError for a constant with more extents than the value, and where operator set 6 does not align them.
  std::vector<std::int64_t> aligned_extents(const Node& node, std::size_t i, std::size_t rank) const {
    std::vector<std::int64_t> extents = constant(node, i)->extents();
    const auto refuse = [&](std::string_view expected) {
      raise<ShapeError>(place_of_constant(node, i), ": expected ", expected, ", but found ", onnx_shape_text(extents));
    };
    if (extents.size() > rank) refuse(text_of("at most ", rank, " extents, as the other input has"));
    if (operators_ < 7) {  // the second input alone is broadcast, if the node says so, and at an axis that it may say
      if (is_op(node, "PRelu")) {
        if (extents.size() == 1 && extents[0] != 1) extents.resize(rank - 1, 1);  // one slope for each unit of axis 1
      } else if (extents.size() != rank || extents.empty()) {
        if (integer(node, "broadcast", 0) != 1 || i == 0)
          refuse("the attribute broadcast = 1 and the constant as the second input, which operator set 6 needs here");
        const std::int64_t axis = integer(node, "axis", -1), after = static_cast<std::int64_t>(rank - extents.size()) - axis;
        if (axis >= 0 && attribute(node, "axis") != nullptr) {
          if (after < 0) refuse(text_of("extents that fit at axis ", axis));
          extents.insert(extents.end(), static_cast<std::size_t>((std::min)(after, static_cast<std::int64_t>(rank))), 1);
        }
      }
    }
    extents.insert(extents.begin(), rank - extents.size(), 1);
    return extents;
  }
  /// The number that a node takes as its input i, a constant of one number that fits a value of `rank` extents; none if it takes something
  /// else there. A float is read as the shortest decimal number that rounds to it.
  std::optional<double> single_number(const Node& node, std::size_t i, std::size_t rank) const {
    const OnnxConstant* found = constant(node, i);
    if (found == nullptr || size(node, i) != 1) return {};
    aligned_extents(node, i, rank);
    const double number = numbers<double>(node, i)[0];
    return found->type() == pb::TensorProto::FLOAT ? decimal_of(static_cast<float>(number)) : number;
  }

  /// Whether the node is a Cast to float or double, which changes no number here, because a network computes all numbers in one type.
  /// Throws ValueError for a Cast to a type of half precision, whose rounding the network would leave out.
  bool only_rounds(const Node& node) const {
    if (!is_op(node, "Cast")) return false;
    const std::int64_t to = integer(node, "to", 0);
    if (to == pb::TensorProto::FLOAT16 || to == pb::TensorProto::BFLOAT16)
      raise<ValueError>(place(node), ": it rounds the numbers of samples to ", to == pb::TensorProto::FLOAT16 ? "float16" : "bfloat16",
                        ", which no layer here does; export the model in float");
    return to == pb::TensorProto::FLOAT || to == pb::TensorProto::DOUBLE;
  }

  /// A value as errors name it.
  std::string place_of_value(int value) const { return text_of(file_, ", tensor ", in_quotes(at(values_, value).name)); }
  /// Whether a node that mark_between has marked, and on which the graph's output therefore depends, takes the value.
  bool is_taken(int value) const {
    const std::vector<int>& takers = at(values_, value).takers;
    return std::any_of(takers.begin(), takers.end(), [&](int taker) { return at(marks_, taker) != 0; });
  }

  /// An attribute of a node, or nullptr if the node does not have it.
  const pb::AttributeProto* attribute(const Node& node, std::string_view name) const {
    for (const pb::AttributeProto& attribute : node.proto->attribute())
      if (attribute.name() == name) return &attribute;
    return nullptr;
  }
  /// The number in an attribute, or `otherwise` if the node does not have it.
  double number(const Node& node, std::string_view name, double otherwise) const {
    const pb::AttributeProto* found = attribute(node, name);
    if (found == nullptr) return otherwise;
    if (!found->has_f()) refuse_attribute(node, name, "a number");
    return decimal_of(found->f());
  }
  /// The integer in an attribute, or `otherwise` if the node does not have it.
  std::int64_t integer(const Node& node, std::string_view name, std::int64_t otherwise) const {
    const pb::AttributeProto* found = attribute(node, name);
    if (found == nullptr) return otherwise;
    if (!found->has_i()) refuse_attribute(node, name, "an integer");
    return found->i();
  }
  /// The text in an attribute, or `otherwise` if the node does not have it.
  std::string text(const Node& node, std::string_view name, const std::string& otherwise) const {
    const pb::AttributeProto* found = attribute(node, name);
    if (found == nullptr) return otherwise;
    if (!found->has_s()) refuse_attribute(node, name, "a text");
    return found->s();
  }
  /// The integers in an attribute, or in the constant that the node takes as its input i since operator set `since`; none if it has
  /// neither. Throws ValueError where the input is no constant.
  std::optional<std::vector<std::int64_t>> integers(const Node& node, const char* name, std::size_t i, std::int64_t since) const {
    if (operators_ < since || i == no_input) {
      const pb::AttributeProto* found = attribute(node, name);
      if (found == nullptr) return {};
      if (found->ints_size() == 0 && found->type() != pb::AttributeProto::INTS) refuse_attribute(node, name, "integers");
      return std::vector<std::int64_t>(found->ints().begin(), found->ints().end());
    }
    if (input_of(node, i) < 0) return {};
    if (constant(node, i) == nullptr) raise<ValueError>(place(node), ": expected ", name, " that are a constant");
    return few_integers(node, i);
  }
  /// The integers of the constant that a node takes as its input i, one for each axis of a value at most.
  std::vector<std::int64_t> few_integers(const Node& node, std::size_t i) const {
    if (const std::size_t found = size(node, i); found > OnnxLayout::max_rank)
      raise<ShapeError>(place_of_constant(node, i), ": expected at most ", OnnxLayout::max_rank, " numbers, but found ", found);
    return numbers<std::int64_t>(node, i);
  }
  static constexpr std::size_t no_input = static_cast<std::size_t>(-1);  ///< for integers(): the operator has the attribute alone

  /// Marks the nodes between two values, on which `to` depends and which depend on `from`, and returns their mark.
  int mark_between(int from, int to) {
    const int mark = ++last_mark_;
    for (std::vector<int> open{to}; !open.empty();) {
      const int value = open.back();
      open.pop_back();
      const int maker = at(values_, value).maker;
      if (value == from || maker < 0 || at(marks_, maker) == mark || !at(values_, value).depends_on_input) continue;
      at(marks_, maker) = mark;
      for (const int input : at(nodes_, maker).inputs)
        if (input >= 0) open.push_back(input);
    }
    return mark;
  }

  /// The nodes between two values, on which `to` depends and which depend on `from`.
  std::vector<int> nodes_between(int from, int to) {
    const int mark = mark_between(from, to);
    std::vector<int> nodes;
    for (int i = 0; i < node_count(); ++i)
      if (at(marks_, i) == mark) nodes.push_back(i);
    return nodes;
  }

  /// The marked nodes from this value to the next value through which every path goes. The last of the nodes makes that value.
  std::vector<int> until_next_cut(int value, int mark) const {
    std::vector<int> nodes;
    std::set<int> open;
    const auto take = [&](int from) {
      for (const int taker : at(values_, from).takers)
        if (at(marks_, taker) == mark) open.insert(taker);
    };
    take(value);
    while (!open.empty()) {
      const int first = *open.begin();
      open.erase(open.begin());
      nodes.push_back(first);
      if (open.empty()) break;
      for (const int output : at(nodes_, first).outputs)
        if (output >= 0) take(output);
    }
    return nodes;
  }

 private:
  int add_value(const std::string& name, int maker) {
    if (!by_name_.emplace(name, static_cast<int>(values_.size())).second)
      raise<ValueError>(file_, ": the name ", in_quotes(name), " is there for two values");
    values_.push_back({name, maker});
    return static_cast<int>(values_.size()) - 1;
  }

  void add_node(const pb::NodeProto& proto) {
    const int index = static_cast<int>(nodes_.size());
    Node node{&proto};
    bool depends_on_input = false;
    for (const std::string& name : proto.input()) {
      const int value = name.empty() ? -1 : find(name);
      if (value < 0 && !name.empty()) raise<ValueError>(place(node), " takes ", in_quotes(name), ", which nothing before it makes");
      node.inputs.push_back(value);
      if (value < 0) continue;
      at(values_, value).takers.push_back(index);
      depends_on_input = depends_on_input || at(values_, value).depends_on_input;
    }
    if (is_op(node, "Shape")) depends_on_input = false;  // extents change with the input's extents, but not with its numbers
    for (const std::string& name : proto.output()) {
      node.outputs.push_back(name.empty() ? -1 : add_value(name, index));
      if (!name.empty()) values_.back().depends_on_input = depends_on_input;
    }
    nodes_.push_back(std::move(node));
  }

  [[noreturn]] void refuse_attribute(const Node& node, std::string_view name, std::string_view expected) const {
    raise<ValueError>(place(node), ": expected ", expected, " in the attribute ", name);
  }

  std::string file_;
  const pb::GraphProto& graph_;
  std::int64_t operators_ = 0;
  int input_ = -1;
  const pb::ValueInfoProto* input_info_ = nullptr;
  std::deque<Node> nodes_ = {};
  std::deque<Value> values_ = {};
  std::map<std::string, int, std::less<>> by_name_ = {};
  std::vector<int> marks_ = {};  // one for each node
  int last_mark_ = 0;
};

}  // namespace chainrule::detail
