#pragma once

#include <algorithm>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace chainrule {

/// Norms and unit statistics of one layer. The norms are Euclidean norms over the layer's weights W, without biases; for a layer without
/// weights (BatchNorm, PReLU), over all its parameters. A number that is not finite makes the norm infinite.
struct LayerFlow {
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();  ///< marks a number that was not or cannot be measured

  std::string name;              ///< kind of layer, such as "Dense"
  std::string activation;        ///< name of the activation, such as "ReLU"; empty if there is none
  Index weights = 0;             ///< number of weights that the norms cover; 0 for a layer without parameters
  double weight_norm = 0;        ///< ||W||
  double gradient_norm = 0;      ///< ||dJ/dW||
  double update_norm = unknown;  ///< ||W after a step - W before it||, for any optimizer; NaN before measure_update
  double saturated = unknown;    ///< fraction of units that are saturated; NaN if f cannot saturate or is not known
  double dead = unknown;         ///< fraction of units that are dead; NaN if units with f cannot die or f is not known
  bool frozen = false;           ///< whether the weights that the norms cover are frozen; then a gradient of 0 is no warning

  /// Root mean square of the gradient, ||dJ/dW|| / sqrt(weights), which can be compared between layers of different size.
  double gradient_per_weight() const { return weights > 0 ? gradient_norm / std::sqrt(static_cast<double>(weights)) : 0; }
};

/// Result of gradient_flow: numbers for each layer, and warnings about them. A slope |f'(z)| below a hundredth of its largest value counts
/// as flat. If f is flat at both ends (sigma, tanh), a unit is saturated when its slope is flat in 9 of 10 samples of the batch. If f is
/// flat at one end (ReLU, GELU), a unit is dead when its slope is flat in every sample.
struct GradientFlow {
  std::vector<LayerFlow> layers;      ///< one entry for each layer, as in summary(net); a Residual is one layer that includes those inside
  Index samples = 0;                  ///< number of samples in the batch
  std::vector<std::string> warnings;  ///< a sentence for each problem; empty if there is none

  /// Sets update_norm of each layer after an optimizer step, from the parameters before the step, and renews the warnings. Throws
  /// ShapeError if `before` does not have the size of net.parameters().
  template <class Net, class V>
  void measure_update(const Net& net, const Eigen::MatrixBase<V>& before);

  /// A table with a line for each layer, followed by the warnings.
  std::string to_string() const;

  /// Replaces the warnings with those that follow from the numbers of the layers. There is a warning for
  /// - a weight or gradient that is not finite;
  /// - a layer with half of its units saturated, or half of them dead in a batch of at least 16 samples;
  /// - a vanishing gradient: 0, or per weight below 1e-3 of the last layer's, so that the layer learns a thousand times slower;
  /// - an exploding gradient: ||dJ/dW|| > 100 ||W||, so that a step with a learning rate of 0.01 is longer than W;
  /// - an update longer than W.
  void update_warnings();

 private:
  std::string layer_label(std::size_t i) const {
    return detail::text_of("layer ", i, " (", layers[i].name, layers[i].activation.empty() ? "" : ", ", layers[i].activation, ")");
  }
  void warn_about_units(double LayerFlow::*fraction, const std::string& what, const char* remedy);
  void warn_about_gradients();
};

namespace detail {

/// "1.2e-07", or "-" for NaN.
inline std::string short_number(double value, int digits = 3) { return is_nan(value) ? "-" : printed(value, digits, 'g'); }

/// "12%" for 0.12, or "-" for NaN.
inline std::string percent(double fraction) { return is_nan(fraction) ? "-" : printed(100 * fraction, 0, 'f') + "%"; }

}  // namespace detail

inline void GradientFlow::update_warnings() {
  warnings.clear();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerFlow& layer = layers[i];
    if (!detail::is_finite(layer.weight_norm)) warnings.push_back(layer_label(i) + ": its weights are not finite");
    if (!detail::is_finite(layer.gradient_norm)) warnings.push_back(layer_label(i) + ": its gradient is not finite");
    if (!detail::is_nan(layer.update_norm) && layer.weight_norm > 0 && layer.update_norm > layer.weight_norm)
      warnings.push_back(detail::text_of(layer_label(i), ": one step moves its weights by ",
                                         detail::short_number(layer.update_norm / layer.weight_norm),
                                         " times their own norm; try a smaller learning rate"));
  }
  if (samples >= 16)
    warn_about_units(&LayerFlow::dead, detail::text_of("dead: they are active for none of the ", samples, " samples"),
                     "a smaller learning rate, He's initial weights, or leaky ReLU keep them alive");
  warn_about_units(&LayerFlow::saturated, "saturated, with f' almost 0",
                   "smaller initial weights (Xavier's), scaled inputs, or BatchNorm before f prevent that");
  warn_about_gradients();
}

inline void GradientFlow::warn_about_units(double LayerFlow::*fraction, const std::string& what, const char* remedy) {
  std::size_t count = 0, worst = 0;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (!detail::is_nan(layers[i].*fraction) && layers[i].*fraction >= 0.5 &&
        (count++ == 0 || layers[i].*fraction > layers[worst].*fraction))
      worst = i;
  if (count == 0) return;
  const std::string others =
      count > 1 ? detail::text_of(" (so are at least half of the units in ", count - 1, " other layer", count > 2 ? "s" : "", ")") : "";
  warnings.push_back(detail::text_of(layer_label(worst), ": ", detail::percent(layers[worst].*fraction), " of its units are ", what, others,
                                     "; ", remedy));
}

inline void GradientFlow::warn_about_gradients() {
  std::vector<std::size_t> learning;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].weights > 0 && !layers[i].frozen) learning.push_back(i);
    if (!detail::is_finite(layers[i].gradient_norm)) return;
  }
  if (learning.empty()) return;

  std::string layers_without_gradient;
  std::size_t weakest = learning.back(), strongest = learning.back();
  const auto strength = [this](std::size_t i) { return layers[i].weight_norm > 0 ? layers[i].gradient_norm / layers[i].weight_norm : 0; };
  for (const std::size_t i : learning) {
    if (layers[i].gradient_norm == 0) detail::append(layers_without_gradient += layers_without_gradient.empty() ? "layer " : ", ", i);
    if (layers[i].gradient_norm > 0 && layers[i].gradient_per_weight() < layers[weakest].gradient_per_weight()) weakest = i;
    if (strength(i) > strength(strongest)) strongest = i;
  }
  if (!layers_without_gradient.empty())
    warnings.push_back(layers_without_gradient + ": the gradient of the weights is 0, so a step does not change them");
  const double last = layers[learning.back()].gradient_per_weight();
  const double ratio = last > 0 ? layers[weakest].gradient_per_weight() / last : 1;
  if (ratio < 1e-3)
    warnings.push_back(detail::text_of(layer_label(weakest), ": its gradient per weight is ", detail::short_number(ratio, 2),
                                       " of the last layer's: it vanishes on its way back; ReLU or leaky ReLU, He's initial "
                                       "weights, BatchNorm or Residual prevent that"));
  if (strength(strongest) > 100)
    warnings.push_back(
        detail::text_of(layer_label(strongest), ": the norm of its gradient is ", detail::short_number(strength(strongest)),
                        " times that of its weights: it explodes; smaller initial weights (He's, Xavier's), scaled inputs and "
                        "targets, BatchNorm, or .clip_norm = 1 prevent that"));
}

inline std::string GradientFlow::to_string() const {
  std::size_t width = 10;
  for (const LayerFlow& layer : layers) width = (std::max)({width, layer.name.size(), layer.activation.size()});
  const auto line = [width](std::string text, const std::string& name, const std::string& f, const std::vector<std::string>& numbers) {
    text.resize(7, ' ');
    for (const std::string& column : {name, f}) text += column + std::string(width + 2 - column.size(), ' ');
    for (const std::string& column : numbers) text += std::string(column.size() < 11 ? 11 - column.size() : 1, ' ') + column;
    return text + "\n";
  };
  std::string text = line("layer", "kind", "activation", {"|weights|", "|gradient|", "|update|", "saturated", "dead"});
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerFlow& layer = layers[i];
    const auto norm = [&](double value) { return layer.weights > 0 ? detail::short_number(value) : "-"; };
    text += line(std::to_string(i), layer.name, layer.activation,
                 {norm(layer.weight_norm), norm(layer.gradient_norm), norm(layer.update_norm), detail::percent(layer.saturated),
                  detail::percent(layer.dead)});
  }
  for (const std::string& warning : warnings) text += warning + "\n";
  return text;
}

}  // namespace chainrule
