#pragma once

#include <chainrule/layers/detail/nested_layers.hpp>
#include <tuple>

namespace chainrule::detail {

/// Base class of layers that pass x through the layers inside, F, one after the other. `Connection` says how a is computed from x and F(x):
/// - `outputs_at_compile_time<Chain>`: the number of outputs
/// - `connect(a, x, F)` writes a; it is linear, so it also makes da of dx and dF, and each channel of a jet
/// - `connect_back(dX, delta)` makes dX dJ/dx: on entry it holds the gradient that has come back through F; delta is dJ/da
template <class Connection, class... Layers>
class LayersInOrder : public NestedLayers<typename NamedLayers<Layers...>::Sequence> {
 protected:
  using Sequence = typename NamedLayers<Layers...>::Sequence;
  using Chain = typename NamedLayers<Layers...>::Chain;

 public:
  static constexpr int inputs_at_compile_time = Chain::inputs_at_compile_time;  ///< the number of inputs, or Dynamic, or Inferred
  /// The number of outputs, or Dynamic, or Inferred.
  static constexpr int outputs_at_compile_time = Connection::template outputs_at_compile_time<Chain>;

  Index inputs() const { return this->inside_.inputs(); }    ///< the number of inputs, which is the number of rows of x
  Index outputs() const { return this->inside_.outputs(); }  ///< the number of outputs, which is the number of rows of the output

  /// The caches of the layers inside, and storage for their deltas.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const LayersInOrder& layer, Index max_batch)
        : output(layer.outputs(), max_batch),
          caches(layer.inside_.template make_caches<Scalar, MaxBatch>(max_batch)),
          deltas(layer.inside_.template make_deltas<Scalar, MaxBatch>(max_batch)) {}
    SpacedBatchStorage<Scalar, outputs_at_compile_time, MaxBatch> output;  ///< a(l+1), outputs x max_batch
    typename Sequence::template Caches<Scalar, MaxBatch> caches;           ///< the caches of the layers inside
    typename Sequence::template Deltas<Scalar, MaxBatch> deltas;           ///< dJ/da of each layer inside
  };

  ///     a = connect(x, F(x))        (outputs x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const ForwardContext<Scalar>& pass) const {
    this->inside_.forward(theta, x, cache.caches, pass);
    Connection::connect(cache.output.first(x.cols()), x, last_of(cache.caches).output.first(x.cols()));
  }

  /// Does not write the gradient of layers inside whose parameters are all frozen.
  ///
  ///     dJ/dx = connect_back(what comes back through F, dJ/da)        (inputs x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient, const FrozenSlice& frozen = {}) const {
    last_of(cache.deltas).first(x.cols()) = delta;
    this->inside_.backward(theta, x, cache.caches, cache.deltas, gradient, input_gradient, frozen);
    if (input_gradient != nullptr) Connection::connect_back(*input_gradient, delta);
  }

  /// Computes the derivative of a along directions dx, for the last forward pass.
  ///
  ///     da = connect(dx, (dF/dx) dx)        (outputs x directions batch)
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const requires(Sequence::template have_input_derivatives<Scalar>()) {
    this->inside_.jvp(theta, x, cache.caches, direction, cache.deltas);
    Connection::connect(derivative, direction, last_of(cache.deltas).first(direction.cols()));
  }

  /// Computes dJ/dx from `delta`, which is dJ/da.
  ///
  ///     dJ/dx = connect_back((dF/dx)^T dJ/da, dJ/da)        (inputs x directions batch)
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const requires(Sequence::template have_input_derivatives<Scalar>()) {
    last_of(cache.deltas).first(delta.cols()) = delta;
    this->inside_.vjp(theta, x, cache.caches, cache.deltas, delta.cols(), input_gradient);
    Connection::connect_back(input_gradient, delta);
  }

  /// Gives the gradient by the parameters inside of each column of `delta` by itself, and computes dJ/dx if input_gradient is not null.
  /// `delta` is dJ/da; column k batch + j belongs to sample j.
  template <class Scalar, int MaxBatch>
  void sample_gradients(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const
      requires(Sequence::template have_sample_gradients<Scalar>()) {
    last_of(cache.deltas).first(delta.cols()) = delta;
    this->inside_.sample_gradients(theta, x, cache.caches, cache.deltas, delta.cols(), gradients, input_gradient);
    if (input_gradient != nullptr) Connection::connect_back(*input_gradient, delta);
  }

  /// The jet caches of the layers inside, and storage for the gradients by their jets.
  template <class Scalar>
  struct JetCache {
    /// Allocates everything that jets of up to max_columns columns need.
    JetCache(const LayersInOrder& layer, Index max_batch, Index max_columns)
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
    this->inside_.forward_jet(theta, theta_direction, x, cache.caches, shape, jet, result.caches);
    Connection::connect(result.output.first(shape.columns()), jet, last_of(result.caches).output.first(shape.columns()));
  }

  /// Computes the gradients of a J that depends on a and on its jet, as Dense::backward_jet says.
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache,
                    const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result, MatrixView<Scalar> delta,
                    MatrixView<Scalar> deltas, Scalar* gradient, MatrixView<Scalar>* input_gradient, MatrixView<Scalar>* jet_gradient) const
      requires(Sequence::template have_jets<Scalar>()) {
    last_of(cache.deltas).first(delta.cols()) = delta;
    last_of(result.deltas).first(deltas.cols()) = deltas;
    this->inside_.backward_jet(theta, theta_direction, x, cache.caches, shape, jet, result.caches, cache.deltas, result.deltas, gradient,
                               input_gradient, jet_gradient);
    if (input_gradient == nullptr) return;
    Connection::connect_back(*input_gradient, delta);
    Connection::connect_back(*jet_gradient, deltas);
  }

 protected:
  /// Takes the layers, from the first to the last. Throws ShapeError, which names this
  /// layer, where they do not fit together.
  LayersInOrder(const char* name, const Layers&... layer) : NestedLayers<Sequence>(NamedLayers<Layers...>::list(layer...)) {
    check_neighbours(name, this->inside_.layers());
  }
};

/// Base class of Layer<First, Rest...> where the first layer inside takes its inputs from the layer before. A network makes it a Layer of
/// known inputs.
template <template <class...> class Layer, class First, class... Rest>
class LayersToInfer {
 public:
  static constexpr int inputs_at_compile_time = Inferred;   ///< the number of inputs is the number of outputs of the layer before
  static constexpr int outputs_at_compile_time = Inferred;  ///< the number of outputs is known when the number of inputs is

  /// For layers that can be made without arguments.
  LayersToInfer() : LayersToInfer(First{}, Rest{}...) {}
  /// Takes the layers, from the first to the last.
  explicit LayersToInfer(First first, Rest... rest) : layers_{first, rest...} {}

  /// The type of this layer with Units inputs, for a layer whose number of inputs is Inferred.
  template <int Units>
  using ForInputs = Layer<typename First::template ForInputs<Units>, Rest...>;
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

}  // namespace chainrule::detail
