#pragma once
// Computes what nodes make of constants, because exporters do not always do it: weights that are transposed, scaled, sliced or stored as
// integers.

#include <algorithm>
#include <chainrule/io/detail/onnx/graph.hpp>
#include <chainrule/io/detail/onnx/layout.hpp>

namespace chainrule::detail {

/// Makes constants of the outputs of nodes that take constants alone: Constant, Identity, Cast, Add, Sub, Mul, Div, Neg, Transpose,
/// Reshape, Flatten, Squeeze, Unsqueeze, Slice and DequantizeLinear. Each number is rounded to the type that ONNX gives it.
class OnnxConstantFolder {
 public:
  /// `most_numbers`: how many numbers may be computed, so that a small file cannot take much memory.
  OnnxConstantFolder(OnnxGraph& graph, std::size_t most_numbers) : graph_{graph}, most_numbers_{most_numbers} {}

  /// Goes through all nodes in their order. Throws ValueError or ShapeError that names a node that cannot be computed.
  void fold() {
    for (int i = 0; i < graph_.node_count(); ++i) {
      const Node& node = graph_.node(i);
      if (node.outputs.empty() || node.outputs[0] < 0 || graph_.value(node.outputs[0]).depends_on_input) continue;
      if (OnnxConstant made = is_op(node, "Constant") ? constant_of(node) : result_of(node))
        graph_.set_constant(node.outputs[0], std::move(made));
    }
  }

 private:
  using Node = OnnxGraph::Node;
  using Extents = std::vector<std::int64_t>;
  static constexpr std::size_t most_reads = 16;  // numbers read from constants: at most this many times most_numbers_

  bool is_op(const Node& node, std::string_view op) const { return graph_.is_op(node, op); }
  static OnnxConstant made(OnnxNumbers numbers) { return {nullptr, std::make_shared<const OnnxNumbers>(std::move(numbers))}; }

  // The constant of a Constant; none where it is a text or sparse.
  OnnxConstant constant_of(const Node& node) const {
    for (const pb::AttributeProto& a : node.proto->attribute()) {
      const auto size = [](const auto& numbers) { return Extents{numbers.size()}; };
      if (a.name() == "value") return graph_.checked(&a.t());
      if (a.name() == "value_float") return made({pb::TensorProto::FLOAT, {}, {double{a.f()}}, {}});
      if (a.name() == "value_int") return made({pb::TensorProto::INT64, {}, {}, {a.i()}});
      if (a.name() == "value_floats") return made({pb::TensorProto::FLOAT, size(a.floats()), {a.floats().begin(), a.floats().end()}, {}});
      if (a.name() == "value_ints") return made({pb::TensorProto::INT64, size(a.ints()), {}, {a.ints().begin(), a.ints().end()}});
    }
    return {};
  }

  // The constant that a node makes of constants; none where its operator is not computed here.
  OnnxConstant result_of(const Node& node) {
    const OnnxConstant* first = graph_.constant(node, 0);
    if (first == nullptr) return {};
    for (std::size_t i = 1; i < node.inputs.size(); ++i)
      if (node.inputs[i] >= 0 && graph_.constant(node, i) == nullptr) return {};
    if (is_op(node, "Identity")) return *first;
    if (is_op(node, "Cast")) return cast(node);
    if (is_op(node, "Add")) return combined(node, [](double a, double b) { return a + b; });
    if (is_op(node, "Sub")) return combined(node, [](double a, double b) { return a - b; });
    if (is_op(node, "Mul")) return combined(node, [](double a, double b) { return a * b; });
    if (is_op(node, "Div")) return combined(node, [](double a, double b) { return a / b; });
    if (is_op(node, "Neg")) return negated(node);
    if (is_op(node, "Transpose")) return transposed(node);
    if (is_op(node, "Slice")) return sliced(node);
    if (is_op(node, "DequantizeLinear")) return dequantized(node);
    if (const std::optional<Extents> extents = changed_extents(node)) {
      OnnxNumbers numbers = read(node, 0);
      count(*extents, node);
      numbers.extents = *extents;
      return made(std::move(numbers));
    }
    return {};
  }

  // Counts the numbers of a result, and returns them. Throws ValueError for more than the file can mean.
  std::size_t count(const Extents& extents, const Node& node) {
    std::size_t numbers = 1;
    for (const std::int64_t extent : extents)
      numbers = extent == 0                                                  ? 0
                : numbers > most_numbers_ / static_cast<std::size_t>(extent) ? most_numbers_ + 1
                                                                             : numbers * static_cast<std::size_t>(extent);
    computed_ += (std::min)(numbers, most_numbers_ + 1);
    if (computed_ > most_numbers_)
      raise<ValueError>(graph_.place(node), ": expected at most ", most_numbers_,
                        " numbers that are computed from constants in a file of this size, but found more");
    return numbers;
  }
  // The constant that a node takes as its input i.
  OnnxNumbers read(const Node& node, std::size_t i) {
    const OnnxConstant& from = *graph_.constant(node, i);
    OnnxNumbers numbers{from.type(), from.extents(), {}, {}};
    const std::size_t size = graph_.size(node, i);
    if (size == 0) raise<ShapeError>(graph_.place_of_constant(node, i), ": expected numbers, but found ", onnx_shape_text(numbers.extents));
    read_ += size;
    if (read_ / most_reads > most_numbers_)
      raise<ValueError>(graph_.place(node), ": expected fewer nodes that compute with constants of this size in a file of this size");
    if (numbers.type == pb::TensorProto::INT64)
      numbers.integers = graph_.numbers<std::int64_t>(node, i);
    else
      numbers.reals = graph_.numbers<double>(node, i);
    return numbers;
  }

  // The numbers of an array whose neighbours along axis k lie strides[k] apart, row-major.
  template <class Number>
  static std::vector<Number> strided(const std::vector<Number>& from, std::size_t size, const Extents& extents, const Extents& strides,
                                     std::int64_t place) {
    std::vector<Number> to(size);
    Extents at(extents.size(), 0);
    for (Number& number : to) {
      number = from[static_cast<std::size_t>(place)];
      for (std::size_t k = extents.size(); k-- > 0;) {
        place += strides[k];
        if (++at[k] < extents[k]) break;
        place -= strides[k] * extents[k];
        at[k] = 0;
      }
    }
    return to;
  }
  OnnxNumbers strided(const OnnxNumbers& from, const Extents& extents, const Extents& strides, std::int64_t place, const Node& node) {
    const std::size_t size = count(extents, node);
    if (from.type == pb::TensorProto::INT64) return {from.type, extents, {}, strided(from.integers, size, extents, strides, place)};
    return {from.type, extents, strided(from.reals, size, extents, strides, place), {}};
  }
  // How far neighbours along each axis lie apart in a row-major array.
  static Extents strides_of(const Extents& extents) {
    Extents strides(extents.size(), 1);
    for (std::size_t k = extents.size(); k-- > 1;) strides[k - 1] = strides[k] * extents[k];
    return strides;
  }
  // The strides with which an array is repeated to these extents, as ONNX broadcasts it.
  static Extents repeating_strides(const OnnxNumbers& from, const Extents& extents) {
    Extents strides = strides_of(from.extents);
    for (std::size_t k = 0; k < strides.size(); ++k)
      if (from.extents[k] == 1) strides[k] = 0;
    strides.insert(strides.begin(), extents.size() - strides.size(), 0);
    return strides;
  }
  // The axis that a number says, counted from the end if it is negative.
  std::size_t axis(std::int64_t number, std::size_t rank, const Node& node) const {
    const auto n = static_cast<std::int64_t>(rank);
    if (number < -n || number >= n) raise<ShapeError>(graph_.place(node), ": expected an axis below ", rank, ", but found ", number);
    return static_cast<std::size_t>(number < 0 ? number + n : number);
  }

  OnnxConstant cast(const Node& node) {
    const std::int64_t to = graph_.integer(node, "to", 0);
    if (graph_.constant(node, 0)->type() == to) return *graph_.constant(node, 0);
    if (!onnx_cast(0, to)) return {};
    OnnxNumbers from = read(node, 0), result{to, from.extents, {}, {}};
    if (from.type == pb::TensorProto::INT64) from.reals.assign(from.integers.begin(), from.integers.end());
    count(from.extents, node);
    for (const double number : from.reals) {
      const std::optional<double> next = onnx_cast(number, to);
      if (!next) raise<ValueError>(graph_.place(node), ": expected numbers that the Cast can hold, but found ", number);
      if (to == pb::TensorProto::INT64)
        result.integers.push_back(static_cast<std::int64_t>(*next));
      else
        result.reals.push_back(*next);
    }
    return made(std::move(result));
  }

  // A sum, difference, product or quotient of floating point numbers. A double has more than twice the digits of float and half precision,
  // so that rounding its result once more gives the number that arithmetic in these types gives.
  template <class F>
  OnnxConstant combined(const Node& node, const F& f) {
    if (node.inputs.size() != 2 || graph_.constant(node, 1) == nullptr) return {};
    const std::int64_t type = graph_.constant(node, 0)->type();
    if (!is_onnx_real(type) || graph_.constant(node, 1)->type() != type) return {};
    const OnnxNumbers a = read(node, 0), b = read(node, 1);
    Extents extents = a.extents.size() < b.extents.size() ? b.extents : a.extents;
    const Extents& shorter = a.extents.size() < b.extents.size() ? a.extents : b.extents;
    for (std::size_t k = 0; k < shorter.size(); ++k) {
      std::int64_t& extent = extents[extents.size() - shorter.size() + k];
      const bool differ = extent != shorter[k];
      if (differ && (graph_.operators() < 7 || (extent != 1 && shorter[k] != 1)))
        raise<ShapeError>(graph_.place(node), ": expected constants of extents that fit, but found ", onnx_shape_text(a.extents), " and ",
                          onnx_shape_text(b.extents));
      if (extent == 1) extent = shorter[k];
    }
    OnnxNumbers result = strided(a, extents, repeating_strides(a, extents), 0, node);
    const OnnxNumbers other = strided(b, extents, repeating_strides(b, extents), 0, node);
    for (std::size_t i = 0; i < result.reals.size(); ++i) result.reals[i] = *onnx_cast(f(result.reals[i], other.reals[i]), type);
    return made(std::move(result));
  }
  OnnxConstant negated(const Node& node) {
    if (!is_onnx_real(graph_.constant(node, 0)->type())) return {};
    OnnxNumbers numbers = read(node, 0);
    count(numbers.extents, node);
    for (double& number : numbers.reals) number = -number;
    return made(std::move(numbers));
  }

  OnnxConstant transposed(const Node& node) {
    const std::size_t rank = graph_.constant(node, 0)->extents().size();
    Extents perm = graph_.integers(node, "perm", OnnxGraph::no_input, 0).value_or(Extents{});
    if (graph_.attribute(node, "perm") == nullptr)
      for (std::size_t k = rank; k-- > 0;) perm.push_back(static_cast<std::int64_t>(k));
    std::vector<bool> is_named(rank);
    for (const std::int64_t k : perm)
      if (k >= 0 && k < static_cast<std::int64_t>(rank)) is_named[static_cast<std::size_t>(k)] = true;
    if (perm.size() != rank || std::count(is_named.begin(), is_named.end(), false) != 0)
      raise<ShapeError>(graph_.place(node), ": expected a perm that names each of ", rank, " axes once");
    const OnnxNumbers from = read(node, 0);
    const Extents strides = strides_of(from.extents);
    Extents new_extents, new_strides;
    for (const std::int64_t k : perm) {
      new_extents.push_back(from.extents[static_cast<std::size_t>(k)]);
      new_strides.push_back(strides[static_cast<std::size_t>(k)]);
    }
    return made(strided(from, new_extents, new_strides, 0, node));
  }

  OnnxConstant sliced(const Node& node) {
    const OnnxNumbers from = read(node, 0);
    const auto bounds = [&](const char* name, std::size_t i) { return graph_.integers(node, name, i, 10); };
    const std::optional<Extents> starts = bounds("starts", 1), ends = bounds("ends", 2), axes = bounds("axes", 3),
                                 steps = graph_.operators() < 10 ? std::nullopt : bounds("steps", 4);
    const bool fits = starts && ends && ends->size() == starts->size() && (!axes || axes->size() == starts->size()) &&
                      (!steps || steps->size() == starts->size()) && (axes || starts->size() <= from.extents.size());
    if (!fits) raise<ShapeError>(graph_.place(node), ": expected as many starts as ends, axes and steps");
    Extents extents = from.extents, strides = strides_of(from.extents);
    std::int64_t place = 0;
    std::vector<bool> is_sliced(extents.size());
    for (std::size_t i = 0; i < starts->size(); ++i) {
      const std::size_t k = axes ? axis((*axes)[i], extents.size(), node) : i;
      if (is_sliced[k]) raise<ShapeError>(graph_.place(node), ": expected different axes, but found axis ", k, " twice");
      is_sliced[k] = true;
      const std::int64_t step = steps ? (*steps)[i] : 1, extent = from.extents[k];
      if (step == 0 || step < -OnnxLayout::max_units) raise<ValueError>(graph_.place(node), ": expected steps that are not 0");
      // one before the first number is the end of a slice that goes back to it
      const auto bound = [&](std::int64_t number) {
        const std::int64_t from_start = number < 0 ? number + extent : number;
        return step > 0 ? std::clamp<std::int64_t>(from_start, 0, extent) : std::clamp<std::int64_t>(from_start, -1, extent - 1);
      };
      const std::int64_t begin = bound((*starts)[i]), length = step > 0 ? bound((*ends)[i]) - begin : begin - bound((*ends)[i]);
      const std::int64_t by = step > 0 ? step : -step;
      extents[k] = length <= 0 ? 0 : (length - 1) / by + 1;
      if (extents[k] != 0) place += begin * strides[k];
      strides[k] *= extents[k] > 1 ? step : 0;
    }
    return made(strided(from, extents, strides, place, node));
  }

  // (x - zero_point) * scale with integers x, and a zero_point and a scale that are single numbers or one for each place along an axis
  OnnxConstant dequantized(const Node& node) {
    if (graph_.constant(node, 1) == nullptr) return {};
    const OnnxNumbers x = read(node, 0), scale = read(node, 1);
    if (x.type == pb::TensorProto::INT64 || is_onnx_real(x.type) || !is_onnx_real(scale.type)) return {};
    const bool has_zero = graph_.input_of(node, 2) >= 0;
    const OnnxNumbers zero = has_zero ? read(node, 2) : OnnxNumbers{x.type, scale.extents, std::vector<double>(scale.size(), 0), {}};
    Extents strides(x.extents.size(), 0);
    if (scale.size() != 1) {
      const std::size_t k = axis(graph_.integer(node, "axis", 1), x.extents.size(), node);
      strides[k] = 1;
      if (scale.extents.size() != 1 || scale.extents[0] != x.extents[k])
        raise<ShapeError>(graph_.place_of_constant(node, 1), ": expected ", x.extents[k], " scales, but found ",
                          onnx_shape_text(scale.extents));
    }
    if (zero.type != x.type || zero.size() != scale.size())
      raise<ShapeError>(graph_.place_of_constant(node, 2), ": expected a zero point of the type of the first input for each of ",
                        scale.size(), " scales, but found ", zero.size());
    OnnxNumbers result = strided(scale, x.extents, strides, 0, node);
    const OnnxNumbers zeros = strided(zero, x.extents, strides, 0, node);
    for (std::size_t i = 0; i < result.reals.size(); ++i)
      result.reals[i] = *onnx_cast(*onnx_cast(x.reals[i] - zeros.reals[i], scale.type) * result.reals[i], scale.type);
    return made(std::move(result));
  }

  // The extents that a node gives numbers whose order it keeps; none where its operator does not do this.
  std::optional<Extents> changed_extents(const Node& node) const {
    const Extents from = graph_.constant(node, 0)->extents();
    const auto size = static_cast<std::int64_t>(graph_.size(node, 0));
    Extents to;
    const auto refuse = [&] {
      raise<ShapeError>(graph_.place(node), ": expected a shape that ", onnx_shape_text(from), " can have, but found another");
    };
    if (is_op(node, "Reshape")) {
      if (graph_.constant(node, 1) == nullptr) return {};
      to = graph_.few_integers(node, 1);
      for (std::size_t k = 0; k < to.size(); ++k)
        if (to[k] == 0 && graph_.integer(node, "allowzero", 0) == 0 && k < from.size()) to[k] = from[k];
    } else if (is_op(node, "Flatten")) {
      const std::int64_t rank = static_cast<std::int64_t>(from.size()), number = graph_.integer(node, "axis", 1);
      if (number < -rank || number > rank) raise<ShapeError>(graph_.place(node), ": expected an axis up to ", rank, ", but found ", number);
      to = {1, -1};
      for (std::int64_t k = 0; k < (number < 0 ? number + rank : number); ++k) to[0] *= from[static_cast<std::size_t>(k)];
    } else if (is_op(node, "Squeeze") || is_op(node, "Unsqueeze")) {
      const std::optional<Extents> axes = graph_.integers(node, "axes", 1, 13);
      const bool is_squeeze = is_op(node, "Squeeze");
      if (!is_squeeze && !axes) return {};
      std::vector<bool> is_named(is_squeeze ? from.size() : from.size() + axes->size(), !axes);
      for (const std::int64_t number : axes.value_or(Extents{})) {
        const std::size_t k = axis(number, is_named.size(), node);
        if (is_named[k] || (is_squeeze && from[k] != 1)) refuse();
        is_named[k] = true;
      }
      std::size_t k = 0;
      for (const bool named : is_named) {
        if (!is_squeeze)
          to.push_back(named ? 1 : from[k++]);
        else if (!named || from[k] != 1)
          to.push_back(from[k]);
        if (is_squeeze) ++k;
      }
    } else {
      return {};
    }
    if (to.size() > OnnxLayout::max_rank || std::count(to.begin(), to.end(), -1) > 1) refuse();
    std::int64_t others = 1;
    for (const std::int64_t extent : to) {
      if (extent < -1 || (extent > 1 && others > size / extent)) refuse();
      if (extent != -1) others *= extent;
    }
    for (std::int64_t& extent : to)
      if (extent == -1) extent = others == 0 ? 0 : size / others, others *= extent;
    if (others != size) refuse();
    return to;
  }

  OnnxGraph& graph_;
  std::size_t most_numbers_;
  std::size_t computed_ = 0, read_ = 0;
};

}  // namespace chainrule::detail
