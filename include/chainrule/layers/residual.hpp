#pragma once

#include <chainrule/layers/detail/layers_in_order.hpp>
#include <string_view>

namespace chainrule {

namespace detail {
/// The name of each Residual, for code that should not instantiate one.
inline constexpr std::string_view residual_name = "Residual";

/// How a Residual computes its output from x and F(x).
struct InputAdded {
  template <class Chain>
  static constexpr int outputs_at_compile_time = Chain::inputs_at_compile_time;
  ///     a = x + F(x)
  static void connect(auto a, const auto& x, const auto& F) { a = x + F; }
  ///     dJ/dx = dJ/da + what comes back through F
  static void connect_back(auto dX, const auto& delta) { dX += delta; }
};
}  // namespace detail

/// A skip connection (He, Zhang, Ren and Sun 2016), a = x + F(x), where F is the layers inside, one after the other:
/// @code{.cpp}
/// Residual<Dense<32, 32, ReLU>, Dense<32, 32>>{};
/// @endcode
/// F must have as many outputs as inputs: a mismatch of fixed extents does not compile, a mismatch of run-time extents throws ShapeError.
/// The parameters of the layers inside are in a tuple, std::get<0>(net.layer<1>()).weight; in tensors() that is "0.weight".
template <class... Layers>
class Residual : public detail::LayersInOrder<detail::InputAdded, Layers...> {
  static_assert(sizeof...(Layers) > 0, "chainrule: Residual<Layers...> needs at least one layer inside");
  using Base = detail::LayersInOrder<detail::InputAdded, Layers...>;
  using typename Base::Chain;
  static_assert(Chain::are_layers(), "chainrule: Residual<Layers...>: each argument must be a layer, such as Dense<In, Out>");
  static_assert(Chain::fits());
  static constexpr int N = Chain::inputs_at_compile_time;
  static_assert(N == Dynamic || Chain::outputs_at_compile_time == Dynamic || N == Chain::outputs_at_compile_time,
                "chainrule: Residual<Layers...> is x + F(x), so the last layer inside must have as many outputs as the first has inputs");

 public:
  static constexpr std::string_view name = detail::residual_name;  ///< the name in descriptions, files and messages

  /// For layers that can be made without arguments.
  Residual() requires(Chain::all_extents_are_types()) : Residual(Layers{}...) {}
  /// Takes the layers of F, from the first to the last. Throws ShapeError where they do not fit together.
  explicit Residual(Layers... layer) : Base("Residual", layer...) {
    if (this->outputs() != this->inputs())
      detail::raise<ShapeError>("Residual: x + F(x) needs as many outputs as inputs, but the layers inside make ", this->outputs(), " of ",
                                this->inputs());
  }
};

/// A Residual whose first layer inside takes its inputs from the layer before the Residual: Residual<BatchNorm<>, Dense<32, 32>>{}. A
/// network makes it a Residual of known inputs.
template <class First, class... Rest>
requires(detail::takes_inferred_inputs<First>()) class Residual<First, Rest...> : public detail::LayersToInfer<Residual, First, Rest...> {
 public:
  static constexpr std::string_view name = detail::residual_name;  ///< the name in descriptions, files and messages
  using detail::LayersToInfer<chainrule::Residual, First, Rest...>::LayersToInfer;
};

}  // namespace chainrule
