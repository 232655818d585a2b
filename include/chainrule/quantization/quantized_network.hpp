#pragma once

#include <chainrule/any/any_loss.hpp>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/quantization/quantization_report.hpp>
#include <chainrule/quantization/quantized_layer.hpp>
#include <type_traits>

namespace chainrule {

namespace detail {

/// x / scale + zero point, rounded to the nearest integer, halves to the even one before the zero point is added, and limited to the range
/// of Q: ONNX's QuantizeLinear, but for where the zero point is added. The smallest integer for NaN.
template <class Q>
Q quantized(float x, const Quantization& to) {
  const std::int32_t low = (std::numeric_limits<Q>::min)() - to.zero_point, high = (std::numeric_limits<Q>::max)() - to.zero_point;
  const float v = x / to.scale;
  if (!(v > static_cast<float>(low))) return (std::numeric_limits<Q>::min)();
  if (v >= static_cast<float>(high)) return (std::numeric_limits<Q>::max)();
  auto q = static_cast<std::int32_t>(v);  // towards 0
  const float rest = v - static_cast<float>(q);
  if (rest > 0.5f || (rest == 0.5f && q % 2 != 0)) ++q;
  if (rest < -0.5f || (rest == -0.5f && q % 2 != 0)) --q;
  return static_cast<Q>(q + to.zero_point);
}

/// The real number that q stands for.
template <class Q>
float dequantized(Q q, const Quantization& of) {
  return of.scale * static_cast<float>(q - of.zero_point);
}

}  // namespace detail

/// A network in integers: int8 weights, activations of type Q, which is std::int8_t or std::int16_t, and int32 sums. quantize makes it from
/// a network. predict_quantized is integer arithmetic alone, so it has the same bits on every machine and in the source code that
/// export_source writes. Its sums cannot overflow, which the constructor proves.
template <class Q>
class QuantizedNetwork {
  static_assert(std::is_same_v<Q, std::int8_t> || std::is_same_v<Q, std::int16_t>,
                "chainrule: QuantizedNetwork<Q>: Q is the type of the activations, std::int8_t or std::int16_t");

 public:
  using Integer = Q;                ///< the type of the activations
  using Layer = QuantizedLayer<Q>;  ///< one layer, with its integers

  /// For readers of files. Inputs are (x - shift) * scale before they are rounded; shift and scale are empty where inputs are rounded as
  /// they are. Sets `start` of each layer. Throws ShapeError where extents do not fit together; ValueError for scales, zero points, limits
  /// and factors out of range, and for a layer whose sums could exceed int32.
  QuantizedNetwork(Vector<float> shift, Vector<float> scale, const Quantization& input, std::vector<Layer> layers, AnyLoss<float> loss,
                   QuantizationReport report = {})
      : shift_{std::move(shift)},
        scale_{std::move(scale)},
        input_{input},
        layers_{std::move(layers)},
        loss_{std::move(loss)},
        report_{std::move(report)} {
    if (layers_.empty()) detail::raise<ShapeError>("QuantizedNetwork: it needs at least one layer");
    if (shift_.size() != scale_.size() || (shift_.size() != 0 && shift_.size() != inputs()))
      detail::raise<ShapeError>("QuantizedNetwork: it has ", inputs(), " inputs, but shifts for ", shift_.size(), " and scales for ",
                                scale_.size());
    if (!kernels::all_finite(shift_.size(), shift_.data()) || !kernels::all_finite(scale_.size(), scale_.data()))
      detail::raise<ValueError>("QuantizedNetwork: the shifts and scales of the inputs must be finite");
    check("the inputs", input_);
    Quantization from = input_;
    Index rows = inputs();
    for (Layer& layer : layers_) {
      set_up(layer, from, rows);
      from = layer.output;
      rows = layer.outputs;
      widest_ = (std::max)({widest_, layer.inputs, layer.outputs});
    }
    loss_.check_outputs("QuantizedNetwork", outputs());
    if (outputs() == 1) smallest_yes_ = find_smallest_yes();
  }

  QuantizedNetwork(const QuantizedNetwork&) = default;             ///< copies; so does a move, which leaves a whole network behind
  QuantizedNetwork& operator=(const QuantizedNetwork&) = default;  ///< copies

  Index inputs() const { return layers_.front().inputs; }               ///< the number of inputs, rows of x
  Index outputs() const { return layers_.back().outputs; }              ///< the number of outputs
  const std::vector<Layer>& layers() const { return layers_; }          ///< the layers, from the first to the last
  const Quantization& input() const { return input_; }                  ///< scale and zero point of the inputs
  const Quantization& output() const { return layers_.back().output; }  ///< scale and zero point of the raw outputs
  const Vector<float>& input_shift() const { return shift_; }           ///< inputs are (x - shift) * scale before rounding; or empty
  const Vector<float>& input_scale() const { return scale_; }           ///< inputs are (x - shift) * scale before rounding; or empty
  const AnyLoss<float>& loss_function() const { return loss_; }         ///< the loss, whose link predict applies
  const QuantizationReport& report() const { return report_; }          ///< the measurements of quantize; empty after loading

  /// Room for predictions of up to max_batch samples; see make_workspace.
  class Workspace {
   public:
    /// Allocates the memory.
    Workspace(const QuantizedNetwork& net, Index max_batch)
        : a_(net.widest_), b_(net.widest_), q_(net.outputs(), max_batch), y_(net.outputs(), max_batch) {}

   private:
    friend class QuantizedNetwork;
    Vector<Q> a_, b_;  // activations of one sample
    Matrix<Q> q_;
    Matrix<float> y_;
  };

  /// Allocates room for predictions of up to max_batch samples. ShapeError for less than 1.
  Workspace make_workspace(Index max_batch) const {
    detail::check_batch("make_workspace", max_batch);
    return Workspace(*this, max_batch);
  }

  /// The integers for x, inputs x batch. Numbers beyond the range become its ends. ShapeError where rows do not fit, ValueError for NaN and
  /// infinity.
  ///
  ///     q = round((x - shift) * scale / input().scale) + input().zero_point, halves to even
  template <class X>
  Matrix<Q> quantize_input(const Eigen::DenseBase<X>& x) const {
    const Matrix<typename X::Scalar> numbers = x;
    check_input("quantize_input", numbers);
    const Matrix<float> input = numbers.unaryExpr([](typename X::Scalar number) { return to_float(number); });
    Matrix<Q> q(inputs(), input.cols());
    for (Index j = 0; j < q.cols(); ++j) quantize_sample(input.col(j).data(), q.col(j).data());
    return q;
  }

  /// The raw outputs as integers, outputs x batch, for inputs as integers. ShapeError where rows do not fit.
  Matrix<Q> predict_quantized(const Matrix<Q>& q) const {
    detail::check_rows("predict_quantized", "q", q.rows(), inputs(), "inputs");
    Matrix<Q> y(outputs(), q.cols());
    Workspace work(*this, 1);
    for (Index j = 0; j < q.cols(); ++j) {
      work.a_.head(inputs()) = q.col(j);
      y.col(j) = predict_sample(work).head(outputs());
    }
    return y;
  }
  /// Computes the raw outputs as integers into a workspace, without any allocation. q: inputs x batch.
  Eigen::Map<const Matrix<Q>> predict_quantized(const Matrix<Q>& q, Workspace& work) const {
    detail::check_rows("predict_quantized", "q", q.rows(), inputs(), "inputs");
    check_workspace("predict_quantized", q.cols(), work);
    for (Index j = 0; j < q.cols(); ++j) {
      work.a_.head(inputs()) = q.col(j);
      work.q_.col(j) = predict_sample(work).head(outputs());
    }
    return {work.q_.data(), outputs(), q.cols()};
  }

  /// The real numbers that raw outputs stand for.
  ///
  ///     y = output().scale (q - output().zero_point)
  Matrix<float> dequantize(const Matrix<Q>& q) const {
    return q.unaryExpr([of = output()](Q one) { return detail::dequantized(one, of); });
  }

  /// The raw outputs as real numbers, outputs x batch, before the loss's link, for x, inputs x batch. Throws what quantize_input throws.
  template <class X>
  Matrix<float> predict_raw(const Eigen::DenseBase<X>& x) const {
    return dequantize(predict_quantized(quantize_input(x)));
  }
  /// The predictions for x, inputs x batch, with the loss's link: probabilities where the loss works on logits.
  template <class X>
  Matrix<float> predict(const Eigen::DenseBase<X>& x) const {
    Matrix<float> y = predict_raw(x);
    loss_.link(detail::mutable_view<float>(y));
    return y;
  }
  /// Predicts into a workspace, without any allocation; x is a matrix, block or map of any floating-point type.
  template <class X>
  Eigen::Map<const Matrix<float>> predict(const Eigen::DenseBase<X>& x, Workspace& work) const {
    using Scalar = typename X::Scalar;
    const ConstMatrixView<Scalar> input = detail::const_view<Scalar>(x);
    check_input("predict", input);
    check_workspace("predict", input.cols(), work);
    for (Index j = 0; j < input.cols(); ++j) {
      for (Index i = 0; i < inputs(); ++i) work.a_[i] = quantized_input(to_float(input(i, j)), i);
      const Vector<Q>& q = predict_sample(work);
      for (Index i = 0; i < outputs(); ++i) work.y_(i, j) = detail::dequantized(q[i], output());
    }
    MatrixView<float> y(work.y_.data(), outputs(), input.cols(), Eigen::OuterStride<>(outputs()));
    loss_.link(y);
    return {work.y_.data(), outputs(), input.cols()};
  }

  /// The class of each sample of x: the row of the largest output, the first among equals; for one output 1 where it is at least 1/2,
  /// after the link, else 0.
  template <class X>
  std::vector<int> classify(const Eigen::DenseBase<X>& x) const {
    const Matrix<Q> q = predict_quantized(quantize_input(x));
    std::vector<int> classes(static_cast<std::size_t>(q.cols()));
    for (Index j = 0; j < q.cols(); ++j) classes[static_cast<std::size_t>(j)] = class_of(q.col(j).data());
    return classes;
  }

  /// The smallest integer of a single output that means yes: a probability of at least 1/2.
  std::int32_t smallest_yes() const { return smallest_yes_; }

  /// Bytes of the constants that a prediction needs: weights, starts, factors and tables.
  Index constant_bytes() const {
    std::size_t bytes = 0;
    for (const Layer& layer : layers_)
      bytes += layer.weight.size() + 4 * layer.start.size() + 5 * (layer.factor.size() + layer.factor_below_0.size()) +
               sizeof(Q) * layer.table.size();
    return static_cast<Index>(bytes);
  }

 private:
  static constexpr std::int32_t lowest_ = (std::numeric_limits<Q>::min)(), highest_ = (std::numeric_limits<Q>::max)();

  static void check(std::string_view what, const Quantization& of) {
    if (!(detail::is_finite(of.scale) && of.scale >= (std::numeric_limits<float>::min)()))
      detail::raise<ValueError>("QuantizedNetwork: ", what, ": the scale must be a normal number above 0, got ", of.scale);
    if (of.zero_point < lowest_ || of.zero_point > highest_)
      detail::raise<ValueError>("QuantizedNetwork: ", what, ": the zero point must be from ", lowest_, " to ", highest_, ", got ",
                                of.zero_point);
  }

  // Checks a layer and computes its starts.
  static void set_up(Layer& layer, const Quantization& from, Index rows) {
    const auto size = static_cast<std::size_t>(layer.outputs);
    const bool is_dense = !layer.weight.empty();
    const auto fits = [](std::size_t found, std::size_t expected) { return found == expected; };
    if (layer.inputs != rows || layer.inputs < 1 || layer.outputs < 1 || (!is_dense && layer.outputs != layer.inputs))
      detail::raise<ShapeError>("QuantizedNetwork: ", layer.name, ": expected ", rows, " inputs, but found ", layer.inputs, ", and ",
                                layer.outputs, " outputs");
    if (is_dense && !(fits(layer.weight.size() / size, static_cast<std::size_t>(layer.inputs)) && layer.weight.size() % size == 0 &&
                      fits(layer.bias.size(), size) && fits(layer.factor.size(), size) &&
                      (fits(layer.weight_scale.size(), size) || fits(layer.weight_scale.size(), 1)) &&
                      (layer.factor_below_0.empty() || fits(layer.factor_below_0.size(), size))))
      detail::raise<ShapeError>("QuantizedNetwork: ", layer.name, ": its weights, scales, biases and factors do not fit ", layer.inputs,
                                " inputs and ", layer.outputs, " outputs");
    if (layer.table.empty() ? !is_dense : layer.table.size() != detail::table_size<Q>)
      detail::raise<ShapeError>("QuantizedNetwork: ", layer.name, ": expected a table of ", detail::table_size<Q>, " integers, but found ",
                                layer.table.size());
    check(layer.name, layer.z);
    check(layer.name, layer.output);
    if (layer.lowest < lowest_ || layer.highest > highest_ || layer.lowest > layer.highest)
      detail::raise<ValueError>("QuantizedNetwork: ", layer.name, ": expected limits between ", lowest_, " and ", highest_, ", but found ",
                                layer.lowest, " and ", layer.highest);
    for (const auto* factors : {&layer.factor, &layer.factor_below_0})
      for (const detail::FixedPoint& one : *factors)
        if (one.shift < -31 || one.shift > 30 || one.multiplier == (std::numeric_limits<std::int32_t>::min)())
          detail::raise<ValueError>("QuantizedNetwork: ", layer.name, ": a factor of ", one.multiplier, " 2^(", one.shift,
                                    " - 31) is out of range");
    if (!is_dense && !(layer.bias.empty() && layer.weight_scale.empty() && layer.factor.empty() && layer.factor_below_0.empty()))
      detail::raise<ShapeError>("QuantizedNetwork: ", layer.name, ": it has no weights, but scales, biases or factors");
    for (const float one : layer.weight_scale) check(layer.name, Quantization{one, 0});
    layer.start.resize(layer.bias.size());
    for (std::size_t i = 0; i < layer.bias.size(); ++i) {
      const std::int8_t* w = layer.weight.data() + i * static_cast<std::size_t>(layer.inputs);
      std::int64_t sum = 0, sum_of_sizes = 0;
      for (Index k = 0; k < layer.inputs; ++k) {
        sum += w[k];
        sum_of_sizes += w[k] < 0 ? -w[k] : w[k];
      }
      // No partial sum, in any order, is larger than this.
      const std::int64_t start = layer.bias[i] - from.zero_point * sum;
      const std::int64_t largest = (start < 0 ? -start : start) - std::int64_t{lowest_} * sum_of_sizes;
      if (largest > (std::numeric_limits<std::int32_t>::max)())
        detail::raise<ValueError>("QuantizedNetwork: ", layer.name, ": the sum of output ", i, " over ", layer.inputs,
                                  " inputs could reach ", largest, ", beyond 2^31 - 1 of int32; ",
                                  sizeof(Q) == 2 ? "use activations of int8" : "use a layer of fewer inputs");
      layer.start[i] = static_cast<std::int32_t>(start);
    }
  }

  template <class View>
  void check_input(const char* who, const View& x) const {
    detail::check_rows(who, "x", x.rows(), inputs(), "inputs");
    detail::check_batch(who, x.cols());
    for (Index j = 0; j < x.cols(); ++j)
      if (!kernels::all_finite(x.rows(), x.data() + j * x.outerStride()))
        detail::raise<ValueError>(who, ": sample ", j, " of x has NaN or infinity; inputs must be finite");
  }
  // x as float. A number of another type beyond the range of float becomes its end.
  template <class Scalar>
  static float to_float(Scalar x) {
    if constexpr (sizeof(Scalar) > sizeof(float)) {
      constexpr Scalar largest = static_cast<Scalar>((std::numeric_limits<float>::max)());
      if (x > largest || x < -largest) x = x > 0 ? largest : -largest;  // x is not NaN
    }
    return static_cast<float>(x);
  }
  void check_workspace(const char* who, Index samples, const Workspace& work) const {
    detail::check_capacity(who, samples, work.q_.cols());
    if (work.q_.rows() != outputs() || work.a_.size() != widest_)
      detail::raise<ShapeError>(who, ": this workspace was made for another network");
  }

  Q quantized_input(float x, Index i) const {
    if (scale_.size() > 0) x = (x - shift_[i]) * scale_[i];
    return detail::quantized<Q>(x, input_);
  }
  void quantize_sample(const float* x, Q* q) const {
    for (Index i = 0; i < inputs(); ++i) q[i] = quantized_input(x[i], i);
  }
  // From work.a_; the outputs are in the vector that is returned.
  const Vector<Q>& predict_sample(Workspace& work) const {
    Vector<Q>*from = &work.a_, *to = &work.b_;
    for (const Layer& layer : layers_) {
      detail::apply(layer, from->data(), to->data());
      std::swap(from, to);
    }
    return *from;
  }
  // By bisection, because links grow with their argument. Above the range of Q where no integer means yes.
  std::int32_t find_smallest_yes() const {
    std::int32_t low = lowest_, high = highest_ + 1;
    while (low < high) {
      const std::int32_t middle = low + (high - low) / 2;
      Matrix<float> y(1, 1);
      y(0) = detail::dequantized(static_cast<Q>(middle), output());
      loss_.link(detail::mutable_view<float>(y));
      if (y(0) >= 0.5f)
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  }
  int class_of(const Q* q) const {
    if (outputs() == 1) return q[0] >= smallest_yes() ? 1 : 0;
    return static_cast<int>(std::max_element(q, q + outputs()) - q);
  }

  Vector<float> shift_, scale_;
  Quantization input_;
  std::vector<Layer> layers_;
  AnyLoss<float> loss_;
  QuantizationReport report_;
  Index widest_ = 0;
  std::int32_t smallest_yes_ = 0;
};

}  // namespace chainrule
