#pragma once
// Evaluates nodes that compute an elementwise function, to find out which activation they are. Exporters write the same activation in many
// ways: GELU as z/2 (1 + erf(z/sqrt 2)), with the factors in another order, or as one operator. So an activation is recognized by its
// values.

#include <chainrule/any/from_description.hpp>
#include <chainrule/io/detail/onnx/graph.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <cmath>
#include <numbers>

namespace chainrule::detail {

/// The elementwise function that `nodes` of the graph apply to the value whose number is `from`. The graph and `nodes` must outlive it.
class OnnxFunction {
 public:
  OnnxFunction(const OnnxGraph& graph, int from, std::span<const int> nodes) : graph_{graph}, from_{from}, nodes_{nodes} {
    for (const int i : nodes)
      for (std::size_t k = 0; k < graph.node(i).inputs.size(); ++k) collect(graph.node(i), k);
  }

  /// The constants of the nodes that are single numbers: scalars and tensors of one entry.
  const std::vector<double>& constants() const { return constants_; }

  /// Puts f(z) of each z into result. False if a node computes something other than an elementwise function.
  bool evaluate(std::vector<double> z, std::vector<double>& result) const {
    std::map<int, std::vector<double>> known;
    known[from_] = std::move(z);
    for (const int i : nodes_) {
      const OnnxGraph::Node& node = graph_.node(i);
      if (node.outputs.empty() || node.outputs[0] < 0 || !make(node, known)) return false;
      if (i == nodes_.back()) result = known[node.outputs[0]];
    }
    return true;
  }
  /// f(z), or NaN if a node computes something other than an elementwise function.
  double at(double z) const {
    std::vector<double> result;
    return evaluate({z}, result) ? result[0] : std::numeric_limits<double>::quiet_NaN();
  }

 private:
  using Numbers = std::vector<double>;

  void collect(const OnnxGraph::Node& node, std::size_t i) {
    if (const OnnxConstant* constant = graph_.constant(node, i); constant != nullptr && is_single(node, i, *constant))
      constants_.push_back(single(node, i, *constant));
  }
  bool is_single(const OnnxGraph::Node& node, std::size_t i, const OnnxConstant& constant) const {
    return onnx_size(*constant.tensor, graph_.place_of_constant(node, i)) == 1;
  }
  double single(const OnnxGraph::Node& node, std::size_t i, const OnnxConstant& constant) const {
    const double number = onnx_numbers<double>(*constant.tensor, graph_.place_of_constant(node, i))[0];
    return constant.tensor->data_type() == pb::TensorProto::FLOAT ? decimal_of(static_cast<float>(number)) : number;
  }

  // Puts the values of a node's input i into numbers: those of a value that is known, or a constant, repeated. False if it is neither.
  bool operand(const OnnxGraph::Node& node, std::size_t i, const std::map<int, Numbers>& known, Numbers& numbers) const {
    const auto found = known.find(graph_.input_of(node, i));
    if (found != known.end()) return numbers = found->second, true;
    const OnnxConstant* constant = graph_.constant(node, i);
    if (constant == nullptr || !is_single(node, i, *constant)) return false;
    numbers.assign(known.at(from_).size(), single(node, i, *constant));
    return true;
  }

  // Adds the values of a node's output to those that are known. False if it computes something other than an elementwise function.
  bool make(const OnnxGraph::Node& node, std::map<int, Numbers>& known) const {
    Numbers a, b;
    if (!operand(node, 0, known, a)) return false;
    const auto is = [&](std::string_view op) { return graph_.is_op(node, op); };
    const auto each = [&](auto f) {
      for (double& z : a) z = f(z);
      known[node.outputs[0]] = std::move(a);
      return true;
    };
    const auto with = [&](auto f) {
      if (node.inputs.size() != 2 || !operand(node, 1, known, b)) return false;
      for (std::size_t k = 0; k < a.size(); ++k) a[k] = f(a[k], b[k]);
      known[node.outputs[0]] = std::move(a);
      return true;
    };
    const auto softplus = [](double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); };
    const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
    const auto h = [&](const char* name, double otherwise) { return graph_.number(node, name, otherwise); };

    if (is("Add") || is("Sum")) return with(std::plus<>{});
    if (is("Sub")) return with(std::minus<>{});
    if (is("Mul")) return with(std::multiplies<>{});
    if (is("Div")) return with(std::divides<>{});
    if (is("Pow")) return with([](double x, double y) { return std::pow(x, y); });
    if (is("Max")) return with([](double x, double y) { return std::max(x, y); });
    if (is("Min")) return with([](double x, double y) { return std::min(x, y); });
    if (is("Clip")) return clip(node, known, a);
    if (node.inputs.size() != 1) return false;
    if (is("Identity") || (is("Cast") && is_real(graph_.integer(node, "to", 0)))) return each([](double z) { return z; });
    if (is("Relu")) return each([](double z) { return std::max(z, 0.0); });
    if (is("Neg")) return each(std::negate<>{});
    if (is("Abs")) return each([](double z) { return std::abs(z); });
    if (is("Exp")) return each([](double z) { return std::exp(z); });
    if (is("Log")) return each([](double z) { return std::log(z); });
    if (is("Sqrt")) return each([](double z) { return std::sqrt(z); });
    if (is("Reciprocal")) return each([](double z) { return 1 / z; });
    if (is("Erf")) return each([](double z) { return std::erf(z); });
    if (is("Tanh")) return each([](double z) { return std::tanh(z); });
    if (is("Sigmoid")) return each(sigmoid);
    if (is("Softplus")) return each(softplus);
    if (is("Softsign")) return each([](double z) { return z / (1 + std::abs(z)); });
    if (is("Mish")) return each([&](double z) { return z * std::tanh(softplus(z)); });
    if (is("LeakyRelu")) return each([slope = h("alpha", 0.01)](double z) { return z < 0 ? slope * z : z; });
    if (is("Elu")) return each([alpha = h("alpha", 1)](double z) { return z < 0 ? alpha * std::expm1(z) : z; });
    if (is("Celu")) return each([alpha = h("alpha", 1)](double z) { return z < 0 ? alpha * std::expm1(z / alpha) : z; });
    if (is("Selu"))
      return each([alpha = h("alpha", 1.6732632423543772), gamma = h("gamma", 1.0507009873554805)](double z) {
        return gamma * (z < 0 ? alpha * std::expm1(z) : z);
      });
    if (is("HardSigmoid"))
      return each([alpha = h("alpha", 0.2), beta = h("beta", 0.5)](double z) { return std::clamp(alpha * z + beta, 0.0, 1.0); });
    if (is("Gelu")) {
      const pb::AttributeProto* way = graph_.attribute(node, "approximate");
      if (way == nullptr || way->s() != "tanh") return each([](double z) { return z * std::erfc(-z / std::numbers::sqrt2) / 2; });
      return each([](double z) { return z / 2 * (1 + std::tanh(0.7978845608028654 * (z + 0.044715 * z * z * z))); });
    }
    return false;
  }

  // the bounds are attributes before operator set 11, then inputs; each may be left out
  bool clip(const OnnxGraph::Node& node, std::map<int, Numbers>& known, Numbers& z) const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Numbers low(z.size(), graph_.number(node, "min", -infinity)), high(z.size(), graph_.number(node, "max", infinity));
    if (graph_.input_of(node, 1) >= 0 && !operand(node, 1, known, low)) return false;
    if (graph_.input_of(node, 2) >= 0 && !operand(node, 2, known, high)) return false;
    for (std::size_t k = 0; k < z.size(); ++k) z[k] = std::min(std::max(z[k], low[k]), high[k]);
    known[node.outputs[0]] = std::move(z);
    return true;
  }

 public:
  /// Whether a Cast to this ONNX type only rounds numbers. True for the floating point types; a Cast to an integer would truncate.
  static bool is_real(std::int64_t type) {
    return type == pb::TensorProto::FLOAT || type == pb::TensorProto::DOUBLE || type == pb::TensorProto::FLOAT16 ||
           type == pb::TensorProto::BFLOAT16;
  }

 private:
  const OnnxGraph& graph_;
  int from_;
  std::span<const int> nodes_;
  std::vector<double> constants_ = {};
};

}  // namespace chainrule::detail
