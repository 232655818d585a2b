#pragma once

#include <algorithm>
#include <array>
#include <chainrule/core/description.hpp>
#include <chainrule/core/detail/chain.hpp>
#include <chainrule/core/detail/scalar_name.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/losses/heads.hpp>
#include <chainrule/network.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule {

namespace detail {

/// Decimal digits with thousands separators: "2,410" for 2410.
inline std::string with_separators(Index number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

using TableRow = std::array<std::string, 5>;

/// Text of a table whose columns are as wide as their widest entry. The last column holds numbers and is aligned to the right.
inline std::string format_table(const std::vector<TableRow>& rows) {
  std::array<std::size_t, 5> width{};
  for (const TableRow& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = (std::max)(width[c], row[c].size());
  std::string text;
  for (const TableRow& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string space(width[c] - row[c].size(), ' ');
      text += c + 1 < row.size() ? text_of(row[c], space, "  ") : text_of(space, row[c], "\n");
    }
  }
  return text;
}

/// Returns what a table says after the kind of a layer with the parameters [begin, end).
template <class Net>
std::string frozen_mark(const Net& net, Index begin, Index end) {
  if (net.frozen() == nullptr || !net.frozen()->overlaps(begin, end)) return "";
  return net.frozen()->contains(begin, end) ? " (frozen)" : " (partly frozen)";
}

/// Adds the rows of the layers inside layer `number`, whose tensors are those with names that begin with `prefix`, the number of the part
/// and a dot, as "0.weight". theta(begin) is the first of their parameters.
template <class Net, class Tensors>
void add_rows_of_parts(std::vector<TableRow>& rows, const Net& net, const Description& of, const std::string& number,
                       const Tensors& tensors, Index begin, const std::string& prefix = "", const std::string& indent = "  ") {
  for (std::size_t i = 0; i < of.parts.size(); ++i) {
    const Description& part = of.parts[i];
    if (part.inputs == 0) continue;  // an activation
    const std::string of_part = text_of(prefix, i, ".");
    Index size = 0;
    for (const TensorShape& tensor : tensors)
      if (std::string_view(tensor.name).substr(0, of_part.size()) == of_part) size += tensor.size();
    const bool has_activation = !part.parts.empty() && part.parts[0].inputs == 0;
    rows.push_back({text_of(number, ".", i), text_of(indent, part.kind, frozen_mark(net, begin, begin + size)),
                    text_of(part.inputs, " -> ", part.outputs), has_activation ? part.parts[0].kind : "", with_separators(size)});
    add_rows_of_parts(rows, net, part, text_of(number, ".", i), tensors, begin, of_part, indent + "  ");
    begin += size;
  }
}

/// The heads of a Heads with their outputs, losses and weights, a line each; empty for other losses.
inline std::string lines_of_heads(const Description& loss, const std::string& indent = "  ") {
  std::string lines;
  Index first = 0;
  for (const Description& head : loss.parts) {
    if (head.kind != head_name || head.hyperparameters.size() != 2 || head.parts.size() != 1) return "";
    const auto outputs = static_cast<Index>(head.hyperparameters[0].second);
    lines += text_of(indent, outputs == 1 ? text_of("output ", first) : text_of("outputs ", first, " to ", first + outputs - 1), ": ",
                     head.parts[0].kind, ", weight ", head.hyperparameters[1].second, "\n", lines_of_heads(head.parts[0], indent + "  "));
    first += outputs;
  }
  return lines;
}

}  // namespace detail

/// Describes the network as a table: a line for each layer with its index i (as in `net.layer<i>()`), kind, shape, activation and number
/// of parameters; then a line with the total number of parameters, the scalar type and the loss. The layers inside a Residual, a Parallel
/// or a Sequential follow in lines of their own, numbered as in the names of their tensors: layer 1.0 has the tensor "1.0.weight". The
/// parameters of a layer include those of the layers inside. Where something is frozen, it says which layers, and how many parameters are
/// trainable. Heads follow with their outputs, losses and weights.
template <class Net>
std::string summary(const Net& net) {
  std::vector<detail::TableRow> rows{{"layer", "kind", "shape", "activation", "parameters"}};
  Index total = 0, i = 0;
  detail::for_each_layer(net.layers(), [&](const auto& layer) {
    const Index size = detail::size_of_tensors(layer.tensors());
    total += size;
    const std::string number = std::to_string(i++);
    rows.push_back({number, std::string(layer.name) + detail::frozen_mark(net, total - size, total),
                    detail::text_of(layer.inputs(), " -> ", layer.outputs()), std::string(layer.activation_name()),
                    detail::with_separators(size)});
    detail::add_rows_of_parts(rows, net, describe(layer), number, layer.tensors(), total - size);
  });
  const Index trainable = net.trainable_parameters();
  return detail::text_of(detail::format_table(rows), "total: ", detail::with_separators(total), " parameters",
                         trainable < total ? ", " + detail::with_separators(trainable) + " of them trainable," : "", " of ",
                         detail::scalar_name<typename Net::ScalarType>(), "; loss: ", net.loss_function().name, "\n",
                         detail::lines_of_heads(describe(net.loss_function())));
}

/// Prints summary(net): `std::cout << net`.
template <class Stream, class Scalar, class LossType, class... Layers>
Stream& operator<<(Stream& out, const Network<Scalar, LossType, Layers...>& net) {
  out << summary(net);
  return out;
}

}  // namespace chainrule
