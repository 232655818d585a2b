#pragma once
// The base class of Network: its layers, its parameters theta and its buffers, and access to them as flat vectors, by layer and by name. It
// knows no loss and makes no passes.

#include <chainrule/core/layered_vector.hpp>
#include <cstdint>

namespace chainrule {
namespace detail {

/// The mark by which a workspace knows the network of its forward pass: the address of theta, and how often the network had been assigned
/// to, because another network that is assigned to it has the same address.
template <class Scalar>
struct NetworkIdentity {
  const Scalar* theta = nullptr;
  std::uint32_t assignments = 0;
  bool operator==(const NetworkIdentity&) const = default;
};

}  // namespace detail

/// Base class of Network: the layers, their parameters theta and their buffers. Network adds the passes.
template <class Scalar, class Sequence>
class NetworkBase {
 public:
  Index inputs() const { return sequence().inputs(); }    ///< the number of inputs, which is the number of rows of x
  Index outputs() const { return sequence().outputs(); }  ///< the number of outputs, which is the number of rows of y_hat
  /// The layers, from the first to the last: a std::tuple, or a std::vector of AnyLayer for an AnyNetwork.
  const typename Sequence::LayerList& layers() const { return theta_.layers(); }
  /// The smallest batch that forward takes: 2 for a network with BatchNorm, else 1.
  Index fewest_training_samples() const { return sequence().fewest_training_samples(); }

  /// theta, all parameters as one flat vector, to read and to write.
  VectorView<Scalar> parameters() { return theta_.flat(); }
  /// theta, all parameters as one flat vector, to read.
  ConstVectorView<Scalar> parameters() const { return theta_.flat(); }

  /// The buffers as one flat vector, to read and write: numbers that are saved but not trained, such as the running statistics of
  /// BatchNorm.
  VectorView<Scalar> buffers() { return buffers_.flat(); }
  /// The buffers as one flat vector, to read.
  ConstVectorView<Scalar> buffers() const { return buffers_.flat(); }

  /// The parameters of layer I by name, as views to read and write: layer<0>().weight is W(1), layer<0>().bias is b(1).
  template <std::size_t I>
  auto layer() {
    return theta_.template layer<I>();
  }
  /// The parameters of layer I by name, as views to read.
  template <std::size_t I>
  auto layer() const {
    return theta_.template layer<I>();
  }

  /// The buffers of layer I by name, as views to read and write: buffers<1>().running_mean.
  template <std::size_t I>
  auto buffers() {
    return buffers_.template layer<I>();
  }
  /// The buffers of layer I by name, as views to read.
  template <std::size_t I>
  auto buffers() const {
    return buffers_.template layer<I>();
  }

  /// Calls f(i, layer, parameters) for each layer, from the first to the last: its index, the layer itself with its extents and
  /// hyperparameters, and what layer<i>() returns, to read and write. Layers of other types have parameters of other names, so a generic
  /// lambda asks for them; in an AnyNetwork they are parameters["weight"]:
  /// @code{.cpp}
  /// net.for_each_layer([](Index i, const auto& layer, auto& parameters) {
  ///   std::printf("%d: %d -> %d\n", int(i), int(layer.inputs()), int(layer.outputs()));
  ///   if constexpr (requires { parameters.weight; }) parameters.weight *= 0.5f;
  /// });
  /// @endcode
  template <class F>
  void for_each_layer(F&& f) {
    theta_.for_each_layer(f);
  }
  /// Calls f(i, layer, parameters) for each layer, with views to read.
  template <class F>
  void for_each_layer(F&& f) const {
    theta_.for_each_layer(f);
  }

  /// A parameter tensor of any layer by its name, as a view to read and write: tensor("0.weight") is W(1). ValueError names those that
  /// exist. Allocates.
  auto tensor(std::string_view name) { return theta_.tensor(name); }
  /// A parameter tensor of any layer by its name, as a view to read.
  auto tensor(std::string_view name) const { return theta_.tensor(name); }
  /// A buffer of any layer by its name, as a view to read and write: buffer("1.running_mean"). ValueError names those that exist.
  /// Allocates.
  auto buffer(std::string_view name) { return buffers_.tensor(name); }
  /// A buffer of any layer by its name, as a view to read.
  auto buffer(std::string_view name) const { return buffers_.tensor(name); }

 protected:
  /// Sets all parameters to 0 and the buffers to their initial values.
  explicit NetworkBase(const Sequence& sequence) : theta_{sequence}, buffers_{sequence} {
    sequence.initialize_buffers(buffers_.flat().data());
  }

  /// The layers, with the offsets of their parameters.
  const Sequence& sequence() const { return theta_.sequence(); }
  /// The first of all parameters. (Passes use pointers, because a view costs an assertion of Eigen's.)
  const Scalar* theta() const { return theta_.data(); }
  /// The mark by which a workspace knows this network.
  detail::NetworkIdentity<Scalar> identity() const { return {theta(), assignments_.value()}; }
  /// The first of all parameters, to change them.
  Scalar* mutable_theta() { return theta_.data(); }
  /// The first of all buffers.
  const Scalar* buffer_data() const { return buffers_.data(); }

 private:
  LayeredVector<Scalar, Sequence> theta_;
  LayeredVector<Scalar, Sequence, detail::Part::buffers> buffers_;
  detail::AssignmentCount assignments_;
};

}  // namespace chainrule
