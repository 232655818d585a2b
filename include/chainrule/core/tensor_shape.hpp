#pragma once

#include <array>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

namespace chainrule {

/// The name of a tensor, stored inside the object without a heap: "weight", or "2.weight" for the third layer of a Residual. It has at most
/// 95 characters. A longer one throws ValueError, or does not compile where the compiler evaluates it; layers can be nested max_nesting
/// deep, and have up to 1,000 layers inside each, before a name of the library's is longer.
class TensorName {
 public:
  /// The name of a layer's own tensor: "weight".
  constexpr TensorName(const char* text = "") { append(text); }
  /// The name of a tensor of an inner layer: "2.weight" for the tensor "weight" of layer 2.
  constexpr TensorName(std::size_t inner_layer, const TensorName& of) {
    append_number(inner_layer);
    append(".");
    append(of);
  }
  /// A view on the name, valid as long as this object.
  constexpr operator std::string_view() const { return {text_.data(), size_}; }

 private:
  constexpr void append(std::string_view text) {
    for (const char c : text) append_character(c);
  }
  constexpr void append_number(std::size_t number) {
    if (number >= 10) append_number(number / 10);
    append_character(static_cast<char>('0' + number % 10));
  }
  constexpr void append_character(char c) {
    if (size_ == text_.size())
      detail::raise<ValueError>("the name of a tensor has more than ", text_.size(), " characters: ", std::string_view(text_.data(), size_),
                                "...; nest fewer layers inside each other");
    text_[size_++] = c;
  }
  std::array<char, 95> text_{};
  std::uint8_t size_ = 0;
};

/// Name and shape of one tensor of a layer's parameters or buffers. The flat vector holds a layer's tensors one after the other, each
/// column-major.
struct TensorShape {
  TensorName name;      ///< "weight"
  Index rows = 0;       ///< outputs, for a weight
  Index cols = 0;       ///< inputs, for a weight; 1 for a bias
  bool decays = false;  ///< whether weight decay and penalties apply to it: true for weights, false for biases
  constexpr Index size() const { return detail::extent_product(rows, cols); }  ///< number of entries
};

namespace detail {

/// Prints the name and the shape of a tensor, and its numbers in the lines below.
template <class Stream, class Numbers>
void print_tensor(Stream& out, const char* name, const Numbers& numbers) {
  out << name << " (" << numbers.rows() << " x " << numbers.cols() << "):\n" << numbers << '\n';
}

/// The number of entries of all these tensors.
template <class Tensors>
constexpr Index size_of_tensors(const Tensors& tensors) {
  Index count = 0;
  for (const TensorShape& tensor : tensors) count = extent_sum(count, tensor.size());
  return count;
}

/// Joins the tensors of several layers into one list and prefixes the names by the layers' numbers: "0.weight", "0.bias", "1.weight". A
/// tuple of arrays gives an array, any other tuple and a vector of vectors give a vector.
template <std::size_t... Sizes>
constexpr auto numbered_tensors(const std::tuple<std::array<TensorShape, Sizes>...>& of_layers) {
  std::array<TensorShape, (Sizes + ... + 0)> all{};
  std::size_t next = 0;
  std::size_t layer = 0;
  const auto add = [&](const auto& tensors) {
    for (const TensorShape& tensor : tensors) all[next++] = {TensorName(layer, tensor.name), tensor.rows, tensor.cols, tensor.decays};
    ++layer;
  };
  std::apply([&](const auto&... tensors) { (add(tensors), ...); }, of_layers);
  return all;
}
inline std::vector<TensorShape> numbered_tensors(const std::vector<std::vector<TensorShape>>& of_layers) {
  std::vector<TensorShape> all;
  for (std::size_t layer = 0; layer < of_layers.size(); ++layer)
    for (const TensorShape& tensor : of_layers[layer])
      all.push_back({TensorName(layer, tensor.name), tensor.rows, tensor.cols, tensor.decays});
  return all;
}
template <class... Lists>
std::vector<TensorShape> numbered_tensors(const std::tuple<Lists...>& of_layers) {
  return numbered_tensors(std::apply(
      [](const auto&... tensors) {
        return std::vector<std::vector<TensorShape>>{{tensors.begin(), tensors.end()}...};
      },
      of_layers));
}

}  // namespace detail
}  // namespace chainrule
