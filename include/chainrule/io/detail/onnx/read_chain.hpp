#pragma once

#include <chainrule/io/detail/onnx/find_layer_norm.hpp>
#include <chainrule/io/detail/onnx/read_layer.hpp>
#include <chainrule/io/detail/onnx/read_shape.hpp>
#include <chainrule/io/detail/onnx/recognize.hpp>
#include <set>

namespace chainrule::detail {

/// Reads the nodes of an ONNX graph, from its input to its output, as layers one after the other.
template <class Scalar>
class OnnxChainReader {
 public:
  using Layer = ReadLayer<Scalar>;
  using Layers = std::vector<Layer>;
  using Node = OnnxGraph::Node;
  using Samples = OnnxLayout::Samples;

  /// `most_numbers`: how many numbers the layers may have.
  OnnxChainReader(OnnxGraph& graph, std::size_t most_numbers) : graph_{graph}, layer_{graph, most_numbers} {
    const auto& type = graph.input_info().type();
    if (!type.has_tensor_type() || !type.tensor_type().has_shape()) return;
    const auto& shape = type.tensor_type().shape();
    if (shape.dim_size() == 0 || shape.dim_size() > static_cast<int>(OnnxLayout::max_rank))
      raise<ShapeError>(graph.file(), ": expected an input of batch x units, but found one of ", shape.dim_size(), " extents");
    OnnxLayout layout{{}, shape.dim_size() == 1 ? Samples::one : Samples::rows, 0};
    for (int i = 0; i < shape.dim_size(); ++i) {
      const std::int64_t extent = shape.dim(i).dim_value();  // 0 where the model does not say it
      if (i == 0 && layout.samples == Samples::rows)
        layout.batch = std::max<std::int64_t>(extent, 0);
      else
        layout.extents.push_back(extent);
      if (!layout.product(0, layout.extents.size()))
        raise<ShapeError>(graph.file(), ": expected inputs of at most ", OnnxLayout::max_units, " units, but found an extent of ", extent);
    }
    layer_.layout = std::move(layout);
    layer_.may_be_columns = shape.dim_size() == 2 && layer_.layout.batch > 0 && layer_.layout.extents[0] == 0;
  }

  OnnxChainReader(const OnnxChainReader&) = delete;

  /// The layers between two values. `depth`: how many layers that contain others lie around them. Throws ValueError or ShapeError that
  /// names the node where something is no layer.
  Layers read(int from, int to, int depth = 0) {
    const int mark = graph_.mark_between(from, to);
    Layers layers;
    for (int value = from; value != to;) {
      shape_.remember(value);
      const OnnxLayout before = layer_.layout;
      const std::vector<int> nodes = graph_.until_next_cut(value, mark);
      if (nodes.empty())
        raise<ValueError>(graph_.file(), ": the output ", in_quotes(graph_.value(to).name), " does not depend on the input");
      value = read_next(value, to, mark, nodes, depth, layers);
      layer_.may_be_columns = layer_.may_be_columns && layers.empty() && layer_.layout == before;
    }
    return layers;
  }

  /// Makes -z of the output z of the layers, where a node does this.
  void negate(const Node& node, Layers& layers) {
    if (ends_in_plain_dense(layers)) {
      for (auto& [name, numbers] : layers.back().tensors)
        for (Scalar& number : numbers) number = -number;
    } else {
      layer_.expect_known_units(node);
      layers.push_back(layer_.affine(0, -1, node));
    }
  }

  /// The layout of the value that was read last.
  const OnnxLayout& layout() const { return layer_.layout; }

 private:
  static constexpr std::size_t longest_activation = 12;  // GELU by tanh, and Mish, have 9

  int output_of(const std::vector<int>& nodes) const {
    const Node& last = graph_.node(nodes.back());
    for (std::size_t i = 1; i < last.outputs.size(); ++i)
      if (last.outputs[i] >= 0 && graph_.is_taken(last.outputs[i]))
        raise<ValueError>(graph_.place(last), ": expected one output that is used, but found more");
    if (last.outputs.empty() || last.outputs[0] < 0) raise<ValueError>(graph_.place(last), ": expected an output");
    return last.outputs[0];
  }

  // Adds the layer that the next nodes are, and returns the value after it.
  int read_next(int value, int to, int mark, const std::vector<int>& nodes, int depth, Layers& layers) {
    const Node& last = graph_.node(nodes.back());
    const int next = output_of(nodes);
    if (nodes.size() == 1) {
      if (shape_.read(value, last)) return next;
      if (graph_.is_op(last, "Dropout") && graph_.input_of(last, 0) == value) {
        if (auto layer = layer_.dropout(last)) layers.push_back(std::move(*layer));
        return next;
      }
      if (auto layer = layer_.read(last, value)) return layers.push_back(std::move(*layer)), next;
      if (after_product(value, layers) && read_sum(value, last, layers)) return next;
    }
    if (const int after = read_embedding(value, mark, nodes, layers); after >= 0) return after;
    const auto as_it_is = [](const OnnxActivationFinder& finder) { return finder.find(); };
    if (const int after = read_activation(value, to, mark, nodes, layers, as_it_is); after >= 0) return after;
    if (nodes.size() == 1 && (read_sum(value, last, layers) || read_affine(value, last, layers))) return next;
    if (const int after = read_layer_norm(value, mark, nodes, layers); after >= 0) return after;
    if (const int end = end_of_residual(value, last); end >= 0) {
      read_residual(value, end, last, depth, layers);
      add_constants(value, last, layers);
      return next;
    }
    const auto scaled = [](const OnnxActivationFinder& finder) { return finder.find_scaled(); };
    if (const int after = read_activation(value, to, mark, nodes, layers, scaled); after >= 0) return after;
    if (is_join(last)) {
      read_parallel(value, last, depth, layers);
      add_constants(value, last, layers);
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

  static bool all(const std::vector<Scalar>& of, Scalar same) {
    return std::all_of(of.begin(), of.end(), [&](Scalar s) { return s == same; });
  }
  // Whether the value is made by a MatMul, or by a Gemm without C, so that what is added to it is the bias of the last layer.
  bool after_product(int value, const Layers& layers) const {
    const Node* before = graph_.maker(value);
    return before != nullptr && (graph_.is_op(*before, "MatMul") || graph_.is_op(*before, "Gemm")) &&
           is_last<DescribedDense<Bias::none>>(layers);
  }

  bool is_sum(const Node& node) const { return (graph_.is_op(node, "Add") && node.inputs.size() == 2) || graph_.is_op(node, "Sum"); }
  // Reads an Add or a Sum of the value and constants, with one number for each unit: as the bias of a Dense or a LayerNorm, or as
  // Normalizes.
  bool read_sum(int value, const Node& node, Layers& layers) {
    if (!is_sum(node)) return false;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] != value && graph_.constant(node, i) == nullptr) return false;
    if (std::count(node.inputs.begin(), node.inputs.end(), value) != 1) return false;
    add_constants(value, node, layers);
    return true;
  }
  // Adds the constants that a sum has besides other values, one after the other. The value is one of these.
  void add_constants(int value, const Node& sum, Layers& layers) {
    for (std::size_t i = 0; i < sum.inputs.size(); ++i) {
      std::vector<Scalar> numbers = layer_.per_unit(sum, i);
      if (numbers.empty()) continue;
      if (after_product(value, layers)) {
        layer_.add_bias(layers.back(), std::move(numbers));
        continue;
      }
      if (is_last<LayerNorm<Dynamic>>(layers) && all(layers.back().tensor("bias"), 0)) {
        layers.back().tensor("bias") = std::move(numbers);
        continue;
      }
      for (Scalar& number : numbers) number = -number;
      const std::size_t n = numbers.size();
      layers.push_back(layer_.affine(std::move(numbers), std::vector<Scalar>(n, Scalar{1})));
    }
  }
  // The value F(x) where a node is the sum of x, which is `value`, F(x), and constants; -1 where it is not.
  int end_of_residual(int value, const Node& node) const {
    if (!is_sum(node) || std::count(node.inputs.begin(), node.inputs.end(), value) != 1) return -1;
    int end = -1;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == value || graph_.constant(node, i) != nullptr) continue;
      if (end >= 0 || node.inputs[i] < 0 || !graph_.value(node.inputs[i]).depends_on_input) return -1;
      end = node.inputs[i];
    }
    return end;
  }

  // Reads as many of the next nodes as together are an activation that `find` finds. Returns the value after it, or -1 if there is none.
  template <class Find>
  int read_activation(int value, int to, int mark, std::vector<int> nodes, Layers& layers, const Find& find) {
    int after = -1;
    std::optional<OnnxActivation> found;
    const int first = nodes.front();
    OnnxFunction f(graph_, value, layer_.layout.rank());
    while (f.size() + nodes.size() <= longest_activation) {
      f.append(nodes);
      if (!f.expression().is_valid()) break;
      const int end = output_of(nodes);
      if (auto longer = find(OnnxActivationFinder(f))) {
        found = std::move(longer);
        after = end;
      }
      if (end == to) break;
      nodes = graph_.until_next_cut(end, mark);
      if (nodes.empty()) break;
    }
    if (found) add_activation(*found, graph_.node(first), layers);
    return after;
  }
  void add_activation(OnnxActivation& found, const Node& node, Layers& layers) {
    if (!found.slope && describes<Identity>(found.what)) return;
    layer_.expect_known_units(node);
    const auto add = [&](const OnnxActivation::Affine& affine) {
      if (!affine.is_identity()) layers.push_back(layer_.affine(affine.shift, affine.scale, node));
    };
    add(found.before);
    if (found.slope)
      layers.push_back(layer_.prelu_of(*found.slope));
    else if (ends_in_plain_dense(layers))
      layers.back().what.parts[0] = std::move(found.what);
    else
      layers.push_back(layer_.activate(std::move(found.what)));
    add(found.after);
  }

  // Reads a Sub, Mul or Div with one number for each unit, or Neg: as a Normalize, or as the weight or bias of the LayerNorm before it.
  bool read_affine(int value, const Node& node, Layers& layers) {
    if (graph_.is_op(node, "Neg") && graph_.input_of(node, 0) == value) {
      layer_.expect_known_units(node);
      layers.push_back(layer_.affine(0, -1, node));
      return true;
    }
    const bool is_mul = graph_.is_op(node, "Mul"), is_sub = graph_.is_op(node, "Sub"), is_div = graph_.is_op(node, "Div");
    if (!(is_mul || is_sub || is_div) || node.inputs.size() != 2) return false;
    const bool is_first = node.inputs[0] == value;
    if (!is_first && is_div) return false;
    const std::size_t other = is_first ? 1 : 0;
    std::vector<Scalar> numbers = layer_.per_unit(node, other);
    if (numbers.empty()) return false;
    if (is_div)
      for (Scalar& number : numbers) {
        if (!(is_finite(1 / number)))
          raise<ValueError>(graph_.place_of_constant(node, other), ": expected divisors whose reciprocals are finite, but found ", number);
        number = 1 / number;
      }
    Layer* before = layers.empty() ? nullptr : &layers.back();
    const bool after_normalize = is_last<Normalize<Dynamic>>(layers), after_layer_norm = is_last<LayerNorm<Dynamic>>(layers);
    const std::size_t n = numbers.size();
    if (after_normalize && !is_sub && all(before->tensor("scale"), 1)) {
      *before = layer_.affine(std::move(before->tensor("shift")), std::move(numbers));
    } else if (after_layer_norm && is_mul && all(before->tensor("weight"), 1) && all(before->tensor("bias"), 0)) {
      before->tensor("weight") = std::move(numbers);
    } else if (after_layer_norm && is_sub && is_first && all(before->tensor("bias"), 0)) {
      for (Scalar& number : numbers) number = -number;
      before->tensor("bias") = std::move(numbers);
    } else if (is_sub) {  // c - x = (x - c) * -1
      layers.push_back(layer_.affine(std::move(numbers), std::vector<Scalar>(n, static_cast<Scalar>(is_first ? 1 : -1))));
    } else {
      layers.push_back(layer_.affine(std::vector<Scalar>(n, Scalar{0}), std::move(numbers)));
    }
    return true;
  }

  // Reads embeddings of columns of the value. Returns the value after them, or -1 if the nodes are something else.
  int read_embedding(int value, int mark, std::vector<int> nodes, Layers& layers) {
    const bool has_samples_in_rows = layer_.layout.samples == Samples::rows && layer_.layout.rank() == 2 && layer_.units() > 0;
    if (!has_samples_in_rows) return -1;
    constexpr std::size_t longest_chain = 3;  // Gather, Cast and Gather of one column
    for (;;) {
      const int end = output_of(nodes);
      const Node& last = graph_.node(nodes.back());
      if (const auto found = OnnxEmbeddingFinder(graph_, layer_.units(), value).find(end))
        return layers.push_back(layer_.embedding(*found, last)), end;
      const bool may_be_longer = nodes.size() < longest_chain && (graph_.is_op(last, "Gather") || graph_.is_op(last, "Cast"));
      const std::vector<int> rest = may_be_longer ? graph_.until_next_cut(end, mark) : std::vector<int>{};
      if (rest.empty()) return -1;
      nodes.insert(nodes.end(), rest.begin(), rest.end());
    }
  }

  // Reads a LayerNorm that is written as single operations; its weight and bias are nodes after it. Returns the value after it, or -1 if
  // the nodes are something else.
  int read_layer_norm(int value, int mark, const std::vector<int>& nodes, Layers& layers) {
    const OnnxLayerNormFinder finder(graph_, layer_.layout, value);
    int end = output_of(nodes);
    std::optional<OnnxLayerNorm> found = finder.find(end);
    if (!found && graph_.is_op(graph_.node(nodes.back()), "Sub"))
      if (const std::vector<int> rest = graph_.until_next_cut(end, mark); !rest.empty()) found = finder.find(end = output_of(rest));
    if (!found) return -1;
    layers.push_back(layer_.layer_norm_of(found->epsilon, *found->mean));
    if (found->weight.node != nullptr) layers.back().tensor("weight") = layer_.per_unit(*found->weight.node, found->weight.i);
    if (found->bias.node != nullptr) layers.back().tensor("bias") = layer_.per_unit(*found->bias.node, found->bias.i);
    return end;
  }

  // Reads x + F(x), where x is `value` and F(x) is `end`.
  void read_residual(int value, int end, const Node& add, int depth, Layers& layers) {
    if (depth == max_nesting) raise<ValueError>(graph_.place(add), ": residuals are nested more than ", max_nesting, " deep");
    layer_.expect_known_units(add);
    const OnnxLayout before = layer_.layout;
    Layer residual = layer_.layer(DescribedResidual::name, before.units());
    residual.inside = read(value, end, depth + 1);
    if (residual.inside.empty()) residual.inside.push_back(layer_.activate(describe(Identity{})));
    if (layer_.layout != before)
      raise<ShapeError>(graph_.place(add), ": expected x + F(x) with an output of the shape of its input, but found ", layer_.units(),
                        " units of ", before.units(), ", or other extents");
    for (const Layer& one : residual.inside) residual.what.parts.push_back(one.what);
    layers.push_back(std::move(residual));
  }

  // Whether there are layers, and the last one is a Dense, with or without bias, that has no activation.
  static bool ends_in_plain_dense(const Layers& layers) {
    return !layers.empty() && describes_dense(layers.back().what) && describes<Identity>(layers.back().what.parts[0]);
  }
  // Whether a node joins several values that depend on the input, and nothing else but constants that are added.
  bool is_join(const Node& node) const {
    const bool concatenates = graph_.is_op(node, "Concat");
    if (!concatenates && !is_sum(node)) return false;
    int branches = 0;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!concatenates && graph_.constant(node, i) != nullptr) continue;
      if (node.inputs[i] < 0 || !graph_.value(node.inputs[i]).depends_on_input) return false;
      ++branches;
    }
    return branches > 1;
  }
  // Reads the branches from `value` to a node that joins them.
  void read_parallel(int value, const Node& join, int depth, Layers& layers) {
    if (depth + 1 >= max_nesting) raise<ValueError>(graph_.place(join), ": layers are nested more than ", max_nesting, " deep");
    const bool concatenates = graph_.is_op(join, "Concat");
    layer_.expect_known_units(join);
    const OnnxLayout before = layer_.layout;
    Layer parallel = layer_.layer(concatenates ? DescribedParallel::name : DescribedParallelSum::name, before.units());
    std::set<int> nodes;
    std::int64_t units = 0;
    OnnxLayout after = before;
    for (std::size_t i = 0; i < join.inputs.size(); ++i) {
      if (graph_.constant(join, i) != nullptr) continue;
      for (const int node : graph_.nodes_between(value, join.inputs[i]))
        if (!nodes.insert(node).second)
          raise<ValueError>(graph_.place(graph_.node(node)),
                            ": it is part of two branches, whose weights would be one here and two after "
                            "training");
      layer_.layout = before;
      Layers branch = read(value, join.inputs[i], depth + 2);
      if (branch.empty()) branch.push_back(layer_.activate(describe(Identity{})));
      const OnnxLayout& here = layer_.layout;
      if (here.extents.size() != 1 || here.samples != before.samples)
        raise<ShapeError>(graph_.place(join), ": expected branches of batch x units, but found other extents");
      if (!concatenates && units > 0 && here != after)
        raise<ShapeError>(graph_.place(join), ": expected branches of the same shape, but found ", here.units(), " units beside ",
                          after.units());
      units = concatenates ? units + here.units() : here.units();
      after = here;
      parallel.inside.push_back(branch.size() == 1 ? std::move(branch[0]) : sequential(std::move(branch), before.units(), here.units()));
    }
    if (concatenates) {
      after.extents = {units};
      if (!after.product(0, 1)) raise<ShapeError>(graph_.place(join), ": expected at most ", OnnxLayout::max_units, " units");
      const std::optional<std::size_t> axis = after.axis(graph_.integer(join, "axis", 1));
      if (!axis || after.is_batch(*axis))
        raise<ShapeError>(graph_.place(join), ": expected the axis of a sample's outputs, but found axis ",
                          graph_.integer(join, "axis", 1));
    }
    layer_.layout = after;
    parallel.what.outputs = static_cast<Index>(units);
    for (const Layer& one : parallel.inside) parallel.what.parts.push_back(one.what);
    layers.push_back(std::move(parallel));
  }
  // Makes one layer of the layers of a branch.
  Layer sequential(Layers inside, Index inputs, Index outputs) {
    Layer all = layer_.layer(DescribedSequential::name, outputs);
    all.what.inputs = inputs;
    all.inside = std::move(inside);
    for (const Layer& one : all.inside) all.what.parts.push_back(one.what);
    return all;
  }

  // Whether there are layers, and the last one is a T.
  template <class T>
  static bool is_last(const Layers& layers) {
    return !layers.empty() && describes<T>(layers.back().what);
  }

  OnnxGraph& graph_;
  OnnxLayerReader<Scalar> layer_;
  OnnxShapeReader shape_{graph_, layer_.layout};
};

}  // namespace chainrule::detail
