#pragma once

#include <chainrule/io/detail/onnx/graph.hpp>
#include <chainrule/io/detail/onnx/layout.hpp>
#include <map>

namespace chainrule::detail {

/// Reads nodes that change the shape of a value and no number: Flatten, Reshape, Squeeze, Unsqueeze and Transpose.
class OnnxShapeReader {
 public:
  using Node = OnnxGraph::Node;
  using Samples = OnnxLayout::Samples;

  /// `layout`: that of the value which the next node takes. read() changes it; it must outlive the reader.
  OnnxShapeReader(const OnnxGraph& graph, OnnxLayout& layout) : graph_{graph}, layout_{layout} {}

  /// Remembers the layout of a value, because shapes may be computed from it later.
  void remember(int value) { layouts_[value] = layout_; }

  /// Reads a node that takes `value`. Returns false for other operators.
  bool read(int value, const Node& node) {
    if (graph_.input_of(node, 0) != value) return false;
    if (graph_.is_op(node, "Transpose")) return read_transpose(node), true;
    std::vector<std::int64_t> extents;
    const OnnxLayout& layout = layout_;
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

 private:
  void read_transpose(const Node& node) {
    OnnxLayout& layout = layout_;
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
        if (graph_.integer(node, "allowzero", 0) != 0 || k >= layout_.rank()) refuse_shape(node);
        extents[k] = layout_.extent(k);
      }
    set_extents(node, extents);
  }

  // The numbers of a shape, an integer vector: a constant, or made of shapes. Samples whose number the model does not say have any_batch.
  std::optional<std::vector<std::int64_t>> shape_numbers(int value, int depth) const {
    using Shape = std::vector<std::int64_t>;
    constexpr int deepest = 8;
    if (value < 0 || depth > deepest) return {};
    const Node* node = graph_.maker(value);
    if (graph_.value(value).constant) {
      const OnnxConstant& constant = graph_.value(value).constant;
      const std::string place = graph_.place_of_value(value);
      if (onnx_size(constant, place) > OnnxLayout::max_rank) return {};
      return onnx_numbers<std::int64_t>(constant, place);
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
    OnnxLayout& layout = layout_;
    if (layout.samples == Samples::columns) refuse_shape(node);
    const std::int64_t batch = layout.samples == Samples::one ? 1 : layout.extent(0);
    const Index units = layout_.units();
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

  const OnnxGraph& graph_;
  OnnxLayout& layout_;
  std::map<int, OnnxLayout> layouts_ = {};  // the layouts of the values between layers
};

}  // namespace chainrule::detail
