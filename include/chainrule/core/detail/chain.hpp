#pragma once
// Checks that layers fit together: at compile time where extents are fixed, at construction where they are run-time values; and that a
// workspace or gradients were made for these layers.

#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/error.hpp>

namespace chainrule::detail {

// The compiler prints these names where two layers do not fit together, so they read as a sentence.
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

/// Facts about layers one after the other that the compiler can check, also where they are no layers or do not fit together.
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

/// Throws ShapeError where there are no layers, or a run-time extent does not fit its neighbour.
template <class Layers>
void check_neighbours(const char* who, const Layers& layers) {
  if (size_of(layers) == 0) raise<ShapeError>(who, ": it needs at least one layer");
  for_each_index(layers, [&](auto i) {
    if (i == 0) return;
    const Index gives = element(layers, before(i)).outputs();
    const Index expects = element(layers, i).inputs();
    if (expects != gives)
      raise<ShapeError>(who, ": layer<", std::size_t{i}, "> expects ", expects, " inputs, but layer<", std::size_t{before(i)}, "> gives ",
                        gives, " outputs");
  });
}

/// Returns the layers of a network after check_neighbours. Throws ShapeError also where the loss needs another number of outputs.
template <class LossType, class Layers>
Layers checked_chain(const LossType& loss, Layers layers) {
  check_neighbours("Network", layers);
  check_outputs("Network", loss, last_of(layers).outputs());
  return layers;
}

/// Throws ShapeError unless a list made for another network has as many layers as this one. `what`: "this workspace was".
inline void check_layer_count(const char* who, const char* what, std::size_t there, std::size_t here) {
  if (there != here) raise<ShapeError>(who, ": ", what, " made for another network: one of ", there, " layers, while this has ", here);
}

/// Throws ShapeError unless a cache was made for this layer, number i of the network, and for the layers inside it.
template <class L, class Cache>
void check_cache(const char* who, Index i, const L& layer, const Cache& cache) {
  check_made_for(who, "this workspace was", i, cache.output.rows(), layer.outputs());
  if constexpr (requires { cache.was_made_for(layer); })
    if (!cache.was_made_for(layer))
      raise<ShapeError>(who, ": this workspace was made for another network: the ", layer.name, " that is layer<", i,
                        "> has other rows there");
  if constexpr (requires { layer.layers(); }) {
    check_layer_count(who, "this workspace was", size_of(cache.caches), size_of(layer.layers()));
    for_each_index(layer.layers(), [&](auto k) { check_cache(who, i, element(layer.layers(), k), element(cache.caches, k)); });
  }
}

/// Throws ShapeError unless a workspace was made for these layers. (Where all extents are types, the workspace of another network is
/// of another type.) Precondition: the workspace was not moved from.
template <class Layers, class Work>
void check_workspace(const char* who, const Layers& layers, const Work& work) {
  check_layer_count(who, "this workspace was", size_of(work.caches()), size_of(layers));
  for_each_index(layers, [&](auto i) { check_cache(who, static_cast<Index>(i), element(layers, i), element(work.caches(), i)); });
}

/// Throws ShapeError unless gradients that were made for the layer `made_for` fit `layer`, number i of the network.
template <class L>
void check_gradient_of_layer(Index i, const L& layer, const L& made_for) {
  constexpr const char *who = "backward", *what = "these gradients were";
  check_made_for(who, what, i, made_for.inputs(), layer.inputs());
  check_made_for(who, what, i, made_for.outputs(), layer.outputs());
  if constexpr (requires { layer.layers(); }) {
    check_layer_count(who, what, size_of(made_for.layers()), size_of(layer.layers()));
    for_each_index(layer.layers(), [&](auto k) { check_gradient_of_layer(i, element(layer.layers(), k), element(made_for.layers(), k)); });
  }
}

/// Throws ShapeError unless gradients that were made for the sequence `made_for` fit `here`.
template <class Sequence>
void check_gradients(const Sequence& here, const Sequence& made_for) {
  if constexpr (Sequence::parameters_at_compile_time != Dynamic) return;  // then all gradients of this type fit
  const auto& layers = here.layers();
  check_layer_count("backward", "these gradients were", size_of(made_for.layers()), size_of(layers));
  for_each_index(layers, [&](auto i) {
    const auto& layer = element(layers, i);
    const auto& there = element(made_for.layers(), i);
    check_gradient_of_layer(static_cast<Index>(i), layer, there);
    if (here.parameter_offset(i + 1) != made_for.parameter_offset(i + 1))
      raise<ShapeError>("backward: these gradients were made for another network: layer<", std::size_t{i}, "> is ", there.name,
                        " there and ", layer.name, " here");
  });
}

/// Whether a layer's outputs can be logits, which a loss works on: it has no activation, or Identity.
template <class L>
constexpr bool gives_raw_outputs() {
  if constexpr (requires { typename L::ActivationType; }) {
    return requires { requires L::ActivationType::is_identity; };
  } else {
    return true;
  }
}

}  // namespace chainrule::detail
