#pragma once

#include <chainrule/core/quantization.hpp>
#include <chainrule/layers/dense.hpp>

namespace chainrule {

/// How many scales the int8 weights of a layer have.
enum class WeightScales {
  per_output,  ///< one for the weights of each output, as quantize makes them by default
  per_tensor,  ///< one for all weights of the layer, as for quantize with .scale_per_output = false
};

/// z = round(W) a + b, a Dense without activation whose weights are rounded to int8 in each pass, so that a network learns with the weights
/// of the quantized network that quantize makes of it (Jacob et al. 2018, section 3):
///
///     round(W(i, k)) = scale(i) n(i, k),  n(i, k) = W(i, k) / scale(i) rounded,  scale(i) = max over k of |W(i, k)| / 127
///
/// with the maximum over all of W for WeightScales::per_tensor. The gradient goes straight through: dJ/dW is that by the rounded weights,
/// and the step changes W itself. b is not rounded, because it is an int32 in the quantized network.
template <int In, int Out, WeightScales scales = WeightScales::per_output>
class FakeQuantizedDense {
  using Inner = Dense<In, Out>;

 public:
  /// The name in descriptions, files and messages.
  static constexpr std::string_view name = scales == WeightScales::per_output ? "FakeQuantizedDense" : "FakeQuantizedDensePerTensor";
  static constexpr int inputs_at_compile_time = In;                                       ///< the number of inputs, or Dynamic
  static constexpr int outputs_at_compile_time = Out;                                     ///< the number of outputs, or Dynamic
  static constexpr Index parameters_at_compile_time = Inner::parameters_at_compile_time;  ///< the number of parameters, or Dynamic
  template <class Scalar>
  using Parameters = typename Inner::template Parameters<Scalar>;  ///< views of W and b

  /// For extents given by the template arguments In and Out.
  FakeQuantizedDense() requires(In != Dynamic && Out != Dynamic) : inner_{} {}
  /// Takes the extents as run-time values. Throws ShapeError for an extent below 1 and for one that contradicts In or Out.
  FakeQuantizedDense(Index inputs, Index outputs) : inner_{inputs, outputs} {}

  Index inputs() const { return inner_.inputs(); }         ///< the number of inputs, which is the number of rows of x
  Index outputs() const { return inner_.outputs(); }       ///< the number of outputs, which is the number of rows of the output
  std::string_view activation_name() const { return ""; }  ///< empty, because there is no activation inside
  /// Names and shapes of the parameters, in the order of the flat vector.
  auto tensors() const { return inner_.tensors(); }
  /// The parameters by name, as views on this layer's slice of theta or of dJ/dtheta.
  template <class Scalar>
  Parameters<Scalar> parameters(Scalar* theta) const {
    return inner_.parameters(theta);
  }
  /// Draws the weights from `random` as Dense does, and sets b to 0.
  template <class Scalar>
  void initialize(Scalar* theta, Random& random) const {
    inner_.initialize(theta, random);
  }

  /// Storage that forward fills for backward, for up to max_batch samples: that of a Dense, and the rounded weights.
  template <class Scalar, int MaxBatch>
  struct Cache : Inner::template Cache<Scalar, MaxBatch> {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const FakeQuantizedDense& layer, Index max_batch)
        : Inner::template Cache<Scalar, MaxBatch>(layer.inner_, max_batch), rounded(layer.outputs() * (layer.inputs() + 1), 1) {}
    BatchStorage<Scalar, Dynamic, 1> rounded;  ///< theta with rounded weights, in the order of theta
  };

  ///     z = round(W) a + b        (Out x batch)
  ///
  /// The products are in Scalar, also in a workspace of another precision, because the quantized network multiplies integers exactly.
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const ForwardContext<Scalar>& pass) const {
    Scalar* rounded = cache.rounded.first(1).data();
    round_weights(theta, rounded);
    ForwardContext<Scalar> in_scalar = pass;
    in_scalar.products = nullptr;
    inner_.forward(static_cast<const Scalar*>(rounded), x, static_cast<InnerCache<Scalar, MaxBatch>&>(cache), in_scalar);
  }

  /// Computes dJ/dW = dJ/dround(W), dJ/db and dJ/da as Dense does, with the rounded weights of the last forward pass.
  template <class Scalar, int MaxBatch>
  void backward(const Scalar*, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient) const {
    inner_.backward(rounded(cache), x, inner(cache), delta, gradient, input_gradient);
  }
  /// Computes dz = round(W) da.
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar*, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const {
    inner_.jvp(rounded(cache), x, inner(cache), direction, derivative);
  }
  /// Computes dJ/da = round(W)^T dJ/dz.
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar*, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const {
    inner_.vjp(rounded(cache), x, inner(cache), delta, input_gradient);
  }
  /// Gives the straight-through gradient of each column of `delta` by itself, as Dense does.
  template <class Scalar, int MaxBatch>
  void sample_gradients(const Scalar*, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const {
    inner_.sample_gradients(rounded(cache), x, inner(cache), delta, gradients, input_gradient);
  }

  /// Storage that forward_jet fills for backward_jet, as that of Dense.
  template <class Scalar>
  struct JetCache : Inner::template JetCache<Scalar> {
    /// Allocates everything.
    JetCache(const FakeQuantizedDense& layer, Index max_batch, Index max_columns)
        : Inner::template JetCache<Scalar>(layer.inner_, max_batch, max_columns) {}
  };
  /// Computes the jet of z as Dense does, with the rounded weights; a theta_direction goes straight through.
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar*, const Scalar* theta_direction, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache,
                   const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const {
    inner_.forward_jet(rounded(cache), theta_direction, x, inner(cache), shape, jet,
                       static_cast<typename Inner::template JetCache<Scalar>&>(result));
  }
  /// Computes the gradients of a J that depends on z and on its jet as Dense does, with the rounded weights.
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar*, const Scalar* theta_direction, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache,
                    const JetShape& shape, ConstMatrixView<Scalar> jet, const JetCache<Scalar>& result, MatrixView<Scalar> delta,
                    MatrixView<Scalar> deltas, Scalar* gradient, MatrixView<Scalar>* input_gradient,
                    MatrixView<Scalar>* jet_gradient) const {
    inner_.backward_jet(rounded(cache), theta_direction, x, inner(cache), shape, jet,
                        static_cast<const typename Inner::template JetCache<Scalar>&>(result), delta, deltas, gradient, input_gradient,
                        jet_gradient);
  }

 private:
  template <class Scalar, int MaxBatch>
  using InnerCache = typename Inner::template Cache<Scalar, MaxBatch>;
  template <class Scalar, int MaxBatch>
  static const InnerCache<Scalar, MaxBatch>& inner(const Cache<Scalar, MaxBatch>& cache) {
    return cache;
  }
  template <class Scalar, int MaxBatch>
  static const Scalar* rounded(const Cache<Scalar, MaxBatch>& cache) {
    return cache.rounded.first(1).data();
  }

  // NaN and infinity stay, so that a training that has diverged is noticed.
  template <class Scalar>
  void round_weights(const Scalar* theta, Scalar* rounded) const {
    const Index out = outputs(), in = inputs();
    std::copy(theta, theta + out * (in + 1), rounded);
    Scalar largest_of_all = 0;
    if constexpr (scales == WeightScales::per_tensor)
      for (Index i = 0; i < out * in; ++i) largest_of_all = (std::max)(largest_of_all, std::abs(theta[i]));
    for (Index i = 0; i < out; ++i) {
      Scalar largest = largest_of_all;
      if constexpr (scales == WeightScales::per_output)
        for (Index k = 0; k < in; ++k) largest = (std::max)(largest, std::abs(theta[i + k * out]));
      if (!detail::is_finite(largest)) continue;
      const float scale = detail::weight_scale(static_cast<double>(largest));
      for (Index k = 0; k < in; ++k) {
        Scalar& w = rounded[i + k * out];
        if (w == w) w = static_cast<Scalar>(static_cast<double>(scale) * detail::quantized_weight(static_cast<double>(w), scale));
      }
    }
  }

  Inner inner_;
};

}  // namespace chainrule
