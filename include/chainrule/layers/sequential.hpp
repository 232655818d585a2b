#pragma once

#include <chainrule/layers/detail/layers_in_order.hpp>
#include <string_view>

namespace chainrule {

namespace detail {
/// The name of each Sequential, for code that should not instantiate one.
inline constexpr std::string_view sequential_name = "Sequential";

/// How a Sequential computes its output from F(x) alone.
struct OutputOfLast {
  template <class Chain>
  static constexpr int outputs_at_compile_time = Chain::outputs_at_compile_time;
  ///     a = F(x)
  static void connect(auto a, const auto&, const auto& F) { a = F; }
  ///     dJ/dx = what comes back through F
  static void connect_back(const auto&, const auto&) {}
};
}  // namespace detail

/// Layers one after the other as one layer, for a branch of a Parallel that has more than one (torch.nn.Sequential):
/// @code{.cpp}
/// Parallel<Dense<8, 4>, Sequential<Dense<8, 16, ReLU>, Dense<16, 4>>>{};
/// @endcode
/// Layers that do not fit together do not compile, or throw ShapeError where extents are run-time values. The parameters of the layers
/// inside are in a tuple; in tensors() they are "0.weight".
template <class... Layers>
class Sequential : public detail::LayersInOrder<detail::OutputOfLast, Layers...> {
  static_assert(sizeof...(Layers) > 0, "chainrule: Sequential<Layers...> needs at least one layer inside");
  using Base = detail::LayersInOrder<detail::OutputOfLast, Layers...>;
  using typename Base::Chain;
  static_assert(Chain::are_layers(), "chainrule: Sequential<Layers...>: each argument must be a layer, such as Dense<In, Out>");
  static_assert(Chain::fits());

 public:
  static constexpr std::string_view name = detail::sequential_name;  ///< the name in descriptions, files and messages

  /// For layers that can be made without arguments.
  Sequential() requires(Chain::all_extents_are_types()) : Sequential(Layers{}...) {}
  /// Takes the layers, from the first to the last. Throws ShapeError where they do not fit together.
  explicit Sequential(Layers... layer) : Base("Sequential", layer...) {}
};

/// A Sequential whose first layer inside takes its inputs from the layer before the Sequential: Sequential<BatchNorm<>, Dense<32, 8>>{}. A
/// network, or a Parallel around it, makes it a Sequential of known inputs.
template <class First, class... Rest>
requires(detail::takes_inferred_inputs<First>()) class Sequential<First, Rest...>
    : public detail::LayersToInfer<Sequential, First, Rest...> {
 public:
  static constexpr std::string_view name = detail::sequential_name;  ///< the name in descriptions, files and messages
  using detail::LayersToInfer<chainrule::Sequential, First, Rest...>::LayersToInfer;
};

}  // namespace chainrule
