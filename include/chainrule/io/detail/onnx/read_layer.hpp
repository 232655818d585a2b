#pragma once

#include <algorithm>
#include <array>
#include <chainrule/any/detail/visit_known.hpp>
#include <chainrule/io/detail/onnx/find_embedding.hpp>
#include <chainrule/io/detail/onnx/graph.hpp>
#include <chainrule/io/detail/onnx/layout.hpp>
#include <optional>
#include <span>

namespace chainrule::detail {

/// A layer that was read from a file, with its numbers under the names that this library has for them.
template <class Scalar>
struct ReadLayer {
  using Tensors = std::vector<std::pair<std::string, std::vector<Scalar>>>;
  Description what = {};               ///< the layer's name, extents and hyperparameters
  Tensors tensors = {};                ///< the parameters, column-major, in the layer's order
  Tensors buffers = {};                ///< the buffers, in the layer's order
  std::vector<ReadLayer> inside = {};  ///< the layers inside a Residual, a Parallel or a Sequential

  /// The numbers of the tensor of this name. Throws ValueError if there is none.
  std::vector<Scalar>& tensor(std::string_view name) {
    for (Tensors* of : {&tensors, &buffers})
      for (auto& [known, numbers] : *of)
        if (known == name) return numbers;
    raise<ValueError>(what.kind, " has no tensor ", name);
  }
};

/// Reads single nodes as layers, where their operator is a layer of this library. Keeps track of the layout of the value after each node.
template <class Scalar>
class OnnxLayerReader {
 public:
  using Numbers = std::vector<Scalar>;
  using Layer = ReadLayer<Scalar>;
  using Node = OnnxGraph::Node;
  using Samples = OnnxLayout::Samples;

  /// `most_numbers`: how many numbers the layers may have, so that a small file cannot take much memory.
  OnnxLayerReader(const OnnxGraph& graph, std::size_t most_numbers) : graph_{graph}, most_numbers_{most_numbers} {}

  OnnxLayout layout = {};       ///< the layout of the input of the next node
  bool may_be_columns = false;  ///< whether the input may be units x samples: the model says how many rows it has, and not how many columns

  Index units() const { return layout.units(); }
  /// Sets the number of units where the model has not said it. Throws ShapeError if it has said another.
  void expect_units(Index expected, const Node& node) {
    if (!layout.is_row())
      raise<ShapeError>(graph_.place(node), ": expected one row of numbers for each sample, which Flatten makes, but found ",
                        layout.extents.empty() ? "a single number" : "more extents");
    if (layout.extents.back() == 0) layout.extents.back() = expected;
    if (units() != expected || expected == 0) raise<ShapeError>(graph_.place(node), ": expected ", expected, " units, but found ", units());
  }
  /// Throws ShapeError unless the number of units is known.
  void expect_known_units(const Node& node) const {
    if (units() == 0) raise<ShapeError>(graph_.place(node), ": expected a model that says how many inputs it has");
  }

  /// The node, which takes `value`, as a layer; none where its operator is no layer.
  std::optional<Layer> read(const Node& node, int value) {
    if (graph_.is_op(node, "Gemm")) return gemm(node, value);
    if (graph_.is_op(node, "MatMul")) return matmul(node, value);
    if (graph_.input_of(node, 0) != value) return {};
    if (graph_.is_op(node, "BatchNormalization")) return batch_norm(node);
    if (graph_.is_op(node, "LayerNormalization")) return layer_norm(node);
    if (graph_.is_op(node, "PRelu")) return prelu(node);
    if (graph_.is_op(node, "Scaler")) return scaler(node);
    return {};
  }
  /// Dropout, which changes nothing in prediction; none for a ratio of 1, with which nothing could be trained.
  std::optional<Layer> dropout(const Node& node) {
    expect_known_units(node);
    double rate = 0.5;
    if (graph_.operators() < 12)
      rate = graph_.number(node, "ratio", 0.5);
    else if (graph_.input_of(node, 1) >= 0)
      rate = constant_number(node, 1, "a ratio");
    const bool is_training = graph_.operators() < 7    ? graph_.integer(node, "is_test", 0) == 0
                             : graph_.operators() < 12 ? false
                                                       : graph_.input_of(node, 2) >= 0 && constant_number(node, 2, "a training_mode") != 0;
    if (is_training)
      raise<ValueError>(graph_.place(node), ": expected the form for prediction, but found that for training, which is random");
    if (!(rate >= 0 && rate <= 1)) raise<ValueError>(graph_.place(node), ": expected a ratio from 0 to 1, but found ", rate);
    if (rate == 1) return {};
    return layer(Dropout<Dynamic>::name, units(), {{"rate", rate}});
  }

  /// A layer without tensors.
  Layer layer(std::string_view kind, Index outputs, std::vector<std::pair<std::string, double>> hyperparameters = {}) const {
    return {{std::string(kind), units(), outputs, std::move(hyperparameters), {}}};
  }
  Layer activate(Description f) const {
    Layer made = layer(DescribedActivate::name, units());
    made.what.parts.push_back(std::move(f));
    return made;
  }
  /// a = (x - shift) * scale: a Normalize; a BatchNorm where the first scale is 0, which means in a Normalize that it is not set.
  Layer affine(Numbers shift, Numbers scale) const {
    if (scale[0] == 0) {
      const Numbers zeros(shift.size(), Scalar{0}), ones(shift.size(), Scalar{1});
      return batch_norm_of(0.1, smallest_epsilon, {std::move(scale), zeros, std::move(shift), ones});
    }
    Layer made = layer(Normalize<Dynamic>::name, units());
    made.buffers = {{"shift", std::move(shift)}, {"scale", std::move(scale)}};
    return made;
  }
  /// A Normalize with one shift and one scale for all units.
  Layer affine(double shift, double scale, const Node& node) {
    count(2 * static_cast<std::size_t>(units()), node);
    const auto n = static_cast<std::size_t>(units());
    return affine(Numbers(n, static_cast<Scalar>(shift)), Numbers(n, static_cast<Scalar>(scale)));
  }
  /// LayerNorm with a weight of 1 and a bias of 0. With an epsilon of 0 a sample of equal numbers gives the bias, where ONNX divides 0 by
  /// 0.
  Layer layer_norm_of(double epsilon, const Node& node) {
    expect_known_units(node);
    count(2 * static_cast<std::size_t>(units()), node);
    const auto n = static_cast<std::size_t>(units());
    Layer made = layer(LayerNorm<Dynamic>::name, units(), {{"epsilon", (std::max)(epsilon, smallest_epsilon)}});
    made.tensors = {{"weight", Numbers(n, Scalar{1})}, {"bias", Numbers(n, Scalar{0})}};
    return made;
  }
  /// Makes a Dense of a DenseWithoutBias.
  static void add_bias(Layer& dense, Numbers bias) {
    dense.what.kind = DescribedDense<Bias::trained>::name;
    dense.tensors.emplace_back("bias", std::move(bias));
  }
  /// An Embedding of columns of the value.
  Layer embedding(const OnnxEmbedding& found, const Node& node) {
    for (const OnnxGraph::Node* gather : found.tables) count(graph_.size(*gather, 0), node);
    const Embedding<Dynamic> made = with_file_name(graph_.place(node), [&] { return Embedding<Dynamic>(units(), found.rows); });
    Layer result{describe(made)};
    for (std::size_t k = 0; k < found.tables.size(); ++k)  // categories x size in rows is size x categories in columns
      result.tensors.emplace_back(text_of(k, ".weight"), finite_numbers(*found.tables[k], 0));
    layout.extents.back() = made.outputs();
    return result;
  }
  /// PReLU with one slope for all units.
  Layer prelu_of(double slope) const {
    Layer made = layer(PReLU<Slopes::shared, Dynamic>::name, units(), {{"initial_slope", 0.25}});
    made.tensors = {{"slope", {static_cast<Scalar>(slope)}}};
    return made;
  }

  /// The constant that a node takes as its input i, one number for each unit: repeated as ONNX broadcasts it. Empty if the input is no
  /// constant. Throws ShapeError for a constant with a number for each sample, or with extents that fit no unit.
  Numbers per_unit(const Node& node, std::size_t i) {
    if (graph_.constant(node, i) == nullptr) return {};
    const std::vector<std::int64_t> extents = graph_.aligned_extents(node, i, layout.rank());
    const auto refuse = [&](const auto&... expected) {
      raise<ShapeError>(graph_.place_of_constant(node, i), ": expected ", expected..., ", but found ", onnx_shape_text(extents));
    };
    const std::size_t stored = graph_.size(node, i);
    if (units() == 0 && layout.is_row() && stored > 1) layout.extents.back() = extents[axis_of(layout.extents.size() - 1)];
    expect_known_units(node);
    std::size_t inside = 1;  // how many of the constant's numbers the extents of a sample have
    for (std::size_t k = 0; k < layout.rank(); ++k) {
      if (layout.is_batch(k)) {
        if (extents[k] != 1) refuse("numbers for the units, the same for each sample");
        continue;
      }
      if (extents[k] != 1 && extents[k] != layout.extent(k)) refuse(units(), " numbers, one for each unit, or a single one");
      inside *= static_cast<std::size_t>(extents[k]);
    }
    if (inside != stored || stored == 0) refuse(units(), " numbers, one for each unit");
    Numbers numbers = finite_numbers(node, i);
    const auto n = static_cast<std::size_t>(units());
    count(n, node);
    if (stored == n) return numbers;
    Numbers repeated(n);
    for (std::size_t unit = 0; unit < n; ++unit) {
      std::size_t place = 0, step = 1, rest = unit;
      for (std::size_t k = layout.extents.size(); k-- > 0;) {
        const auto extent = static_cast<std::size_t>(layout.extents[k]), own = static_cast<std::size_t>(extents[axis_of(k)]);
        if (own != 1) place += rest % extent * step;
        step *= own;
        rest /= extent;
      }
      repeated[unit] = numbers[place];
    }
    return repeated;
  }

 private:
  // The numbers of the constant that a node takes as its input i. Throws ValueError for NaN and infinity.
  Numbers finite_numbers(const Node& node, std::size_t i) const {
    Numbers numbers = graph_.numbers<Scalar>(node, i);
    for (const Scalar number : numbers)
      if (!is_finite(number)) raise<ValueError>(graph_.place_of_constant(node, i), ": expected finite numbers, but found ", number);
    return numbers;
  }

  // The epsilon for an epsilon of 0 in ONNX: added to a variance it does not change it.
  static constexpr double smallest_epsilon = double{(std::numeric_limits<Scalar>::min)()};

  // The axis of the tensor that the extent k of a sample is.
  std::size_t axis_of(std::size_t k) const { return layout.samples == Samples::rows ? k + 1 : k; }

  // Counts numbers that a layer has. Throws ValueError for more than the file can mean.
  void count(std::size_t numbers, const Node& node) {
    numbers_ += numbers;
    if (numbers_ > most_numbers_)
      raise<ValueError>(graph_.place(node), ": expected at most ", most_numbers_,
                        " numbers in all layers of a file of this size, but found ", numbers_);
  }

  double checked_epsilon(const Node& node) const {
    const double epsilon = graph_.number(node, "epsilon", 1e-5);
    if (!(epsilon >= 0 && is_finite(epsilon)))
      raise<ValueError>(graph_.place(node), ": expected an epsilon of at least 0, but found ", epsilon);
    return (std::max)(epsilon, smallest_epsilon);
  }

  Numbers needed(const Node& node, std::size_t i, const char* what) {
    Numbers numbers = per_unit(node, i);
    if (numbers.empty()) raise<ValueError>(graph_.place(node), ": expected ", what, " that is a constant");
    return numbers;
  }
  double constant_number(const Node& node, std::size_t i, const char* what) const {
    const std::optional<double> number = graph_.single_number(node, i, layout.rank());
    if (!number) raise<ValueError>(graph_.place(node), ": expected ", what, " that is a constant, a single number");
    return *number;
  }

  // A DenseWithoutBias from a product with a constant matrix: z^T = a^T W^T where samples are rows, z = W a where they are columns. The
  // operator may transpose both factors first.
  Layer product(const Node& node, bool value_is_first, bool value_is_transposed, bool weight_is_transposed) {
    const std::size_t place_of_weight = value_is_first ? 1 : 0;
    const OnnxConstant* weight = graph_.constant(node, place_of_weight);
    if (weight == nullptr) raise<ValueError>(graph_.place(node), ": expected a weight that is a constant");
    const std::string place = graph_.place_of_constant(node, place_of_weight);
    std::vector<std::int64_t> extents = weight->extents();
    if (extents.size() != 2) raise<ShapeError>(place, ": expected a matrix, but found ", onnx_shape_text(extents));
    const std::size_t size = graph_.size(node, place_of_weight);
    if (size == 0) raise<ShapeError>(place, ": expected a matrix with numbers, but found ", onnx_shape_text(extents));
    if (weight_is_transposed) std::swap(extents[0], extents[1]);
    if (!value_is_first) std::swap(extents[0], extents[1]);  // now inputs x outputs
    const auto inputs = static_cast<Index>(extents[0]), outputs = static_cast<Index>(extents[1]);

    if (!value_is_first && !value_is_transposed && may_be_columns) layout = {{layout.batch}, Samples::columns, 0};
    const bool has_rows = layout.samples == Samples::rows, has_columns = layout.samples == Samples::columns;
    if (value_is_first ? (value_is_transposed ? has_rows : has_columns) : (value_is_transposed ? has_columns : has_rows))
      raise<ShapeError>(graph_.place(node),
                        ": expected sums over the units of each sample, but found sums over the samples; a weight before "
                        "the input needs samples in columns, which Transpose makes");
    expect_units(inputs, node);
    count(size, node);
    Numbers numbers = finite_numbers(node, place_of_weight);
    // a row-major matrix of inputs x outputs is a column-major W
    if (weight_is_transposed == value_is_first) numbers = transpose(numbers, inputs, outputs);
    Layer made = layer(DescribedDense<Bias::none>::name, outputs);
    made.what.parts = {describe(Identity{})};
    made.tensors = {{"weight", std::move(numbers)}};
    if (value_is_transposed) layout = {{outputs}, value_is_first ? Samples::rows : Samples::columns, layout.batch};
    layout.extents.back() = outputs;
    return made;
  }
  // The row-major matrix of outputs x inputs as one of inputs x outputs.
  static Numbers transpose(const Numbers& from, Index inputs, Index outputs) {
    Numbers to(from.size());
    Eigen::Map<Matrix<Scalar>>(to.data(), outputs, inputs) = Eigen::Map<const Matrix<Scalar>>(from.data(), inputs, outputs).transpose();
    return to;
  }

  // Whether the value is the first of the two matrices that a node multiplies. Throws ValueError unless it is exactly one of them.
  bool is_first_factor(const Node& node, int value) const {
    const bool is_first = graph_.input_of(node, 0) == value;
    if (is_first == (graph_.input_of(node, 1) == value))
      raise<ValueError>(graph_.place(node), ": expected a product of the layer's input and a weight that is a constant");
    return is_first;
  }

  Layer matmul(const Node& node, int value) { return product(node, is_first_factor(node, value), false, false); }

  // alpha A B + beta C, where A or B is the value
  Layer gemm(const Node& node, int value) {
    if (layout.rank() != 2) raise<ShapeError>(graph_.place(node), ": expected a matrix of batch x units, which Flatten makes");
    const bool is_first = is_first_factor(node, value);
    const bool transposed[2] = {graph_.integer(node, "transA", 0) != 0, graph_.integer(node, "transB", 0) != 0};
    Layer made = product(node, is_first, transposed[is_first ? 0 : 1], transposed[is_first ? 1 : 0]);
    const auto alpha = static_cast<Scalar>(graph_.number(node, "alpha", 1)), beta = static_cast<Scalar>(graph_.number(node, "beta", 1));
    for (Scalar& number : made.tensor("weight")) number *= alpha;
    if (graph_.input_of(node, 2) < 0) return made;
    Numbers bias = needed(node, 2, "a bias");
    for (Scalar& number : bias) number *= beta;
    add_bias(made, std::move(bias));
    return made;
  }

  // Normalises each unit, along axis 1, with stored statistics.
  Layer batch_norm(const Node& node) {
    // sets 7 to 13 tell training by the outputs of the batch's statistics
    const std::span<const int> outputs = node.outputs;
    const auto is_there = [](int output) { return output >= 0; };
    const bool has_statistics = outputs.size() > 1 && std::any_of(outputs.begin() + 1, outputs.end(), is_there);
    const bool is_training = graph_.operators() < 7    ? graph_.integer(node, "is_test", 0) == 0
                             : graph_.operators() < 14 ? has_statistics
                                                       : graph_.integer(node, "training_mode", 0) != 0;
    if (is_training)
      raise<ValueError>(graph_.place(node),
                        ": expected the form for prediction, but found that for training, which takes the statistics of "
                        "the batch");
    const bool has_units_at_1 = layout.samples == Samples::rows && !layout.extents.empty() && layout.product(1, layout.extents.size()) == 1;
    if (!has_units_at_1)
      raise<ShapeError>(
          graph_.place(node),
          ": expected batch x units, or extents of 1 after these, but found others; a BatchNorm here has statistics of single "
          "units, and not of channels of many");
    std::array<Numbers, 4> statistics;
    constexpr const char* names[] = {"a scale", "a bias", "a mean", "a variance"};
    for (std::size_t i = 0; i < 4; ++i) {
      if (graph_.constant(node, i + 1) == nullptr) raise<ValueError>(graph_.place(node), ": expected ", names[i], " that is a constant");
      const std::size_t size = graph_.size(node, i + 1);
      if (layout.extents[0] == 0) layout.extents[0] = static_cast<std::int64_t>(size);
      if (static_cast<Index>(size) != units() || size == 0)
        raise<ShapeError>(graph_.place_of_constant(node, i + 1), ": expected ", units(), " numbers, one for each unit, but found ", size);
      count(size, node);
      statistics[i] = finite_numbers(node, i + 1);
    }
    const double share = graph_.number(node, "momentum", 0.9);  // in ONNX it is the share of the old statistics
    const double momentum = decimal_of(static_cast<float>(1 - share));
    const double epsilon = checked_epsilon(node);
    for (const Scalar variance : statistics[3]) {
      const Scalar sum = variance + static_cast<Scalar>(epsilon);
      if (!(sum > 0) || (epsilon == smallest_epsilon && sum != variance))
        raise<ValueError>(graph_.place_of_constant(node, 4), ": expected variances that are above 0 with epsilon, but found ", variance);
    }
    return batch_norm_of(momentum > 0 && momentum <= 1 ? momentum : 0.1, epsilon, std::move(statistics));
  }
  // `statistics`: weight, bias, mean and variance
  Layer batch_norm_of(double momentum, double epsilon, std::array<Numbers, 4> statistics) const {
    Layer made = layer(BatchNorm<Dynamic>::name, units(), {{"momentum", momentum}, {"epsilon", epsilon}});
    made.tensors = {{"weight", std::move(statistics[0])}, {"bias", std::move(statistics[1])}};
    made.buffers = {{"running_mean", std::move(statistics[2])}, {"running_variance", std::move(statistics[3])}, {"batches", {Scalar{1}}}};
    return made;
  }

  Layer layer_norm(const Node& node) {
    if (!layout.is_whole_sample_from(graph_.integer(node, "axis", -1)))
      raise<ShapeError>(graph_.place(node), ": expected the axis from which a sample's numbers are, but found axis ",
                        graph_.integer(node, "axis", -1));
    if (graph_.integer(node, "stash_type", 1) != pb::TensorProto::FLOAT)
      raise<ValueError>(graph_.place(node), ": expected the stash_type 1 (float), but found ", graph_.integer(node, "stash_type", 1));
    Numbers weight = needed(node, 1, "a scale");
    Layer made = layer_norm_of(checked_epsilon(node), node);
    made.tensor("weight") = std::move(weight);
    if (graph_.input_of(node, 2) >= 0) made.tensor("bias") = needed(node, 2, "a bias");
    return made;
  }

  Layer prelu(const Node& node) {
    if (graph_.constant(node, 1) == nullptr) raise<ValueError>(graph_.place(node), ": expected a slope that is a constant");
    if (graph_.size(node, 1) == 1 && graph_.single_number(node, 1, layout.rank())) {
      expect_known_units(node);
      return prelu_of(static_cast<double>(finite_numbers(node, 1)[0]));
    }
    Numbers slopes = needed(node, 1, "a slope");
    Layer made = layer(PReLU<Slopes::per_unit, Dynamic>::name, units(), {{"initial_slope", 0.25}});
    made.tensors = {{"slope", std::move(slopes)}};
    return made;
  }

  // Scaler of ai.onnx.ml, a = (x - offset) * scale, with one number or one for each unit
  Layer scaler(const Node& node) {
    Numbers both[2];
    for (const bool is_scale : {false, true}) {
      const char* name = is_scale ? "scale" : "offset";
      const pb::AttributeProto* found = graph_.attribute(node, name);
      if (found == nullptr || found->floats_size() == 0) raise<ValueError>(graph_.place(node), ": expected the attribute ", name);
      if (found->floats_size() != 1) expect_units(found->floats_size(), node);
      expect_known_units(node);
      count(static_cast<std::size_t>(units()), node);
      both[is_scale].assign(found->floats().begin(), found->floats().end());
      if (found->floats_size() == 1) both[is_scale].assign(static_cast<std::size_t>(units()), static_cast<Scalar>(found->floats(0)));
    }
    return affine(std::move(both[0]), std::move(both[1]));
  }

  const OnnxGraph& graph_;
  std::size_t most_numbers_;
  std::size_t numbers_ = 0;
};

}  // namespace chainrule::detail
