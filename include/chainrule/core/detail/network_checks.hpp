#pragma once
// Compile-time checks of a Network's template arguments.

#include <chainrule/core/detail/chain.hpp>
#include <chainrule/core/detail/infer.hpp>
#include <chainrule/core/network_base.hpp>

namespace chainrule::detail {

/// Checks at compile time that Scalar, the loss and the layers can form a Network. Each mistake fails a static_assert whose message says
/// what to write instead. If all checks pass, the member types name the parts from which Network is built, such as its sequence of layers.
template <class Scalar, class LossType, class... Layers>
struct ProvenNetwork {
  static_assert(std::is_floating_point_v<Scalar>, "chainrule: Network<Scalar, ...>: Scalar must be float, double or long double");
  static_assert(Loss<LossType>, "chainrule: Network<Scalar, Loss, Layers...>: the second argument must be a loss, such as SquaredError");
  static_assert(sizeof...(Layers) > 0, "chainrule: Network<Scalar, Loss, Layers...> needs at least one layer");

  using Sequence = typename NamedLayers<Layers...>::Sequence;
  using Chain = typename NamedLayers<Layers...>::Chain;
  static_assert(Chain::knows_inputs(),
                "chainrule: the first layer has no layer before it whose outputs it could take, so it must say its inputs: Normalize<4>");
  static_assert(Chain::are_layers(),
                "chainrule: Network<Scalar, Loss, Layers...>: each argument after the loss must be a layer, such as Dense<In, Out>");
  static_assert(Chain::fits());

  static constexpr int outputs = Chain::outputs_at_compile_time;
  static_assert(outputs == Dynamic || outputs >= LossType::min_outputs,
                "chainrule: SoftmaxCrossEntropy needs at least two outputs; for a yes or no with one output use BinaryCrossEntropy");
  static_assert(outputs == Dynamic || loss_outputs<LossType>() == Dynamic || outputs == loss_outputs<LossType>(),
                "chainrule: Heads<Head<Loss, Outputs>...> needs as many outputs of the last layer as its heads have together");
  static_assert(
      !LossType::works_on_logits || gives_raw_outputs<typename Chain::template At<Chain::size - 1>>(),
      "chainrule: this loss works on logits and brings its own link, so the last layer must have no activation; write Dense<In, Out>");

  using Base = NetworkBase<Scalar, Sequence>;
};

}  // namespace chainrule::detail
