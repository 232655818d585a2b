#pragma once

#include <chainrule/any/any_layers.hpp>
#include <chainrule/any/any_loss.hpp>
#include <chainrule/network.hpp>

namespace chainrule {

/// A network whose layers and loss are known only when the program runs:
/// @code{.cpp}
/// AnyNetwork<float> net{Seed{42}, SoftmaxCrossEntropy{},
///                       {Dense<Dynamic, Dynamic, ReLU>{64, width}, Dropout<>{0.2}, Dense<Dynamic, 10>{width, 10}}};
/// @endcode
/// Everything else is as for a Network: the same passes, kernels, Trainer and optimizers, and the same bits as the Network of the same
/// layers. Parameters by name: net.tensor("0.weight"). Throws ShapeError or ValueError where layers and loss do not fit together.
template <class Scalar>
class AnyNetwork : public Network<Scalar, AnyLoss<Scalar>, AnyLayers<Scalar>> {
  using Base = Network<Scalar, AnyLoss<Scalar>, AnyLayers<Scalar>>;

 public:
  /// Weights are drawn by each layer's initializer, from the first layer to the last.
  AnyNetwork(Seed seed, AnyLoss<Scalar> loss, AnyLayers<Scalar> layers) : Base(seed, loss, checked(loss, layers)) {}

  /// Does not compile for a network without a Seed; the message says what to write instead.
  template <class Nothing = void>
  AnyNetwork() : Base(detail::without_seed<Base, Nothing>()) {}
  /// Does not compile for a seed given as a plain number; the message says what to write instead.
  template <std::integral Number>
  AnyNetwork(Number, const AnyLoss<Scalar>&, const AnyLayers<Scalar>&) : Base(detail::without_seed<Base, Number>()) {}

  /// Makes a network whose parameters are all 0, for a reader that sets them.
  static AnyNetwork zeros(AnyLoss<Scalar> loss, AnyLayers<Scalar> layers) { return {loss, layers}; }

  /// A copy of the network with another scalar type. Its layers and loss are made from their descriptions, so the program includes
  /// <chainrule/any/from_description.hpp>. `Own`: user-defined types among them.
  template <class Other, class... Own>
  AnyNetwork<Other> rebind() const;

 private:
  AnyNetwork(const AnyLoss<Scalar>& loss, const AnyLayers<Scalar>& layers) : Base(loss, checked(loss, layers).list()) {}

  static const AnyLayers<Scalar>& checked(const AnyLoss<Scalar>& loss, const AnyLayers<Scalar>& layers) {
    if (layers.list().empty()) detail::raise<ShapeError>("AnyNetwork: it needs at least one layer");
    loss.check_outputs("AnyNetwork", layers.outputs());
    if (loss.on_logits() && !layers.list().back()->gives_raw_outputs())
      detail::raise<ValueError>("AnyNetwork: ", loss.name,
                                " works on logits and brings its own link, so the last layer must have no activation, but it has ",
                                layers.list().back().activation_name());
    return layers;
  }
};

}  // namespace chainrule
