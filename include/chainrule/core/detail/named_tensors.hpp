#pragma once

#include <chainrule/core/error.hpp>
#include <chainrule/core/tensor_shape.hpp>
#include <chainrule/core/types.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chainrule::detail {

/// Tensors that lie one after the other in a flat vector, found by their names.
template <class Scalar>
class NamedTensors {
 public:
  /// `numbers`: where the first of the tensors begins.
  NamedTensors(Scalar* numbers, std::vector<TensorShape> shapes) : numbers_{numbers}, shapes_{std::move(shapes)} {}

  /// A view on the tensor of that name, rows x cols. ValueError names those that exist.
  MapOf<Scalar, Dynamic, Dynamic> operator[](std::string_view name) const {
    Scalar* numbers = numbers_;
    for (const TensorShape& tensor : shapes_) {
      if (tensor.name == name) return {numbers, tensor.rows, tensor.cols};
      numbers += tensor.size();
    }
    std::string names;
    for (const TensorShape& tensor : shapes_) append(names += names.empty() ? "" : ", ", tensor.name);
    raise<ValueError>("there is no tensor \"", name, "\"; there are: ", names);
  }
  const std::vector<TensorShape>& shapes() const { return shapes_; }

  /// Prints the tensors with their names, shapes and numbers.
  template <class Stream>
  friend Stream& operator<<(Stream& out, const NamedTensors& tensors) {
    for (const TensorShape& tensor : tensors.shapes_) print_tensor(out, std::string(tensor.name).c_str(), tensors[tensor.name]);
    return out;
  }

 private:
  Scalar* numbers_;
  std::vector<TensorShape> shapes_;
};

}  // namespace chainrule::detail
