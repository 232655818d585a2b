#pragma once
// What gradient_flow found: numbers for each layer, and what is wrong with them in sentences.

#include <algorithm>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace chainrule {

/// One layer of a GradientFlow. Norms are Euclidean, and of the layer's weights W alone; where it has none (BatchNorm, PReLU), of all its
/// parameters. A number that is not finite makes the norm infinite.
struct LayerFlow {
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();  ///< stands where nothing can be said

  std::string name;              ///< "Dense"
  std::string activation;        ///< "ReLU"
  Index weights = 0;             ///< how many numbers the norms are of; 0: it learns nothing
  double weight_norm = 0;        ///< ||W||
  double gradient_norm = 0;      ///< ||dJ/dW||
  double update_norm = unknown;  ///< ||W after a step - W before||, whatever the optimizer does; NaN before measure_update
  double saturated = unknown;    ///< share of its units that are saturated; NaN where f cannot saturate, or where f is not known
  double dead = unknown;         ///< share of its units that are dead; NaN where no unit can die, or where f is not known

  /// ||dJ/dW|| / sqrt(weights), the root mean square: comparable between layers of different size.
  double gradient_per_weight() const { return weights > 0 ? gradient_norm / std::sqrt(static_cast<double>(weights)) : 0; }
};

/// What gradient_flow found. A unit is saturated where |f'(z)| is below a hundredth of its largest value in 9 of 10 samples of the batch
/// and f is flat at both ends (sigma, tanh); dead, where f is flat at one end (ReLU), if it is so in every sample. See
/// inspect/detail/unit_statistics.hpp.
struct GradientFlow {
  std::vector<LayerFlow> layers;      ///< as in summary(net); a Residual is one layer, with the units inside it
  Index samples = 0;                  ///< of the batch that was looked at
  std::vector<std::string> warnings;  ///< what is wrong, in sentences; empty: nothing is

  /// After a step: the norm of what it did to each layer, from net.parameters() before it. ShapeError for a vector of another size.
  template <class Net, class V>
  void measure_update(const Net& net, const Eigen::MatrixBase<V>& before);

  /// A table with a line for each layer, and the warnings below it.
  std::string to_string() const;

  /// Writes the warnings anew from the numbers of the layers:
  /// - a weight or gradient that is not finite;
  /// - half of a layer's units saturated, or dead in a batch of at least 16 samples;
  /// - vanishing: a layer's gradient per weight below 1e-3 of the last layer's, so that it learns a thousand times slower; or 0;
  /// - exploding: ||dJ/dW|| > 100 ||W||, so that a step with a learning rate of 0.01 is longer than W;
  /// - an update longer than W.
  void judge();

 private:
  std::string place(std::size_t i) const {
    return detail::text_of("layer ", i, " (", layers[i].name, layers[i].activation.empty() ? "" : ", ", layers[i].activation, ")");
  }
  void warn_of_units(double LayerFlow::*share, const std::string& what, const char* remedy);
  void warn_of_gradients();
};

namespace detail {

/// "1.2e-07", or "-" for NaN.
inline std::string short_number(double value, int digits = 3) { return value != value ? "-" : printed(value, digits, 'g'); }

inline std::string percent(double share) { return share != share ? "-" : printed(100 * share, 0, 'f') + "%"; }

}  // namespace detail

inline void GradientFlow::judge() {
  warnings.clear();
  const auto infinite = [](double norm) { return norm > std::numeric_limits<double>::max(); };
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerFlow& layer = layers[i];
    if (infinite(layer.weight_norm)) warnings.push_back(place(i) + ": its weights are not finite");
    if (infinite(layer.gradient_norm)) warnings.push_back(place(i) + ": its gradient is not finite");
    if (layer.weight_norm > 0 && layer.update_norm > layer.weight_norm)
      warnings.push_back(detail::text_of(place(i), ": one step moves its weights by ",
                                         detail::short_number(layer.update_norm / layer.weight_norm),
                                         " times their own norm; a smaller learning rate leaves something of them"));
  }
  if (samples >= 16)
    warn_of_units(&LayerFlow::dead, detail::text_of("dead, for they fire for none of the ", samples, " samples"),
                  "a smaller learning rate, He's initial weights, or leaky ReLU keep them alive");
  warn_of_units(&LayerFlow::saturated, "saturated, where f' is next to 0",
                "smaller initial weights (Xavier's), scaled inputs, or BatchNorm before f keep them out of there");
  warn_of_gradients();
}

inline void GradientFlow::warn_of_units(double LayerFlow::*share, const std::string& what, const char* remedy) {
  std::size_t count = 0, worst = 0;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (layers[i].*share >= 0.5 && (count++ == 0 || layers[i].*share > layers[worst].*share)) worst = i;
  if (count == 0) return;
  const std::string others = count > 1 ? detail::text_of(" (and at least half of them in ", count - 1, " more)") : "";
  warnings.push_back(
      detail::text_of(place(worst), ": ", detail::percent(layers[worst].*share), " of its units are ", what, others, "; ", remedy));
}

inline void GradientFlow::warn_of_gradients() {
  std::vector<std::size_t> learning;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].weights > 0) learning.push_back(i);
    if (!(layers[i].gradient_norm <= std::numeric_limits<double>::max())) return;
  }
  if (learning.empty()) return;

  std::string without;
  std::size_t faintest = learning.back(), strongest = learning.back();
  const auto strength = [this](std::size_t i) { return layers[i].weight_norm > 0 ? layers[i].gradient_norm / layers[i].weight_norm : 0; };
  for (const std::size_t i : learning) {
    if (layers[i].gradient_norm == 0) detail::append(without += without.empty() ? "layer " : ", ", i);
    if (layers[i].gradient_norm > 0 && layers[i].gradient_per_weight() < layers[faintest].gradient_per_weight()) faintest = i;
    if (strength(i) > strength(strongest)) strongest = i;
  }
  if (!without.empty()) warnings.push_back(without + ": the gradient of the weights is 0, so that a step leaves them as they are");
  const double ratio = layers[faintest].gradient_per_weight() / layers[learning.back()].gradient_per_weight();
  if (ratio < 1e-3)
    warnings.push_back(detail::text_of(place(faintest), ": its gradient is ", detail::short_number(ratio, 2),
                                       " of the last layer's, per weight: it vanishes on its way back; ReLU or leaky ReLU, He's initial "
                                       "weights, BatchNorm or Residual let it pass"));
  if (strength(strongest) > 100)
    warnings.push_back(
        detail::text_of(place(strongest), ": the norm of its gradient is ", detail::short_number(strength(strongest)),
                        " times that of its weights: it explodes; smaller initial weights (He's, Xavier's), scaled inputs and "
                        "targets, BatchNorm, or .clip_norm = 1 hold it"));
}

inline std::string GradientFlow::to_string() const {
  std::size_t width = 10;
  for (const LayerFlow& layer : layers) width = std::max({width, layer.name.size(), layer.activation.size()});
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
