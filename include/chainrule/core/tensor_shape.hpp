#pragma once

#include <array>
#include <chainrule/core/types.hpp>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

namespace chainrule {

/// The name of a tensor, kept inside: "weight", or "2.weight" for the third layer of a Residual.
class TensorName {
 public:
  /// A name of at most 39 characters; what is beyond is left out.
  constexpr TensorName(const char* text = "") { append(text); }
  /// "2.weight", of the tensor "weight" of the inner layer 2.
  constexpr TensorName(std::size_t inner_layer, const TensorName& of) {
    append_number(inner_layer);
    append(".");
    append(of);
  }
  /// The name as a text, valid as long as this is.
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
    if (size_ < text_.size()) text_[size_++] = c;
  }
  std::array<char, 39> text_{};
  std::uint8_t size_ = 0;
};

/// One tensor of a layer's parameters or buffers, as the flat vector holds it: column-major, one after the other.
struct TensorShape {
  TensorName name;                                      ///< "weight"
  Index rows = 0;                                       ///< outputs, for a weight
  Index cols = 0;                                       ///< inputs, for a weight; 1 for a bias
  bool decays = false;                                  ///< whether weight decay and penalties pull at it: at weights, not at biases
  constexpr Index size() const { return rows * cols; }  ///< how many numbers it has
};

namespace detail {

/// How many numbers these tensors have together.
template <class Tensors>
constexpr Index size_of_tensors(const Tensors& tensors) {
  Index count = 0;
  for (const TensorShape& tensor : tensors) count += tensor.size();
  return count;
}

/// The tensors of several layers one after the other, those of layer i named "i.weight" and so on: of a tuple of arrays an array, of a
/// vector of vectors a vector.
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

}  // namespace detail
}  // namespace chainrule
