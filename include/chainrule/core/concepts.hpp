#pragma once
// The contracts. Whatever satisfies one of these is a full member of its family: no registration, no list to extend.

#include <chainrule/core/chunks.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>
#include <concepts>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

namespace chainrule {

/// Sets the weights of a new layer. `weights` has outputs x inputs entries; fan_in = inputs, fan_out = outputs.
template <class T>
concept Initializer = std::copyable<T> && requires(const T& t, std::span<float> weights, Index fan_in, Index fan_out, Random& random) {
  { T::name } -> std::convertible_to<std::string_view>;
  t(weights, fan_in, fan_out, random);
};

/// Whether f'(z) is written with a = f(z) alone, so that z need not be kept: sigma'(z) = a (1 - a).
template <class T>
concept DerivativeFromOutput = requires(const T& f, const Chunk<float>& a) {
  { f.derivative_from_output(a) } -> std::convertible_to<Chunk<float>>;
};

template <class T>
concept DerivativeFromInput = requires(const T& f, const Chunk<float>& z) {
  { f.derivative(z) } -> std::convertible_to<Chunk<float>>;
};

/// a = f(z) for a Chunk of z, elementwise; its derivative in one of two forms; the initializer that suits it.
template <class T>
concept Activation = std::copyable<T> && requires(const T& f, const Chunk<float>& z) {
  { T::name } -> std::convertible_to<std::string_view>;
  { f.value(z) } -> std::convertible_to<Chunk<float>>;
  { f.default_initializer() } -> Initializer;
} &&(DerivativeFromOutput<T> || DerivativeFromInput<T>);

/// J(y, y_hat), a mean over the batch, with its gradient dJ/dy_hat and its link from raw outputs to predictions.
template <class T>
concept Loss = std::copyable<T> && std::default_initializable<T> &&
    requires(const T& loss, ConstMatrixView<float> y_hat, ConstMatrixView<float> y, MatrixView<float> out) {
  { T::name } -> std::convertible_to<std::string_view>;
  { T::works_on_logits } -> std::convertible_to<bool>;  // then the last layer has no activation of its own
  { T::min_outputs } -> std::convertible_to<Index>;
  loss.check(y_hat, y);  // throws where y is no target for this loss
  { loss.value(y_hat, y) } -> std::same_as<float>;
  loss.gradient(y_hat, y, out);  // out = dJ/dy_hat
  loss.link(out);                // in place
};

/// One tensor of a layer's parameters, as the flat vector holds it: column-major, one after the other.
struct TensorShape {
  std::string_view name;
  Index rows;
  Index cols;
  bool decays = false;  ///< whether weight decay and penalties pull at it: at weights, not at biases
  constexpr Index size() const { return rows * cols; }
};

/// One layer: its shape and hyperparameters. Its parameters are a slice of the network's flat vector, what its forward
/// pass keeps is a Cache in the workspace; so a layer is small, const while it works, and shared by any number of threads.
template <class T>
concept Layer = std::copyable<T> &&
    requires(const T& layer, float* theta, const float* const_theta, ConstMatrixView<float> x, MatrixView<float> delta,
             MatrixView<float> input_gradient, Random& random, typename T::template Cache<float, Dynamic>& cache) {
  { T::name } -> std::convertible_to<std::string_view>;
  { T::inputs_at_compile_time } -> std::convertible_to<int>;
  { T::outputs_at_compile_time } -> std::convertible_to<int>;
  { T::parameters_at_compile_time } -> std::convertible_to<Index>;
  { layer.inputs() } -> std::convertible_to<Index>;
  { layer.outputs() } -> std::convertible_to<Index>;
  {std::span<const TensorShape>(layer.tensors())};  // names and shapes of what the flat slice holds
  { layer.activation_name() } -> std::convertible_to<std::string_view>;
  layer.parameters(theta);  // named views, such as .weight and .bias
  layer.parameters(const_theta);
  layer.initialize(theta, random);
  layer.forward(const_theta, x, cache);  // fills cache.output
  layer.backward(const_theta, x, cache, delta, theta, &input_gradient);
};

namespace detail {

/// How many parameters a layer has: the length of its slice of the flat vector.
template <class L>
Index parameter_count(const L& layer) {
  Index count = 0;
  for (const TensorShape& tensor : layer.tensors()) count += tensor.size();
  return count;
}

}  // namespace detail
}  // namespace chainrule
