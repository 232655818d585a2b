#pragma once
// Writes networks in integers as ONNX models with QuantizeLinear and DequantizeLinear (QDQ), which onnxruntime runs in integers. Needs the
// protobuf messages of ONNX (link with chainrule::onnx), so chainrule.hpp does not include it.

#include <chainrule/io/to_onnx.hpp>
#include <chainrule/quantization/quantized_network.hpp>

namespace chainrule {

namespace detail {

/// The real number that a factor stands for.
inline double real_of(const FixedPoint& factor) { return std::ldexp(static_cast<double>(factor.multiplier), factor.shift - 31); }

/// Adds the nodes of a network in integers.
class QuantizedOnnxWriter {
 public:
  explicit QuantizedOnnxWriter(OnnxWriter<float>& writer) : writer_{writer} {}

  /// Rounds x to integers, and returns the name of these.
  std::string quantize(const std::string& x, const Quantization& to) {
    return writer_.node("QuantizeLinear", {x, scalar("scale", to.scale), zero_point(to)});
  }
  /// The real numbers that integers stand for.
  std::string dequantize(const std::string& q, const Quantization& of) {
    return writer_.node("DequantizeLinear", {q, scalar("scale", of.scale), zero_point(of)});
  }
  std::string vector(const char* name, const std::vector<float>& numbers) {
    return writer_.vector(name, Eigen::Map<const Vector<float>>(numbers.data(), static_cast<Index>(numbers.size())));
  }

  /// Adds a layer, and returns the name of its outputs as real numbers. `from`: scale and zero point of its inputs, which are x.
  std::string layer(const QuantizedLayer<std::int8_t>& layer, const Quantization& from, std::string x) {
    if (!layer.weight.empty()) x = dense(layer, from, x);
    std::string q = quantize(x, layer.z);
    if (!layer.table.empty()) {
      const std::int32_t middle = 128;
      const std::string index =
          writer_.node("Add", {writer_.cast(q, pb::TensorProto::INT32), tensor<std::int32_t>("middle", {}, {&middle, 1})});
      q = writer_.node("Gather", {tensor<std::int8_t>("table", {256}, layer.table), index});
    }
    return dequantize(q, layer.output);
  }

 private:
  // z = W x + b with the activation that is folded into slopes and limits
  std::string dense(const QuantizedLayer<std::int8_t>& layer, const Quantization& from, const std::string& x) {
    const bool per_output = layer.weight_scale.size() > 1;
    const auto axis = [&] {
      if (per_output) writer_.attribute("axis", 0);
    };
    std::vector<float> bias_scale;
    for (const float scale : layer.weight_scale) bias_scale.push_back(scale * from.scale);
    const auto scales = [&](const std::vector<float>& numbers) {
      return per_output ? vector("scale", numbers) : scalar("scale", numbers[0]);
    };
    const std::string w = writer_.node(
        "DequantizeLinear", {tensor<std::int8_t>("weight", {layer.outputs, layer.inputs}, layer.weight), scales(layer.weight_scale)});
    axis();
    const std::string b = writer_.node("DequantizeLinear", {tensor<std::int32_t>("bias", {layer.outputs}, layer.bias), scales(bias_scale)});
    axis();
    std::string z = writer_.node("Gemm", {x, w, b});
    writer_.attribute("transB", 1);
    if (!layer.factor_below_0.empty()) {
      std::vector<float> slopes;
      for (std::size_t i = 0; i < layer.factor.size(); ++i) {
        const double above = real_of(layer.factor[i]);
        slopes.push_back(above == 0 ? 0.0f : static_cast<float>(real_of(layer.factor_below_0[i]) / above));
      }
      z = writer_.node("PRelu", {z, vector("slope", slopes)});
    }
    const auto real = [&](std::int32_t q) { return static_cast<double>(layer.z.scale) * static_cast<double>(q - layer.z.zero_point); };
    if (layer.lowest == layer.z.zero_point && layer.highest == 127) return writer_.node("Relu", {z});
    if (layer.lowest == -128 && layer.highest == 127) return z;
    return writer_.clip(z, real(layer.lowest), real(layer.highest));
  }

  std::string scalar(const char* name, float number) { return writer_.number(static_cast<double>(number), name); }
  std::string zero_point(const Quantization& of) {
    const auto zero = static_cast<std::int8_t>(of.zero_point);
    return tensor<std::int8_t>("zero_point", {}, {&zero, 1});
  }
  template <class Number>
  std::string tensor(const char* name, const std::vector<Index>& shape, std::span<const Number> numbers) {
    return writer_.quantized(name, shape, numbers);
  }

  OnnxWriter<float>& writer_;
};

}  // namespace detail

/// The bytes of an ONNX model of a network in integers: x is batch x inputs, y is batch x outputs, both float. Weights are int8, biases
/// int32; each Dense stands between DequantizeLinear and QuantizeLinear, from which onnxruntime makes one operation on integers. Operator
/// set 13. Runtimes multiply sums by the factors in floating point and round once, so an integer may differ from the library's by one where
/// it lies near the middle between two; where the activation is a table that is steep there, by more. Throws ValueError for a loss that has
/// no form in ONNX.
inline std::string to_onnx(const QuantizedNetwork<std::int8_t>& net, const OnnxOptions& options = {}) {
  detail::check_onnx_names(options);
  detail::pb::ModelProto model;
  detail::pb::GraphProto& graph = *model.mutable_graph();
  detail::OnnxWriter<float> writer(graph);
  detail::QuantizedOnnxWriter quantized(writer);
  writer.place = "0.";
  std::string x = options.input;
  if (net.input_scale().size() > 0) {
    const auto map = [](const Vector<float>& numbers) { return Eigen::Map<const Vector<float>>(numbers.data(), numbers.size()); };
    const std::string centered = writer.node("Sub", {x, writer.vector("shift", map(net.input_shift()))});
    x = writer.multiply(centered, writer.vector("scale", map(net.input_scale())));
  }
  x = quantized.dequantize(quantized.quantize(x, net.input()), net.input());
  Quantization from = net.input();
  for (std::size_t i = 0; i < net.layers().size(); ++i) {
    writer.place = std::to_string(i) + ".";
    x = quantized.layer(net.layers()[i], from, x);
    from = net.layers()[i].output;
  }
  writer.place = std::to_string(net.layers().size()) + ".";
  if (!options.raw_outputs) detail::add_onnx_link(net.loss_function(), writer, x, net.outputs());
  return detail::finished_onnx<float>(model, options, net.inputs(), net.outputs());
}

/// Writes to_onnx(net, options) into a file. An existing file is replaced only when the new one is complete. Throws what to_onnx throws,
/// and ValueError with the system's reason where the file cannot be written.
inline void save_onnx(const QuantizedNetwork<std::int8_t>& net, const std::string& path, const OnnxOptions& options = {}) {
  detail::write_file("save_onnx", path, to_onnx(net, options));
}

}  // namespace chainrule
