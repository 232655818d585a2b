#pragma once

#include <chainrule/io/detail/onnx/read_layer.hpp>
#include <chainrule/io/detail/onnx/recognize.hpp>
#include <map>

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

  /// The layers between two values. `depth`: how many Residuals lie around them. Throws ValueError or ShapeError that names the node where
  /// something is no layer.
  Layers read(int from, int to, int depth = 0) {
    const int mark = graph_.mark_between(from, to);
    Layers layers;
    for (int value = from; value != to;) {
      layouts_[value] = layer_.layout;
      const std::vector<int> nodes = graph_.until_next_cut(value, mark);
      if (nodes.empty())
        raise<ValueError>(graph_.file(), ": the output ", in_quotes(graph_.value(to).name), " does not depend on the input");
      const int before = value;
      value = read_next(value, to, mark, nodes, depth, layers);
      layer_.may_be_columns = layer_.may_be_columns && layers.empty() && layer_.layout == layouts_[before];
    }
    return layers;
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
      if (read_shape(value, last)) return next;
      if (graph_.is_op(last, "Dropout") && graph_.input_of(last, 0) == value) {
        if (auto layer = layer_.dropout(last)) layers.push_back(std::move(*layer));
        return next;
      }
      if (auto layer = layer_.read(last, value)) return layers.push_back(std::move(*layer)), next;
      if (read_bias(value, last, layers)) return next;
    }
    const auto as_it_is = [](const OnnxActivationFinder& finder) { return finder.find(); };
    if (const int after = read_activation(value, to, mark, nodes, layers, as_it_is); after >= 0) return after;
    if (nodes.size() == 1 && read_affine(value, last, layers)) return next;
    if (const int after = read_layer_norm(value, mark, nodes, layers); after >= 0) return after;
    const bool is_sum = graph_.is_op(last, "Add") || graph_.is_op(last, "Sum");
    if (is_sum && last.inputs.size() == 2 && (last.inputs[0] == value) != (last.inputs[1] == value)) {
      const int end = last.inputs[0] == value ? last.inputs[1] : last.inputs[0];
      if (end >= 0 && graph_.value(end).depends_on_input) return read_residual(value, end, last, depth, layers), next;
    }
    const auto scaled = [](const OnnxActivationFinder& finder) { return finder.find_scaled(); };
    if (const int after = read_activation(value, to, mark, nodes, layers, scaled); after >= 0) return after;
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

  // Reads a node that changes the layout and no number. Returns false for other operators.
  bool read_shape(int value, const Node& node) {
    if (graph_.input_of(node, 0) != value) return false;
    if (graph_.is_op(node, "Transpose")) return read_transpose(node), true;
    std::vector<std::int64_t> extents;
    const OnnxLayout& layout = layer_.layout;
    for (std::size_t k = 0; k < layout.rank(); ++k) extents.push_back(layout.extent(k));
    if (graph_.is_op(node, "Flatten")) {
      const auto rank = static_cast<std::int64_t>(layout.rank());
      const std::int64_t number = graph_.integer(node, "axis", 1), axis = number < 0 ? number + rank : number;
      if (axis < 0 || axis > rank) raise<ShapeError>(graph_.place(node), ": expected an axis from 0 to ", rank, ", but found ", number);
      if (rank == 2 && axis == 1) return true;
      // the extents before the axis become the first one, the others the second one
      const auto first = extents.begin() + axis;
      const bool keeps_samples = layout.samples == Samples::rows && axis >= 1 && std::all_of(extents.begin() + 1, first, is_one);
      if (keeps_samples || std::all_of(extents.begin(), first, is_one))
        return set_extents(node, {keeps_samples ? extents[0] : 1, infer}), true;
      refuse_shape(node);
    }
    if (graph_.is_op(node, "Reshape")) return read_reshape(node), true;
    const bool is_squeeze = graph_.is_op(node, "Squeeze");
    if (!is_squeeze && !graph_.is_op(node, "Unsqueeze")) return false;
    const std::optional<std::vector<std::int64_t>> axes = graph_.integers(node, "axes", 1, 13);
    if (!axes && !is_squeeze) raise<ValueError>(graph_.place(node), ": expected axes");
    const std::size_t rank = is_squeeze ? extents.size() : extents.size() + axes->size();
    if (rank > OnnxLayout::max_rank) refuse_shape(node);
    std::vector<bool> is_named(rank, !axes);
    for (const std::int64_t number : axes.value_or(std::vector<std::int64_t>{})) {
      const std::int64_t axis = number < 0 ? number + static_cast<std::int64_t>(rank) : number;
      if (axis < 0 || axis >= static_cast<std::int64_t>(rank) || is_named[static_cast<std::size_t>(axis)])
        raise<ShapeError>(graph_.place(node), ": expected different axes below ", rank, ", but found ", number);
      is_named[static_cast<std::size_t>(axis)] = true;
    }
    std::vector<std::int64_t> target;
    std::size_t k = 0;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      if (!is_squeeze) {
        target.push_back(is_named[axis] ? 1 : extents[k++]);
      } else if (!is_named[axis] || (!axes && extents[axis] != 1)) {
        target.push_back(extents[axis]);
      } else if (extents[axis] != 1) {
        refuse_shape(node);
      }
    }
    return set_extents(node, target), true;
  }

  void read_transpose(const Node& node) {
    OnnxLayout& layout = layer_.layout;
    const std::size_t rank = layout.rank();
    std::vector<std::int64_t> perm = graph_.integers(node, "perm", OnnxGraph::no_input, 0).value_or(std::vector<std::int64_t>{});
    if (graph_.attribute(node, "perm") == nullptr)
      for (std::size_t k = rank; k-- > 0;) perm.push_back(static_cast<std::int64_t>(k));
    bool keeps = perm.size() == rank;
    for (std::size_t k = 0; keeps && k < rank; ++k) keeps = perm[k] == static_cast<std::int64_t>(k);
    if (keeps) return;
    if (rank != 2 || layout.samples == Samples::one || perm != std::vector<std::int64_t>{1, 0}) refuse_shape(node);
    layout.samples = layout.samples == Samples::rows ? Samples::columns : Samples::rows;
  }

  void read_reshape(const Node& node) {
    const std::optional<std::vector<std::int64_t>> target = shape_numbers(graph_.input_of(node, 1), 0);
    if (!target)
      raise<ShapeError>(graph_.place(node),
                        ": expected a shape that is a constant, or made of the shape of a value before it by Gather, "
                        "Slice and Concat");
    if (target->size() > OnnxLayout::max_rank) refuse_shape(node);
    std::vector<std::int64_t> extents = *target;
    for (std::size_t k = 0; k < extents.size(); ++k)
      if (extents[k] == 0) {
        if (graph_.integer(node, "allowzero", 0) != 0 || k >= layer_.layout.rank()) refuse_shape(node);
        extents[k] = layer_.layout.extent(k);
      }
    set_extents(node, extents);
  }

  // The numbers of a shape, an integer vector: a constant, or made of shapes. Samples whose number the model does not say have any_batch.
  std::optional<std::vector<std::int64_t>> shape_numbers(int value, int depth) const {
    using Shape = std::vector<std::int64_t>;
    constexpr int deepest = 8;
    if (value < 0 || depth > deepest) return {};
    const Node* node = graph_.maker(value);
    if (graph_.value(value).constant.tensor != nullptr) {
      Shape numbers = onnx_numbers<std::int64_t>(graph_.value(value).constant, graph_.place_of_value(value));
      return numbers.size() <= OnnxLayout::max_rank ? std::optional(std::move(numbers)) : std::nullopt;
    }
    if (node == nullptr) return {};
    const auto is = [&](std::string_view op) { return graph_.is_op(*node, op); };
    if (is("Shape")) {
      const auto found = layouts_.find(graph_.input_of(*node, 0));
      if (found == layouts_.end()) return {};
      Shape all;
      for (std::size_t k = 0; k < found->second.rank(); ++k) all.push_back(found->second.extent(k));
      if (std::count(all.begin(), all.end(), 0) != 0) return {};
      const auto rank = static_cast<std::int64_t>(all.size());
      return slice(all, graph_.integer(*node, "start", 0), graph_.integer(*node, "end", rank));
    }
    if (is("Concat")) {
      Shape all;
      for (const int input : node->inputs) {
        const std::optional<Shape> part = shape_numbers(input, depth + 1);
        if (!part || all.size() + part->size() > OnnxLayout::max_rank) return {};
        all.insert(all.end(), part->begin(), part->end());
      }
      return all;
    }
    const std::optional<Shape> from = shape_numbers(graph_.input_of(*node, 0), depth + 1);
    if (!from) return {};
    const auto number = [&](std::size_t i) -> std::optional<std::int64_t> {
      if (graph_.constant(*node, i) == nullptr || graph_.size(*node, i) != 1) return {};
      return graph_.numbers<std::int64_t>(*node, i)[0];
    };
    if (is("Identity") || is("Unsqueeze") || is("Squeeze")) return from;
    if (is("Cast") && graph_.integer(*node, "to", 0) == pb::TensorProto::INT64) return from;
    if (is("Gather")) {
      const std::optional<std::int64_t> i = number(1);
      const auto size = static_cast<std::int64_t>(from->size());
      if (!i || *i < -size || *i >= size) return {};
      return Shape{(*from)[static_cast<std::size_t>(*i < 0 ? *i + size : *i)]};
    }
    if (is("Slice") && graph_.operators() >= 10 && node->inputs.size() <= 4) {
      const std::optional<std::int64_t> begin = number(1), end = number(2);
      if (begin && end) return slice(*from, *begin, *end);
    }
    return {};
  }
  static std::vector<std::int64_t> slice(const std::vector<std::int64_t>& all, std::int64_t begin, std::int64_t end) {
    const auto size = static_cast<std::int64_t>(all.size());
    const auto place = [&](std::int64_t i) { return std::clamp(i < 0 ? i + size : i, std::int64_t{0}, size); };
    return {all.begin() + place(begin), all.begin() + (std::max)(place(begin), place(end))};
  }

  static constexpr std::int64_t infer = -1;  // in a shape: the extent that fits the others
  static bool is_one(std::int64_t extent) { return extent == 1; }

  // Sets the shape after a node that keeps the order of all numbers. Throws ShapeError where it does not keep each sample together.
  void set_extents(const Node& node, std::vector<std::int64_t> extents) {
    OnnxLayout& layout = layer_.layout;
    if (layout.samples == Samples::columns) refuse_shape(node);
    const std::int64_t batch = layout.samples == Samples::one ? 1 : layout.extent(0);
    const Index units = layer_.units();
    // Makes the new extents from `begin` on those of a sample. Returns false if these are not as many numbers.
    const auto sample_from = [&](std::size_t begin) -> bool {
      OnnxLayout changed = layout;
      changed.extents.assign(extents.begin() + static_cast<std::ptrdiff_t>(begin), extents.end());
      const auto unknown = std::find(changed.extents.begin(), changed.extents.end(), infer);
      if (unknown != changed.extents.end()) {
        *unknown = 1;
        const Index others = changed.units();
        if (units == 0 && others != 1) return false;
        *unknown = others == 0 ? 0 : units / others;
      }
      if (std::count(changed.extents.begin(), changed.extents.end(), OnnxLayout::any_batch) != 0) return false;
      if (units != changed.units() || (units == 0 && changed.extents != std::vector<std::int64_t>{0} && changed.extents != layout.extents))
        return false;
      layout.extents = std::move(changed.extents);
      return true;
    };
    const auto unknowns = std::count(extents.begin(), extents.end(), infer);
    const bool is_valid = unknowns <= 1 && std::all_of(extents.begin(), extents.end(), [](std::int64_t extent) {
                            return extent >= infer || extent == OnnxLayout::any_batch;
                          });
    if (!is_valid) refuse_shape(node);
    // the samples stay along the first axis
    const bool infers_batch = !extents.empty() && extents[0] == infer && units != 0;
    if (!extents.empty() && (extents[0] == batch || infers_batch) && sample_from(1)) {
      if (layout.samples == Samples::one) layout.batch = 1;
      layout.samples = Samples::rows;
      return;
    }
    if (batch == 1 && sample_from(0)) {  // a single sample without an axis for it
      layout.samples = Samples::one;
      return;
    }
    refuse_shape(node);
  }
  [[noreturn]] void refuse_shape(const Node& node) const {
    raise<ShapeError>(graph_.place(node), ": expected a shape of batch x units, which keeps each sample together, but found another");
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
    else if (is_last<DescribedDense>(layers) && describes<Identity>(layers.back().what.parts[0]))
      layers.back().what.parts[0] = std::move(found.what);
    else
      layers.push_back(layer_.activate(std::move(found.what)));
    add(found.after);
  }

  // Reads an Add, Sub, Mul or Div with one number for each unit, or Neg: as a Normalize, or as the weight or bias of the LayerNorm before
  // it.
  bool read_affine(int value, const Node& node, Layers& layers) {
    if (graph_.is_op(node, "Neg") && graph_.input_of(node, 0) == value) {
      layer_.expect_known_units(node);
      layers.push_back(layer_.affine(0, -1, node));
      return true;
    }
    const bool is_add = graph_.is_op(node, "Add") || graph_.is_op(node, "Sum"), is_mul = graph_.is_op(node, "Mul"),
               is_sub = graph_.is_op(node, "Sub"), is_div = graph_.is_op(node, "Div");
    if (!(is_add || is_mul || is_sub || is_div) || node.inputs.size() != 2) return false;
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
    if (is_add)
      for (Scalar& number : numbers) number = -number;
    Layer* before = layers.empty() ? nullptr : &layers.back();
    const auto all = [](const std::vector<Scalar>& of, Scalar same) {
      return std::all_of(of.begin(), of.end(), [&](Scalar s) { return s == same; });
    };
    const bool after_normalize = is_last<Normalize<Dynamic>>(layers), after_layer_norm = is_last<LayerNorm<Dynamic>>(layers);
    if (after_normalize && (is_mul || is_div) && all(before->tensor("scale"), 1)) {
      *before = layer_.affine(std::move(before->tensor("shift")), std::move(numbers));
    } else if (after_layer_norm && is_mul && all(before->tensor("weight"), 1) && all(before->tensor("bias"), 0)) {
      before->tensor("weight") = std::move(numbers);
    } else if (after_layer_norm && is_add && all(before->tensor("bias"), 0)) {
      for (Scalar& number : numbers) number = -number;
      before->tensor("bias") = std::move(numbers);
    } else {
      const std::size_t n = numbers.size();
      if (is_add || is_sub)  // c - x = (x - c) * -1
        layers.push_back(layer_.affine(std::move(numbers), std::vector<Scalar>(n, static_cast<Scalar>(is_first || is_add ? 1 : -1))));
      else
        layers.push_back(layer_.affine(std::vector<Scalar>(n, Scalar{0}), std::move(numbers)));
    }
    return true;
  }

  // The value from which this one is made by nodes that change nothing or round.
  int before_rounding(int value) const {
    for (const Node* node = graph_.maker(value); node != nullptr; node = graph_.maker(value)) {
      if (!graph_.only_rounds(*node) && !graph_.is_op(*node, "Identity")) break;
      value = graph_.input_of(*node, 0);
    }
    return value;
  }
  // Whether a node is the mean over the units of each sample, which keeps the axes.
  bool is_mean(const Node& node) const {
    const std::optional<std::vector<std::int64_t>> axes = graph_.integers(node, "axes", 1, 18);
    return graph_.is_op(node, "ReduceMean") && axes && layer_.layout.is_whole_sample(*axes) && graph_.integer(node, "keepdims", 1) == 1;
  }

  // Reads (x - mean)/sqrt(mean of its square + epsilon), which exporters write instead of LayerNormalization for operator sets before 17;
  // weight and bias are nodes after it. Returns the value after it, or -1 if the nodes are something else.
  int read_layer_norm(int value, int mark, const std::vector<int>& nodes, Layers& layers) {
    const auto maker = [&](int of, std::string_view op) -> const Node* {  // the node that makes a value, if it has this operator
      const Node* made = graph_.maker(before_rounding(of));
      return made != nullptr && graph_.is_op(*made, op) ? made : nullptr;
    };
    const Node& sub = graph_.node(nodes.back());
    if (!graph_.is_op(sub, "Sub") || sub.inputs.size() != 2 || sub.inputs[0] != value) return -1;
    const Node* mean = maker(sub.inputs[1], "ReduceMean");
    if (mean == nullptr || before_rounding(graph_.input_of(*mean, 0)) != value) return -1;
    if (!is_mean(*mean))
      raise<ShapeError>(graph_.place(*mean), ": expected the mean over the units of each sample, with keepdims = 1, but found another");

    const int centred = output_of(nodes);
    const std::vector<int> rest = graph_.until_next_cut(centred, mark);
    if (rest.empty()) return -1;
    const Node& div = graph_.node(rest.back());
    if (!graph_.is_op(div, "Div") || div.inputs.size() != 2 || before_rounding(div.inputs[0]) != centred) return -1;
    const Node* root = maker(div.inputs[1], "Sqrt");
    const Node* sum = root == nullptr ? nullptr : maker(graph_.input_of(*root, 0), "Add");
    if (sum == nullptr || sum->inputs.size() != 2) return -1;
    const std::size_t place_of_epsilon = graph_.constant(*sum, 0) != nullptr ? 0 : 1;
    const std::optional<double> epsilon = graph_.single_number(*sum, place_of_epsilon, layer_.layout.rank());
    const Node* variance = maker(sum->inputs[1 - place_of_epsilon], "ReduceMean");
    if (!epsilon || !(*epsilon > 0) || variance == nullptr || !is_mean(*variance)) return -1;
    const Node* square = graph_.maker(before_rounding(graph_.input_of(*variance, 0)));
    if (square == nullptr || square->inputs.size() != 2 || before_rounding(square->inputs[0]) != centred) return -1;
    const bool is_square = (graph_.is_op(*square, "Mul") && before_rounding(square->inputs[1]) == centred) ||
                           (graph_.is_op(*square, "Pow") && graph_.single_number(*square, 1, layer_.layout.rank()) == 2);
    if (!is_square) return -1;
    layers.push_back(layer_.layer_norm_of(*epsilon, *mean));
    return output_of(rest);
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

  // Whether there are layers, and the last one is a T.
  template <class T>
  static bool is_last(const Layers& layers) {
    return !layers.empty() && describes<T>(layers.back().what);
  }

  OnnxGraph& graph_;
  OnnxLayerReader<Scalar> layer_;
  std::map<int, OnnxLayout> layouts_ = {};  // the layouts of the values between layers
};

}  // namespace chainrule::detail
