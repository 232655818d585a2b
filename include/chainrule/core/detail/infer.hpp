#pragma once
// Layers that take their number of inputs from the layer before: replaces Dropout<> behind Dense<4, 3> by Dropout<3>, as types and as
// values, when a Network or a Residual is made.

#include <chainrule/core/detail/chain.hpp>
#include <chainrule/core/detail/sequence.hpp>

namespace chainrule::detail {

/// Whether the layer has to be given its number of inputs: Dropout<>.
template <class L>
constexpr bool takes_inferred_inputs() {
  if constexpr (requires { L::inputs_at_compile_time; })
    return L::inputs_at_compile_time == Inferred;
  else
    return false;
}

/// The layer's number of outputs; Dynamic for a type that is no layer, which a later static_assert reports.
template <class L>
constexpr int outputs_of() {
  if constexpr (requires { L::outputs_at_compile_time; })
    return L::outputs_at_compile_time;
  else
    return Dynamic;
}

/// The type of a layer behind one with `Before` outputs.
template <int Before, class L>
struct ResolvedLayer {
  using Type = L;
};
template <int Before, class L>
requires(Before != Inferred && takes_inferred_inputs<L>()) struct ResolvedLayer<Before, L> {
  using Type = typename L::template ForInputs<Before>;
};

/// The types of layers behind one with `Before` outputs, one after the other; `Done` is the sequence of those that are resolved already.
template <int Before, class Done, class... Layers>
struct Resolve;
template <int Before, class... Done>
struct Resolve<Before, Sequence<Done...>> {
  using Type = Sequence<Done...>;
};
template <int Before, class... Done, class L, class... Rest>
struct Resolve<Before, Sequence<Done...>, L, Rest...> {
  using Resolved = typename ResolvedLayer<Before, L>::Type;
  using Type = typename Resolve<outputs_of<Resolved>(), Sequence<Done..., Resolved>, Rest...>::Type;
};

/// The sequence of these layers behind one with `Before` outputs; Inferred where no layer is before them.
template <int Before, class... Layers>
using Resolved = typename Resolve<Before, Sequence<>, Layers...>::Type;

/// The layer of type Made that `layer` becomes behind one with `outputs` outputs.
template <class Made, class L>
Made resolved(const L& layer, Index outputs) {
  if constexpr (std::is_same_v<Made, L>)
    return layer;
  else
    return layer.template for_inputs<Made::inputs_at_compile_time>(outputs);
}

/// A tuple of the layers, each with its number of inputs filled in.
template <class... Made, class... Layers>
std::tuple<Made...> resolved_layers(std::type_identity<Sequence<Made...>>, const Layers&... layer) {
  Index outputs = 0;
  const auto next = [&outputs]<class One>(std::type_identity<One>, const auto& before) {
    One made = resolved<One>(before, outputs);
    outputs = made.outputs();
    return made;
  };
  return std::tuple<Made...>{next(std::type_identity<Made>{}, layer)...};  // braces call it from left to right
}

template <class Sequence>
struct ChainOfSequence;
template <class... Layers>
struct ChainOfSequence<Sequence<Layers...>> {
  using Type = Chain<Layers...>;
};

/// How the layers named in Network<Scalar, Loss, Layers...> or Residual<Layers...> are stored. Here each type is one layer, and they become
/// a tuple. AnyLayers has a specialization, because that one type stands for all layers.
template <class... Layers>
struct NamedLayers {
  using Sequence = Resolved<Inferred, Layers...>;
  using Chain = typename ChainOfSequence<Sequence>::Type;  ///< for checks at compile time
  static auto list(const Layers&... layer) { return resolved_layers(std::type_identity<Sequence>{}, layer...); }
};

}  // namespace chainrule::detail
