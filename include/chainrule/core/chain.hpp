#pragma once
// The proof, at compile time where extents are types and otherwise at construction, that the layers form a chain.

#include <chainrule/core/concepts.hpp>
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

  static constexpr bool all_extents_are_types() {
    return ((Layers::inputs_at_compile_time != Dynamic && Layers::outputs_at_compile_time != Dynamic) && ...);
  }

  static constexpr int inputs_at_compile_time = At<0>::inputs_at_compile_time;
  static constexpr int outputs_at_compile_time = At<size - 1>::outputs_at_compile_time;
};

/// Throws ShapeError where a run-time extent does not fit its neighbour.
template <class... Layers>
void check_chain(const std::tuple<Layers...>& layers) {
  std::apply(
      [](const auto&... each) {
        Index i = 0;
        Index gives = 0;
        const auto check = [&](const auto& l) {
          if (i > 0 && l.inputs() != gives)
            raise<ShapeError>("Network: layer<", i, "> expects ", l.inputs(), " inputs, but layer<", i - 1, "> gives ", gives, " outputs");
          gives = l.outputs();
          ++i;
        };
        (check(each), ...);
      },
      layers);
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
