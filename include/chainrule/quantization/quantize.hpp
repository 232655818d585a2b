#pragma once
// Turns a trained network into one of int8 weights and integer activations (post-training quantization).

#include <chainrule/any/from_description.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/metrics/accuracy.hpp>
#include <chainrule/metrics/regression.hpp>
#include <chainrule/quantization/detail/fold_layers.hpp>
#include <chainrule/quantization/quantized_network.hpp>

namespace chainrule {

/// How a network is quantized.
struct QuantizationOptions {
  bool scale_per_output = true;  ///< a scale for the weights of each output of a Dense; false: one scale for all its weights
  /// The share of the calibration data's largest and smallest numbers of each layer that may lie outside of its range, so that a few
  /// outliers do not make the steps of all others coarse: half of it at either end. 0: the range holds all of them. Below 1.
  double clipped = 0;
};

namespace detail {

/// The range of numbers, of which a share may lie outside, half of it at either end.
inline RangeOfNumbers range_of(const Matrix<double>& numbers, double outside) {
  std::vector<double> all(numbers.data(), numbers.data() + numbers.size());
  const auto skipped = static_cast<std::ptrdiff_t>(outside / 2 * static_cast<double>(all.size()));
  std::nth_element(all.begin(), all.begin() + skipped, all.end());
  const double low = all[static_cast<std::size_t>(skipped)];
  std::nth_element(all.begin(), all.end() - 1 - skipped, all.end());
  return {low, *(all.end() - 1 - skipped)};
}

/// real / scale + zero point, rounded and limited to the range of Q.
template <class Q>
Q nearest(double real, const Quantization& to) {
  const double q = std::round(real / static_cast<double>(to.scale)) + to.zero_point;
  return static_cast<Q>(
      std::clamp(q, static_cast<double>((std::numeric_limits<Q>::min)()), static_cast<double>((std::numeric_limits<Q>::max)())));
}

/// The table of f for integers that stand for z.
template <class Q>
std::vector<Q> table_of(const FoldedActivation& f, const Quantization& z, const Quantization& a) {
  std::vector<Q> table(table_size<Q>);
  Matrix<double> at(static_cast<Index>(table.size()), 1);
  for (Index i = 0; i < at.size(); ++i) {
    const auto q = sizeof(Q) == 1 ? i - 128 : (std::min)(Index{32767}, (i - 256) * 128);
    at(i) = static_cast<double>(z.scale) * static_cast<double>(q - z.zero_point);
  }
  f.apply(at);
  for (Index i = 0; i < at.size(); ++i)
    if (!(at(i) == at(i))) at(i) = 0;  // f has no value there, and no calibration sample got there
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = nearest<Q>(at(static_cast<Index>(i)), a);
  return table;
}

/// Rounds weights and biases, and sets the factors from sums to z. A scale of weights is at least so large that the bias is at most 2^29 in
/// its units: of an output whose weights are all 0, the bias alone decides the scale, so that it keeps 29 bits.
template <class Q>
void quantize_weights(const FoldedLayer& from, const Quantization& input, bool scale_per_output, QuantizedLayer<Q>& to) {
  const double input_scale = static_cast<double>(input.scale), largest_float = static_cast<double>((std::numeric_limits<float>::max)());
  Vector<double> wanted(from.outputs);
  double common = 0;
  for (Index i = 0; i < from.outputs; ++i) {
    wanted[i] = std::abs(from.bias[i]) / input_scale * 0x1p-29 * 127;
    for (Index k = 0; k < from.inputs; ++k) wanted[i] = (std::max)(wanted[i], std::abs(from.weight(i, k)));
    common = (std::max)(common, wanted[i]);
  }
  if (!(common / 127 <= largest_float))
    raise<ValueError>("quantize: ", from.name, ": its weights and biases reach beyond the numbers of float");
  if (!scale_per_output) to.weight_scale = {weight_scale(common)};
  to.weight.reserve(static_cast<std::size_t>(from.weight.size()));
  for (Index i = 0; i < from.outputs; ++i) {
    if (scale_per_output) to.weight_scale.push_back(weight_scale(wanted[i]));
    const double scale = static_cast<double>(to.weight_scale.back());
    for (Index k = 0; k < from.inputs; ++k)
      to.weight.push_back(static_cast<std::int8_t>(quantized_weight(from.weight(i, k), to.weight_scale.back())));
    to.bias.push_back(static_cast<std::int32_t>(std::round(from.bias[i] / (scale * input_scale))));
    const double factor = scale * input_scale / static_cast<double>(to.z.scale);
    const auto fixed_point = [&](double real) {
      if (!(std::abs(real) < 0x1p29))
        raise<ValueError>("quantize: ", from.name, ": the products that output ", i, " adds are integers in steps ", real,
                          " times as large as the steps of this output, whose range in the calibration data is too narrow; calibrate with "
                          "data like those that the network will see");
      return to_fixed_point(real);
    };
    to.factor.push_back(fixed_point(factor));
    const std::vector<double>& slopes = from.activation.slopes;
    if (!slopes.empty()) to.factor_below_0.push_back(fixed_point(factor * slopes[slopes.size() == 1 ? 0 : static_cast<std::size_t>(i)]));
  }
}

/// Compares integers with the exact numbers, units x samples.
template <class Q>
LayerQuantization measured(std::string name, const Quantization& of, const Matrix<double>& exact, const Matrix<Q>& q) {
  const double scale = static_cast<double>(of.scale);
  LayerQuantization report{.name = std::move(name),
                           .low = scale * ((std::numeric_limits<Q>::min)() - of.zero_point),
                           .high = scale * ((std::numeric_limits<Q>::max)() - of.zero_point),
                           .quantization = of};
  double signal = 0, noise = 0;
  Index outside = 0;
  for (Index j = 0; j < exact.cols(); ++j)
    for (Index i = 0; i < exact.rows(); ++i) {
      const double error = scale * (q(i, j) - of.zero_point) - exact(i, j);
      signal += exact(i, j) * exact(i, j);
      noise += error * error;
      report.largest_error = (std::max)(report.largest_error, std::abs(error));
      // half a step beyond the ends is still rounded to them
      if (exact(i, j) < report.low - scale / 2 || exact(i, j) > report.high + scale / 2) ++outside;
    }
  report.clipped = static_cast<double>(outside) / static_cast<double>(exact.size());
  report.signal_to_noise = noise == 0 ? FoldedActivation::infinity : 10 * std::log10(signal / noise);
  return report;
}

/// Throws for calibration data from which no range can be learned.
template <class Scalar>
void check_calibration(const char* who, const Matrix<Scalar>& x, Index inputs) {
  check_rows(who, "the calibration data", x.rows(), inputs, "inputs");
  if (x.cols() < 1) raise<ShapeError>(who, ": there are no calibration data; give a few hundred samples, one in each column");
  for (Index j = 0; j < x.cols(); ++j)
    if (!kernels::all_finite(x.rows(), x.data() + j * x.rows()))
      raise<ValueError>(who, ": sample ", j, " of the calibration data has NaN or infinity; remove it");
  bool are_equal = true;
  for (Index j = 1; j < x.cols() && are_equal; ++j) are_equal = x.col(j) == x.col(0);
  if (are_equal)
    raise<ValueError>(who, ": the calibration data are one sample", x.cols() > 1 ? text_of(", ", x.cols(), " times") : "",
                      ", which shows no range of numbers; give a few hundred different samples like those that the network will see");
}

/// The loss as one of Scalar.
template <class Scalar, class L>
AnyLoss<Scalar> loss_of_scalar(const L& loss) {
  return AnyLoss<Scalar>(loss);
}
template <class Scalar, class Other>
AnyLoss<Scalar> loss_of_scalar(const AnyLoss<Other>& loss) {
  if constexpr (std::is_same_v<Scalar, Other>)
    return loss;
  else
    return make_loss<Scalar>(loss.describe());
}

/// Throws ValueError for numbers, computed for the calibration data, that are not finite.
inline void check_finite_values(const char* who, std::string_view name, const Matrix<double>& numbers) {
  if (!kernels::all_finite(numbers.size(), numbers.data()))
    raise<ValueError>(who, ": ", name, " gives NaN or infinity for the calibration data");
}

/// The metric of predictions: accuracy of classes, else R2, else the loss.
template <class Target>
std::string metric_of(const AnyLoss<float>& loss, const Matrix<float>& prediction, const Matrix<float>& raw, const Target& y,
                      double& value) {
  if constexpr (LabelVector<Target>) {
    value = accuracy(prediction, y);
    return "accuracy";
  } else {
    if (loss.on_logits() && loss.takes_labels() && y.rows() == prediction.rows()) {
      value = accuracy(prediction, y);
      return "accuracy";
    }
    if (!loss.on_logits() && y.rows() == prediction.rows() && y.cols() > 1) {
      value = r2(prediction, y);
      return "R2";
    }
    value = static_cast<double>(loss.value(const_view<float>(raw), const_view<float>(y)));
    return "loss";
  }
}

}  // namespace detail

/// Quantizes a trained network of Dense layers and activations: int8 weights, activations of type Q, std::int8_t or std::int16_t, and int32
/// sums (Jacob et al. 2018, arXiv:1712.05877).
/// @code{.cpp}
/// const auto q = quantize<std::int8_t>(net, train.features.leftCols(500));
/// std::cout << q.report();
/// q.predict(x);
/// @endcode
/// calibration: inputs x samples, a few hundred samples like those that the network will see; the range of each layer is that of its
/// numbers for them. ReLU, LeakyReLU, PReLU and HardTanh are folded into the Dense before them; other activations become tables of 256
/// entries (int8) or 513 (int16). BatchNorm and Normalize are folded into a Dense beside them; before the first Dense they scale the inputs
/// in floating point, before these are rounded. Dropout is left out. predict applies the loss's link in floating point. Where the network
/// has FakeQuantize layers, their ranges take the place of those of the calibration data; see prepare_for_quantization.
///
/// Throws ShapeError for calibration data that do not fit or are empty; ValueError for NaN and infinity, for samples that are all equal,
/// for .clipped out of range, for parameters that are NaN or infinite, for a layer that has no form in integers (LayerNorm, Embedding,
/// Residual, Parallel, layers of your own), that gives NaN or infinity, numbers beyond float or too narrow a range of numbers, and for sums
/// that could exceed int32; and what predict throws for a network that cannot predict yet.
template <class Q, class Net, class X>
QuantizedNetwork<Q> quantize(const Net& net, const Eigen::DenseBase<X>& calibration, const QuantizationOptions& options = {}) {
  using Scalar = typename Net::ScalarType;
  const Matrix<Scalar> samples = calibration.derived().template cast<Scalar>();
  detail::check_calibration("quantize", samples, net.inputs());
  if (!(options.clipped >= 0 && options.clipped < 1))
    detail::raise<ValueError>("quantize: .clipped must be from 0 to below 1, got ", options.clipped);
  net.predict_raw(samples.leftCols(1).eval());  // throws where it cannot predict yet
  if (!kernels::all_finite(net.parameters().size(), net.parameters().data()))
    detail::raise<ValueError>("quantize: the network has a parameter that is NaN or infinite");
  const auto folded = detail::fold_layers(net);

  Matrix<double> exact = samples.template cast<double>();
  Vector<float> shift, scale;
  if (folded.scale.size() > 0) {
    exact = ((exact.colwise() - folded.shift).array().colwise() * folded.scale.array()).matrix().eval();
    shift = folded.shift.template cast<float>();
    scale = folded.scale.template cast<float>();
    detail::check_finite_values("quantize", "the scaling of the inputs", exact);
  }
  const auto quantization = [&](const std::string& name, const std::optional<detail::RangeOfNumbers>& learned) {
    const detail::RangeOfNumbers range = learned ? *learned : detail::range_of(exact, options.clipped);
    return detail::quantization_of<Q>("quantize: " + name, range.low, range.high);
  };
  const Quantization input = quantization("the inputs", folded.range_of_inputs);
  std::vector<Matrix<double>> exact_outputs{exact};
  std::vector<QuantizedLayer<Q>> layers;
  Quantization from = input;
  for (const auto& one : folded.layers) {
    QuantizedLayer<Q> layer;
    layer.name = one.name;
    layer.inputs = one.inputs;
    layer.outputs = one.outputs;
    if (one.is_dense()) exact = ((one.weight * exact).colwise() + one.bias).eval();
    detail::check_finite_values("quantize", one.name, exact);
    const bool needs_table = !one.is_dense() || static_cast<bool>(one.activation.function);
    if (one.is_dense() && needs_table) layer.z = quantization(one.name, one.range_of_z);
    one.activation.apply(exact);
    detail::check_finite_values("quantize", one.name, exact);
    layer.output = quantization(one.name, one.range);
    if (!one.is_dense()) layer.z = from;
    if (!needs_table) layer.z = layer.output;
    if (needs_table) layer.table = detail::table_of<Q>(one.activation, layer.z, layer.output);
    layer.lowest = needs_table ? (std::numeric_limits<Q>::min)() : detail::nearest<Q>(one.activation.low, layer.output);
    layer.highest = needs_table ? (std::numeric_limits<Q>::max)() : detail::nearest<Q>(one.activation.high, layer.output);
    if (one.is_dense()) detail::quantize_weights(one, from, one.scale_per_output.value_or(options.scale_per_output), layer);
    from = layer.output;
    layers.push_back(std::move(layer));
    exact_outputs.push_back(exact);
  }

  QuantizationReport report;
  report.samples = samples.cols();
  for (const QuantizedLayer<Q>& layer : layers) report.weight_bytes += static_cast<Index>(layer.weight.size());
  const QuantizedNetwork<Q> checked(shift, scale, input, layers, detail::loss_of_scalar<float>(net.loss_function()));
  Matrix<Q> q = checked.quantize_input(samples);
  report.layers.push_back(detail::measured("inputs", input, exact_outputs[0], q));
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const QuantizedLayer<Q>& layer = checked.layers()[l];
    Matrix<Q> a(layer.outputs, q.cols());
    for (Index j = 0; j < q.cols(); ++j) detail::apply(layer, q.col(j).data(), a.col(j).data());
    q = std::move(a);
    report.layers.push_back(detail::measured(layer.name, layer.output, exact_outputs[l + 1], q));
  }
  return {std::move(shift), std::move(scale), input, std::move(layers), detail::loss_of_scalar<float>(net.loss_function()),
          std::move(report)};
}

/// Quantizes a network as above, with the features of a data set as calibration data. The report compares the network and the quantized one
/// on the data set: the accuracy of a classifier, R2 where targets are numbers, else the loss.
template <class Q, class Net, class Scalar, class Targets>
QuantizedNetwork<Q> quantize(const Net& net, const Dataset<Scalar, Targets>& data, const QuantizationOptions& options = {}) {
  const DataView view(data);  // checks that there is a target for each sample
  const QuantizedNetwork<Q> q = quantize<Q>(net, data.features, options);
  const Matrix<typename Net::ScalarType> x = data.features.template cast<typename Net::ScalarType>();
  const Matrix<float> raw = net.predict_raw(x).template cast<float>(), prediction = net.predict(x).template cast<float>();
  const auto targets = [&] {
    if constexpr (detail::LabelVector<Targets>)
      return data.targets;
    else
      return data.targets.template cast<float>().eval();
  }();
  QuantizationReport report = q.report();
  report.metric = detail::metric_of(q.loss_function(), prediction, raw, targets, report.before);
  detail::metric_of(q.loss_function(), q.predict(x), q.predict_raw(x), targets, report.after);
  return {q.input_shift(), q.input_scale(), q.input(), q.layers(), q.loss_function(), std::move(report)};
}

}  // namespace chainrule
