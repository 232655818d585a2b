#pragma once

#include <chainrule/io/detail/onnx/graph.hpp>
#include <chainrule/io/detail/onnx/layout.hpp>

namespace chainrule::detail {

/// A LayerNorm that is written as single operations, as exporters do for operator sets before 17:
///     (x - mean(x)) (mean((x - mean(x))^2) + epsilon)^(-1/2)
/// The power may be made of Sqrt, Reciprocal, Pow and divisions, the square of Pow or Mul. Keras writes x s + (bias - mean(x) s) instead,
/// with s = (mean((x - mean(x))^2) + epsilon)^(-1/2) weight.
struct OnnxLayerNorm {
  /// A constant: an input of a node. There is none where node is nullptr.
  struct Input {
    const OnnxGraph::Node* node = nullptr;
    std::size_t i = 0;
  };
  double epsilon;
  const OnnxGraph::Node* mean;  ///< the node of the mean, for errors
  Input weight = {};
  Input bias = {};
};

/// Finds a LayerNorm of the value `x`, which has this layout.
class OnnxLayerNormFinder {
 public:
  OnnxLayerNormFinder(const OnnxGraph& graph, const OnnxLayout& layout, int x) : graph_{graph}, layout_{layout}, x_{x} {}

  /// The LayerNorm that makes the value `end`; none if nodes make something else of x. Throws ShapeError for means over other axes than
  /// those of a sample.
  std::optional<OnnxLayerNorm> find(int end) const {
    if (const Node* sum = maker(end, "Add"); sum != nullptr && sum->inputs.size() == 2) {
      for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
        if (const auto found = find_sum(sum->inputs[i], sum->inputs[1 - i])) return found;
      return {};
    }
    const Node* product = maker(end);
    if (product == nullptr || product->inputs.size() != 2) return {};
    const bool is_div = graph_.is_op(*product, "Div");
    if (!is_div && !graph_.is_op(*product, "Mul")) return {};
    const bool is_first = is_div || mean_in(product->inputs[0]) != nullptr;
    const Node* mean = mean_in(product->inputs[is_first ? 0 : 1]);
    if (mean == nullptr) return {};
    const std::optional<double> epsilon = epsilon_of(product->inputs[is_first ? 1 : 0], is_div ? -1 : 1);
    return epsilon ? std::optional(OnnxLayerNorm{*epsilon, mean, {}, {}}) : std::nullopt;
  }

 private:
  using Node = OnnxGraph::Node;

  // The value from which this one is made by nodes that change nothing or round.
  int before_rounding(int value) const {
    for (const Node* node = graph_.maker(value); node != nullptr; node = graph_.maker(value)) {
      if (!graph_.only_rounds(*node) && !graph_.is_op(*node, "Identity")) break;
      value = graph_.input_of(*node, 0);
    }
    return value;
  }
  const Node* maker(int value) const { return graph_.maker(before_rounding(value)); }
  const Node* maker(int value, std::string_view op) const {
    const Node* node = maker(value);
    return node != nullptr && graph_.is_op(*node, op) ? node : nullptr;
  }
  std::optional<double> number(const Node& node, std::size_t i) const { return graph_.single_number(node, i, layout_.rank()); }

  bool are_same(int a, int b) const { return before_rounding(a) == before_rounding(b); }
  // The other input of a product or sum of two inputs, one of which fits; -1 if there is none.
  template <class Fits>
  int other(const Node* node, const Fits& fits) const {
    if (node == nullptr || node->inputs.size() != 2) return -1;
    return fits(node->inputs[0]) ? node->inputs[1] : fits(node->inputs[1]) ? node->inputs[0] : -1;
  }
  // Takes a constant from a product or sum of two inputs. Returns the other input; the value itself where it is made in another way.
  int without_constant(int value, std::string_view op, OnnxLayerNorm::Input& constant) const {
    const Node* node = maker(value, op);
    if (node == nullptr || node->inputs.size() != 2) return value;
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
      if (graph_.constant(*node, i) != nullptr) return constant = {node, i}, node->inputs[1 - i];
    return value;
  }
  // x s + (bias - mean s), whose second part may also be bias + -mean s
  std::optional<OnnxLayerNorm> find_sum(int first, int second) const {
    OnnxLayerNorm found{0, nullptr, {}, {}};
    const int s = other(maker(first, "Mul"), [&](int value) { return are_same(value, x_); });
    if (s < 0) return {};
    int product = without_constant(second, "Add", found.bias);
    bool is_negative = false;
    if (const Node* sub = maker(second, "Sub"); sub != nullptr && sub->inputs.size() == 2 && graph_.constant(*sub, 0) != nullptr) {
      found.bias = {sub, 0};
      product = sub->inputs[1];
      is_negative = true;
    }
    const auto without_sign = [&](int value) {
      const Node* neg = maker(value, "Neg");
      if (neg == nullptr) return value;
      is_negative = !is_negative;
      return graph_.input_of(*neg, 0);
    };
    const int times_s = other(maker(without_sign(product), "Mul"), [&](int value) { return are_same(value, s); });
    const Node* mean = times_s < 0 ? nullptr : maker(without_sign(times_s), "ReduceMean");
    if (mean == nullptr || !is_negative || !are_same(graph_.input_of(*mean, 0), x_)) return {};
    const std::optional<double> epsilon = epsilon_of(without_constant(s, "Mul", found.weight), 1);
    if (!epsilon) return {};
    check_mean(*mean);
    found.epsilon = *epsilon;
    found.mean = mean;
    return found;
  }

  // Throws ShapeError unless a ReduceMean is over the units of each sample and keeps the axes.
  void check_mean(const Node& node) const {
    const std::optional<std::vector<std::int64_t>> axes = graph_.integers(node, "axes", 1, 18);
    if (!axes || axes->empty() || !layout_.is_whole_sample(*axes) || graph_.integer(node, "keepdims", 1) != 1)
      raise<ShapeError>(graph_.place(node), ": expected the mean over the units of each sample, with keepdims = 1, but found another");
  }
  // The node of the mean, where a value is x - mean(x); otherwise nullptr.
  const Node* mean_in(int value) const {
    const Node* sub = maker(value, "Sub");
    if (sub == nullptr || sub->inputs.size() != 2 || before_rounding(sub->inputs[0]) != before_rounding(x_)) return nullptr;
    const Node* mean = maker(sub->inputs[1], "ReduceMean");
    if (mean == nullptr || before_rounding(graph_.input_of(*mean, 0)) != before_rounding(x_)) return nullptr;
    check_mean(*mean);
    return mean;
  }

  // The epsilon, where value^power is (variance + epsilon)^(-1/2).
  std::optional<double> epsilon_of(int value, double power) const {
    constexpr int most_powers = 8;
    for (int i = 0; i < most_powers; ++i) {
      const Node* node = maker(value);
      if (node == nullptr) return {};
      if (graph_.is_op(*node, "Add")) return power == -0.5 ? epsilon_in(*node) : std::nullopt;
      const bool is_div = graph_.is_op(*node, "Div") && node->inputs.size() == 2 && number(*node, 0) == 1;
      if (graph_.is_op(*node, "Sqrt"))
        power /= 2;
      else if (graph_.is_op(*node, "Reciprocal") || is_div)
        power = -power;
      else if (const auto n = graph_.is_op(*node, "Pow") ? number(*node, 1) : std::nullopt)
        power *= *n;
      else
        return {};
      value = graph_.input_of(*node, is_div ? 1 : 0);
    }
    return {};
  }
  // The epsilon, where a node adds it to the variance of x.
  std::optional<double> epsilon_in(const Node& sum) const {
    if (sum.inputs.size() != 2) return {};
    const std::size_t place = graph_.constant(sum, 0) != nullptr ? 0 : 1;
    const std::optional<double> epsilon = number(sum, place);
    const Node* variance = maker(sum.inputs[1 - place], "ReduceMean");
    if (!epsilon || !(*epsilon >= 0) || variance == nullptr) return {};
    const Node* square = maker(graph_.input_of(*variance, 0));
    if (square == nullptr || square->inputs.size() != 2 || mean_in(square->inputs[0]) == nullptr) return {};
    const bool is_square = graph_.is_op(*square, "Mul")   ? mean_in(square->inputs[1]) != nullptr
                           : graph_.is_op(*square, "Pow") ? number(*square, 1) == 2
                                                          : false;
    if (!is_square) return {};
    check_mean(*variance);
    return epsilon;
  }

  const OnnxGraph& graph_;
  const OnnxLayout& layout_;
  int x_;
};

}  // namespace chainrule::detail
