#pragma once
// Finds the type that a Description names, makes an object of it, and calls the caller's function with that object. So a layer that is
// known by its description alone reaches the same overloads as a layer whose type is written in the program.

#include <algorithm>
#include <chainrule/any/known.hpp>
#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/embedding.hpp>
#include <chainrule/layers/parallel.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/layers/sequential.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/heads.hpp>
#include <cmath>
#include <concepts>

namespace chainrule::detail {

/// Whether the description has the name of T.
template <class T>
bool describes(const Description& of) {
  return of.kind == T::name;
}

/// How many hyperparameters a T has.
template <class T>
constexpr std::size_t hyperparameter_count() {
  if constexpr (requires(const T& t) { t.hyperparameters(); })
    return std::tuple_size_v<decltype(std::declval<const T&>().hyperparameters())>;
  else
    return 0;
}

/// The hyperparameters as text for messages: "slope = 0.2, ..." or "none".
inline std::string hyperparameters_text(const Description& of) {
  constexpr std::size_t max_shown = 200;
  std::string text;
  for (const auto& [name, value] : of.hyperparameters) {
    append(text, text_of(text.empty() ? "" : ", ", excerpt(name), " = ", value));
    if (text.size() > max_shown) break;
  }
  return text.empty() ? "none" : excerpt(text, max_shown);
}

/// Makes a T from extents and the described hyperparameters, by T::from_description(of) where T has this function. Throws ValueError where
/// these are not those of T, and what its constructor throws.
template <class T, class... Before>
T make(const Description& of, Before... before) {
  if constexpr (requires { T::from_description(of); }) return T::from_description(of);
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

/// Makes a layer T with the first of these constructors that it has, where h... are its hyperparameters: T(inputs, outputs, h...),
/// T(inputs, h...), T(h...).
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

/// The only part of a description. Throws ValueError unless there is exactly one; `what` names the expected part in the error.
inline const Description& only_part(const Description& of, const char* what) {
  if (of.parts.size() != 1) raise<ValueError>(of.kind, ": expected ", what, " in its description, but found ", of.parts.size(), " parts");
  return of.parts[0];
}

/// A Dense that holds the description of its activation instead of an activation. The description must outlive it.
template <Bias bias>
class DescribedDense : public Dense<Dynamic, Dynamic, Identity, XavierUniform, bias> {
  using Base = Dense<Dynamic, Dynamic, Identity, XavierUniform, bias>;

 public:
  explicit DescribedDense(const Description& of) : Base(of.inputs, of.outputs), activation_{only_part(of, "an activation")} {}
  const Description& activation() const { return activation_; }

 private:
  const Description& activation_;
};

/// An Activate that holds the description of its activation instead of an activation. The description must outlive it.
class DescribedActivate : public SameShape<Dynamic>, public WithoutParameters {
 public:
  static constexpr std::string_view name = "Activate";
  explicit DescribedActivate(const Description& of) : SameShape(name.data(), of.inputs), activation_{only_part(of, "an activation")} {}
  const Description& activation() const { return activation_; }

 private:
  const Description& activation_;
};

/// A layer of this name, which contains other layers, that holds the descriptions of these instead. The description must outlive it.
template <const std::string_view& name_of_layer>
class DescribedNest {
 public:
  static constexpr std::string_view name = name_of_layer;
  explicit DescribedNest(const Description& of) : of_{of} {
    if (of.parts.empty()) raise<ValueError>(name, ": expected layers inside, but found none");
  }
  Index inputs() const { return of_.inputs; }
  Index outputs() const { return of_.outputs; }
  const std::vector<Description>& layers() const { return of_.parts; }

 private:
  const Description& of_;
};
using DescribedResidual = DescribedNest<residual_name>;
using DescribedSequential = DescribedNest<sequential_name>;
using DescribedParallel = DescribedNest<parallel_name>;
using DescribedParallelSum = DescribedNest<parallel_sum_name>;

/// Whether the described layer contains other layers, which are its parts.
inline bool contains_layers(const Description& of) {
  return describes<DescribedResidual>(of) || describes<DescribedSequential>(of) || describes<DescribedParallel>(of) ||
         describes<DescribedParallelSum>(of);
}
/// Whether the layers that the described layer contains all read its input, so that they are branches.
inline bool contains_branches(const Description& of) { return describes<DescribedParallel>(of) || describes<DescribedParallelSum>(of); }

/// An Embedding that is made from its description.
class DescribedEmbedding : public Embedding<Dynamic> {
 public:
  explicit DescribedEmbedding(const Description& of) : Embedding(of.inputs, rows_in(of)) {}

 private:
  static std::vector<CategoryRow> rows_in(const Description& of) {
    std::vector<CategoryRow> rows;
    std::size_t i = 0;
    const auto next = [&](std::string_view expected) {
      constexpr double limit = 0x1p31;
      if (i >= of.hyperparameters.size() || of.hyperparameters[i].first != expected || !is_within(of.hyperparameters[i].second, 0, limit) ||
          of.hyperparameters[i].second != std::floor(of.hyperparameters[i].second))
        raise<ValueError>(of.kind,
                          ": expected whole numbers row, categories and size for each row of categories, but found the hyperparameters ",
                          hyperparameters_text(of));
      return static_cast<Index>(of.hyperparameters[i++].second);
    };
    while (i < of.hyperparameters.size()) {
      const Index row = next("row"), categories = next("categories"), size = next("size");
      rows.push_back({row, categories, size});
    }
    return rows;
  }
};

/// A ClassWeighted that holds the description of its loss instead of a loss. The description must outlive it.
class DescribedClassWeighted {
 public:
  static constexpr std::string_view name = class_weighted_name;
  explicit DescribedClassWeighted(const Description& of) : of_{of}, loss_{only_part(of, "a loss")} {}
  const Description& loss() const { return loss_; }
  std::vector<double> class_weights() const {
    std::vector<double> weights;
    for (const auto& [_, weight] : of_.hyperparameters) weights.push_back(weight);
    return weights;
  }

 private:
  const Description& of_;
  const Description& loss_;
};

/// A Heads that holds the descriptions of its losses instead of losses. The description must outlive it.
class DescribedHeads {
 public:
  static constexpr std::string_view name = "Heads";
  /// A Head that holds the description of its loss.
  class OneHead {
   public:
    static constexpr std::string_view name = head_name;
    OneHead(Index outputs, double weight, const Description& loss) : outputs_{outputs}, weight_{weight}, loss_{&loss} {}
    Index outputs() const { return outputs_; }
    double weight() const { return weight_; }
    const Description& loss() const { return *loss_; }

   private:
    Index outputs_;
    double weight_;
    const Description* loss_;
  };

  explicit DescribedHeads(const Description& of) {
    if (of.parts.empty()) raise<ValueError>(name, ": expected heads, but found none");
    for (const Description& head : of.parts) {
      const auto& numbers = head.hyperparameters;
      const bool is_head = describes<OneHead>(head) && numbers.size() == 2 && numbers[0].first == "outputs" && numbers[1].first == "weight";
      if (!is_head)
        raise<ValueError>(name, ": expected a Head with the hyperparameters outputs and weight, but found ", in_quotes(head.kind), " with ",
                          hyperparameters_text(head));
      const double outputs = numbers[0].second;
      if (!(outputs >= 1 && outputs <= 0x1p31) || static_cast<double>(static_cast<Index>(outputs)) != outputs)
        raise<ValueError>(name, ": expected a Head of at least 1 output, but found ", outputs);
      heads_.emplace_back(static_cast<Index>(outputs), numbers[1].second, only_part(head, "a loss"));
    }
  }
  const std::vector<OneHead>& heads() const { return heads_; }

 private:
  std::vector<OneHead> heads_;
};

/// A SumOfLosses that holds the descriptions of its losses instead of losses. The description must outlive it.
class DescribedSumOfLosses {
 public:
  static constexpr std::string_view name = "SumOfLosses";
  explicit DescribedSumOfLosses(const Description& of) : of_{of} {
    const auto& weights = of.hyperparameters;
    const bool are_weights = std::all_of(weights.begin(), weights.end(), [](const auto& one) { return one.first == "weight"; });
    if (of.parts.empty() || weights.size() != of.parts.size() || !are_weights)
      raise<ValueError>(name, ": expected losses with a weight for each, but found ", of.parts.size(), " losses and ",
                        hyperparameters_text(of));
  }
  const std::vector<Description>& losses() const { return of_.parts; }
  std::vector<double> weights() const {
    std::vector<double> weights;
    for (const auto& [_, weight] : of_.hyperparameters) weights.push_back(weight);
    return weights;
  }

 private:
  const Description& of_;
};

/// The types whose objects visit_loss passes to its function for losses that contain other losses.
using DescribedLosses = Types<DescribedClassWeighted, DescribedHeads, DescribedSumOfLosses>;

/// The types whose objects visit_layer passes to its function for layers that contain an activation or other layers, and for Embedding.
using DescribedLayers = Types<DescribedDense<Bias::trained>, DescribedDense<Bias::none>, DescribedActivate, DescribedResidual,
                              DescribedSequential, DescribedParallel, DescribedParallelSum, DescribedEmbedding>;

/// Whether the description is that of a Dense, with or without bias.
inline bool describes_dense(const Description& of) {
  return describes<DescribedDense<Bias::trained>>(of) || describes<DescribedDense<Bias::none>>(of);
}

// Whether L is a layer of this kind, or the described form of one. False for a class derived from one.
template <Bias bias>
inline constexpr bool is_dense<DescribedDense<bias>> = true;
template <class L>
concept IsDense = is_dense<L>;

template <class L>
inline constexpr bool is_activate = std::is_same_v<L, DescribedActivate>;
template <class F, int N>
inline constexpr bool is_activate<Activate<F, N>> = true;
template <class L>
concept IsActivate = is_activate<L>;

template <class L>
inline constexpr bool is_embedding = std::is_same_v<L, DescribedEmbedding>;
template <int In, CategoryRow... rows>
inline constexpr bool is_embedding<Embedding<In, rows...>> = true;
template <class L>
concept IsEmbedding = is_embedding<L>;

template <class L, template <class...> class Nest>
inline constexpr bool is_nest = false;
template <class... Layers, template <class...> class Nest>
inline constexpr bool is_nest<Nest<Layers...>, Nest> = true;
template <class L>
concept IsResidual = is_nest<L, Residual> || std::is_same_v<L, DescribedResidual>;
template <class L>
concept IsSequential = is_nest<L, Sequential> || std::is_same_v<L, DescribedSequential>;
template <class L>
concept IsParallel = is_nest<L, Parallel> || std::is_same_v<L, DescribedParallel>;
template <class L>
concept IsParallelSum = is_nest<L, ParallelSum> || std::is_same_v<L, DescribedParallelSum>;

/// A list of T, or an empty list.
template <class T, bool condition>
using TypesIf = std::conditional_t<condition, Types<T>, Types<>>;
/// Joins two lists of types.
template <class... A, class... B>
Types<A..., B...> operator+(Types<A...>, Types<B...>);

/// The library's types and those of the user, each of which is an activation, a loss or a layer.
template <class... Own>
struct KnownTypes {
  using OfActivations = decltype((Activations{} + ... + TypesIf<Own, Activation<Own>>{}));
  using OfLosses = decltype((Losses{} + ... + TypesIf<Own, Loss<Own>>{}));
  using OfLayers = decltype(((SameShapeLayers{} + FakeQuantizeLayers{}) + ... + TypesIf<Own, Layer<Own>>{}));
  static_assert(((Activation<Own> || Loss<Own> || Layer<Own>)&&...), "chainrule: a known type must be an activation, a loss or a layer");
};

/// Calls f(std::type_identity<T>{}) with the type T of the list whose name is the description's kind. Returns false, without a call, if
/// the list has no such type.
template <class... T, class F>
bool visit_type(Types<T...>, const Description& of, const F& f) {
  return ((describes<T>(of) && (f(std::type_identity<T>{}), true)) || ...);
}

/// Makes the described activation and calls f with it. Returns false if neither the library nor `Own` has an activation of this name.
/// Throws ValueError where the hyperparameters are not those of its type, and what its constructor throws.
template <class... Own, class F>
bool visit_activation(const Description& of, const F& f) {
  return visit_type(typename KnownTypes<Own...>::OfActivations{}, of, [&]<class T>(std::type_identity<T>) { f(make<T>(of)); });
}

/// Makes the described loss and calls f with it; a loss that contains other losses is given as one of DescribedLosses. Result and errors
/// are as for visit_activation.
template <class... Own, class F>
bool visit_loss(const Description& of, const F& f) {
  return visit_type(DescribedLosses{}, of, [&]<class T>(std::type_identity<T>) { f(T(of)); }) ||
         visit_type(typename KnownTypes<Own...>::OfLosses{}, of, [&]<class T>(std::type_identity<T>) { f(make<T>(of)); });
}

/// Whether the described loss takes raw outputs and brings its own link. True for a loss that is not known.
template <std::same_as<Description> D>  // a template, so that only programs that ask compile every loss for it
bool works_on_logits(const D& of) {
  bool works = true;
  visit_loss(of, [&]<class L>(const L& loss) {
    if constexpr (std::is_same_v<L, DescribedClassWeighted>)
      works = works_on_logits(loss.loss());
    else if constexpr (std::is_same_v<L, DescribedSumOfLosses>)
      works = works_on_logits(loss.losses()[0]);
    else if constexpr (std::is_same_v<L, DescribedHeads>)
      works = std::any_of(loss.heads().begin(), loss.heads().end(), [](const auto& head) { return works_on_logits(head.loss()); });
    else
      works = L::works_on_logits;
  });
  return works;
}

/// Makes the described layer and calls f with it; a layer that contains an activation or other layers, and an Embedding, is given as
/// one of DescribedLayers. Result and errors are as for visit_activation.
template <class... Own, class F>
bool visit_layer(const Description& of, const F& f) {
  return visit_type(DescribedLayers{}, of, [&]<class T>(std::type_identity<T>) { f(T(of)); }) ||
         visit_type(typename KnownTypes<Own...>::OfLayers{}, of, [&]<class T>(std::type_identity<T>) { f(make_layer_of_type<T>(of)); });
}

/// Throws ValueError, which says that there is no activation, loss or layer (`what`) called `name`, and lists the names of the types T.
template <class... T>
[[noreturn]] void refuse_name(Types<T...>, const char* what, std::string_view name) {
  std::string names;
  (append(names, text_of(names.empty() ? "" : ", ", T::name)), ...);
  raise<ValueError>("there is no ", what, " ", in_quotes(name), "; known are: ", names, "; name types of your own where you load");
}

}  // namespace chainrule::detail
