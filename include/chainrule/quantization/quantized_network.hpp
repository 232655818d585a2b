#pragma once

#include <chainrule/any/any_loss.hpp>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/quantization/quantization_report.hpp>
#include <chainrule/quantization/quantized_layer.hpp>
#include <type_traits>

namespace chainrule {

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
    if (kernels::has_integer_kernels())
      for (const Layer& layer : layers_) packed_.push_back(layer.weight.empty() ? kernels::IntegerLayer{} : detail::packed(layer));
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

  /// The memory for predictions of up to max_batch samples; see make_workspace.
  class Workspace {
   public:
    /// Allocates the memory.
    Workspace(const QuantizedNetwork& net, Index max_batch)
        : a_(net.widest_, (std::min)(max_batch, kernels::integer_samples)),
          b_(a_.rows(), a_.cols()),
          numbers_(net.inputs()),
          scratch_(static_cast<std::size_t>(net.packed_.empty() ? 0 : kernels::integer_scratch_bytes(net.widest_, a_.cols()))),
          q_(net.outputs(), max_batch),
          y_(net.outputs(), max_batch) {}

   private:
    friend class QuantizedNetwork;
    Matrix<Q> a_, b_;        // activations of the samples that pass through the layers together, a column each
    Vector<float> numbers_;  // one sample of inputs of another type, as float
    std::vector<std::byte> scratch_;
    Matrix<Q> q_;
    Matrix<float> y_;
  };

  /// Allocates the memory for predictions of up to max_batch samples. Throws ShapeError for less than 1.
  Workspace make_workspace(Index max_batch) const {
    detail::check_batch("make_workspace", max_batch);
    return Workspace(*this, max_batch);
  }

  /// The integers for x, inputs x batch. Numbers beyond the range become its ends. Throws ShapeError where rows do not fit, ValueError for
  /// NaN and infinity.
  ///
  ///     q = round((x - shift) * scale / input().scale) + input().zero_point, halves to even
  template <class X>
  Matrix<Q> quantize_input(const Eigen::DenseBase<X>& x) const {
    const auto& numbers = in_memory(x);
    const auto input = detail::const_view<typename X::Scalar>(numbers);
    check_input("quantize_input", input);
    check_finite("quantize_input", input, 0, input.cols());
    Matrix<Q> q(inputs(), input.cols());
    Vector<float> as_floats(inputs());
    quantize_samples(input, 0, q.cols(), as_floats, q.data(), inputs());
    return q;
  }

  /// The raw outputs as integers, outputs x batch, for inputs as integers. Throws ShapeError where rows do not fit.
  Matrix<Q> predict_quantized(const Matrix<Q>& q) const {
    detail::check_rows("predict_quantized", "q", q.rows(), inputs(), "inputs");
    if (q.cols() == 0) return Matrix<Q>(outputs(), 0);
    Workspace work(*this, q.cols());
    return predict_quantized(q, work);
  }
  /// Computes the raw outputs as integers into a workspace, without any allocation. q: inputs x batch.
  Eigen::Map<const Matrix<Q>> predict_quantized(const Matrix<Q>& q, Workspace& work) const {
    detail::check_rows("predict_quantized", "q", q.rows(), inputs(), "inputs");
    check_workspace("predict_quantized", q.cols(), work);
    for (Index first = 0; first < q.cols(); first += work.a_.cols()) {
      const Index samples = (std::min)(work.a_.cols(), q.cols() - first);
      predict_samples(samples, q.data() + first * inputs(), inputs(), work.q_.data() + first * outputs(), work);
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
    return predict_once("predict_raw", x);
  }
  /// The predictions for x, inputs x batch, with the loss's link: probabilities where the loss works on logits.
  template <class X>
  Matrix<float> predict(const Eigen::DenseBase<X>& x) const {
    Matrix<float> y = predict_once("predict", x);
    loss_.link(detail::mutable_view<float>(y));
    return y;
  }
  /// Predicts into a workspace, without any allocation; x is a matrix, block or map of any floating-point type. After a ValueError for NaN
  /// or infinity the workspace holds no prediction.
  template <class X>
  Eigen::Map<const Matrix<float>> predict(const Eigen::DenseBase<X>& x, Workspace& work) const {
    MatrixView<float> y = predict_into("predict", detail::const_view<typename X::Scalar>(x), work);
    loss_.link(y);
    return {y.data(), y.rows(), y.cols()};
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

  /// Bytes of the constants that a prediction of exported source code needs: weights, starts, factors and tables. (predict of the library
  /// has a second copy of the weights, in the order in which its kernels read them.)
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
  }
  // Checked a few samples at a time, because x may be larger than the caches.
  template <class Scalar>
  static void check_finite(const char* who, const ConstMatrixView<Scalar>& x, Index first, Index samples) {
    if (detail::all_finite(detail::columns_of(x, first, samples))) return;
    for (Index j = first; j < first + samples; ++j)
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
    if (work.q_.rows() != outputs() || work.a_.rows() != widest_ || work.numbers_.size() != inputs())
      detail::raise<ShapeError>(who, ": this workspace was made for another network");
  }

  // x itself where const_view can view it, else a copy.
  template <class X>
  static decltype(auto) in_memory(const Eigen::DenseBase<X>& x) {
    if constexpr (detail::has_columns_in_memory<X>() && int(X::InnerStrideAtCompileTime) == 1)
      return x.derived();
    else
      return Matrix<typename X::Scalar>(x);
  }

  // Writes the integers for `samples` samples of x, from sample `first` on, to q, where samples begin q_step numbers apart. as_floats has
  // space for one sample.
  template <class Scalar>
  void quantize_samples(const ConstMatrixView<Scalar>& x, Index first, Index samples, Vector<float>& as_floats, Q* q, Index q_step) const {
    if constexpr (!std::is_same_v<Scalar, float>) {
      for (Index j = 0; j < samples; ++j, q += q_step) {
        for (Index i = 0; i < inputs(); ++i) as_floats[i] = to_float(x(i, first + j));
        quantize_samples(ConstMatrixView<float>(as_floats.data(), inputs(), 1, Eigen::OuterStride<>(inputs())), 0, 1, as_floats, q, q_step);
      }
    } else {
      const bool is_scaled = scale_.size() > 0;
      const float* numbers = x.data() + first * x.outerStride();
      if (!packed_.empty())
        return kernels::quantize_inputs({input_.scale, input_.zero_point, lowest_, highest_}, inputs(), samples, numbers, x.outerStride(),
                                        is_scaled ? shift_.data() : nullptr, is_scaled ? scale_.data() : nullptr, q, q_step);
      for (Index j = 0; j < samples; ++j, numbers += x.outerStride(), q += q_step)
        for (Index i = 0; i < inputs(); ++i)
          q[i] = detail::quantized<Q>(is_scaled ? (numbers[i] - shift_[i]) * scale_[i] : numbers[i], input_);
    }
  }
  // Computes y, outputs x samples, from the integers of samples that begin q_step numbers apart in q. q may be in work.a_.
  void predict_samples(Index samples, const Q* q, Index q_step, Q* y, Workspace& work) const {
    Q *to = work.b_.data(), *next = work.a_.data();
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const Layer& layer = layers_[l];
      const bool is_last = l + 1 == layers_.size();
      if (is_last) to = y;
      const Index step = is_last ? outputs() : widest_;
      if (packed_.empty() || layer.weight.empty()) {
        for (Index j = 0; j < samples; ++j) detail::apply(layer, q + j * q_step, to + j * step);
      } else {
        kernels::integer_layer(packed_[l], samples, q, q_step, to, step, work.scratch_.data());
        if (!layer.table.empty())
          for (Index j = 0; j < samples; ++j)
            for (Q *a = to + j * step, *end = a + layer.outputs; a < end; ++a) *a = detail::look_up(layer.table.data(), *a);
      }
      q = to;
      q_step = step;
      std::swap(to, next);
    }
  }
  // The raw outputs as real numbers, in work.y_.
  template <class Scalar>
  MatrixView<float> predict_into(const char* who, const ConstMatrixView<Scalar>& x, Workspace& work) const {
    check_input(who, x);
    check_workspace(who, x.cols(), work);
    const Quantization of = output();
    for (Index first = 0; first < x.cols(); first += work.a_.cols()) {
      const Index samples = (std::min)(work.a_.cols(), x.cols() - first);
      check_finite(who, x, first, samples);
      quantize_samples(x, first, samples, work.numbers_, work.a_.data(), widest_);
      Q* q = work.q_.data() + first * outputs();
      predict_samples(samples, work.a_.data(), widest_, q, work);
      float* y = work.y_.data() + first * outputs();
      if (!packed_.empty())
        kernels::dequantize(samples * outputs(), q, of.scale, of.zero_point, y);
      else
        for (Index i = 0; i < samples * outputs(); ++i) y[i] = detail::dequantized(q[i], of);
    }
    return {work.y_.data(), outputs(), x.cols(), Eigen::OuterStride<>(outputs())};
  }
  template <class X>
  Matrix<float> predict_once(const char* who, const Eigen::DenseBase<X>& x) const {
    const auto& numbers = in_memory(x);
    const auto input = detail::const_view<typename X::Scalar>(numbers);
    check_input(who, input);
    Workspace work(*this, input.cols());
    return predict_into(who, input, work);
  }
  // Computes smallest_yes() by bisection, since each link grows with its argument. Returns a number above the range of Q if no integer
  // means yes.
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
  std::vector<kernels::IntegerLayer> packed_;  // the layers for the kernels; empty where the processor has none
  AnyLoss<float> loss_;
  QuantizationReport report_;
  Index widest_ = 0;
  std::int32_t smallest_yes_ = 0;
};

}  // namespace chainrule
