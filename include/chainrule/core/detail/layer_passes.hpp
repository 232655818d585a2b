#pragma once
// The passes of one layer among others: which it has, and how it makes them where some parameters of the network are frozen.

#include <chainrule/core/concepts.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/frozen_parameters.hpp>
#include <chainrule/core/jet.hpp>
#include <string>
#include <type_traits>
#include <utility>

namespace chainrule::detail {

/// Whether a layer has its derivatives by x, jvp and vjp.
template <class L, class Scalar>
concept HasInputDerivatives = requires(const L& layer, const Scalar* theta, ConstMatrixView<Scalar> x, MatrixView<Scalar> delta,
                                       MatrixView<Scalar>& input_gradient, typename L::template Cache<Scalar, Dynamic>& cache) {
  layer.jvp(theta, x, cache, x, delta);
  layer.vjp(theta, x, cache, delta, input_gradient);
};

/// Whether a layer can pass on jets (core/jet.hpp), forward and back.
template <class L, class Scalar>
concept HasJet = requires(const L& layer, const Scalar* theta, Scalar* gradient, ConstMatrixView<Scalar> x, MatrixView<Scalar> delta,
                          MatrixView<Scalar>* input_gradient, typename L::template Cache<Scalar, Dynamic>& cache,
                          typename L::template JetCache<Scalar>& jet_cache, const JetShape& shape) {
  std::as_const(jet_cache).output.first(Index{1});
  layer.forward_jet(theta, theta, x, cache, shape, x, jet_cache);
  layer.backward_jet(theta, theta, x, cache, shape, x, jet_cache, delta, delta, gradient, input_gradient, input_gradient);
};

/// Whether a layer gives the gradient by its parameters of each sample by itself (layers/sample_gradients.hpp).
template <class L, class Scalar>
concept HasSampleGradients = requires(const L& layer, const Scalar* theta, ConstMatrixView<Scalar> x, MatrixView<Scalar> delta,
                                      MatrixView<Scalar>* input_gradient, typename L::template Cache<Scalar, Dynamic>& cache,
                                      const SampleGradients<Scalar>& gradients) {
  layer.sample_gradients(theta, x, cache, delta, gradients, input_gradient);
};

/// Returns the mode of a layer's pass where some parameters of the network are frozen: a layer with statistics predicts if all of its own
/// are. A layer that holds others keeps the mode, since each of these is asked by itself.
template <class L, class Scalar>
Mode mode_where_frozen(const L& layer, const ForwardContext<Scalar>& context) {
  using Cache = typename L::template Cache<Scalar, Dynamic>;
  constexpr bool has_layers = requires { layer.layers(); };
  constexpr bool is_any = requires { layer.is_inferred(); };
  constexpr bool has_statistics = requires(Scalar * buffers, const Cache& cache) { layer.update_statistics(buffers, cache, Index{1}); };
  if constexpr (has_statistics && !has_layers && !is_any)
    if (context.frozen.contains(0, parameter_count(layer))) return Mode::predict;
  return context.mode;
}

/// The backward pass of a layer in whose slice of theta `frozen` says what is frozen: a layer that holds others asks each of them; any
/// other computes only dJ/dx where all of its parameters are frozen, and does not write their gradient. (A layer that declares
/// `gradient_is_cheap` computes its gradient all the same.)
template <class L, class Scalar, class Cache>
void backward_of(const L& layer, const Scalar* theta, const ConstMatrixView<Scalar>& x, Cache& cache, MatrixView<Scalar> delta,
                 Scalar* gradient, MatrixView<Scalar>* input_gradient, const FrozenSlice& frozen) {
  if constexpr (requires { layer.backward(theta, x, cache, delta, gradient, input_gradient, frozen); }) {
    layer.backward(theta, x, cache, delta, gradient, input_gradient, frozen);
  } else {
    constexpr bool gradient_is_cheap = requires { requires L::gradient_is_cheap; };
    if constexpr (HasInputDerivatives<L, Scalar> && !gradient_is_cheap)
      if (frozen.all != nullptr && frozen.contains(0, parameter_count(layer))) {
        if (input_gradient != nullptr) layer.vjp(theta, x, cache, delta, *input_gradient);
        return;
      }
    layer.backward(theta, x, cache, delta, gradient, input_gradient);
  }
}

/// The JetCache of a layer; for a layer that has none, a type that holds nothing.
template <class L, class Scalar>
struct JetCacheOf {
  struct Type {
    Type(const L&, Index, Index) {}
  };
};
template <class L, class Scalar>
requires requires { typename L::template JetCache<Scalar>; }
struct JetCacheOf<L, Scalar> {
  using Type = typename L::template JetCache<Scalar>;
};

/// Says what a layer lacks for derivatives; empty where it lacks nothing. `order` is 0 for gradients of single samples by its parameters,
/// else the order of the derivatives of its activation that they contain: 1 for jvp and vjp, 2 for forward_jet and for backward_jet of a
/// jet without second derivatives, 3 for backward_jet of a jet with second derivatives.
template <class Scalar, class L>
std::string missing_derivative(const L& layer, int order) {
  if constexpr (requires { layer.missing_derivative(order); }) {
    const std::string missing = layer.missing_derivative(order);
    if (!missing.empty()) return missing;
  }
  constexpr bool has_first = HasInputDerivatives<L, Scalar>, has_jet = HasJet<L, Scalar>, has_single = HasSampleGradients<L, Scalar>;
  if (order == 0 && !has_single && parameter_count(layer) > 0)
    return text_of("the layer ", layer.name,
                   " has no sample_gradients, which gives the gradient by its parameters of each sample by itself (see core/concepts.hpp)");
  if (order == 1 && !has_first)
    return text_of("the layer ", layer.name, " has no jvp and vjp, which are its derivatives by x (see core/concepts.hpp)");
  if (order > 1 && !has_jet)
    return text_of("the layer ", layer.name,
                   " has no JetCache, forward_jet and backward_jet, which are its derivatives of second order (see core/concepts.hpp)");
  return {};
}

}  // namespace chainrule::detail
