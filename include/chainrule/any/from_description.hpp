#pragma once
// Makes layers and losses from their descriptions, as a file has them. Their types are found by their names, in any/known.hpp.

#include <chainrule/any/any_activation.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/any/detail/visit_known.hpp>
#include <chainrule/losses/heads.hpp>
#include <chainrule/losses/sum_of_losses.hpp>
#include <optional>

namespace chainrule {

template <class Scalar, class... Own>
AnyLayer<Scalar> make_layer(const Description& of);
template <class Scalar, class... Own>
AnyLayers<Scalar> make_layers(const std::vector<Description>& of);

namespace detail {

/// Makes the described branches, which all read the same x.
template <class Scalar, class... Own>
std::vector<AnyLayer<Scalar>> make_branches(const std::vector<Description>& of) {
  std::vector<AnyLayer<Scalar>> branches;
  for (const Description& one : of) branches.push_back(make_layer<Scalar, Own...>(one));
  return branches;
}

/// Returns make(f) for the described activation. f is an AnyActivation, so that Dense is compiled once for all activations, or Identity
/// itself, which as a type of its own costs no time.
template <class Scalar, class... Own, class Make>
AnyLayer<Scalar> layer_with_activation(const Description& of, const Make& make) {
  std::optional<AnyLayer<Scalar>> made;
  const bool is_known = visit_activation<Own...>(of, [&]<class F>(const F& f) {
    if constexpr (std::is_same_v<F, Identity>)
      made = make(f);
    else
      made = make(AnyActivation<Scalar, DerivativeFromOutput<F>>(f));
  });
  if (!is_known) refuse_name(typename KnownTypes<Own...>::OfActivations{}, "activation", of.kind);
  return *made;
}

/// Converts a layer that visit_layer gives to an AnyLayer.
template <class Scalar, class... Own, class L>
AnyLayer<Scalar> any_layer(const L& layer) {
  if constexpr (IsDense<L>)
    return layer_with_activation<Scalar, Own...>(layer.activation(), [&]<class F>(const F& f) {
      using Init = decltype(f.default_initializer());
      return Dense < Dynamic, Dynamic, F, Init, L::has_bias ? Bias::trained : Bias::none > {layer.inputs(), layer.outputs(), f};
    });
  else if constexpr (IsActivate<L>)
    return layer_with_activation<Scalar, Own...>(layer.activation(), [&]<class F>(const F& f) {
      return Activate<F, Dynamic>{layer.inputs(), f};
    });
  else if constexpr (IsResidual<L>)
    return Residual<AnyLayers<Scalar>>{make_layers<Scalar, Own...>(layer.layers())};
  else if constexpr (IsEmbedding<L>)
    return static_cast<const Embedding<Dynamic>&>(layer);
  else if constexpr (IsSequential<L>)
    return Sequential<AnyLayers<Scalar>>{make_layers<Scalar, Own...>(layer.layers())};
  else if constexpr (IsParallel<L>)
    return Parallel<std::vector<AnyLayer<Scalar>>>{make_branches<Scalar, Own...>(layer.layers())};
  else if constexpr (IsParallelSum<L>)
    return ParallelSum<std::vector<AnyLayer<Scalar>>>{make_branches<Scalar, Own...>(layer.layers())};
  else
    return layer;
}

}  // namespace detail

/// Makes the described layer. `Own`: user-defined types of activations and layers that the description may name. A user-defined layer is
/// made with the first of these constructors that it has, where h... are its hyperparameters: L(inputs, outputs, h...), L(inputs, h...),
/// L(h...). Throws ValueError for an unknown name or unknown hyperparameters and for layers nested more than max_nesting deep, ShapeError
/// where the layer made has other inputs or outputs than described, and what the layer's constructor throws.
template <class Scalar, class... Own>
AnyLayer<Scalar> make_layer(const Description& of) {
  detail::check_nesting(of, of.kind);
  std::optional<AnyLayer<Scalar>> made;
  if (!detail::visit_layer<Own...>(of, [&](const auto& layer) { made = detail::any_layer<Scalar, Own...>(layer); }))
    detail::refuse_name(typename detail::KnownTypes<Own...>::OfLayers{}, "layer", of.kind);
  if (made->inputs() != of.inputs || made->outputs() != of.outputs)
    detail::raise<ShapeError>(of.kind, ": expected ", made->inputs(), " -> ", made->outputs(), " units, but found ", of.inputs, " -> ",
                              of.outputs);
  return *made;
}

/// Makes the described layers, from the first to the last. Throws what make_layer throws, and ShapeError where they do not fit together.
template <class Scalar, class... Own>
AnyLayers<Scalar> make_layers(const std::vector<Description>& of) {
  AnyLayers<Scalar> layers;
  for (const Description& one : of) layers.add(make_layer<Scalar, Own...>(one));
  return layers;
}

/// Makes the described loss. `Own`: user-defined types of losses that the description may name. Throws ValueError for an unknown name or
/// unknown hyperparameters and for losses nested more than max_nesting deep, and what the loss's constructor throws.
template <class Scalar, class... Own>
AnyLoss<Scalar> make_loss(const Description& of) {
  detail::check_nesting(of, of.kind);
  std::optional<AnyLoss<Scalar>> made;
  const auto unknown = [](const Description& loss) {
    detail::refuse_name(typename detail::KnownTypes<Own...>::OfLosses{}, "loss", loss.kind);
  };
  const bool is_known = detail::visit_loss<Own...>(of, [&]<class L>(const L& loss) {
    if constexpr (std::is_same_v<L, detail::DescribedClassWeighted>) {
      const bool knows_inside =
          detail::visit_type(typename detail::KnownTypes<Own...>::OfLosses{}, loss.loss(), [&]<class Inside>(std::type_identity<Inside>) {
            made = ClassWeighted<Inside>(loss.class_weights(), detail::make<Inside>(loss.loss()));
          });
      if (!knows_inside) unknown(loss.loss());
    } else if constexpr (std::is_same_v<L, detail::DescribedHeads>) {
      std::vector<Head<AnyLoss<Scalar>>> heads;
      for (const auto& head : loss.heads()) heads.emplace_back(head.outputs(), head.weight(), make_loss<Scalar, Own...>(head.loss()));
      made = Heads<std::vector<Head<AnyLoss<Scalar>>>>(heads);
    } else if constexpr (std::is_same_v<L, detail::DescribedSumOfLosses>) {
      std::vector<AnyLoss<Scalar>> losses;
      for (const Description& one : loss.losses()) losses.push_back(make_loss<Scalar, Own...>(one));
      made = SumOfLosses<std::vector<AnyLoss<Scalar>>>(loss.weights(), losses);
    } else {
      made = loss;
    }
  });
  if (!is_known) unknown(of);
  return *made;
}

template <class Scalar>
template <class Other, class... Own>
AnyNetwork<Other> AnyNetwork<Scalar>::rebind() const {
  auto copy = AnyNetwork<Other>::zeros(make_loss<Other, Own...>(describe(this->loss_function())),
                                       make_layers<Other, Own...>(describe_layers(*this)));
  copy.parameters() = this->parameters().template cast<Other>();
  copy.buffers() = this->buffers().template cast<Other>();
  if (this->frozen() != nullptr) copy.set_frozen(*this->frozen());
  return copy;
}

}  // namespace chainrule
