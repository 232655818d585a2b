#pragma once
// The fingerprint of a network: its structure as lines of text. Comparing two of them finds the first difference, which an error can quote.

#include <algorithm>
#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/tensor_shape.hpp>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace chainrule::detail {

/// Adds a line that consists of these parts.
template <class... Parts>
void add_line(std::string& lines, const Parts&... parts) {
  lines += text_of(parts..., "\n");
}

/// Adds lines with the kind, extents and hyperparameters of a description and of its parts. `name` is what the lines begin with:
/// "layer<0>"; the parts are "layer<0>.activation", or "layer<0>.1" for the second layer inside a Residual.
inline void add_description(std::string& lines, const std::string& name, const Description& of) {
  add_line(lines, name, ": ", of.kind, of.inputs > 0 ? text_of(" ", of.inputs, " -> ", of.outputs) : std::string());
  for (const auto& [what, value] : of.hyperparameters) add_line(lines, name, ".", what, ": ", value);
  for (std::size_t i = 0; i < of.parts.size(); ++i)
    add_description(lines, of.inputs > 0 && of.parts[i].inputs == 0 ? name + ".activation" : text_of(name, ".", i), of.parts[i]);
}

/// Adds a line with name and extents for each tensor.
inline void add_tensors(std::string& lines, const std::string& of, std::span<const TensorShape> tensors) {
  for (const TensorShape& tensor : tensors) add_line(lines, of, ".", std::string_view(tensor.name), ": ", tensor.rows, " x ", tensor.cols);
}

/// The fingerprint of a network: the same for a Network and an AnyNetwork of the same layers, loss and scalar, whatever their parameters
/// are.
template <class Net>
std::string fingerprint_of(const Net& net) {
  using Scalar = typename Net::ScalarType;
  std::string lines;
  add_line(lines, "scalar: ", std::numeric_limits<Scalar>::digits, " binary digits in ", sizeof(Scalar), " bytes");
  std::size_t i = 0;
  for_each_layer(net.layers(), [&](const auto& layer) {
    const std::string name = text_of("layer<", i++, ">");
    add_description(lines, name, describe(layer));
    add_tensors(lines, name, layer.tensors());
    if constexpr (requires { layer.buffer_tensors(); }) add_tensors(lines, name, layer.buffer_tensors());
  });
  add_description(lines, "loss", describe(net.loss_function()));
  return lines;
}

/// Adds lines with the name and the hyperparameters of an optimizer.
template <class Rule>
void add_rule(std::string& lines, const Rule& rule) {
  add_line(lines, "optimizer: ", std::string_view(Rule::name));
  const auto add = [&](std::string_view name, auto value) {
    if constexpr (std::is_same_v<decltype(value), bool>)
      add_line(lines, "optimizer.", name, ": ", value ? "yes" : "no");
    else
      add_line(lines, "optimizer.", name, ": ", value);
  };
  if constexpr (requires { rule.hyperparameters(); })
    std::apply([&](const auto&... each) { (add(each.name, each.value), ...); }, rule.hyperparameters());
  if constexpr (requires { rule.groups(); })
    for (const auto& group : rule.groups())
      add_line(lines, "optimizer.groups: ", in_quotes(group.name), ", rate ", group.rate, ", decay ", group.decay);
}

/// The first line in which two texts differ, in quotes: that of `a` and that of `b`. Both are empty where the texts are equal.
inline std::pair<std::string, std::string> first_difference(std::string_view a, std::string_view b) {
  const auto next_line = [](std::string_view& lines) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix((std::min)(lines.size(), line.size() + 1));
    return line;
  };
  const auto shown = [](std::string_view line) { return line.empty() ? std::string("no such line") : in_quotes(line, 100); };
  while (!a.empty() || !b.empty()) {
    const std::string_view of_a = next_line(a), of_b = next_line(b);
    if (of_a != of_b) return {shown(of_a), shown(of_b)};
  }
  return {};
}

/// Throws ValueError with the first line that differs, unless the two fingerprints are equal.
inline void check_fingerprint(std::string_view file, std::string_view expected, std::string_view found) {
  const auto [wanted, there] = first_difference(expected, found);
  if (!wanted.empty()) raise<ValueError>(file, " is of another network or training: expected ", wanted, ", but found ", there);
}

}  // namespace chainrule::detail
