#pragma once
// The base class of Network: its layers, its parameters theta and its buffers, and access to them as flat vectors, by layer and by name. It
// knows no loss and makes no passes.

#include <chainrule/core/detail/tensor_selection.hpp>
#include <chainrule/core/frozen_parameters.hpp>
#include <chainrule/core/layered_vector.hpp>
#include <cstdint>
#include <memory>

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
  /// The smallest batch that forward takes: 2 for a network with BatchNorm that is not frozen, else 1.
  Index fewest_training_samples() const { return sequence().fewest_training_samples(frozen_slice()); }

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

  /// Freezes parameters by name: a layer, "0", or one inside a Residual, "2.0"; a tensor, "0.weight"; or the tensors of one kind in all
  /// layers, "bias". Training leaves frozen parameters as they are, with any optimizer that steps by state.segments(), as all of the
  /// library and those made with formula_step do: no step, no weight decay, no moments, no penalty. It is `trainable = False` in Keras and
  /// `requires_grad = False` in PyTorch.
  /// @code{.cpp}
  /// net.freeze("0");
  /// net.freeze(1);
  /// Trainer trainer{net, Adam{}};  // in a loop of your own: auto state = rule.make_state(net), or state.follow(net)
  /// @endcode
  /// dJ/dtheta is 0 where theta is frozen, and backward ends at the first layer that learns: frozen layers before it cost only their
  /// forward pass. A BatchNorm all of whose parameters are frozen keeps its running statistics and normalises with them in training too, as
  /// in Keras (PyTorch needs eval() for that), so it must have some: a new one throws StateError in forward. Dropout in frozen layers stays
  /// as it is.
  ///
  /// Copies of the network, rebind and checkpoints keep what is frozen; model files do not, as state_dict in PyTorch. A forward pass made
  /// before is lost, as after an assignment to the network. To freeze a layer without parameters changes nothing. Throws ValueError for a
  /// name that no parameter has.
  void freeze(std::string_view name) { set_frozen("freeze", name, true); }
  /// Freezes layer i. Throws ValueError where there is none.
  void freeze(Index i) { set_frozen("freeze", i, true); }
  /// Freezes layer I.
  template <std::size_t I>
  void freeze() {
    static_cast<void>(detail::checked_element<I>(layers()));
    freeze(static_cast<Index>(I));
  }
  /// Lets parameters learn again, by a name as for freeze.
  void unfreeze(std::string_view name) { set_frozen("unfreeze", name, false); }
  /// Lets layer i learn again. Throws ValueError where there is none.
  void unfreeze(Index i) { set_frozen("unfreeze", i, false); }
  /// Lets layer I learn again.
  template <std::size_t I>
  void unfreeze() {
    static_cast<void>(detail::checked_element<I>(layers()));
    unfreeze(static_cast<Index>(I));
  }
  /// Lets all parameters learn again.
  void unfreeze() { set_frozen(FrozenParameters{}); }
  /// Freezes these parameters and no others: *other.frozen() of another network of the same layers. Throws ValueError unless they are whole
  /// tensors of this network.
  void set_frozen(FrozenParameters frozen) {
    if (frozen == frozen_or_none()) return;
    Index whole = 0;
    theta_.for_each_tensor([&](std::string_view, const TensorShape& shape, Index begin) {
      if (frozen.contains(begin, begin + shape.size())) whole += shape.size();
    });
    if (whole != frozen.size())
      detail::raise<ValueError>("set_frozen: ", frozen.size(), " parameters are to be frozen, but only ", whole,
                                " of them are those of whole tensors of this network");
    using Shared = std::shared_ptr<const FrozenParameters>;
    frozen_ = frozen.ranges().empty() ? Shared{} : Shared(std::make_shared<const FrozenParameters>(std::move(frozen)));
    assignments_ = detail::AssignmentCount(assignments_);  // forward passes made before are those of another network
  }
  /// The frozen parameters, as ranges of theta; nullptr where all learn. The object itself never changes.
  const std::shared_ptr<const FrozenParameters>& frozen() const { return *frozen_; }
  /// The number of parameters that are not frozen.
  Index trainable_parameters() const { return theta_.size() - (frozen() == nullptr ? 0 : frozen()->size()); }

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
  /// The frozen parameters, as passes take them.
  detail::FrozenSlice frozen_slice() const { return {frozen_->get(), 0}; }

 private:
  FrozenParameters frozen_or_none() const { return frozen() == nullptr ? FrozenParameters{} : *frozen(); }

  static void set(FrozenParameters& frozen, bool freeze, Index begin, Index end) {
    freeze ? frozen.add(begin, end) : frozen.remove(begin, end);
  }
  void set_frozen(const char* who, Index i, bool freeze) {
    const Index layers = static_cast<Index>(detail::size_of(this->layers()));
    if (i < 0 || i >= layers) detail::raise<ValueError>(who, ": there is no layer ", i, ": the network has ", layers, ", counted from 0");
    const auto index = static_cast<std::size_t>(i);
    FrozenParameters frozen = frozen_or_none();
    set(frozen, freeze, sequence().parameter_offset(index), sequence().parameter_offset(index + 1));
    set_frozen(std::move(frozen));
  }
  void set_frozen(const char* who, std::string_view name, bool freeze) {
    FrozenParameters frozen = frozen_or_none();
    std::vector<std::string> names;
    bool found = false;
    theta_.for_each_tensor([&](std::string_view tensor, const TensorShape& shape, Index begin) {
      names.emplace_back(tensor);
      if (!detail::selects(name, tensor)) return;
      found = true;
      set(frozen, freeze, begin, begin + shape.size());
    });
    if (!found) detail::selects_nothing(who, name, names);
    set_frozen(std::move(frozen));
  }

  LayeredVector<Scalar, Sequence> theta_;
  LayeredVector<Scalar, Sequence, detail::Part::buffers> buffers_;
  detail::AssignmentCount assignments_;
  detail::CopiedByMove<std::shared_ptr<const FrozenParameters>> frozen_{std::shared_ptr<const FrozenParameters>{}};
};

}  // namespace chainrule
