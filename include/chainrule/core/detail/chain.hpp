#pragma once
// The proof, at compile time where extents are types and otherwise at construction, that the layers form a chain.

#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/error.hpp>

namespace chainrule::detail {

// These names are what a compiler prints when a chain is broken, so they read as a sentence.
template <std::size_t I>
struct layer {};
template <int Inputs>
struct expects_inputs {};
template <std::size_t I>
struct but_layer {};
template <int Outputs>
struct gives_outputs {};

template <class, class, class, class>
struct proof_that;

template <std::size_t I, int Expects, std::size_t Before, int Gives>
struct proof_that<layer<I>, expects_inputs<Expects>, but_layer<Before>, gives_outputs<Gives>> {
  static_assert(
      Expects == Gives || Expects == Dynamic || Gives == Dynamic,
      "chainrule: the layers do not fit together: a layer must have as many inputs as the layer before it has outputs; which layer "
      "(counted from 0) and which numbers: proof_that<layer<i>, expects_inputs<n>, but_layer<i-1>, gives_outputs<m>>");
  static constexpr bool holds = true;
};

template <class... Layers>
struct Chain {
  static constexpr std::size_t size = sizeof...(Layers);
  template <std::size_t I>
  using At = std::tuple_element_t<I, std::tuple<Layers...>>;

  static constexpr bool fits() {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return (proof_that<layer<I + 1>, expects_inputs<At<I + 1>::inputs_at_compile_time>, but_layer<I>,
                         gives_outputs<At<I>::outputs_at_compile_time>>::holds &&
              ... && true);
    }
    (std::make_index_sequence<size - 1>{});
  }

  static constexpr bool knows_inputs() {
    if constexpr (requires { At<0>::inputs_at_compile_time; })
      return At<0>::inputs_at_compile_time != Inferred;
    else
      return true;
  }

  static constexpr bool are_layers() { return (Layer<Layers> && ...); }

  static constexpr bool all_extents_are_types() {
    return ((Layers::inputs_at_compile_time != Dynamic && Layers::outputs_at_compile_time != Dynamic) && ...);
  }

  static constexpr int inputs_at_compile_time = At<0>::inputs_at_compile_time;
  static constexpr int outputs_at_compile_time = At<size - 1>::outputs_at_compile_time;
};

template <class Sequence>
struct ChainOfTypes;
template <template <class...> class Sequence, class... Layers>
struct ChainOfTypes<Sequence<Layers...>> {
  using Type = Chain<Layers...>;
};
/// The chain of any list of layers.
template <class Sequence>
using ChainOf = typename ChainOfTypes<Sequence>::Type;

/// Calls f(std::integral_constant<std::size_t, i>{}) for i = 0, ..., Count - 1.
template <std::size_t Count, class F>
void for_each_index(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) { (f(std::integral_constant<std::size_t, I>{}), ...); }
  (std::make_index_sequence<Count>{});
}

/// Calls f(layer) for each layer, and for each of those that an AnyLayers holds.
template <class... Layers, class F>
void for_each_layer(const std::tuple<Layers...>& layers, const F& f) {
  const auto visit = [&](const auto& layer) {
    if constexpr (requires { layer.for_each(f); })
      layer.for_each(f);
    else
      f(layer);
  };
  std::apply([&](const Layers&... layer) { (visit(layer), ...); }, layers);
}

/// Throws ShapeError where a run-time extent does not fit its neighbour.
template <class... Layers>
void check_neighbours(const char* who, const std::tuple<Layers...>& layers) {
  for_each_index<sizeof...(Layers) - 1>([&](auto before) {
    const Index gives = std::get<before>(layers).outputs();
    const Index expects = std::get<before + 1>(layers).inputs();
    if (expects != gives)
      raise<ShapeError>(who, ": layer<", before + 1, "> expects ", expects, " inputs, but layer<", before(), "> gives ", gives, " outputs");
  });
}

/// The same for a network; and where the loss wants more outputs than there are.
template <class LossType, class... Layers>
std::tuple<Layers...> checked_chain(const LossType& loss, std::tuple<Layers...> layers) {
  check_neighbours("Network", layers);
  if (const Index outputs = std::get<sizeof...(Layers) - 1>(layers).outputs(); outputs < loss.min_outputs)
    raise<ShapeError>("Network: ", loss.name, " needs at least ", loss.min_outputs, " outputs, but the last layer has ", outputs);
  return layers;
}

/// Throws ShapeError unless a cache was made for this layer, number i of the network, and those that may be inside it.
template <class L, class Cache>
void check_cache(const char* who, Index i, const L& layer, const Cache& cache) {
  check_made_for(who, "this workspace was", i, cache.output.rows(), layer.outputs());
  if constexpr (requires { layer.check_cache(who, cache); })
    layer.check_cache(who, cache);
  else if constexpr (requires { layer.layers(); })
    for_each_index<std::tuple_size_v<std::remove_cvref_t<decltype(layer.layers())>>>(
        [&](auto k) { check_cache(who, i, std::get<k>(layer.layers()), std::get<k>(cache.caches)); });
}

/// The same for all that a workspace holds. (Where extents are types, one for another network is of another type.)
template <class... Layers, class Work>
void check_workspace(const char* who, const std::tuple<Layers...>& layers, const Work& work) {
  for_each_index<sizeof...(Layers)>([&](auto i) { check_cache(who, i, std::get<i>(layers), work.template cache<i>()); });
}

/// The same for gradients, by the layer that they were made for.
template <class L>
void check_gradient_of_layer(Index i, const L& layer, const L& made_for) {
  check_made_for("backward", "these gradients were", i, made_for.inputs(), layer.inputs());
  check_made_for("backward", "these gradients were", i, made_for.outputs(), layer.outputs());
  if constexpr (requires { layer.check_gradient_of(made_for); })
    layer.check_gradient_of(made_for);
  else if constexpr (requires { layer.layers(); })
    for_each_index<std::tuple_size_v<std::remove_cvref_t<decltype(layer.layers())>>>(
        [&](auto k) { check_gradient_of_layer(i, std::get<k>(layer.layers()), std::get<k>(made_for.layers())); });
}
template <class... Layers>
void check_gradients(const std::tuple<Layers...>& layers, const std::tuple<Layers...>& made_for) {
  for_each_index<sizeof...(Layers)>([&](auto i) { check_gradient_of_layer(i, std::get<i>(layers), std::get<i>(made_for)); });
}

/// Whether the last layer leaves its raw outputs to the loss: it has no activation, or Identity.
template <class L>
constexpr bool gives_raw_outputs() {
  if constexpr (requires { typename L::ActivationType; }) {
    return L::ActivationType::name == "Identity";
  } else {
    return true;
  }
}

}  // namespace chainrule::detail
