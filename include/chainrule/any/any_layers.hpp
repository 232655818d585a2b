#pragma once

#include <chainrule/any/any_layer.hpp>
#include <initializer_list>
#include <limits>

namespace chainrule {

/// Layers one after the other whose types and number are known only when the program runs. They are all the layers of a network
/// (AnyNetwork), or all the layers inside a Residual.
/// @code{.cpp}
/// AnyLayers<float> layers{Dense<Dynamic, Dynamic, ReLU>{64, width}};
/// layers.add(Dropout<>{0.2});
/// @endcode
/// Throws ShapeError for a layer that does not fit the one before it.
template <class Scalar>
class AnyLayers {
 public:
  /// No layers yet; see add.
  AnyLayers() = default;
  AnyLayers(const AnyLayers&) = default;             ///< shares the layers; so does a move, which leaves the list as it was
  AnyLayers& operator=(const AnyLayers&) = default;  ///< shares the layers
  /// As if each were added in turn.
  AnyLayers(std::initializer_list<AnyLayer<Scalar>> layers) {
    for (const AnyLayer<Scalar>& layer : layers) add(layer);
  }

  /// Appends a layer. Throws ShapeError where it does not fit the one before it, or is the first and does not say its inputs.
  void add(const AnyLayer<Scalar>& layer) {
    if (layers_.empty() && layer.is_inferred())
      detail::raise<ShapeError>("AnyLayers: the first layer, ", layer.name,
                                ", has no layer before it whose outputs it could take, so it must say its inputs");
    const AnyLayer<Scalar> next = layers_.empty() ? layer : layer.for_inputs(outputs());
    const std::size_t n = layers_.size();
    if (n > 0 && next.inputs() != outputs())
      detail::raise<ShapeError>("AnyLayers: layer<", n, "> expects ", next.inputs(), " inputs, but layer<", n - 1, "> gives ", outputs(),
                                " outputs");
    const Index parameters = detail::size_of_tensors(next.tensors());
    if (parameters > (std::numeric_limits<Index>::max)() / 16 - parameters_)
      detail::raise<ShapeError>("AnyLayers: with layer<", n, "> there are more parameters than memory can address");
    parameters_ += parameters;
    layers_.push_back(next);
  }

  /// The layers, from the first to the last.
  const std::vector<AnyLayer<Scalar>>& list() const { return layers_; }

  Index inputs() const { return layers_.empty() ? 0 : layers_.front().inputs(); }   ///< inputs of the first layer; 0 without layers
  Index outputs() const { return layers_.empty() ? 0 : layers_.back().outputs(); }  ///< outputs of the last layer; 0 without layers

 private:
  std::vector<AnyLayer<Scalar>> layers_;
  Index parameters_ = 0;  // sum over all layers
};

namespace detail {

/// Makes Network<Scalar, Loss, AnyLayers<Scalar>> and Residual<AnyLayers<Scalar>> of the layers in the list.
template <class Scalar>
struct NamedLayers<AnyLayers<Scalar>> {
  using Sequence = SequenceOf<std::vector<AnyLayer<Scalar>>>;
  using Chain = detail::Chain<AnyLayer<Scalar>>;
  static const std::vector<AnyLayer<Scalar>>& list(const AnyLayers<Scalar>& layers) { return layers.list(); }
};

}  // namespace detail
}  // namespace chainrule
