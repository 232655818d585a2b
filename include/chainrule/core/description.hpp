#pragma once
// Describes layers, activations and losses as values, which are written into files and exchanged with other frameworks, and from which
// networks are made again.

#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/core/types.hpp>
#include <string>
#include <utility>
#include <vector>

namespace chainrule {

/// A layer, an activation or a loss as values: its name, extents and hyperparameters, all that its type and its constructor say.
struct Description {
  std::string kind;                                             ///< "Dense", "LeakyReLU", "Huber"
  Index inputs = 0;                                             ///< a layer's; 0 for activations and losses
  Index outputs = 0;                                            ///< a layer's; 0 for activations and losses
  std::vector<std::pair<std::string, double>> hyperparameters;  ///< in the order of the constructor: {"slope", 0.2}
  std::vector<Description> parts;  ///< a layer's activation; the layers inside a Residual; the loss inside a ClassWeighted

  bool operator==(const Description&) const = default;  ///< whether all names and numbers are equal
};

/// How deep a description may be nested: a Dense in a Residual in a Residual is nested 2 deep. Writers and readers of networks both enforce
/// it, so that everything that is written can be read, and no file makes a reader run out of stack.
inline constexpr int max_nesting = 16;

namespace detail {

/// Throws ValueError where a part of the description is nested more than max_nesting deep. `who` begins the message; `depth`: how deep the
/// description itself is nested.
inline void check_nesting(const Description& of, std::string_view who, int depth = 0) {
  if (depth > max_nesting) raise<ValueError>(who, ": the description is nested more than ", max_nesting, " deep");
  for (const Description& part : of.parts) check_nesting(part, who, depth + 1);
}

}  // namespace detail

/// Describes a layer, an activation or a loss by its name, extents, hyperparameters(), activation() and layers(). A type for which these
/// are not enough describes itself, by a member `Description describe() const`.
template <class T>
Description describe(const T& of) {
  if constexpr (requires { of.describe(); }) {
    return of.describe();
  } else {
    Description d;
    d.kind = T::name;
    if constexpr (requires { of.inputs(); }) {
      d.inputs = of.inputs();
      d.outputs = of.outputs();
    }
    if constexpr (requires { of.hyperparameters(); })
      std::apply([&](const auto&... each) { (d.hyperparameters.emplace_back(each.name, static_cast<double>(each.value)), ...); },
                 of.hyperparameters());
    if constexpr (requires { of.activation(); }) d.parts.push_back(describe(of.activation()));
    if constexpr (requires { of.layers(); })
      detail::for_each_layer(of.layers(), [&](const auto& layer) { d.parts.push_back(describe(layer)); });
    return d;
  }
}

/// Describes the layers of a network, from the first to the last.
template <class Net>
std::vector<Description> describe_layers(const Net& net) {
  std::vector<Description> all;
  detail::for_each_layer(net.layers(), [&](const auto& layer) { all.push_back(describe(layer)); });
  return all;
}

}  // namespace chainrule
