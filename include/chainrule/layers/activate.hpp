#pragma once

#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <chainrule/layers/detail/elementwise_jet.hpp>

namespace chainrule {

/// An activation as a layer of its own, a = f(z), for use after a layer other than Dense:
/// @code{.cpp}
/// make_network<float>(Seed{1}, SquaredError{}, Dense<64, 32>{}, BatchNorm<>{}, Activate<ReLU>{});
/// Activate<LeakyReLU>{LeakyReLU{0.2}};  // an activation with a parameter
/// Activate<ReLU, Dynamic>{32};          // a number of units known at run time, for the first layer
/// @endcode
template <class F, int N = Inferred>
class Activate : public SameShape<N>, public WithoutParameters {
  static_assert(Activation<F>, "chainrule: Activate<F>: F must be an activation, such as ReLU or Tanh (see core/concepts.hpp)");

 public:
  static constexpr std::string_view name = "Activate";  ///< the name in descriptions, files and messages
  using ActivationType = F;                             ///< the type of the activation inside

  /// For a number of units given by N or inferred from the layer before.
  explicit Activate(F f = F{}) requires(N != Dynamic) : f_{f} {}
  /// Takes the number of units as a run-time value. Throws ShapeError if it is below 1 or contradicts N.
  explicit Activate(Index units, F f = F{}) : SameShape<N>(name.data(), units), f_{f} {}

  /// The type of this layer with Units inputs, for a layer whose number of inputs is Inferred.
  template <int Units>
  using ForInputs = Activate<F, Units>;
  /// Returns this layer with `units` inputs, which is the number of outputs of the layer before.
  template <int Units>
  ForInputs<Units> for_inputs(Index units) const {
    return ForInputs<Units>(units, f_);
  }

  const F& activation() const { return f_; }                    ///< the activation inside
  std::string_view activation_name() const { return f_.name; }  ///< the name of the activation inside; empty if there is none

  /// Storage that forward fills for backward, for up to max_batch samples; part of a Workspace.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const Activate& layer, Index max_batch) : output(layer.outputs(), max_batch) {}
    SpacedBatchStorage<Scalar, N, MaxBatch> output;  ///< a(l+1), outputs x max_batch
  };

  ///     a = f(z)        (N x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar*, ConstMatrixView<Scalar> z, Cache<Scalar, MaxBatch>& cache) const {
    kernels::activate(f_, z, cache.output.first(z.cols()));
  }

  ///     dJ/dz = dJ/da * f'(z)        (N x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar*, ConstMatrixView<Scalar> z, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar*,
                MatrixView<Scalar>* input_gradient) const {
    if (input_gradient == nullptr) return;
    kernels::multiply_by_derivative(f_, kept_for_derivative(z, std::as_const(cache)), delta);
    *input_gradient = delta;
  }

  /// Computes the derivative of a along directions dz, for the last forward pass.
  ///
  ///     da = f'(z) * dz        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar*, ConstMatrixView<Scalar> z, const Cache<Scalar, MaxBatch>& cache, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const {
    derivative = direction;
    kernels::multiply_directions_by_derivative(f_, kept_for_derivative(z, cache), derivative);
  }

  /// Computes dJ/dz from `delta`, which is dJ/da on entry and may be overwritten.
  ///
  ///     dJ/dz = dJ/da * f'(z)        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar*, ConstMatrixView<Scalar> z, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const {
    input_gradient = delta;
    kernels::multiply_directions_by_derivative(f_, kept_for_derivative(z, cache), input_gradient);
  }

  /// Says which derivative the activation lacks for `order`; empty if it lacks none. See core/concepts.hpp.
  std::string missing_derivative(int order) const { return detail::missing_derivative_of_activation(f_, order); }

  /// Storage that forward_jet fills for backward_jet, for up to max_batch samples and jets of up to max_columns columns.
  template <class Scalar>
  struct JetCache {
    /// Allocates everything.
    JetCache(const Activate& layer, Index max_batch, Index max_columns)
        : output(layer.outputs(), max_columns), f(layer.outputs(), max_batch) {}
    BatchStorage<Scalar, Dynamic, Dynamic> output;  ///< the jet of a, outputs x columns
    detail::ActivationDerivatives<Scalar> f;        ///< f', f'' and f''' at z
  };

  /// Computes the jet of a = f(z) from the jet of z, for the last forward pass.
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar*, const Scalar*, ConstMatrixView<Scalar> z, const Cache<Scalar, MaxBatch>& cache, const JetShape& shape,
                   ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const requires(HasSecondDerivative<F>) {
    result.f.compute(f_, shape, kept_for_derivative(z, cache));
    detail::elementwise_jet(shape, result.f, jet, result.output.first(shape.columns()));
  }

  /// Computes the gradients by z and by its jet of a J that depends on a and on its jet.
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar*, const Scalar*, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>&, const JetShape& shape,
                    ConstMatrixView<Scalar> jet, const JetCache<Scalar>& result, MatrixView<Scalar> delta, MatrixView<Scalar> deltas,
                    Scalar*, MatrixView<Scalar>* input_gradient, MatrixView<Scalar>* jet_gradient) const {
    if (input_gradient == nullptr) return;
    detail::elementwise_jet_backward(shape, result.f, jet, delta, deltas);
    *input_gradient = delta;
    *jet_gradient = deltas;
  }

  /// Copies z, which is this layer's input, and turns `delta`, which is dJ/da on entry, into dJ/dz, for layer_values.
  template <class Scalar, int MaxBatch>
  void z_and_delta(const Scalar*, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> z,
                   MatrixView<Scalar> delta) const {
    z = x;
    kernels::multiply_by_derivative(f_, kept_for_derivative(x, cache), delta);
  }

 private:
  // a if f' is written with it, else z
  template <class Scalar, int MaxBatch>
  static ConstMatrixView<Scalar> kept_for_derivative(ConstMatrixView<Scalar> z, const Cache<Scalar, MaxBatch>& cache) {
    return DerivativeFromOutput<F> ? cache.output.first(z.cols()) : z;
  }

  [[no_unique_address]] F f_;
};

}  // namespace chainrule
