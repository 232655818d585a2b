#pragma once

#include <algorithm>
#include <array>
#include <chainrule/core/description.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/detail/scalar_name.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/frozen_parameters.hpp>
#include <chainrule/core/tensor_shape.hpp>
#include <chainrule/losses/heads.hpp>
#include <chainrule/network.hpp>
#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule {

namespace detail {

/// Decimal digits with thousands separators: "2,410" for 2410.
template <std::integral Number>
[[gnu::cold]] std::string with_separators(Number number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

/// The table of summary(), made from descriptions of the layers, so that it is compiled once for all networks. A template whose Frozen is
/// FrozenParameters, so that a program compiles it only if it calls summary; its functions are cold, which compiles them in less time.
template <class Frozen>
class SummaryTable {
 public:
  /// `frozen`: the frozen parameters of the network, or null.
  explicit SummaryTable(const Frozen* frozen) : frozen_{frozen} {
    for (const char* title : {"layer", "kind", "shape", "activation", "parameters"}) cells_.push_back(title);
  }

  /// Adds the row of the next layer, and the rows of the layers inside it. `shape`: its inputs and outputs.
  [[gnu::cold]] void add_layer(std::string_view name, const std::array<Index, 2>& shape, std::string_view activation, const Description& of,
                               std::span<const TensorShape> tensors) {
    const Index size = size_of_tensors(tensors), begin = total_;
    total_ += size;
    const std::string number = text_of(layers_++);
    add_row(number, text_of(name, frozen_mark(begin, total_)), shape, activation, size);
    add_parts(of, number, tensors, begin, "", "  ");
  }

  /// The table; then a line with the number of parameters, how many of them are trainable, the scalar type and the loss; then the heads of
  /// the loss.
  [[gnu::cold]] std::string text(Index trainable, std::string_view scalar, std::string_view loss, const Description& of_loss) const {
    std::array<std::size_t, columns> width{};
    for (std::size_t i = 0; i < cells_.size(); ++i) width[i % columns] = (std::max)(width[i % columns], cells_[i].size());
    std::string text;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const std::string space(width[i % columns] - cells_[i].size(), ' ');
      const bool is_last = i % columns == columns - 1;  // the column of numbers, which is aligned to the right
      text += is_last ? text_of(space, cells_[i], "\n") : text_of(cells_[i], space, "  ");
    }
    text += text_of("total: ", with_separators(total_), " parameters");
    if (trainable < total_) text += text_of(", ", with_separators(trainable), " of them trainable,");
    text += text_of(" of ", scalar, "; loss: ", loss, "\n");
    add_heads(text, of_loss, "  ");
    return text;
  }

 private:
  static constexpr std::size_t columns = 5;

  [[gnu::cold]] void add_row(std::string_view number, std::string_view kind, const std::array<Index, 2>& shape, std::string_view activation,
                             Index size) {
    cells_.emplace_back(number);
    cells_.emplace_back(kind);
    cells_.push_back(text_of(shape[0], " -> ", shape[1]));
    cells_.emplace_back(activation);
    cells_.push_back(with_separators(size));
  }

  /// Returns what the table says after the kind of a layer with the parameters [begin, end).
  [[gnu::cold]] const char* frozen_mark(Index begin, Index end) const {
    if (frozen_ == nullptr || !frozen_->overlaps(begin, end)) return "";
    return frozen_->contains(begin, end) ? " (frozen)" : " (partly frozen)";
  }

  /// Adds the rows of the layers inside layer `number`, whose tensors are those with names that begin with `prefix`, the number of the
  /// part and a dot, as "0.weight". theta(begin) is the first of their parameters.
  [[gnu::cold]] void add_parts(const Description& of, const std::string& number, std::span<const TensorShape> tensors, Index begin,
                               const std::string& prefix, const std::string& indent) {
    std::size_t i = 0;
    for (const Description& part : of.parts) {
      const std::string part_number = text_of(number, ".", i), of_part = text_of(prefix, i, ".");
      ++i;
      if (part.inputs == 0) continue;  // an activation
      Index size = 0;
      for (const TensorShape& tensor : tensors)
        if (std::string_view(tensor.name).substr(0, of_part.size()) == of_part) size += tensor.size();
      const bool has_activation = !part.parts.empty() && part.parts[0].inputs == 0;
      add_row(part_number, text_of(indent, part.kind, frozen_mark(begin, begin + size)), {part.inputs, part.outputs},
              has_activation ? std::string_view(part.parts[0].kind) : "", size);
      add_parts(part, part_number, tensors, begin, of_part, indent + "  ");
      begin += size;
    }
  }

  /// Adds the heads of a Heads with their outputs, losses and weights, a line each. Other losses have none.
  [[gnu::cold]] static void add_heads(std::string& text, const Description& loss, const std::string& indent) {
    for (const Description& head : loss.parts)
      if (head.kind != head_name || head.hyperparameters.size() != 2 || head.parts.size() != 1) return;
    Index first = 0;
    for (const Description& head : loss.parts) {
      const auto outputs = static_cast<Index>(head.hyperparameters[0].second);
      text += outputs == 1 ? text_of(indent, "output ", first) : text_of(indent, "outputs ", first, " to ", first + outputs - 1);
      text += text_of(": ", head.parts[0].kind, ", weight ", head.hyperparameters[1].second, "\n");
      add_heads(text, head.parts[0], indent + "  ");
      first += outputs;
    }
  }

  const Frozen* frozen_;
  std::vector<std::string> cells_ = {};  // row by row
  Index total_ = 0, layers_ = 0;
};

}  // namespace detail

/// Describes the network as a table: a line for each layer with its index i (as in `net.layer<i>()`), kind, shape, activation and number
/// of parameters; then a line with the total number of parameters, the scalar type and the loss. The layers inside a Residual, a Parallel
/// or a Sequential follow in lines of their own, numbered as in the names of their tensors: layer 1.0 has the tensor "1.0.weight". The
/// parameters of a layer include those of the layers inside. Where something is frozen, it says which layers, and how many parameters are
/// trainable. Heads follow with their outputs, losses and weights.
template <class Net>
[[gnu::cold]] std::string summary(const Net& net) {
  detail::SummaryTable<FrozenParameters> table(net.frozen().get());
  detail::for_each_layer(net.layers(), [&](const auto& layer) {
    table.add_layer(layer.name, {layer.inputs(), layer.outputs()}, layer.activation_name(), describe(layer), layer.tensors());
  });
  return table.text(net.trainable_parameters(), detail::scalar_name<typename Net::ScalarType>(), net.loss_function().name,
                    describe(net.loss_function()));
}

/// Prints summary(net): `std::cout << net`.
template <class Stream, class Scalar, class LossType, class... Layers>
Stream& operator<<(Stream& out, const Network<Scalar, LossType, Layers...>& net) {
  out << summary(net);
  return out;
}

}  // namespace chainrule
