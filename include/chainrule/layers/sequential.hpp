#pragma once

#include <chainrule/layers/detail/nested_layers.hpp>
#include <string_view>

namespace chainrule {

namespace detail {
/// The name of each Sequential, for code that should not instantiate one.
inline constexpr std::string_view sequential_name = "Sequential";
}  // namespace detail

/// Layers one after the other as one layer, for a branch of a Parallel that has more than one (torch.nn.Sequential):
/// @code{.cpp}
/// Parallel<Dense<8, 4>, Sequential<Dense<8, 16, ReLU>, Dense<16, 4>>>{};
/// @endcode
/// Layers that do not fit together do not compile, or throw ShapeError where extents are run-time values. The parameters of the layers
/// inside are in a tuple; in tensors() they are "0.weight".
template <class... Layers>
class Sequential : public detail::NestedLayers<typename detail::NamedLayers<Layers...>::Sequence> {
  static_assert(sizeof...(Layers) > 0, "chainrule: Sequential<Layers...> needs at least one layer inside");
  using Sequence = typename detail::NamedLayers<Layers...>::Sequence;
  using Chain = typename detail::NamedLayers<Layers...>::Chain;
  using Nested = detail::NestedLayers<Sequence>;
  static_assert(Chain::are_layers(), "chainrule: Sequential<Layers...>: each argument must be a layer, such as Dense<In, Out>");
  static_assert(Chain::fits());

 public:
  static constexpr std::string_view name = detail::sequential_name;               ///< the name in descriptions, files and messages
  static constexpr int inputs_at_compile_time = Chain::inputs_at_compile_time;    ///< the number of inputs, or Dynamic, or Inferred
  static constexpr int outputs_at_compile_time = Chain::outputs_at_compile_time;  ///< the number of outputs, or Dynamic, or Inferred

  /// For layers that can be made without arguments.
  Sequential() requires(Chain::all_extents_are_types()) : Sequential(Layers{}...) {}
  /// Takes the layers, from the first to the last. ShapeError where they do not fit together.
  explicit Sequential(Layers... layer) : Nested(detail::NamedLayers<Layers...>::list(layer...)) {
    detail::check_neighbours("Sequential", inside_.layers());
  }

  Index inputs() const { return inside_.inputs(); }    ///< the number of inputs, which is the number of rows of x
  Index outputs() const { return inside_.outputs(); }  ///< the number of outputs, which is the number of rows of the output

  /// The caches of the layers inside, and storage for their deltas.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const Sequential& layer, Index max_batch)
        : output(layer.outputs(), max_batch),
          caches(layer.inside_.template make_caches<Scalar, MaxBatch>(max_batch)),
          deltas(layer.inside_.template make_deltas<Scalar, MaxBatch>(max_batch)) {}
    BatchStorage<Scalar, outputs_at_compile_time, MaxBatch> output;  ///< a(l+1), outputs x max_batch
    typename Sequence::template Caches<Scalar, MaxBatch> caches;     ///< the caches of the layers inside
    typename Sequence::template Deltas<Scalar, MaxBatch> deltas;     ///< dJ/da of each layer inside
  };

  /// Passes x through the layers, from the first to the last.
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const ForwardContext<Scalar>& pass) const {
    inside_.forward(theta, x, cache.caches, pass);
    cache.output.first(x.cols()) = detail::last_of(cache.caches).output.first(x.cols());
  }

  /// Passes dJ/da back through the layers, from the last to the first.
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient) const {
    detail::last_of(cache.deltas).first(x.cols()) = delta;
    inside_.backward(theta, x, cache.caches, cache.deltas, gradient, input_gradient);
  }

  /// Computes the derivative of a along directions dx, for the last forward pass.
  ///
  ///     da = (da/dx) dx        (outputs x directions batch)
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const requires(Sequence::template have_input_derivatives<Scalar>()) {
    inside_.jvp(theta, x, cache.caches, direction, cache.deltas);
    derivative = detail::last_of(cache.deltas).first(direction.cols());
  }

  /// Computes dJ/dx from `delta`, which is dJ/da.
  ///
  ///     dJ/dx = (da/dx)^T dJ/da        (inputs x directions batch)
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const requires(Sequence::template have_input_derivatives<Scalar>()) {
    detail::last_of(cache.deltas).first(delta.cols()) = delta;
    inside_.vjp(theta, x, cache.caches, cache.deltas, delta.cols(), input_gradient);
  }

  /// Gives the gradient by the parameters inside of each column of `delta` by itself, and computes dJ/dx if input_gradient is not null.
  /// `delta` is dJ/da; column k batch + j belongs to sample j.
  template <class Scalar, int MaxBatch>
  void sample_gradients(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const
      requires(Sequence::template have_sample_gradients<Scalar>()) {
    detail::last_of(cache.deltas).first(delta.cols()) = delta;
    inside_.sample_gradients(theta, x, cache.caches, cache.deltas, delta.cols(), gradients, input_gradient);
  }

  /// The jet caches of the layers inside, and storage for the gradients by their jets.
  template <class Scalar>
  struct JetCache {
    /// Allocates everything that jets of up to max_columns columns need.
    JetCache(const Sequential& layer, Index max_batch, Index max_columns)
        : output(layer.outputs(), max_columns),
          caches(layer.inside_.template make_jet_caches<Scalar>(max_batch, max_columns)),
          deltas(layer.inside_.template make_deltas<Scalar, Dynamic>(max_columns)) {}
    BatchStorage<Scalar, Dynamic, Dynamic> output;               ///< the jet of a(l+1), outputs x columns
    typename Sequence::template JetCaches<Scalar> caches;        ///< the jet caches of the layers inside
    typename Sequence::template Deltas<Scalar, Dynamic> deltas;  ///< the gradient by the jet of each layer inside
  };

  /// Computes the jet of a from the jet of x; theta_direction is as in Dense::forward_jet.
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache,
                   const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const
      requires(Sequence::template have_jets<Scalar>()) {
    inside_.forward_jet(theta, theta_direction, x, cache.caches, shape, jet, result.caches);
    result.output.first(shape.columns()) = detail::last_of(result.caches).output.first(shape.columns());
  }

  /// Computes the gradients of a J that depends on a and on its jet, as Dense::backward_jet says.
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache,
                    const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result, MatrixView<Scalar> delta,
                    MatrixView<Scalar> deltas, Scalar* gradient, MatrixView<Scalar>* input_gradient, MatrixView<Scalar>* jet_gradient) const
      requires(Sequence::template have_jets<Scalar>()) {
    detail::last_of(cache.deltas).first(delta.cols()) = delta;
    detail::last_of(result.deltas).first(deltas.cols()) = deltas;
    inside_.backward_jet(theta, theta_direction, x, cache.caches, shape, jet, result.caches, cache.deltas, result.deltas, gradient,
                         input_gradient, jet_gradient);
  }

 private:
  using Nested::inside_;
};

/// A Sequential whose first layer inside takes its inputs from the layer before the Sequential: Sequential<BatchNorm<>, Dense<32, 8>>{}. A
/// network, or a Parallel around it, makes it a Sequential of known inputs.
template <class First, class... Rest>
requires(detail::takes_inferred_inputs<First>()) class Sequential<First, Rest...> {
 public:
  static constexpr std::string_view name = detail::sequential_name;  ///< the name in descriptions, files and messages
  static constexpr int inputs_at_compile_time = Inferred;            ///< the number of inputs, or Dynamic, or Inferred
  static constexpr int outputs_at_compile_time = Inferred;           ///< the number of outputs, or Dynamic, or Inferred

  /// For layers that can be made without arguments.
  Sequential() : Sequential(First{}, Rest{}...) {}
  /// Takes the layers, from the first to the last.
  explicit Sequential(First first, Rest... rest) : layers_{first, rest...} {}

  /// The type of this layer with Units inputs, for a layer whose number of inputs is Inferred.
  template <int Units>
  using ForInputs = Sequential<typename First::template ForInputs<Units>, Rest...>;
  /// Returns this layer with `units` inputs, which is the number of outputs of the layer before.
  template <int Units>
  ForInputs<Units> for_inputs(Index units) const {
    return std::apply(
        [&](const First& first, const Rest&... rest) { return ForInputs<Units>(first.template for_inputs<Units>(units), rest...); },
        layers_);
  }

 private:
  std::tuple<First, Rest...> layers_;
};

}  // namespace chainrule
