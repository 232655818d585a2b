#pragma once
// The error of a training that meets a number that is not finite: where the number is, why it may be there, and what to try.

#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/tensor_shape.hpp>
#include <string>

namespace chainrule {

/// Thrown by a training whose loss, gradient or parameters became NaN or infinite. The network has the parameters of the last finite step.
class DivergenceError : public Error {
  using Error::Error;
};

namespace detail {

/// Says which of `numbers`, a vector of theta's shape, is the first that is not finite: "layer<1>.weight(3, 0), which is nan". Empty if all
/// are finite.
template <class Layers, class Scalar>
std::string first_not_finite(const Layers& layers, const Scalar* numbers) {
  std::string found;
  std::size_t index = 0;
  const auto look = [&](const auto& layer) {
    for (const TensorShape& tensor : layer.tensors()) {
      for (Index i = 0; i < tensor.size() && found.empty(); ++i)
        if (!is_finite(numbers[i]))
          found = text_of("layer<", index, ">.", std::string_view(tensor.name), "(", i % tensor.rows, ", ", i / tensor.rows, "), which is ",
                          numbers[i]);
      numbers += tensor.size();
    }
    ++index;
  };
  for_each_layer(layers, look);
  return found;
}

/// Says which activation of the last forward pass is the first that is not finite: "; the first number that is not finite is in the output
/// of layer<2> (Dense), unit 5 of sample 3 of the batch, which is inf". Empty if all are finite.
template <class Layers, class Work>
std::string first_activation_not_finite(const Layers& layers, const Work& work) {
  std::string found;
  std::size_t index = 0;
  const auto look = [&](const auto& layer, const auto& a) {
    for (Index j = 0; j < a.cols() && found.empty(); ++j)
      for (Index k = 0; k < a.rows() && found.empty(); ++k)
        if (!is_finite(a(k, j)))
          found = text_of("; the first number that is not finite is in the output of layer<", index, "> (", layer.name, "), unit ", k,
                          " of sample ", j, " of the batch, which is ", a(k, j));
    ++index;
  };
  for_each_index(layers, [&](auto i) { look(element(layers, i), element(work.caches(), i).output.first(work.cached_samples())); });
  return found;
}

/// Throws DivergenceError. `what`: the fault, "the loss is nan" and where; `place`: epoch, batch and step.
[[noreturn]] inline void raise_divergence(const std::string& place, const std::string& what, double learning_rate) {
  raise<DivergenceError>(
      "training stopped in ", place, ": ", what, ". Most often the learning rate, ", learning_rate,
      " here, is too large: try a tenth of it, a warm-up, or .clip_norm = 1; else scale the inputs and targets (Standardizer). "
      "The parameters are those of the last finite step");
}

}  // namespace detail
}  // namespace chainrule
