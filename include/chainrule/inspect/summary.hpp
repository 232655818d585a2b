#pragma once

#include <algorithm>
#include <array>
#include <chainrule/core/detail/chain.hpp>
#include <chainrule/core/detail/scalar_name.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/network.hpp>
#include <string>
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

}  // namespace detail

/// Describes the network as a table: a line for each layer with its index i (as in `net.layer<i>()`), kind, shape, activation and number
/// of parameters; then a line with the total number of parameters, the scalar type and the loss. Where something is frozen, it says which
/// layers, and how many parameters are trainable.
template <class Net>
std::string summary(const Net& net) {
  std::vector<detail::TableRow> rows{{"layer", "kind", "shape", "activation", "parameters"}};
  Index total = 0;
  detail::for_each_layer(net.layers(), [&](const auto& layer) {
    const Index size = detail::size_of_tensors(layer.tensors());
    total += size;
    rows.push_back({std::to_string(rows.size() - 1), std::string(layer.name) + detail::frozen_mark(net, total - size, total),
                    detail::text_of(layer.inputs(), " -> ", layer.outputs()), std::string(layer.activation_name()),
                    detail::with_separators(size)});
  });
  const Index trainable = net.trainable_parameters();
  return detail::text_of(detail::format_table(rows), "total: ", detail::with_separators(total), " parameters",
                         trainable < total ? ", " + detail::with_separators(trainable) + " of them trainable," : "", " of ",
                         detail::scalar_name<typename Net::ScalarType>(), "; loss: ", net.loss_function().name, "\n");
}

/// Prints summary(net): `std::cout << net`.
template <class Stream, class Scalar, class LossType, class... Layers>
Stream& operator<<(Stream& out, const Network<Scalar, LossType, Layers...>& net) {
  out << summary(net);
  return out;
}

}  // namespace chainrule
