#pragma once

#include <chainrule/any/detail/visit_known.hpp>
#include <chainrule/io/detail/onnx/graph.hpp>
#include <optional>

namespace chainrule::detail {

/// A layer that was read from a file, with its numbers under the names that this library has for them.
template <class Scalar>
struct ReadLayer {
  Description what = {};                                                  ///< the layer's name, extents and hyperparameters
  std::vector<std::pair<std::string, std::vector<Scalar>>> tensors = {};  ///< column-major
  std::vector<ReadLayer> inside = {};                                     ///< the layers inside a Residual

  /// The numbers of the tensor of this name. Throws ValueError if there is none.
  std::vector<Scalar>& tensor(std::string_view name) {
    for (auto& [known, numbers] : tensors)
      if (known == name) return numbers;
    raise<ValueError>(what.kind, " has no tensor ", name);
  }
};

/// Reads single nodes as layers, where their operator is a layer of this library. Keeps track of how many units there are after each node.
template <class Scalar>
class OnnxLayerReader {
 public:
  using Numbers = std::vector<Scalar>;
  using Layer = ReadLayer<Scalar>;
  using Node = OnnxGraph::Node;

  explicit OnnxLayerReader(const OnnxGraph& graph) : graph_{graph} {}

  Index units = 0;      ///< how many units the input of the next node has; 0 where the model does not say it
  bool is_flat = true;  ///< whether each sample is one row of numbers, not a matrix or an image

  /// Throws ShapeError unless the node's input has this many units.
  void expect_units(Index expected, const Node& node) {
    if (!is_flat)
      raise<ShapeError>(graph_.place(node), ": expected one row of numbers for each sample, which Flatten makes, but found more extents");
    if (units == 0) units = expected;
    if (units != expected || expected == 0) raise<ShapeError>(graph_.place(node), ": expected ", expected, " units, but found ", units);
  }
  /// Throws ShapeError unless the number of units is known.
  void expect_known_units(const Node& node) const {
    if (units == 0) raise<ShapeError>(graph_.place(node), ": expected a model that says how many inputs it has");
  }

  /// The node as a layer; none where its operator is no layer.
  std::optional<Layer> read(const Node& node) {
    if (graph_.is_op(node, "Gemm")) return gemm(node);
    if (graph_.is_op(node, "MatMul")) return dense(node, 1, false);
    if (graph_.is_op(node, "BatchNormalization")) return batch_norm(node);
    if (graph_.is_op(node, "LayerNormalization")) return layer_norm(node);
    if (graph_.is_op(node, "PRelu")) return prelu(node);
    if (graph_.is_op(node, "Scaler")) return scaler(node);
    if (graph_.is_op(node, "Dropout")) return dropout(node);
    return {};
  }

  /// A layer without tensors.
  Layer layer(std::string_view kind, Index outputs, std::vector<std::pair<std::string, double>> hyperparameters = {}) const {
    return {{std::string(kind), units, outputs, std::move(hyperparameters), {}}};
  }
  Layer activate(Description f) const {
    Layer made = layer(DescribedActivate::name, units);
    made.what.parts.push_back(std::move(f));
    return made;
  }
  /// Normalize, a = (x - shift) * scale.
  Layer normalize(Numbers shift, Numbers scale) const {
    Layer made = layer(Normalize<Dynamic>::name, units);
    made.tensors = {{"shift", std::move(shift)}, {"scale", std::move(scale)}};
    return made;
  }
  /// LayerNorm with a weight of 1 and a bias of 0.
  Layer layer_norm_of(double epsilon) const {
    const auto n = static_cast<std::size_t>(units);
    Layer made = layer(LayerNorm<Dynamic>::name, units, {{"epsilon", epsilon}});
    made.tensors = {{"weight", Numbers(n, Scalar{1})}, {"bias", Numbers(n, Scalar{0})}};
    return made;
  }

  /// The constant that a node takes as its input i, one number for each unit; a single number is repeated for every unit. Empty if the
  /// input is no constant.
  Numbers per_unit(const Node& node, std::size_t i) {
    const OnnxConstant* constant = graph_.constant(node, i);
    if (constant == nullptr) return {};
    Numbers numbers = onnx_numbers<Scalar>(*constant->tensor, graph_.place_of_constant(node, i));
    const auto n = static_cast<std::size_t>(units);
    if (numbers.size() != n && numbers.size() != 1)
      raise<ShapeError>(graph_.place_of_constant(node, i), ": expected ", units, " numbers, one for each unit, but found ",
                        onnx_shape_text(*constant->tensor));
    if (numbers.size() == 1 && n > 1) {
      repeated_ += n;
      if (repeated_ > max_repeated) raise<ValueError>(graph_.place(node), ": too many units for so few numbers");
      numbers.assign(n, Scalar{numbers[0]});
    }
    return numbers;
  }

 private:
  static constexpr std::size_t max_repeated = std::size_t{1} << 22;  // a limit, so that a small file cannot take much memory

  Numbers needed(const Node& node, std::size_t i, const char* what) {
    Numbers numbers = per_unit(node, i);
    if (numbers.empty()) raise<ValueError>(graph_.place(node), ": expected ", what, " that is a constant");
    return numbers;
  }

  // z = x W + b; W is inputs x outputs in ONNX, or outputs x inputs where `transposed`
  Layer dense(const Node& node, std::size_t place_of_weight, bool transposed) {
    const OnnxConstant* weight = graph_.constant(node, place_of_weight);
    if (weight == nullptr) raise<ValueError>(graph_.place(node), ": expected a weight that is a constant");
    const std::string place = graph_.place_of_constant(node, place_of_weight);
    if (weight->tensor->dims_size() != 2) raise<ShapeError>(place, ": expected a matrix, but found ", onnx_shape_text(*weight->tensor));
    Numbers numbers = onnx_numbers<Scalar>(*weight->tensor, place);
    Index rows = static_cast<Index>(weight->tensor->dims(0)), cols = static_cast<Index>(weight->tensor->dims(1));
    if (numbers.empty()) raise<ShapeError>(place, ": expected a matrix with numbers, but found ", onnx_shape_text(*weight->tensor));
    if (weight->transposed != transposed) {
      numbers = transpose(numbers, rows, cols);
      std::swap(rows, cols);
    }
    expect_units(rows, node);
    Layer made = layer(DescribedDense::name, cols);
    made.what.parts = {describe(Identity{})};
    made.tensors = {{"weight", std::move(numbers)}, {"bias", Numbers(static_cast<std::size_t>(cols), Scalar{0})}};
    units = cols;
    return made;
  }
  static Numbers transpose(const Numbers& from, Index rows, Index cols) {
    Numbers to(from.size());
    Eigen::Map<Matrix<Scalar>>(to.data(), rows, cols) = Eigen::Map<const Matrix<Scalar>>(from.data(), cols, rows).transpose();
    return to;
  }

  // alpha x W + beta b
  Layer gemm(const Node& node) {
    if (graph_.integer(node, "transA", 0) != 0) raise<ValueError>(graph_.place(node), ": expected transA = 0");
    Layer made = dense(node, 1, graph_.integer(node, "transB", 0) != 0);
    const auto alpha = static_cast<Scalar>(graph_.number(node, "alpha", 1)), beta = static_cast<Scalar>(graph_.number(node, "beta", 1));
    if (graph_.input_of(node, 2) >= 0) made.tensor("bias") = needed(node, 2, "a bias");
    for (Scalar& number : made.tensor("weight")) number *= alpha;
    for (Scalar& number : made.tensor("bias")) number *= beta;
    return made;
  }

  Layer batch_norm(const Node& node) {
    if (graph_.integer(node, "training_mode", 0) != 0) raise<ValueError>(graph_.place(node), ": expected training_mode = 0");
    if (const OnnxConstant* weight = graph_.constant(node, 1); weight != nullptr)
      expect_units(static_cast<Index>(onnx_size(*weight->tensor, graph_.place_of_constant(node, 1))), node);
    const double momentum =
        decimal_of(static_cast<float>(1 - graph_.number(node, "momentum", 0.9)));  // in ONNX it is the share of the old statistics
    Layer made = layer(BatchNorm<Dynamic>::name, units,
                       {{"momentum", momentum > 0 && momentum <= 1 ? momentum : 0.1}, {"epsilon", graph_.number(node, "epsilon", 1e-5)}});
    made.tensors = {{"weight", needed(node, 1, "a scale")},
                    {"bias", needed(node, 2, "a bias")},
                    {"running_mean", needed(node, 3, "a mean")},
                    {"running_variance", needed(node, 4, "a variance")},
                    {"batches", {Scalar{1}}}};
    return made;
  }

  Layer layer_norm(const Node& node) {
    if (const std::int64_t axis = graph_.integer(node, "axis", -1); axis != -1 && axis != 1)
      raise<ValueError>(graph_.place(node), ": expected axis -1, but found ", axis);
    if (const OnnxConstant* weight = graph_.constant(node, 1); weight != nullptr)
      expect_units(static_cast<Index>(onnx_size(*weight->tensor, graph_.place_of_constant(node, 1))), node);
    Layer made = layer_norm_of(graph_.number(node, "epsilon", 1e-5));
    made.tensor("weight") = needed(node, 1, "a scale");
    if (graph_.input_of(node, 2) >= 0) made.tensor("bias") = needed(node, 2, "a bias");
    return made;
  }

  Layer prelu(const Node& node) {
    const OnnxConstant* slope = graph_.constant(node, 1);
    const std::size_t size = slope == nullptr ? 0 : onnx_size(*slope->tensor, graph_.place_of_constant(node, 1));
    if (size == 0) raise<ValueError>(graph_.place(node), ": expected a slope that is a constant");
    if (size != 1) expect_units(static_cast<Index>(size), node);
    expect_known_units(node);
    constexpr std::string_view shared = PReLU<Slopes::shared, Dynamic>::name, per_unit = PReLU<Slopes::per_unit, Dynamic>::name;
    Layer made = layer(size == 1 ? shared : per_unit, units, {{"initial_slope", 0.25}});
    made.tensors = {{"slope", onnx_numbers<Scalar>(*slope->tensor, graph_.place_of_constant(node, 1))}};
    return made;
  }

  // Scaler of ai.onnx.ml, a = (x - offset) * scale
  Layer scaler(const Node& node) {
    Numbers both[2];
    for (const bool is_scale : {false, true}) {
      const char* name = is_scale ? "scale" : "offset";
      const pb::AttributeProto* found = graph_.attribute(node, name);
      if (found == nullptr || found->floats_size() == 0) raise<ValueError>(graph_.place(node), ": expected the attribute ", name);
      if (found->floats_size() != 1) expect_units(found->floats_size(), node);
      expect_known_units(node);
      both[is_scale].assign(found->floats().begin(), found->floats().end());
      if (found->floats_size() == 1)
        both[is_scale].assign(static_cast<std::size_t>(checked_repeat(node)), static_cast<Scalar>(found->floats(0)));
    }
    return normalize(std::move(both[0]), std::move(both[1]));
  }
  Index checked_repeat(const Node& node) {
    repeated_ += static_cast<std::size_t>(units);
    if (repeated_ > max_repeated) raise<ValueError>(graph_.place(node), ": too many units for so few numbers");
    return units;
  }

  Layer dropout(const Node& node) {
    expect_known_units(node);
    double rate = graph_.number(node, "ratio", 0.5);  // an attribute before operator set 12
    const auto single = [&](std::size_t i) {
      const std::vector<double> numbers = onnx_numbers<double>(*graph_.constant(node, i)->tensor, graph_.place_of_constant(node, i));
      return numbers.size() == 1 ? decimal_of(static_cast<float>(numbers[0])) : 0.5;
    };
    if (graph_.constant(node, 1) != nullptr) rate = single(1);
    return layer(Dropout<Dynamic>::name, units, {{"rate", rate}});
  }

  const OnnxGraph& graph_;
  std::size_t repeated_ = 0;
};

}  // namespace chainrule::detail
