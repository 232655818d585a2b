#pragma once
// From a Description back to the thing itself: layers and losses whose types are found by their names.

#include <chainrule/any/any_activation.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/any/known.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <optional>

namespace chainrule {
namespace detail {

template <class T>
constexpr std::size_t hyperparameter_count() {
  if constexpr (requires(const T& t) { t.hyperparameters(); })
    return std::tuple_size_v<decltype(std::declval<const T&>().hyperparameters())>;
  else
    return 0;
}

/// "slope = 0.2, ..." or "none"
inline std::string hyperparameters_text(const Description& of) {
  std::string text;
  for (const auto& [name, value] : of.hyperparameters) append(text, text_of(text.empty() ? "" : ", ", name, " = ", value));
  return text.empty() ? "none" : text;
}

/// T from its extents and the hyperparameters that are described. Throws ValueError where these are not T's, and what T throws.
template <class T, class... Before>
T make(const Description& of, Before... before) {
  constexpr std::size_t count = hyperparameter_count<T>();
  const auto refuse = [&](std::string_view expected) {
    raise<ValueError>(of.kind, ": expected ", expected, ", but found the hyperparameters ", hyperparameters_text(of));
  };
  if (of.hyperparameters.size() != count) refuse(text_of(count, " of them"));
  T made = [&]<std::size_t... I>(std::index_sequence<I...>) {
    if constexpr (count == 0) {
      return T{before...};
    } else {
      using Tuple = decltype(std::declval<const T&>().hyperparameters());
      return T{before..., static_cast<typename std::tuple_element_t<I, Tuple>::Type>(of.hyperparameters[I].second)...};
    }
  }
  (std::make_index_sequence<count>{});
  const Description again = describe(made);
  for (std::size_t i = 0; i < count; ++i)
    if (again.hyperparameters[i].first != of.hyperparameters[i].first) refuse("the hyperparameters " + hyperparameters_text(again));
  return made;
}

/// A layer T, whose constructor takes its inputs and outputs, or its units, or neither, before its hyperparameters.
template <class T>
T make_layer_of_type(const Description& of) {
  constexpr auto takes = []<std::size_t... I>(std::index_sequence<I...>, auto... extents) {
    return requires { T{extents..., (static_cast<void>(I), double{})...}; };
  };
  constexpr std::make_index_sequence<hyperparameter_count<T>()> each;
  if constexpr (takes(each, Index{}, Index{}))
    return make<T>(of, of.inputs, of.outputs);
  else if constexpr (takes(each, Index{}))
    return make<T>(of, of.inputs);
  else
    return make<T>(of);
}

/// T{} for the one of these types whose name is `kind`, given to f<T>(). Throws ValueError that names them if there is none.
template <class... T, class F>
void with_type_named(Types<T...>, const char* what, std::string_view kind, const F& f) {
  if (((kind == T::name && (f.template operator()<T>(), true)) || ...)) return;
  std::string names;
  (append(names, text_of(names.empty() ? "" : ", ", T::name)), ...);
  raise<ValueError>("there is no ", what, " \"", kind, "\"; known are: ", names, "; name types of your own where you load");
}

template <class T, bool take>
using TakenIf = std::conditional_t<take, Types<T>, Types<>>;
template <class... A, class... B>
Types<A..., B...> operator+(Types<A...>, Types<B...>);

/// The library's types and those of the user, of which each is an activation, a loss or a layer.
template <class... Own>
struct KnownTypes {
  using OfActivations = decltype((Activations{} + ... + TakenIf<Own, Activation<Own>>{}));
  using OfLosses = decltype((Losses{} + ... + TakenIf<Own, Loss<Own>>{}));
  using OfLayers = decltype((SameShapeLayers{} + ... + TakenIf<Own, Layer<Own>>{}));
  static_assert(((Activation<Own> || Loss<Own> || Layer<Own>)&&...), "chainrule: a known type must be an activation, a loss or a layer");
};

/// A layer and what is in it may be this deep.
inline constexpr int deepest_description = 16;

inline const Description& only_part(const Description& of, const char* what) {
  if (of.parts.size() != 1) raise<ValueError>(of.kind, ": expected ", what, " in its description, but found ", of.parts.size(), " parts");
  return of.parts[0];
}

}  // namespace detail

template <class Scalar, class... Own>
AnyLayers<Scalar> make_layers(const std::vector<Description>& of, int depth = 0);

/// The layer that is described. `Own`: activations and layers of yours that may be in it; a layer's constructor takes its inputs and
/// outputs, or its units, and its hyperparameters. Throws ValueError for a name or hyperparameters that nobody knows, and what the
/// layer's constructor throws.
template <class Scalar, class... Own>
AnyLayer<Scalar> make_layer(const Description& of, int depth = 0) {
  using Known = detail::KnownTypes<Own...>;
  std::optional<AnyLayer<Scalar>> made;
  // one type for all activations, but for Identity, which costs nothing then
  const auto with_activation = [&](const auto& make_with) {
    const Description& part = detail::only_part(of, "an activation");
    detail::with_type_named(typename Known::OfActivations{}, "activation", part.kind, [&]<class F>() {
      if constexpr (std::is_same_v<F, Identity>)
        made = make_with(detail::make<F>(part));
      else
        made = make_with(AnyActivation<Scalar, DerivativeFromOutput<F>>(detail::make<F>(part)));
    });
  };
  if (of.kind == "Dense") {
    with_activation([&]<class F>(F f) { return Dense<Dynamic, Dynamic, F>{of.inputs, of.outputs, f}; });
  } else if (of.kind == "Activate") {
    with_activation([&]<class F>(F f) { return Activate<F, Dynamic>{of.inputs, f}; });
  } else if (of.kind == "Residual") {
    if (depth == detail::deepest_description) detail::raise<ValueError>("Residual: they lie in each other more than ", depth, " deep");
    AnyLayers<Scalar> inside = make_layers<Scalar, Own...>(of.parts, depth + 1);
    if (inside.list().empty()) detail::raise<ValueError>("Residual: expected layers inside, but found none");
    made = Residual<AnyLayers<Scalar>>{std::move(inside)};
  } else {
    detail::with_type_named(typename Known::OfLayers{}, "layer", of.kind, [&]<class L>() { made = detail::make_layer_of_type<L>(of); });
  }
  if (made->inputs() != of.inputs || made->outputs() != of.outputs)
    detail::raise<ShapeError>(of.kind, ": expected ", made->inputs(), " -> ", made->outputs(), " units, but found ", of.inputs, " -> ",
                              of.outputs);
  return *made;
}

/// The layers that are described, from the first to the last.
template <class Scalar, class... Own>
AnyLayers<Scalar> make_layers(const std::vector<Description>& of, int depth) {
  AnyLayers<Scalar> layers;
  for (const Description& one : of) layers.add(make_layer<Scalar, Own...>(one, depth));
  return layers;
}

/// The loss that is described; the same of losses.
template <class Scalar, class... Own>
AnyLoss<Scalar> make_loss(const Description& of) {
  using Known = detail::KnownTypes<Own...>;
  std::optional<AnyLoss<Scalar>> made;
  if (of.kind == "ClassWeighted") {
    const Description& inside = detail::only_part(of, "a loss");
    std::vector<double> weights;
    for (const auto& [name, value] : of.hyperparameters) weights.push_back(value);
    detail::with_type_named(typename Known::OfLosses{}, "loss", inside.kind,
                            [&]<class L>() { made = ClassWeighted<L>(weights, detail::make<L>(inside)); });
  } else {
    detail::with_type_named(typename Known::OfLosses{}, "loss", of.kind, [&]<class L>() { made = detail::make<L>(of); });
  }
  return *made;
}

template <class Scalar>
template <class Other, class... Own>
AnyNetwork<Other> AnyNetwork<Scalar>::rebind() const {
  auto copy = AnyNetwork<Other>::zeros(make_loss<Other, Own...>(describe(this->loss_function())),
                                       make_layers<Other, Own...>(describe_layers(*this)));
  copy.parameters() = this->parameters().template cast<Other>();
  copy.buffers() = this->buffers().template cast<Other>();
  return copy;
}

}  // namespace chainrule
