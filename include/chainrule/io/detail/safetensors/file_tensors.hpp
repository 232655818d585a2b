#pragma once
// Names the tensors of a network as torch.nn.Sequential does, so that PyTorch and this library read each other's files.

#include <algorithm>
#include <chainrule/io/detail/layers_with_tensors.hpp>
#include <chainrule/io/safetensors_types.hpp>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace chainrule::detail {

/// A tensor of a network under the name and with the shape that PyTorch gives it.
template <class Scalar>
struct FileTensor {
  std::string module;                ///< "0", or "3.1" for the second module inside a Residual
  std::string name;                  ///< "weight"
  std::vector<std::uint64_t> shape;  ///< empty for a single number
  Scalar* numbers;                   ///< in the network's own memory, in `order`
  /// The value of every number where a file lacks the tensor: 0 for a bias, 1 for the scale of a normalization. Without a value no file may
  /// lack it.
  std::optional<std::remove_const_t<Scalar>> if_missing = std::nullopt;
  /// The order of the numbers in memory. Matrices are column-major, but PyTorch's shape of an embedding is that of its transpose.
  TensorOrder order = TensorOrder::column_major;
  Index layer = 0;  ///< index of the network's layer that it is in

  bool is_count_of_batches() const { return shape.empty() && if_missing.has_value(); }
  std::size_t size() const {
    std::size_t size = 1;
    for (const std::uint64_t extent : shape) size *= static_cast<std::size_t>(extent);
    return size;
  }
  std::string full_name() const { return module + "." + name; }
};

/// Adds the tensors of these layers. Each layer is one module of a torch.nn.Sequential, and the activation of a Dense is another:
/// Dense<64, 32, ReLU>, Dense<32, 10> is Linear, ReLU, Linear, so the weights are 0.weight and 2.weight. Branches of a
/// Parallel are the modules of a torch.nn.ModuleList, each one module.
template <class Scalar>
void add_file_tensors(std::vector<FileTensor<Scalar>>& all, const std::vector<LayerWithTensors<Scalar>>& layers, const std::string& prefix,
                      bool are_branches = false) {
  std::size_t module = 0;
  for (const LayerWithTensors<Scalar>& layer : layers) {
    const std::string path = text_of(prefix, module++);
    if (!layer.inside.empty()) {
      add_file_tensors(all, layer.inside, path + ".", contains_branches(layer.what));
      continue;
    }
    const bool is_dense = describes_dense(layer.what), is_batch_norm = describes<BatchNorm<Dynamic>>(layer.what);
    const bool is_norm = is_batch_norm || describes<LayerNorm<Dynamic>>(layer.what);
    const bool is_prelu = describes<PReLU<Slopes::shared, Dynamic>>(layer.what) || describes<PReLU<Slopes::per_unit, Dynamic>>(layer.what);
    for (const NamedTensor<Scalar>& tensor : layer.tensors) {
      FileTensor<Scalar> one{path, tensor.name, {static_cast<std::uint64_t>(tensor.rows)}, tensor.numbers};
      if (tensor.cols != 1 || (is_dense && tensor.name == "weight")) one.shape.push_back(static_cast<std::uint64_t>(tensor.cols));
      if (is_batch_norm && tensor.name == "running_variance") one.name = "running_var";
      if ((is_dense || is_norm) && tensor.name == "bias") one.if_missing = 0;
      if (is_norm && tensor.name == "weight") one.if_missing = 1;
      // where there are running statistics, there has been a batch
      if (is_batch_norm && tensor.name == "batches") one = {path, "num_batches_tracked", {}, tensor.numbers, 1};
      if (is_prelu) one.name = "weight";
      if (describes<DescribedEmbedding>(layer.what)) {  // one module for each, as in a ModuleList: "0.weight" of module "3" is 3.0.weight
        const std::size_t dot = tensor.name.find('.');
        one = {path + "." + tensor.name.substr(0, dot), tensor.name.substr(dot + 1), {}, tensor.numbers, {}, TensorOrder::row_major};
        one.shape = {static_cast<std::uint64_t>(tensor.cols), static_cast<std::uint64_t>(tensor.rows)};
      }
      all.push_back(std::move(one));
    }
    if (is_dense && !are_branches && !describes<Identity>(layer.what.parts.at(0))) ++module;
  }
}

/// The number of tensors of a layer, and of those inside it.
template <class Scalar>
std::size_t count_tensors(const LayerWithTensors<Scalar>& layer) {
  std::size_t count = layer.inside.empty() ? layer.tensors.size() : 0;
  for (const auto& inside : layer.inside) count += count_tensors(inside);
  return count;
}

/// All tensors of a network, in the order of its layers.
template <class Net>
auto file_tensors(Net& net) {
  const auto layers = layers_with_tensors(net);
  std::vector<FileTensor<std::remove_pointer_t<decltype(net.parameters().data())>>> all;
  add_file_tensors(all, layers, "");
  std::size_t next = 0;
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (const std::size_t end = next + count_tensors(layers[i]); next < end; ++next) all[next].layer = static_cast<Index>(i);
  return all;
}

/// Whether a sorts before b in natural order, in which runs of digits count as numbers: fc2 before fc10.
inline bool natural_less(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto take_number = [&](std::string_view& text) {
    text.remove_prefix((std::min)(text.find_first_not_of('0'), text.size()));
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
