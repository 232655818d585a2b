#pragma once
// What a network is, as lines of text: so two can be compared, and the first difference told in words.

#include <algorithm>
#include <chainrule/core/chain.hpp>
#include <chainrule/data/in_quotes.hpp>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace chainrule::detail {

template <class... Parts>
void add_line(std::string& lines, const Parts&... parts) {
  (append(lines, parts), ...);
  lines += '\n';
}

inline void add_tensors(std::string& lines, const std::string& of, std::span<const TensorShape> tensors) {
  for (const TensorShape& tensor : tensors) add_line(lines, of, ".", std::string_view(tensor.name), ": ", tensor.rows, " x ", tensor.cols);
}

template <class T>
void add_hyperparameters(std::string& lines, const std::string& of, const T& object) {
  if constexpr (requires { object.hyperparameters(); })
    std::apply([&](const auto&... each) { (add_line(lines, of, ".", each.name, ": ", static_cast<double>(each.value)), ...); },
               object.hyperparameters());
}

/// Kind, extents, activation, hyperparameters where it has some, tensors, and the layers inside of it.
template <class L>
void add_layer(std::string& lines, const std::string& name, const L& layer);

template <class... Layers>
void add_layers(std::string& lines, const std::string& before, const std::string& behind, const std::tuple<Layers...>& layers) {
  std::size_t i = 0;
  for_each_layer(layers, [&](const auto& layer) { add_layer(lines, text_of(before, i++, behind), layer); });
}

template <class L>
void add_layer(std::string& lines, const std::string& name, const L& layer) {
  add_line(lines, name, ": ", std::string_view(layer.name), " ", layer.inputs(), " -> ", layer.outputs());
  if (const std::string_view activation = layer.activation_name(); !activation.empty()) add_line(lines, name, ".activation: ", activation);
  if constexpr (requires { layer.activation(); }) add_hyperparameters(lines, name + ".activation", layer.activation());
  add_hyperparameters(lines, name, layer);
  add_tensors(lines, name, layer.tensors());
  add_tensors(lines, name, buffer_tensors_of(layer));
  if constexpr (requires { layer.layers(); }) add_layers(lines, name + ".", "", layer.layers());
}

/// The lines of a network. Nothing about its numbers.
template <class Net>
std::string identity_of(const Net& net) {
  using Scalar = typename Net::ScalarType;
  std::string lines;
  add_line(lines, "scalar: ", std::numeric_limits<Scalar>::digits, " binary digits in ", sizeof(Scalar), " bytes");
  add_layers(lines, "layer<", ">", net.layers());
  add_line(lines, "loss: ", std::string_view(net.loss_function().name));
  add_hyperparameters(lines, "loss", net.loss_function());
  return lines;
}

/// Throws ValueError with the first line that differs.
inline void check_identity(std::string_view file, std::string_view expected, std::string_view found) {
  const auto next_line = [](std::string_view& lines) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    return line;
  };
  const auto shown = [](std::string_view line) { return line.empty() ? std::string("no such line") : in_quotes(line); };
  while (!expected.empty() || !found.empty()) {
    const std::string_view wanted = next_line(expected);
    if (const std::string_view line = next_line(found); line != wanted)
      raise<ValueError>(file, " is of another network or training: expected ", shown(wanted), ", but found ", shown(line));
  }
}

}  // namespace chainrule::detail
