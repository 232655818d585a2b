#pragma once
// The contracts of activations, losses, layers and initializers. A type that satisfies one is a full member of its family; it need not be
// registered anywhere. testing/contracts.hpp checks what a concept cannot express, such as that a derivative is right.

#include <chainrule/core/chunks.hpp>
#include <chainrule/core/forward_context.hpp>
#include <chainrule/core/jet.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/core/tensor_shape.hpp>
#include <chainrule/core/types.hpp>
#include <concepts>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

namespace chainrule {

/// An initializer, which sets the weights of a new layer. `weights` has outputs x inputs entries; fan_in = inputs, fan_out = outputs.
template <class T>
concept Initializer = std::copyable<T> && requires(const T& t, std::span<float> weights, Index fan_in, Index fan_out, Random& random) {
  { T::name } -> std::convertible_to<std::string_view>;
  t(weights, fan_in, fan_out, random);
};

/// An activation whose f'(z) is written with a = f(z) alone, so that z need not be kept: sigma'(z) = a (1 - a).
template <class T>
concept DerivativeFromOutput = requires(const T& f, const Chunk<float>& a) {
  { f.derivative_from_output(a) } -> std::convertible_to<Chunk<float>>;
};

/// An activation whose f'(z) is written with z, which forward then keeps.
template <class T>
concept DerivativeFromInput = requires(const T& f, const Chunk<float>& z) {
  { f.derivative(z) } -> std::convertible_to<Chunk<float>>;
};

/// An activation whose f''(z) is written with a = f(z) alone.
template <class T>
concept SecondDerivativeFromOutput = requires(const T& f, const Chunk<float>& a) {
  { f.second_derivative_from_output(a) } -> std::convertible_to<Chunk<float>>;
};
/// An activation whose f''(z) is written with z.
template <class T>
concept SecondDerivativeFromInput = requires(const T& f, const Chunk<float>& z) {
  { f.second_derivative(z) } -> std::convertible_to<Chunk<float>>;
};
/// An activation whose f'''(z) is written with a = f(z) alone.
template <class T>
concept ThirdDerivativeFromOutput = requires(const T& f, const Chunk<float>& a) {
  { f.third_derivative_from_output(a) } -> std::convertible_to<Chunk<float>>;
};
/// An activation whose f'''(z) is written with z.
template <class T>
concept ThirdDerivativeFromInput = requires(const T& f, const Chunk<float>& z) {
  { f.third_derivative(z) } -> std::convertible_to<Chunk<float>>;
};

/// An activation with f''(z), computed from what its f'(z) is computed from: a = f(z) if it has derivative_from_output, else z. Second
/// derivatives of a network by its input need it; training does not.
template <class T>
concept HasSecondDerivative = (DerivativeFromOutput<T> ? SecondDerivativeFromOutput<T> : SecondDerivativeFromInput<T>);

/// An activation with f''(z) and f'''(z), both computed from what its f'(z) is computed from.
template <class T>
concept HasThirdDerivative = HasSecondDerivative<T> &&
    (DerivativeFromOutput<T> ? ThirdDerivativeFromOutput<T> : ThirdDerivativeFromInput<T>);

/// An activation: `value`, a = f(z) for a Chunk of z, elementwise; its derivative in one of two forms; the initializer for the weights
/// of a layer with it.
///
/// Optional, for derivatives of a network by its input: f'' (HasSecondDerivative) and f''' (HasThirdDerivative), with the same argument
/// as f'. An activation whose type alone does not tell, such as AnyActivation, has functions `has_second_derivative()` and
/// `has_third_derivative()`. An activation a = z, which leaves outputs raw, has a member `is_identity` that is true.
///
/// Optional, for speed and with the same bits: `values(size, z, a)`, f of a whole array, where a may be z; `times_derivative(size, kept,
/// delta)`, which multiplies the array delta by f'; `derivatives(size, kept, first, second, third)`, which writes f', f'' and f''' to
/// the arrays that are not null. `kept` is a for a DerivativeFromOutput, else z.
template <class T>
concept Activation = std::copyable<T> && requires(const T& f, const Chunk<float>& z) {
  { T::name } -> std::convertible_to<std::string_view>;
  { f.value(z) } -> std::convertible_to<Chunk<float>>;
  { f.default_initializer() } -> Initializer;
} &&(DerivativeFromOutput<T> || DerivativeFromInput<T>);

/// A loss J(y, y_hat), a mean over the batch, with its gradient dJ/dy_hat and its link from raw outputs to predictions. If its targets
/// do not have as many rows as the network has outputs, it has `static constexpr Index target_rows(Index outputs)`. Optional, for second
/// derivatives of J and for derivatives of the prediction: see TwiceDifferentiableLoss and DifferentiableLink. A loss whose type alone does
/// not tell whether it is one, such as AnyLoss, has functions `has_gradient_jvp()` and `has_link_jvp()`. If its type does not tell whether
/// it works on logits, works_on_logits is false and it has a function `on_logits()`. Two losses of the same `link_name` have the same link,
/// so that SumOfLosses can add them. A loss that takes a certain number of outputs has `check_outputs(who, outputs)`, which throws
/// ShapeError for other numbers, and `outputs_at_compile_time` where its type says the number. If it is a sum of squares, J = 1/(2 batch)
/// sum r^2, it may have `residuals(y_hat, y, r, slopes)` for LevenbergMarquardt, which writes r(y_hat, y) and dr/dy_hat, both outputs x
/// batch, where each r depends on the y_hat of its place alone.
template <class T>
concept Loss = std::copyable<T> && requires(const T& loss, ConstMatrixView<float> y_hat, ConstMatrixView<float> y, MatrixView<float> out) {
  { T::name } -> std::convertible_to<std::string_view>;
  { T::works_on_logits } -> std::convertible_to<bool>;  // then the last layer has no activation of its own
  { T::min_outputs } -> std::convertible_to<Index>;
  loss.check(y_hat, y);  // throws where y is no target for this loss; may look at y_hat's shape, not at its numbers
  { loss.value(y_hat, y) } -> std::same_as<float>;
  loss.gradient(y_hat, y, out);  // out = dJ/dy_hat
  loss.link(out);                // in place
};

/// A loss whose gradient can be differentiated: `gradient_jvp` multiplies the Hessian of J by y_hat, which is symmetric, by a direction of
/// the shape of y_hat, for each kind of target that `check` takes. Where the gradient has a kink, the derivative is 0, as in PyTorch. `out`
/// has this shape too and shares no memory with the other arguments.
///
///     out = d/de dJ/dy_hat(y_hat + e direction) at e = 0        (outputs x batch)
template <class T>
concept TwiceDifferentiableLoss = Loss<T> && requires(const T& loss, ConstMatrixView<float> y_hat, ConstMatrixView<float> y,
                                                      ConstMatrixView<float> direction, MatrixView<float> out) {
  loss.gradient_jvp(y_hat, y, direction, out);
};

/// A loss whose link can be differentiated: `link_jvp` multiplies each column of a tangent by the Jacobian of the link, in place, which it
/// computes from the prediction = link(z), outputs x batch. Column k batch + j of the tangent belongs to column j of the prediction, so K
/// tangents of a batch stand side by side, outputs x K batch. The Jacobian must be symmetric, as that of softmax and of every elementwise
/// link is, because the function is used for products with its transpose (vjp) too.
///
///     tangent(:, k batch + j) <- dlink/dz(z_j) tangent(:, k batch + j)
template <class T>
concept DifferentiableLink = Loss<T> && requires(const T& loss, ConstMatrixView<float> prediction, MatrixView<float> tangent) {
  loss.link_jvp(prediction, tangent);
};

/// A layer whose forward pass is the same in training and in prediction.
template <class T>
concept ModeIndependent = requires(const T& layer, const float* theta, ConstMatrixView<float> x,
                                   typename T::template Cache<float, Dynamic>& cache) {
  layer.forward(theta, x, cache);  // fills cache.output
};

/// A layer whose forward pass needs the ForwardContext: its mode, seed, buffers or team.
template <class T>
concept ModeDependent = requires(const T& layer, const float* theta, ConstMatrixView<float> x,
                                 typename T::template Cache<float, Dynamic>& cache, const ForwardContext<float>& pass) {
  layer.forward(theta, x, cache, pass);
};

/// A layer: its shape and hyperparameters. Its parameters are a slice of the network's flat vector, and what its forward pass keeps is a
/// Cache in the workspace; so a layer is small, const while it works, and shared by any number of threads.
///
/// A layer may also have
/// - `forward(theta, x, cache, pass)` instead of `forward(theta, x, cache)`, where training and prediction differ; `pass` is the
///   ForwardContext
/// - buffers, numbers that are saved but not trained: `buffers_at_compile_time`, `buffer_tensors()`, `buffers(numbers)` with named views,
///   `initialize_buffers(numbers)`. The ForwardContext says where they are.
/// - `update_statistics(numbers, cache, samples)`: updates its buffers by what the last forward pass saw; or with a fourth argument, the
///   share of this batch in the buffers, a double, where 0 stands for the layer's own (recompute_statistics needs it). Such a layer
///   predicts in training too where all of its parameters are frozen (see NetworkBase::freeze): its context then says Mode::predict. After
///   such a pass, backward is called as after one in training; update_statistics is called only if it is inside a Residual, and must then
///   change nothing
/// - `backward_and_step(theta, x, cache, delta, factor, scratch, &input_gradient)`: backward and theta <- theta + factor dJ/dtheta in one
///   call, to the same bits (Dense has it; see `descend`)
/// - `jvp(theta, x, cache, direction, derivative)`: the derivative of the output along changes of x, for the last forward pass in
///   prediction mode. `direction` has K batch columns, at most max_batch of the cache; column k batch + j of it and of `derivative` belongs
///   to sample j
/// - `vjp(theta, x, cache, delta, input_gradient)`: dJ/dx from `delta`, which is dJ/da on entry and may be overwritten, without a gradient
///   by theta, for the last forward pass in either mode; both have K batch columns. With jvp it gives a network its Jacobian
///   (derivatives/first_order.hpp) and input_gradient. As in backward, there may be gaps between the columns of each matrix
/// - `sample_gradients(theta, x, cache, delta, gradients, &input_gradient)`: the gradient by its parameters of each of the K batch columns
///   of `delta` by itself, given in parts to `gradients`, a SampleGradients, which forms it or computes its norm
///   (layers/sample_gradients.hpp); and dJ/dx as in vjp, unless input_gradient is null. It works after training passes too
/// - `JetCache(layer, max_batch, max_columns)` with `output`, `forward_jet(theta, theta_direction, x, cache, shape, jet, result)` and
///   `backward_jet(theta, theta_direction, x, cache, shape, jet, result, delta, deltas, gradient, &input_gradient, &jet_gradient)`: its
///   derivatives of second order (core/jet.hpp), as Dense documents them. x may have gaps between its columns, jets and gradients have none
/// - `missing_derivative(order)`, where the type of the layer does not tell which derivatives it can compute: a text that says what it
///   lacks, "the activation Mine has no second derivative", or an empty one. Order 0: sample_gradients; 1: jvp and vjp; 2: forward_jet, and
///   backward_jet of jets without second derivatives; 3: backward_jet of jets with second derivatives
/// - `z_and_delta(theta, x, cache, z, delta)`, where it has an activation inside: writes z, and multiplies `delta` by f'(z); called by
///   layer_values
/// - `check_pass(pass, samples)`: throws where the layer cannot make this pass; called before any layer computes
/// - `category_rows()`, a std::span of CategoryRow: the rows of x whose numbers are categories, in which passes accept no other numbers,
///   and by which there is no derivative (core/category_row.hpp); asked of the first layer
/// - `fewest_training_samples()`: the smallest batch that it can learn from, if that is not 1. With RankOptions::sync_batch_norm, 2 is
///   taken as that of a layer which merges the statistics of all shards (core/shard_reduction.hpp), so that a shard may have one sample
/// - `takes_any_scale()`: true where it brings its inputs to a scale of its own, so that fit has no note on large ones; `output_range()`, a
///   std::array<double, 2>: the smallest and the largest number that it can give, with which fit compares targets. Where it has an
///   `activation()` instead, that is measured
/// - `scales_with_parameters()`: true where its outputs are divided by T if all its parameters are, so that apply_temperature can do it
/// - `ForInputs<N>`, `for_inputs<N>(n)`: the layer with n inputs, for a layer whose number of inputs is Inferred from the layer before
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
  {
    std::as_const(cache).output.first(Index{1})
    } -> std::convertible_to<ConstMatrixView<float>>;                    // Cache(layer, max_batch); outputs x max_batch
  layer.backward(const_theta, x, cache, delta, theta, &input_gradient);  // delta = dJ/da on entry, and may be overwritten
} &&(ModeIndependent<T> || ModeDependent<T>);

namespace detail {

/// Whether an activation is a = z: its is_identity, which is static where the type tells, or false.
template <class F>
constexpr bool is_identity(const F& f) {
  if constexpr (requires { f.is_identity; })
    return f.is_identity;
  else
    return false;
}

/// Whether a loss has gradient_jvp, the derivative of its gradient along a direction.
template <class L>
bool has_gradient_jvp(const L& loss) {
  if constexpr (requires { loss.has_gradient_jvp(); })
    return loss.has_gradient_jvp();
  else
    return TwiceDifferentiableLoss<L>;
}

/// Whether a loss has link_jvp, the Jacobian of its link times a tangent.
template <class L>
bool has_link_jvp(const L& loss) {
  if constexpr (requires { loss.has_link_jvp(); })
    return loss.has_link_jvp();
  else
    return DifferentiableLink<L>;
}

/// A loss that is a sum of squares: residuals(y_hat, y, r, slopes) writes r and dr/dy_hat, both outputs x batch, with
///
///     J = 1/(2 batch) sum r^2
template <class L, class Scalar>
concept HasResiduals = requires(const L& loss, ConstMatrixView<Scalar> y, MatrixView<Scalar> r) {
  loss.residuals(y, y, r, r);
};

/// Whether a loss takes raw outputs and brings its own link.
template <class L>
bool works_on_logits(const L& loss) {
  if constexpr (requires { loss.on_logits(); })
    return loss.on_logits();
  else
    return L::works_on_logits;
}

/// The name of a loss's link where its type says it; empty where only an object of the loss does.
template <class L>
constexpr std::string_view link_name_of_type() {
  if constexpr (requires { L::link_name.size(); })
    return L::link_name;
  else
    return "";
}

/// The name of a loss's link: "identity" for a loss that does not work on logits, and empty where the loss does not say it.
template <class L>
std::string_view link_name(const L& loss) {
  if (!works_on_logits(loss)) return "identity";
  if constexpr (requires { loss.link_name(); })
    return loss.link_name();
  else if constexpr (requires { L::link_name.size(); })
    return L::link_name;
  else
    return "";
}

/// The number of outputs that a loss takes, where its type says it and it takes no other; else Dynamic.
template <class LossType>
constexpr int loss_outputs() {
  if constexpr (requires { LossType::outputs_at_compile_time; })
    return LossType::outputs_at_compile_time;
  else
    return Dynamic;
}

/// Throws ShapeError unless a network with this number of outputs can have this loss. `who` begins the message.
template <class L>
void check_outputs(const char* who, const L& loss, Index outputs) {
  if constexpr (requires { loss.check_outputs(who, outputs); })
    loss.check_outputs(who, outputs);
  else if (outputs < L::min_outputs)
    raise<ShapeError>(who, ": ", loss.name, " needs at least ", Index{L::min_outputs}, " outputs, but the last layer has ", outputs);
}

/// How many parameters a layer has: the length of its slice of the flat vector.
template <class L>
Index parameter_count(const L& layer) {
  if constexpr (L::parameters_at_compile_time >= 0)
    return L::parameters_at_compile_time;
  else
    return size_of_tensors(layer.tensors());
}

/// A layer that keeps numbers which are saved but not trained.
template <class L>
concept HasBuffers = requires(const L& layer, float* numbers) {
  { L::buffers_at_compile_time } -> std::convertible_to<Index>;
  {std::span<const TensorShape>(layer.buffer_tensors())};
  layer.buffers(numbers);
  layer.initialize_buffers(numbers);
};

/// A layer's number of buffers, 0 where it has none; Dynamic where it is known only at run time.
template <class L>
constexpr Index buffers_at_compile_time() {
  if constexpr (HasBuffers<L>)
    return L::buffers_at_compile_time;
  else
    return 0;
}

/// A layer's buffer_tensors(); empty for a layer without buffers.
template <class L>
auto buffer_tensors_of(const L& layer) {
  if constexpr (HasBuffers<L>)
    return layer.buffer_tensors();
  else
    return std::array<TensorShape, 0>{};
}

/// How many buffers a layer has: the length of its slice of the network's buffers.
template <class L>
Index buffer_count(const L& layer) {
  if constexpr (buffers_at_compile_time<L>() >= 0)
    return buffers_at_compile_time<L>();
  else
    return size_of_tensors(layer.buffer_tensors());
}

}  // namespace detail
}  // namespace chainrule
