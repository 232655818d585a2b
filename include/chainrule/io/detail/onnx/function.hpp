#pragma once

#include <chainrule/io/detail/onnx/expression.hpp>
#include <chainrule/io/detail/onnx/graph.hpp>
#include <map>
#include <numbers>

namespace chainrule::detail {

/// The elementwise function that nodes of the graph apply to the value whose number is `from`, a tensor of `rank` extents. The graph must
/// outlive it.
class OnnxFunction {
 public:
  OnnxFunction(const OnnxGraph& graph, int from, std::size_t rank = 2) : graph_{graph}, from_{from}, rank_{rank} {}

  /// Adds nodes, each behind those whose values it takes.
  void append(const std::vector<int>& nodes) {
    for (const int node : nodes) {
      nodes_.push_back(node);
      expression_ = apply(node, known_);
    }
  }
  /// The function of z that the nodes compute; an invalid expression if a node computes something other than an elementwise function, or
  /// one that has no normal form.
  const OnnxExpression& expression() const { return expression_; }
  std::size_t size() const { return nodes_.size(); }

  /// The function of z that the nodes compute of an expression of z instead of z.
  OnnxExpression of(const OnnxExpression& e) {
    Known known{{{from_, e}}, {}};
    OnnxExpression made = e;
    for (const int node : nodes_) made = apply(node, known);
    return made;
  }

  /// The constant of the formula that is this number up to rounding, which is more exact than what was computed from it; else the number.
  double as_written(double number) const {
    for (const double constant : constants_)
      for (const double written : {constant, -constant})
        if (std::abs(written - number) <= 1e-12 * std::abs(number)) return written;
    return number;
  }

 private:
  using Node = OnnxGraph::Node;
  struct Known {
    std::map<int, OnnxExpression> numbers;
    std::map<int, OnnxExpression> conditions;  // by the number of a truth value: the expression that is positive where it is true
  };

  // Computes the output of a node from values that are known, and adds it to them.
  OnnxExpression apply(int i, Known& known) {
    const Node& node = graph_.node(i);
    if (node.inputs.empty() || node.outputs.empty() || node.outputs[0] < 0) return OnnxExpression::invalid();
    if (const std::optional<OnnxExpression> positive = condition_of(node, known)) {
      known.conditions.insert_or_assign(node.outputs[0], *positive);
      return OnnxExpression::invalid();
    }
    return known.numbers[node.outputs[0]] = result_of(node, known);
  }

  // The expression that is positive where the truth value is true that a node makes; none where it makes numbers. Whether a > b or a >= b
  // makes no difference to the continuous functions that Where may make.
  std::optional<OnnxExpression> condition_of(const Node& node, const Known& known) {
    const bool is_greater = graph_.is_op(node, "Greater") || graph_.is_op(node, "GreaterOrEqual");
    const bool is_less = graph_.is_op(node, "Less") || graph_.is_op(node, "LessOrEqual");
    if (graph_.is_op(node, "Not")) {
      const auto of = known.conditions.find(graph_.input_of(node, 0));
      return of == known.conditions.end() ? OnnxExpression::invalid() : -of->second;
    }
    if (!is_greater && !is_less) return {};
    if (node.inputs.size() != 2) return OnnxExpression::invalid();
    const OnnxExpression difference = operand(node, 0, known) - operand(node, 1, known);
    return is_greater ? difference : -difference;
  }
  // condition ? a : b, where the condition compares a linear function of z with a number
  OnnxExpression where(const Node& node, const Known& known) {
    const auto found = known.conditions.find(graph_.input_of(node, 0));
    if (found == known.conditions.end() || node.inputs.size() != 3) return OnnxExpression::invalid();
    const auto line = found->second.pieces();
    if (!line || !line->kinks.empty() || line->slope == 0) return OnnxExpression::invalid();
    const OnnxExpression a = operand(node, 1, known), b = operand(node, 2, known);
    const double at = -line->constant / line->slope + 0.0;  // + 0.0, because -0 is no other place than 0
    return line->slope > 0 ? split(at, b, a) : split(at, a, b);
  }

  // A node's input i: a value that is known, or a constant of one number. Invalid if it is neither.
  OnnxExpression operand(const Node& node, std::size_t i, const Known& known) {
    if (const auto found = known.numbers.find(graph_.input_of(node, i)); found != known.numbers.end()) return found->second;
    const std::optional<double> number = graph_.single_number(node, i, rank_);
    if (!number) return OnnxExpression::invalid();
    constants_.push_back(*number);
    return *number;
  }
  // A number in an attribute, which is one of the formula's constants.
  double number(const Node& node, const char* name, double otherwise) {
    return constants_.emplace_back(graph_.number(node, name, otherwise));
  }

  OnnxExpression result_of(const Node& node, const Known& known) {
    const auto is = [&](std::string_view op) { return graph_.is_op(node, op); };
    if (is("Max")) return join(node, known, [](const auto& a, const auto& b) { return max(a, b); });
    if (is("Min")) return join(node, known, [](const auto& a, const auto& b) { return min(a, b); });
    if (is("Add") || is("Sum")) return join(node, known, [](const auto& a, const auto& b) { return a + b; });
    if (is("Sub")) return join(node, known, [](const auto& a, const auto& b) { return a - b; });
    if (is("Mul")) return join(node, known, [](const auto& a, const auto& b) { return a * b; });
    if (is("Div")) return join(node, known, [](const auto& a, const auto& b) { return a / b; });
    if (is("Pow")) return power(node, known);
    if (is("Where")) return where(node, known);
    if (is("Clip")) return clip(node, known);
    if (node.inputs.size() != 1) return OnnxExpression::invalid();

    const OnnxExpression z = operand(node, 0, known);
    if (is("Identity") || graph_.only_rounds(node)) return z;
    if (is("Relu")) return relu(z);
    if (is("Neg")) return -z;
    if (is("Abs")) return abs(z);
    if (is("Exp")) return exp(z);
    if (is("Log")) return log(z);
    if (is("Reciprocal")) return 1 / z;
    if (is("Erf")) return erf(z);
    if (is("Sin")) return sin(z);
    if (is("Tanh")) return tanh(z);
    if (is("Sigmoid")) return sigmoid(z);
    if (is("Softplus")) return softplus(z);
    if (is("Softsign")) return z / (1 + abs(z));
    if (is("Mish")) return z * tanh(softplus(z));
    if (is("LeakyRelu")) return leaky(z, number(node, "alpha", 0.01));
    if (is("Elu")) return relu(z) + number(node, "alpha", 1) * (exp(min(z, 0)) - 1);
    if (is("Selu")) {
      const double alpha = number(node, "alpha", 1.67326319217681884765625), gamma = number(node, "gamma", 1.05070102214813232421875);
      return gamma * (relu(z) + alpha * (exp(min(z, 0)) - 1));
    }
    if (is("Celu")) {
      const double alpha = number(node, "alpha", 1);
      return relu(z) + alpha * (exp(min(z, 0) / alpha) - 1);
    }
    if (is("HardSigmoid")) return min(max(number(node, "alpha", 0.2) * z + number(node, "beta", 0.5), 0), 1);
    if (is("HardSwish")) return z * min(max(z / 6 + 0.5, 0), 1);
    if (is("Swish")) return z * sigmoid(number(node, "alpha", 1) * z);
    if (is("Gelu")) {
      const std::string way = graph_.text(node, "approximate", "none");
      if (way == "none") return z / 2 * (1 + erf(z / std::numbers::sqrt2));
      if (way == "tanh") return z / 2 * (1 + tanh(0.797884560802865356 * (z + 0.044715 * (z * z * z))));
    }
    return OnnxExpression::invalid();
  }

  static OnnxExpression sigmoid(const OnnxExpression& z) { return 1 / (1 + exp(-z)); }
  static OnnxExpression softplus(const OnnxExpression& z) { return log(1 + exp(z)); }
  static OnnxExpression leaky(const OnnxExpression& z, double slope) { return slope * z + (1 - slope) * relu(z); }

  // The operators of ONNX with two inputs, or with any number of them: f(f(a, b), c).
  template <class F>
  OnnxExpression join(const Node& node, const Known& known, const F& f) {
    const bool takes_any = graph_.is_op(node, "Max") || graph_.is_op(node, "Min") || graph_.is_op(node, "Sum");
    if (!takes_any && node.inputs.size() != 2) return OnnxExpression::invalid();
    OnnxExpression all = operand(node, 0, known);
    for (std::size_t i = 1; i < node.inputs.size() && all.is_valid(); ++i) {
      const OnnxExpression next = operand(node, i, known);
      all = next.is_valid() ? f(all, next) : next;
    }
    return all;
  }

  // z^n for a whole number n from -4 to 4
  OnnxExpression power(const Node& node, const Known& known) {
    const std::optional<double> n = graph_.single_number(node, 1, rank_);
    if (node.inputs.size() != 2 || !n || !(std::abs(*n) <= 4) || *n != std::floor(*n)) return OnnxExpression::invalid();
    const OnnxExpression z = operand(node, 0, known);
    OnnxExpression product = 1;
    for (int i = 0; i < static_cast<int>(std::abs(*n)); ++i) product = product * z;
    return *n < 0 ? 1 / product : product;
  }

  // min(max(z, low), high); the bounds are attributes before operator set 11, then inputs; each may be left out
  OnnxExpression clip(const Node& node, const Known& known) {
    OnnxExpression z = operand(node, 0, known);
    for (const bool is_high : {false, true}) {
      std::optional<double> bound;
      if (graph_.operators() < 11) {
        if (graph_.attribute(node, is_high ? "max" : "min") != nullptr) bound = number(node, is_high ? "max" : "min", 0);
      } else {
        if (graph_.attribute(node, "min") != nullptr || graph_.attribute(node, "max") != nullptr)
          raise<ValueError>(graph_.place(node), ": since operator set 11 its bounds are inputs, but found attributes");
        const std::size_t i = is_high ? 2 : 1;
        if (graph_.input_of(node, i) < 0) continue;
        bound = graph_.single_number(node, i, rank_);
        if (!bound) return OnnxExpression::invalid();
        constants_.push_back(*bound);
      }
      // exporters write the largest float for "no bound"
      const OnnxConstant* constant = graph_.constant(node, is_high ? 2 : 1);
      const bool is_double = constant != nullptr && constant->type() == pb::TensorProto::DOUBLE;
      const double largest = is_double ? (std::numeric_limits<double>::max)() : 0.999999 * double{(std::numeric_limits<float>::max)()};
      if (!bound || (is_high ? *bound : -*bound) >= largest) continue;
      z = is_high ? min(z, *bound) : max(z, *bound);
    }
    return z;
  }

  const OnnxGraph& graph_;
  int from_;
  std::size_t rank_;
  std::vector<int> nodes_ = {};
  Known known_{{{from_, OnnxExpression::z()}}, {}};
  OnnxExpression expression_ = OnnxExpression::z();
  std::vector<double> constants_ = {};
};

}  // namespace chainrule::detail
