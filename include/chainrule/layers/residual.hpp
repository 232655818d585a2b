#pragma once

#include <chainrule/layers/detail/nested_layers.hpp>
#include <string_view>

namespace chainrule {

namespace detail {
/// The name of each Residual, for code that should not instantiate one.
inline constexpr std::string_view residual_name = "Residual";
}  // namespace detail

/// A skip connection (He, Zhang, Ren and Sun 2016), a = x + F(x), where F is the layers inside, one after the other:
/// @code{.cpp}
/// Residual<Dense<32, 32, ReLU>, Dense<32, 32>>{};
/// @endcode
/// F must have as many outputs as inputs: a mismatch of fixed extents does not compile, a mismatch of run-time extents throws ShapeError.
/// The parameters of the layers inside are in a tuple, std::get<0>(net.layer<1>()).weight; in tensors() that is "0.weight".
template <class... Layers>
class Residual : public detail::NestedLayers<typename detail::NamedLayers<Layers...>::Sequence> {
  static_assert(sizeof...(Layers) > 0, "chainrule: Residual<Layers...> needs at least one layer inside");
  using Sequence = typename detail::NamedLayers<Layers...>::Sequence;
  using Chain = typename detail::NamedLayers<Layers...>::Chain;
  using Nested = detail::NestedLayers<Sequence>;
  static_assert(Chain::are_layers(), "chainrule: Residual<Layers...>: each argument must be a layer, such as Dense<In, Out>");
  static_assert(Chain::fits());
  static constexpr int N = Chain::inputs_at_compile_time;
  static_assert(N == Dynamic || Chain::outputs_at_compile_time == Dynamic || N == Chain::outputs_at_compile_time,
                "chainrule: Residual<Layers...> is x + F(x), so the last layer inside must have as many outputs as the first has inputs");

 public:
  static constexpr std::string_view name = detail::residual_name;  ///< the name in descriptions, files and messages
  static constexpr int inputs_at_compile_time = N;                 ///< the number of inputs, or Dynamic, or Inferred
  static constexpr int outputs_at_compile_time = N;                ///< the number of outputs, or Dynamic, or Inferred

  /// For layers that can be made without arguments.
  Residual() requires(Chain::all_extents_are_types()) : Residual(Layers{}...) {}
  /// Takes the layers of F, from the first to the last. ShapeError where they do not fit together.
  explicit Residual(Layers... layer) : Nested(detail::NamedLayers<Layers...>::list(layer...)) {
    detail::check_neighbours("Residual", inside_.layers());
    if (inside_.outputs() != inside_.inputs())
      detail::raise<ShapeError>("Residual: x + F(x) needs as many outputs as inputs, but the layers inside make ", inside_.outputs(),
                                " of ", inside_.inputs());
  }

  Index inputs() const { return inside_.inputs(); }   ///< the number of inputs, which is the number of rows of x
  Index outputs() const { return inside_.inputs(); }  ///< the number of outputs, which is the number of rows of the output

  /// The caches of the layers inside, and storage for their deltas.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const Residual& layer, Index max_batch)
        : output(layer.outputs(), max_batch),
          caches(layer.inside_.template make_caches<Scalar, MaxBatch>(max_batch)),
          deltas(layer.inside_.template make_deltas<Scalar, MaxBatch>(max_batch)) {}
    BatchStorage<Scalar, N, MaxBatch> output;                     ///< a(l+1), outputs x max_batch
    typename Sequence::template Caches<Scalar, MaxBatch> caches;  ///< the caches of the layers inside
    typename Sequence::template Deltas<Scalar, MaxBatch> deltas;  ///< dJ/da of each layer inside
  };

  ///     a = x + F(x)        (N x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const ForwardContext<Scalar>& pass) const {
    inside_.forward(theta, x, cache.caches, pass);
    cache.output.first(x.cols()) = x + detail::last_of(cache.caches).output.first(x.cols());
  }

  ///     dJ/dx = dJ/da + what comes back through F        (N x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient) const {
    detail::last_of(cache.deltas).first(x.cols()) = delta;
    inside_.backward(theta, x, cache.caches, cache.deltas, gradient, input_gradient);
    if (input_gradient != nullptr) *input_gradient += delta;
  }

  /// Computes the derivative of a along directions dx, for the last forward pass.
  ///
  ///     da = dx + (dF/dx) dx        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const requires(Sequence::template have_input_derivatives<Scalar>()) {
    inside_.jvp(theta, x, cache.caches, direction, cache.deltas);
    derivative = direction + detail::last_of(cache.deltas).first(direction.cols());
  }

  /// Computes dJ/dx from `delta`, which is dJ/da.
  ///
  ///     dJ/dx = dJ/da + (dF/dx)^T dJ/da        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const requires(Sequence::template have_input_derivatives<Scalar>()) {
    detail::last_of(cache.deltas).first(delta.cols()) = delta;
    inside_.vjp(theta, x, cache.caches, cache.deltas, delta.cols(), input_gradient);
    input_gradient += delta;
  }

  /// Gives the gradient by the parameters inside of each column of `delta` by itself, and computes dJ/dx if input_gradient is not null.
  /// `delta` is dJ/da; column k batch + j belongs to sample j.
  template <class Scalar, int MaxBatch>
  void sample_gradients(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const
      requires(Sequence::template have_sample_gradients<Scalar>()) {
    detail::last_of(cache.deltas).first(delta.cols()) = delta;
    inside_.sample_gradients(theta, x, cache.caches, cache.deltas, delta.cols(), gradients, input_gradient);
    if (input_gradient != nullptr) *input_gradient += delta;
  }

  /// The jet caches of the layers inside, and storage for the gradients by their jets.
  template <class Scalar>
  struct JetCache {
    /// Allocates everything that jets of up to max_columns columns need.
    JetCache(const Residual& layer, Index max_batch, Index max_columns)
        : output(layer.outputs(), max_columns),
          caches(layer.inside_.template make_jet_caches<Scalar>(max_batch, max_columns)),
          deltas(layer.inside_.template make_deltas<Scalar, Dynamic>(max_columns)) {}
    BatchStorage<Scalar, Dynamic, Dynamic> output;               ///< the jet of a(l+1), outputs x columns
    typename Sequence::template JetCaches<Scalar> caches;        ///< the jet caches of the layers inside
    typename Sequence::template Deltas<Scalar, Dynamic> deltas;  ///< the gradient by the jet of each layer inside
  };

  /// Computes the jet of a from the jet of x; theta_direction is as in Dense::forward_jet.
  ///
  ///     a_c = x_c + F_c for each channel c
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache,
                   const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const
      requires(Sequence::template have_jets<Scalar>()) {
    inside_.forward_jet(theta, theta_direction, x, cache.caches, shape, jet, result.caches);
    result.output.first(shape.columns()) = jet + detail::last_of(result.caches).output.first(shape.columns());
  }

  /// Computes the gradients of a J that depends on a and on its jet, as Dense::backward_jet says.
  ///
  ///     dJ/dx = dJ/da + what comes back through F,  dJ/dx_c = dJ/da_c + what comes back through F
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache,
                    const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result, MatrixView<Scalar> delta,
                    MatrixView<Scalar> deltas, Scalar* gradient, MatrixView<Scalar>* input_gradient, MatrixView<Scalar>* jet_gradient) const
      requires(Sequence::template have_jets<Scalar>()) {
    detail::last_of(cache.deltas).first(delta.cols()) = delta;
    detail::last_of(result.deltas).first(deltas.cols()) = deltas;
    inside_.backward_jet(theta, theta_direction, x, cache.caches, shape, jet, result.caches, cache.deltas, result.deltas, gradient,
                         input_gradient, jet_gradient);
    if (input_gradient == nullptr) return;
    *input_gradient += delta;
    *jet_gradient += deltas;
  }

 private:
  using Nested::inside_;
};

/// A Residual whose first layer inside takes its inputs from the layer before the Residual: Residual<BatchNorm<>, Dense<32, 32>>{}. A
/// network makes it a Residual of known inputs.
template <class First, class... Rest>
requires(detail::takes_inferred_inputs<First>()) class Residual<First, Rest...> {
 public:
  static constexpr std::string_view name = detail::residual_name;  ///< the name in descriptions, files and messages
  static constexpr int inputs_at_compile_time = Inferred;          ///< the number of inputs, or Dynamic, or Inferred
  static constexpr int outputs_at_compile_time = Inferred;         ///< the number of outputs, or Dynamic, or Inferred

  /// For layers that can be made without arguments.
  Residual() : Residual(First{}, Rest{}...) {}
  /// Takes the layers of F, from the first to the last.
  explicit Residual(First first, Rest... rest) : layers_{first, rest...} {}

  /// The type of this layer with Units inputs, for a layer whose number of inputs is Inferred.
  template <int Units>
  using ForInputs = Residual<typename First::template ForInputs<Units>, Rest...>;
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
