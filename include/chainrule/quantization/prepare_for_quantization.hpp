#pragma once
// Quantisation-aware training: makes a network of a trained one that learns with the rounding of the quantized network.

#include <chainrule/any/any_network.hpp>
#include <chainrule/any/from_description.hpp>
#include <chainrule/quantization/quantize.hpp>

namespace chainrule {

/// How a network is prepared for quantisation-aware training.
struct PreparationOptions {
  bool scale_per_output = true;  ///< a scale for the weights of each output of a Dense; false: one scale for all its weights
  double momentum = 0.01;        ///< the share of each batch in the ranges, from 0 to 1; 0 keeps those of the calibration data
};

/// A network of the same function as a trained one, which rounds as the quantized network will, and can be trained on with that rounding
/// (Jacob et al. 2018, section 3):
/// @code{.cpp}
/// auto rounded = prepare_for_quantization(net, train.features);
/// Trainer{rounded, Adam{.learning_rate = 1e-4}}.fit(train, {.epochs = 5});
/// const auto q = quantize<std::int8_t>(rounded, train);  // with the ranges that the network has learned
/// @endcode
/// Each Dense becomes a FakeQuantizedDense, an activation, and a FakeQuantize of its output; activations that become tables have one before
/// them too, and the inputs one. BatchNorm and Normalize are folded into the weights as quantize folds them, Dropout is left out. The
/// ranges begin as those of the calibration data. The result trains, is saved and is loaded like any AnyNetwork. Its predictions and those
/// of the quantized network differ by rounding alone: on most outputs not at all, on others by a step or two.
///
/// Throws what quantize throws for layers and calibration data, ValueError for a momentum that is not from 0 to 1, and for a network that
/// has been prepared already.
template <class Net, class X, class Scalar = typename Net::ScalarType>
AnyNetwork<Scalar> prepare_for_quantization(const Net& net, const Eigen::DenseBase<X>& calibration,
                                            const PreparationOptions& options = {}) {
  const Matrix<Scalar> samples = calibration.derived().template cast<Scalar>();
  detail::check_calibration("prepare_for_quantization", samples, net.inputs());
  net.predict_raw(samples.leftCols(1).eval());  // throws where it cannot predict yet
  const auto folded = detail::fold_layers(net);
  if (folded.range_of_inputs || std::any_of(folded.layers.begin(), folded.layers.end(),
                                            [](const detail::FoldedLayer& one) { return one.range || one.scale_per_output; }))
    detail::raise<ValueError>("prepare_for_quantization: this network has FakeQuantize layers already; train it, and quantize it");

  Matrix<double> exact = samples.template cast<double>();
  AnyLayers<Scalar> layers;
  std::vector<detail::RangeOfNumbers> ranges;
  const auto add_range = [&] {
    layers.add(FakeQuantize<Dynamic>{exact.rows(), options.momentum});
    ranges.push_back(detail::range_of(exact, 0));
  };
  const bool is_scaled = folded.scale.size() > 0;
  if (is_scaled) {
    layers.add(Normalize<Dynamic>{net.inputs()});
    exact = ((exact.colwise() - folded.shift).array().colwise() * folded.scale.array()).matrix().eval();
  }
  add_range();
  for (const auto& one : folded.layers) {
    if (one.is_dense()) {
      if (options.scale_per_output)
        layers.add(FakeQuantizedDense<Dynamic, Dynamic>{one.inputs, one.outputs});
      else
        layers.add(FakeQuantizedDense<Dynamic, Dynamic, WeightScales::per_tensor>{one.inputs, one.outputs});
      exact = ((one.weight * exact).colwise() + one.bias).eval();
      if (one.activation.function) add_range();
    }
    one.activation.apply(exact);
    detail::check_finite_values("prepare_for_quantization", one.name, exact);
    if (!one.activation.is_identity()) {
      Description activation = one.activation_kind;
      if (one.activation.slopes.empty() || activation.kind == LeakyReLU::name)
        activation = {std::string(Activate<Identity>::name), one.outputs, one.outputs, {}, {activation}};
      layers.add(make_layer<Scalar>(activation));
    }
    add_range();
  }

  auto result = AnyNetwork<Scalar>::zeros(detail::loss_of_scalar<Scalar>(net.loss_function()), layers);
  Index parameter = 0, buffer = 0;
  const auto put = [](VectorView<Scalar> to, Index& next, const auto& numbers) {
    for (const auto number : numbers.reshaped()) to[next++] = static_cast<Scalar>(number);
  };
  if (is_scaled) {
    put(result.buffers(), buffer, folded.shift);
    put(result.buffers(), buffer, folded.scale);
  }
  for (const detail::RangeOfNumbers& range : ranges) {
    FakeQuantize<Dynamic>{1, options.momentum}.buffers(result.buffers().data() + buffer).set(range.low, range.high);
    buffer += 3;
  }
  for (const auto& one : folded.layers) {
    if (one.is_dense()) {
      put(result.parameters(), parameter, one.weight);
      put(result.parameters(), parameter, one.bias);
    }
    if (!one.activation.slopes.empty() && one.activation_kind.kind != LeakyReLU::name)
      for (const double slope : one.activation.slopes) result.parameters()[parameter++] = static_cast<Scalar>(slope);
  }
  return result;
}

}  // namespace chainrule
