#pragma once

#include <chainrule/io/detail/onnx/read_layer.hpp>
#include <chainrule/io/detail/onnx/recognize.hpp>

namespace chainrule::detail {

/// Reads the nodes of an ONNX graph, from its input to its output, as layers one after the other.
template <class Scalar>
class OnnxChainReader {
 public:
  using Layer = ReadLayer<Scalar>;
  using Layers = std::vector<Layer>;
  using Node = OnnxGraph::Node;

  explicit OnnxChainReader(OnnxGraph& graph) : graph_{graph}, layer_{graph} {
    const auto& type = graph.input_info().type();
    if (!type.has_tensor_type() || !type.tensor_type().has_shape()) return;
    const auto& shape = type.tensor_type().shape();
    layer_.is_flat = shape.dim_size() == 2;
    if (shape.dim_size() < 2)
      raise<ShapeError>(graph.file(), ": expected an input of batch x units, but found one of ", shape.dim_size(), " extents");
    batch_ = shape.dim(0).dim_value();
    std::int64_t units = 1;
    for (int i = 1; i < shape.dim_size(); ++i) {
      const std::int64_t extent = shape.dim(i).dim_value();  // 0 where the model does not say it
      if (extent < 0 || extent > max_units || units * extent > max_units)
        raise<ShapeError>(graph.file(), ": expected inputs of at most ", max_units, " units, but found an extent of ", extent);
      units *= extent;
    }
    layer_.units = static_cast<Index>(units);
  }

  /// The layers between two values. `depth`: how many Residuals lie around them. Throws ValueError or ShapeError that names the node where
  /// something is no layer.
  Layers read(int from, int to, int depth = 0) {
    const int mark = graph_.mark_between(from, to);
    Layers layers;
    for (int value = from; value != to;) {
      const std::vector<int> nodes = graph_.until_next_cut(value, mark);
      if (nodes.empty())
        raise<ValueError>(graph_.file(), ": the output ", in_quotes(graph_.value(to).name), " does not depend on the input");
      value = read_next(value, to, mark, nodes, depth, layers);
    }
    return layers;
  }

  Index units() const { return layer_.units; }

 private:
  static constexpr std::int64_t max_units = std::numeric_limits<std::int32_t>::max();
  static constexpr std::size_t longest_activation = 12;  // GELU by tanh, and Mish, have 9

  int output_of(const std::vector<int>& nodes) const {
    const Node& last = graph_.node(nodes.back());
    for (std::size_t i = 1; i < last.outputs.size(); ++i)
      if (last.outputs[i] >= 0 && !graph_.value(last.outputs[i]).takers.empty() && !graph_.is_op(last, "Dropout"))
        raise<ValueError>(graph_.place(last), ": expected one output that is used, but found more");
    if (last.outputs.empty() || last.outputs[0] < 0) raise<ValueError>(graph_.place(last), ": expected an output");
    return last.outputs[0];
  }

  // Adds the layer that the next nodes are, and returns the value after it.
  int read_next(int value, int to, int mark, const std::vector<int>& nodes, int depth, Layers& layers) {
    const Node& last = graph_.node(nodes.back());
    const int next = output_of(nodes);
    if (is_reshape(value, nodes)) return next;
    if (nodes.size() == 1 && last.inputs[0] == value) {
      if (auto layer = layer_.read(last)) return layers.push_back(std::move(*layer)), next;
    }
    if (nodes.size() == 1 && read_bias(value, last, layers)) return next;
    if (const int after = read_activation(value, to, mark, nodes, layers); after >= 0) return after;
    if (nodes.size() == 1 && read_affine(value, last, layers)) return next;
    if (const int after = read_layer_norm(value, mark, nodes, layers); after >= 0) return after;
    if (graph_.is_op(last, "Add") && last.inputs.size() == 2 && (last.inputs[0] == value || last.inputs[1] == value)) {
      read_residual(value, last, depth, layers);
      return next;
    }
    refuse(nodes);
  }

  [[noreturn]] void refuse(const std::vector<int>& nodes) const {
    for (const int i : nodes) {
      const Node& node = graph_.node(i);
      constexpr std::string_view parts[] = {"Add", "Sub",  "Mul", "Div", "Pow",  "Exp",      "Log",
                                            "Erf", "Sqrt", "Max", "Min", "Clip", "Identity", "Sum"};
      const bool may_be_part = std::any_of(std::begin(parts), std::end(parts), [&](std::string_view op) { return graph_.is_op(node, op); });
      if (!may_be_part || i == nodes.back())
        raise<ValueError>(graph_.place(node), ": there is no layer or activation for this operator, as it stands here");
    }
    raise<ValueError>(graph_.file(), ": expected nodes");
  }

  // Whether the nodes are a Flatten or a Reshape to batch x units, which change no number.
  bool is_reshape(int value, const std::vector<int>& nodes) {
    const Node& last = graph_.node(nodes.back());
    if (graph_.input_of(last, 0) != value) return false;
    if (graph_.is_op(last, "Flatten")) {
      const std::int64_t axis = graph_.integer(last, "axis", 1);
      if (axis != 1 && !(axis == -1 && layer_.is_flat)) raise<ValueError>(graph_.place(last), ": expected axis 1, but found ", axis);
      layer_.is_flat = true;
      return true;
    }
    if (!graph_.is_op(last, "Reshape")) return false;
    if (const OnnxConstant* shape = graph_.constant(last, 1); shape != nullptr) {
      const auto extents = onnx_numbers<std::int64_t>(*shape->tensor, graph_.place_of_constant(last, 1));
      if (extents.size() != 2 || !keeps_samples(extents[0], extents[1]))
        raise<ShapeError>(graph_.place(last), ": expected a shape of batch x units, but found another");
    } else {  // x.view(x.size(0), -1): the batch from x, and a constant
      const Node* both = graph_.maker(graph_.input_of(last, 1));
      const bool is_pair =
          both != nullptr && graph_.is_op(*both, "Concat") && both->inputs.size() == 2 && graph_.constant(*both, 1) != nullptr;
      const auto end = is_pair ? onnx_numbers<std::int64_t>(*graph_.constant(*both, 1)->tensor, graph_.place_of_constant(*both, 1))
                               : std::vector<std::int64_t>{};
      if (end.size() != 1 || !keeps_samples(0, end[0]))
        raise<ShapeError>(graph_.place(last), ": expected a shape of batch x units, but found one that is calculated");
    }
    layer_.is_flat = true;
    return true;
  }
  bool keeps_samples(std::int64_t batch, std::int64_t units) const {
    const bool is_all = units == -1 || (units == layer_.units && units > 0);
    return is_all && ((batch == -1 && units != -1) || batch == 0 || (batch > 0 && batch == batch_));
  }

  // Takes an Add after a MatMul as the bias of that Dense.
  bool read_bias(int value, const Node& node, Layers& layers) {
    if (!graph_.is_op(node, "Add") || node.inputs.size() != 2 || !is_last<DescribedDense>(layers)) return false;
    const Node* before = graph_.maker(value);
    if (before == nullptr || !graph_.is_op(*before, "MatMul")) return false;
    auto bias = layer_.per_unit(node, node.inputs[0] == value ? 1 : 0);
    if (bias.empty()) return false;
    layers.back().tensor("bias") = std::move(bias);
    return true;
  }

  // Reads as many of the next nodes as together are an activation. Returns the value after it, or -1 if there is no activation.
  int read_activation(int value, int to, int mark, std::vector<int> nodes, Layers& layers) {
    int after = -1;
    std::optional<Description> found;
    while (nodes.size() <= longest_activation) {
      const OnnxFunction f(graph_, value, nodes);
      const OnnxActivationOf activation(f);
      if (!activation.is_function()) break;
      const int end = output_of(nodes);
      if (auto longer = activation.find()) {
        found = std::move(longer);
        after = end;
      }
      if (end == to) break;
      const std::vector<int> more = graph_.until_next_cut(end, mark);
      if (more.empty()) break;
      nodes.insert(nodes.end(), more.begin(), more.end());
    }
    if (!found || describes<Identity>(*found)) return after;
    layer_.expect_known_units(graph_.node(nodes.front()));
    if (is_last<DescribedDense>(layers) && describes<Identity>(layers.back().what.parts[0])) {
      layers.back().what.parts[0] = std::move(*found);
    } else {
      layers.push_back(layer_.activate(std::move(*found)));
    }
    return after;
  }

  // Reads an Add, Sub, Mul or Div with one number for each unit: as a Normalize, or as the weight or bias of the LayerNorm before it.
  bool read_affine(int value, const Node& node, Layers& layers) {
    const bool is_add = graph_.is_op(node, "Add"), is_mul = graph_.is_op(node, "Mul"), is_sub = graph_.is_op(node, "Sub"),
               is_div = graph_.is_op(node, "Div");
    if (!(is_add || is_mul || is_sub || is_div) || node.inputs.size() != 2) return false;
    const bool is_first = node.inputs[0] == value;
    if (!is_first && (is_sub || is_div)) return false;
    const std::size_t other = is_first ? 1 : 0;
    const OnnxConstant* constant = graph_.constant(node, other);
    if (constant == nullptr) return false;
    if (layer_.units == 0)
      layer_.expect_units(static_cast<Index>(onnx_size(*constant->tensor, graph_.place_of_constant(node, other))), node);
    std::vector<Scalar> numbers = layer_.per_unit(node, other);
    if (is_div)
      for (Scalar& number : numbers) number = 1 / number;
    if (is_add)
      for (Scalar& number : numbers) number = -number;
    Layer* before = layers.empty() ? nullptr : &layers.back();
    const auto all = [](const std::vector<Scalar>& of, Scalar same) {
      return std::all_of(of.begin(), of.end(), [&](Scalar s) { return s == same; });
    };
    const bool after_normalize = is_last<Normalize<Dynamic>>(layers), after_layer_norm = is_last<LayerNorm<Dynamic>>(layers);
    if (after_normalize && (is_mul || is_div) && all(before->tensor("scale"), 1)) {
      before->tensor("scale") = std::move(numbers);
    } else if (after_layer_norm && is_mul && all(before->tensor("weight"), 1) && all(before->tensor("bias"), 0)) {
      before->tensor("weight") = std::move(numbers);
    } else if (after_layer_norm && is_add && all(before->tensor("bias"), 0)) {
      for (Scalar& number : numbers) number = -number;
      before->tensor("bias") = std::move(numbers);
    } else {
      const std::size_t n = numbers.size();
      const bool is_shift = is_add || is_sub;
      layers.push_back(
          layer_.normalize(is_shift ? numbers : std::vector<Scalar>(n, Scalar{0}), is_shift ? std::vector<Scalar>(n, Scalar{1}) : numbers));
    }
    return true;
  }

  // Reads (x - mean)/sqrt(mean of its square + epsilon), which exporters write instead of LayerNormalization for operator sets before 17;
  // weight and bias are nodes after it. Returns the value after it, or -1 if the nodes are something else.
  int read_layer_norm(int value, int mark, const std::vector<int>& nodes, Layers& layers) {
    const auto is = [&](int i, std::string_view op) { return graph_.is_op(graph_.node(i), op); };
    if (nodes.size() != 2 || !is(nodes[0], "ReduceMean") || !is(nodes[1], "Sub") || graph_.node(nodes[1]).inputs[0] != value) return -1;
    const int centred = output_of(nodes);
    std::vector<int> rest = graph_.until_next_cut(centred, mark);
    std::erase_if(rest, [&](int i) { return is(i, "Cast"); });
    constexpr std::string_view ops[] = {"Pow", "ReduceMean", "Add", "Sqrt", "Div"};
    if (rest.size() != 5 || graph_.node(rest[4]).inputs[0] != centred) return -1;
    for (std::size_t i = 0; i < 5; ++i)
      if (!is(rest[i], ops[i]) && !(i == 0 && is(rest[i], "Mul"))) return -1;
    const OnnxFunction plus_epsilon(graph_, graph_.node(rest[2]).inputs[0], std::span(&rest[2], 1));
    const OnnxFunction square(graph_, centred, std::span(&rest[0], 1));
    if (!(plus_epsilon.at(0) > 0) || square.at(3) != 9) return -1;
    layer_.expect_known_units(graph_.node(nodes[0]));
    layers.push_back(layer_.layer_norm_of(plus_epsilon.at(0)));
    return output_of(rest);
  }

  // Reads x + F(x), where x is `value`.
  void read_residual(int value, const Node& add, int depth, Layers& layers) {
    if (depth == max_nesting) raise<ValueError>(graph_.place(add), ": residuals are nested more than ", max_nesting, " deep");
    layer_.expect_known_units(add);
    const Index units = layer_.units;
    const int end = add.inputs[0] == value ? add.inputs[1] : add.inputs[0];
    Layer residual = layer_.layer(DescribedResidual::name, units);
    residual.inside = read(value, end, depth + 1);
    if (residual.inside.empty()) residual.inside.push_back(layer_.activate(describe(Identity{})));
    if (layer_.units != units)
      raise<ShapeError>(graph_.place(add), ": expected x + F(x) with as many outputs as inputs, but found ", layer_.units, " of ", units);
    for (const Layer& one : residual.inside) residual.what.parts.push_back(one.what);
    layers.push_back(std::move(residual));
  }

  // Whether there are layers, and the last one is a T.
  template <class T>
  static bool is_last(const Layers& layers) {
    return !layers.empty() && describes<T>(layers.back().what);
  }

  OnnxGraph& graph_;
  OnnxLayerReader<Scalar> layer_;
  std::int64_t batch_ = 0;  // 0 where the model does not say it
};

}  // namespace chainrule::detail
