#pragma once

#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/quantization/quantized_layer.hpp>
#include <string>
#include <vector>

namespace chainrule {

/// Range and errors of the output of one layer, measured with the calibration data.
struct LayerQuantization {
  std::string name;            ///< the layers of the network that it comes from, such as "layer<0>, Dense ReLU"
  double low = 0;              ///< the smallest number that an integer stands for: scale (lowest q - zero_point)
  double high = 0;             ///< the largest number that an integer stands for
  Quantization quantization;   ///< scale and zero point of the output
  double clipped = 0;          ///< the share of the exact outputs that lie more than half a step outside of [low, high]
  double largest_error = 0;    ///< the largest difference of an output from the exact one, with the errors of the layers before
  double signal_to_noise = 0;  ///< SQNR in decibels: 10 log10(sum a^2 / sum (a - exact a)^2); infinite where there is no error
};

/// Ranges and errors of each layer, and the quality of the predictions before and after, as measured by quantize. Printed by <<.
struct QuantizationReport {
  std::vector<LayerQuantization> layers;  ///< the inputs first, then one for each QuantizedLayer
  Index samples = 0;                      ///< how many samples of calibration data there were
  Index weight_bytes = 0;                 ///< bytes of the weights in int8, a quarter of those in float
  std::string metric;                     ///< "accuracy", "R2" or "loss" of the calibration data; empty where quantize was given no targets
  double before = 0;                      ///< the metric of the network
  double after = 0;                       ///< the metric of the quantized network

  /// A table with a line for each layer, and a line for the predictions.
  std::string to_string() const {
    const auto column = [](std::string text, std::size_t width) {
      return (text.size() < width ? std::string(width - text.size(), ' ') : " ") + text;
    };
    std::size_t widest = 6;
    for (const LayerQuantization& layer : layers) widest = layer.name.size() > widest ? layer.name.size() : widest;
    std::string text = "layer" + column("low", widest + 5) + column("high", 12) + column("scale", 12) + column("zero", 7) +
                       column("clipped %", 11) + column("max error", 11) + column("SQNR dB", 9) + "\n";
    for (const LayerQuantization& layer : layers)
      text += layer.name + column(detail::printed(layer.low, 4, 'g'), widest + 10 - layer.name.size()) +
              column(detail::printed(layer.high, 4, 'g'), 12) +
              column(detail::printed(static_cast<double>(layer.quantization.scale), 4, 'g'), 12) +
              column(std::to_string(layer.quantization.zero_point), 7) + column(detail::printed(100 * layer.clipped, 3, 'g'), 11) +
              column(detail::printed(layer.largest_error, 3, 'g'), 11) + column(detail::printed(layer.signal_to_noise, 1, 'f'), 9) + "\n";
    text += detail::text_of(samples, " samples; ", weight_bytes, " bytes of weights");
    if (!metric.empty())
      text += "; " + metric + " " + detail::printed(before, 4, 'f') + " before, " + detail::printed(after, 4, 'f') + " after";
    return text + "\n";
  }
  /// Prints to_string().
  template <class Stream>
  friend Stream& operator<<(Stream& out, const QuantizationReport& report) {
    out << report.to_string();
    return out;
  }
};

}  // namespace chainrule
