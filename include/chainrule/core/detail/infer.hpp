#pragma once
// The layers of a network as they are once each knows its inputs: Dropout<> after Dense<4, 3> is Dropout<3>.

#include <chainrule/core/detail/sequence.hpp>

namespace chainrule::detail {

template <class L>
constexpr bool takes_inferred_inputs() {
  if constexpr (requires { L::inputs_at_compile_time; })
    return L::inputs_at_compile_time == Inferred;
  else
    return false;
}

template <class L>
constexpr int outputs_of() {
  if constexpr (requires { L::outputs_at_compile_time; })
    return L::outputs_at_compile_time;
  else
    return Dynamic;
}

template <int Before, class L>
struct ResolvedLayer {
  using Type = L;
};
template <int Before, class L>
requires(Before != Inferred && takes_inferred_inputs<L>()) struct ResolvedLayer<Before, L> {
  using Type = typename L::template ForInputs<Before>;
};

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

/// The sequence of these layers where the one before them has `Before` outputs; Inferred: nothing is before them.
template <int Before, class... Layers>
using Resolved = typename Resolve<Before, Sequence<>, Layers...>::Type;

/// One layer as it is after one with `Before` outputs, `outputs` of them.
template <int Before, class L>
auto resolved(const L& layer, Index outputs) {
  if constexpr (Before != Inferred && takes_inferred_inputs<L>())
    return layer.template for_inputs<Before>(outputs);
  else
    return layer;
}

/// The same for values.
template <int Before, class... Done>
std::tuple<Done...> resolve_layers(std::tuple<Done...> done, Index) {
  return done;
}
template <int Before, class... Done, class L, class... Rest>
auto resolve_layers(std::tuple<Done...> done, Index outputs, const L& layer, const Rest&... rest) {
  auto next = resolved<Before>(layer, outputs);
  const Index next_outputs = next.outputs();
  return resolve_layers<decltype(next)::outputs_at_compile_time>(std::tuple_cat(std::move(done), std::tuple(std::move(next))), next_outputs,
                                                                 rest...);
}

}  // namespace chainrule::detail
