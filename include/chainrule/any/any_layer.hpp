#pragma once
// A layer whose type is known only when the program runs: any type that satisfies the contract of a layer, behind virtual functions.

#include <chainrule/any/detail/layer_of.hpp>
#include <chainrule/core/detail/infer.hpp>
#include <chainrule/core/detail/named_tensors.hpp>
#include <functional>
#include <memory>

namespace chainrule {

/// Holds a layer of any type, of the library or your own, and is a layer that computes the same bits: AnyLayer<float> layer =
/// Dense<64, 32, ReLU>{}. A small value; copies share the layer inside, which never changes.
template <class Scalar>
class AnyLayer {
 public:
  static constexpr int inputs_at_compile_time = Dynamic;        ///< the number of inputs: known only at run time
  static constexpr int outputs_at_compile_time = Dynamic;       ///< the number of outputs: known only at run time
  static constexpr Index parameters_at_compile_time = Dynamic;  ///< the number of parameters: known only at run time
  static constexpr Index buffers_at_compile_time = Dynamic;     ///< the number of buffers: known only at run time

  /// Copies the layer.
  template <class L>
  requires(!std::is_same_v<L, AnyLayer>) AnyLayer(const L& layer) : name(L::name) {
    if constexpr (detail::takes_inferred_inputs<L>()) {
      for_inputs_ = [layer](Index inputs) { return AnyLayer(layer.template for_inputs<Dynamic>(inputs)); };
    } else {
      static_assert(Layer<L>, "chainrule: AnyLayer: the argument must be a layer, such as Dense<In, Out>");
      layer_ = std::unique_ptr<const detail::LayerBase<Scalar>>(new detail::LayerOf<Scalar, L>(layer));
    }
  }

  AnyLayer(const AnyLayer&) = default;             ///< shares the layer inside; so does a move, which leaves a whole layer behind
  AnyLayer& operator=(const AnyLayer&) = default;  ///< shares the layer inside

  std::string_view name;  ///< the name of the layer inside

  /// Whether it takes its inputs from the layer before it, as Dropout<> does. Then only `name` and for_inputs may be used: all other
  /// functions throw StateError.
  bool is_inferred() const { return layer_ == nullptr; }
  /// This layer with as many inputs, if it is inferred; else this layer as it is.
  AnyLayer for_inputs(Index inputs) const { return is_inferred() ? for_inputs_(inputs) : *this; }

  Index inputs() const { return operator->()->inputs(); }    ///< the number of inputs, which is the number of rows of x
  Index outputs() const { return operator->()->outputs(); }  ///< the number of outputs, which is the number of rows of the output
  /// The name of the activation inside; empty if there is none.
  std::string_view activation_name() const { return operator->()->activation_name(); }
  /// Names and shapes of the parameters, in the order of the flat vector.
  std::vector<TensorShape> tensors() const { return operator->()->tensors(); }
  /// Names and shapes of the buffers, in the order of their flat vector.
  std::vector<TensorShape> buffer_tensors() const { return operator->()->buffer_tensors(); }
  /// The name, hyperparameters and parts, from which from_description builds it again.
  Description describe() const { return operator->()->describe(); }
  /// The rows of x that are categories; none for layers other than Embedding, and layers that contain one.
  std::span<const CategoryRow> category_rows() const { return operator->()->category_rows(); }
  /// The smallest batch that a training pass takes.
  Index fewest_training_samples() const { return operator->()->fewest_training_samples(); }
  /// The smallest and the largest number that the layer inside can give, or infinities where nothing says it.
  std::array<double, 2> output_range() const { return operator->()->output_range(); }
  /// Whether the layer inside brings its inputs to a scale of its own, as BatchNorm does.
  bool takes_any_scale() const { return operator->()->takes_any_scale(); }
  /// Whether the outputs of the layer inside are divided by T if all its parameters are.
  bool scales_with_parameters() const { return operator->()->scales_with_parameters(); }

  // The members below are templates because the contract of a layer is checked with float, whatever Scalar is.

  /// Views on the parameters in the layer's slice of theta, by name: ["weight"].
  template <class S>
  detail::NamedTensors<S> parameters(S* theta) const {
    return {theta, tensors()};
  }
  /// Views on the buffers in the layer's slice of all buffers, by name: ["running_mean"].
  template <class S>
  detail::NamedTensors<S> buffers(S* numbers) const {
    return {numbers, buffer_tensors()};
  }
  /// Draws the weights from `random` and sets all other parameters to their initial values.
  template <class S>
  void initialize(S* theta, Random& random) const {
    operator->()->initialize(theta, random);
  }
  /// Sets the buffers to their initial values.
  template <class S>
  void initialize_buffers(S* numbers) const {
    operator->()->initialize_buffers(numbers);
  }
  /// Throws StateError or ShapeError where the layer cannot make this pass; called before the pass begins.
  template <class S>
  void check_pass(const ForwardContext<S>& pass, Index samples) const {
    operator->()->check_pass(pass, samples);
  }

  /// The cache of the layer inside.
  template <class S, int MaxBatch>
  using Cache = detail::AnyCache<S>;

  /// The forward pass of the layer inside; x: inputs x batch.
  template <class S>
  void forward(const S* theta, ConstMatrixView<S> x, detail::AnyCache<S>& cache, const ForwardContext<S>& pass) const {
    operator->()->forward(theta, x, *cache, pass);
  }
  /// The backward pass of the layer inside.
  template <class S>
  void backward(const S* theta, ConstMatrixView<S> x, detail::AnyCache<S>& cache, MatrixView<S> delta, S* gradient,
                MatrixView<S>* input_gradient, const detail::FrozenSlice& frozen = {}) const {
    operator->()->backward(theta, x, *cache, delta, gradient, input_gradient, frozen);
  }
  /// Backward and theta <- theta + factor dJ/dtheta for the layer inside, in one call where it can, to the same bits.
  template <class S>
  void backward_and_step(S* theta, ConstMatrixView<S> x, detail::AnyCache<S>& cache, MatrixView<S> delta, S factor, S* scratch,
                         MatrixView<S>* input_gradient) const {
    operator->()->backward_and_step(theta, x, *cache, delta, factor, scratch, input_gradient);
  }
  /// Says what the layer inside lacks for derivatives of this order; see core/concepts.hpp.
  std::string missing_derivative(int order) const { return operator->()->missing_derivative(order); }
  /// The derivative of the output of the layer inside along directions of x, inputs x directions batch.
  template <class S>
  void jvp(const S* theta, ConstMatrixView<S> x, detail::AnyCache<S>& cache, ConstMatrixView<S> direction, MatrixView<S> derivative) const {
    operator->()->jvp(theta, x, *cache, direction, derivative);
  }
  /// dJ/dx of the layer inside from dJ/da, outputs x directions batch.
  template <class S>
  void vjp(const S* theta, ConstMatrixView<S> x, detail::AnyCache<S>& cache, MatrixView<S> delta, MatrixView<S>& input_gradient) const {
    operator->()->vjp(theta, x, *cache, delta, input_gradient);
  }
  /// The gradient by the parameters of the layer inside of each column of `delta` by itself, and dJ/dx unless input_gradient is null.
  template <class S>
  void sample_gradients(const S* theta, ConstMatrixView<S> x, detail::AnyCache<S>& cache, MatrixView<S> delta,
                        const SampleGradients<S>& gradients, MatrixView<S>* input_gradient) const {
    operator->()->sample_gradients(theta, x, *cache, delta, gradients, input_gradient);
  }
  /// The jet cache of the layer inside.
  template <class S>
  using JetCache = detail::AnyCache<S>;
  /// The jet of the output of the layer inside from the jet of x.
  template <class S>
  void forward_jet(const S* theta, const S* theta_direction, ConstMatrixView<S> x, detail::AnyCache<S>& cache, const JetShape& shape,
                   ConstMatrixView<S> jet, detail::AnyCache<S>& result) const {
    operator->()->forward_jet(theta, theta_direction, x, *cache, shape, jet, *result);
  }
  /// The gradients of a J that depends on the output of the layer inside and on its jet.
  template <class S>
  void backward_jet(const S* theta, const S* theta_direction, ConstMatrixView<S> x, detail::AnyCache<S>& cache, const JetShape& shape,
                    ConstMatrixView<S> jet, detail::AnyCache<S>& result, MatrixView<S> delta, MatrixView<S> deltas, S* gradient,
                    MatrixView<S>* input_gradient, MatrixView<S>* jet_gradient) const {
    operator->()->backward_jet(theta, theta_direction, x, *cache, shape, jet, *result, delta, deltas, gradient, input_gradient,
                               jet_gradient);
  }
  /// Updates the buffers of the layer inside by what its last forward pass saw.
  template <class S>
  void update_statistics(S* numbers, const detail::AnyCache<S>& cache, Index samples, double share) const {
    operator->()->update_statistics(numbers, *cache, samples, share);
  }

  /// The layer inside, by its virtual functions.
  const detail::LayerBase<Scalar>* operator->() const {
    if (layer_ == nullptr)
      detail::raise<StateError>("AnyLayer: ", name,
                                " takes its number of inputs from the layer before it; for_inputs(n) makes a layer of it");
    return layer_.get();
  }

 private:
  std::shared_ptr<const detail::LayerBase<Scalar>> layer_;
  std::function<AnyLayer(Index)> for_inputs_;
};

namespace detail {

/// Throws ShapeError unless the cache was made for the layer inside, number i of the network.
template <class Scalar>
void check_cache(const char* who, Index i, const AnyLayer<Scalar>& layer, const AnyCache<Scalar>& cache) {
  layer->check_cache(who, i, *cache);
}

/// Counts the units of the layer inside.
template <class Scalar>
UnitStatistics unit_statistics_of(const AnyLayer<Scalar>& layer, ConstMatrixView<Scalar> x, const AnyCache<Scalar>& cache) {
  return layer->unit_statistics(x, *cache);
}

/// Computes z and delta of the layer inside.
template <class Scalar>
void z_and_delta_of(const AnyLayer<Scalar>& layer, const Scalar* theta, ConstMatrixView<Scalar> x, const AnyCache<Scalar>& cache,
                    MatrixView<Scalar> z, MatrixView<Scalar> delta) {
  layer->z_and_delta(theta, x, *cache, z, delta);
}

}  // namespace detail
}  // namespace chainrule
