#pragma once
// The tensors of a network under the names that torch.nn.Sequential gives them, so that either side reads what the other wrote.

#include <algorithm>
#include <chainrule/io/detail/described_layer.hpp>
#include <cstdint>

namespace chainrule::detail {

/// A tensor of a network as a file names it, with the shape that PyTorch gives it.
template <class Scalar>
struct FileTensor {
  std::string module;  ///< "0", or "3.1" for the second one inside a Residual
  std::string name;    ///< "weight"
  std::vector<std::uint64_t> shape;
  Scalar* numbers;
  bool may_be_missing = false;

  std::string full_name() const { return module + "." + name; }
};

/// Adds the tensors of these layers. Each layer is a module with its number; the activation of a Dense is another, as in a Sequential:
/// Dense<64, 32, ReLU>, Dense<32, 10> is Linear, ReLU, Linear, so weights are 0.weight and 2.weight.
template <class Scalar>
void add_file_tensors(std::vector<FileTensor<Scalar>>& all, const std::vector<DescribedLayer<Scalar>>& layers, const std::string& prefix) {
  std::size_t module = 0;
  for (const DescribedLayer<Scalar>& layer : layers) {
    const std::string path = text_of(prefix, module++);
    if (layer.is("Residual")) {
      add_file_tensors(all, layer.inside, path + ".");
      continue;
    }
    for (const TensorOf<Scalar>& tensor : layer.tensors) {
      FileTensor<Scalar> one{path, tensor.name, {static_cast<std::uint64_t>(tensor.rows)}, tensor.numbers};
      if (tensor.cols != 1 || (layer.is("Dense") && tensor.name == "weight")) one.shape.push_back(static_cast<std::uint64_t>(tensor.cols));
      if (layer.is("BatchNorm") && tensor.name == "running_variance") one.name = "running_var";
      if (layer.is("BatchNorm") && tensor.name == "batches") one = {path, "num_batches_tracked", {}, tensor.numbers, true};
      if (layer.what.kind.starts_with("PReLU")) one.name = "weight";
      all.push_back(std::move(one));
    }
    if (layer.is("Dense") && layer.what.parts[0].kind != "Identity") ++module;
  }
}

/// All of them, in the order of the layers.
template <class Net>
auto file_tensors(Net& net) {
  const auto layers = described_layers(net);
  std::vector<FileTensor<std::remove_pointer_t<decltype(net.parameters().data())>>> all;
  add_file_tensors(all, layers, "");
  return all;
}

/// Whether a comes before b where runs of digits count as numbers: fc2 before fc10.
inline bool natural_less(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto take_number = [&](std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
    const std::size_t length = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    const std::string_view number = text.substr(0, length);
    text.remove_prefix(length);
    return number;
  };
  while (!a.empty() && !b.empty()) {
    if (is_digit(a[0]) && is_digit(b[0])) {
      const std::string_view x = take_number(a), y = take_number(b);
      if (x != y) return x.size() != y.size() ? x.size() < y.size() : x < y;
    } else {
      if (a[0] != b[0]) return a[0] < b[0];
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.empty() && !b.empty();
}

}  // namespace chainrule::detail
