#pragma once

#include <algorithm>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/layers/detail/output_jet.hpp>

namespace chainrule {

/// Fixed scaling, a = (x - shift) * scale, of the inputs as the first layer of a net, or of the outputs as the last one. It is copied and
/// saved with the net, so that nobody can forget it at prediction. Shift and scale are not trained; they are set once, before training,
/// from the training data:
/// @code{.cpp}
/// net.buffers<0>().set(Standardizer<float>(train.features));
/// @endcode
/// As the last layer, set_inverse makes it turn scaled numbers into targets in their own units, as Keras's Normalization(invert=True) does:
/// @code{.cpp}
/// Network<float, SquaredError, Normalize<8>, Dense<8, 32, Tanh>, Dense<32, 1>, Normalize<>> price{Seed{1}};
/// price.buffers<3>().set_inverse(Standardizer<float>(house.targets));  // house is a RegressionDataset<float>
/// @endcode
/// The net then learns targets, reports losses and makes predictions in these units, without any scaling outside. With a squared error,
/// gradients grow with the square of the units, so take an optimizer that does not depend on their scale, such as Adam.
///
/// Every pass before shift and scale are set throws StateError. As the first layer it needs its number of units: Normalize<4>.
template <int N = Inferred>
class Normalize : public SameShape<N>, public WithoutParameters {
 public:
  static constexpr std::string_view name = "Normalize";                           ///< the name in descriptions, files and messages
  static constexpr Index buffers_at_compile_time = detail::extent_product(2, N);  ///< the number of buffers, or Dynamic

  /// For a number of units given by N or inferred from the layer before.
  Normalize() requires(N != Dynamic) = default;
  /// Takes the number of units as a run-time value. Throws ShapeError if it is below 1 or contradicts N.
  explicit Normalize(Index units) : SameShape<N>(name.data(), units) {}

  /// The type of this layer with Units inputs, for a layer whose number of inputs is Inferred.
  template <int Units>
  using ForInputs = Normalize<Units>;
  /// Returns this layer with `units` inputs, which is the number of outputs of the layer before.
  template <int Units>
  ForInputs<Units> for_inputs(Index units) const {
    return ForInputs<Units>(units);
  }

  /// True: shift and scale suit the inputs.
  static constexpr bool takes_any_scale() { return true; }
  /// Names and shapes of the buffers, in the order of their flat vector.
  std::array<TensorShape, 2> buffer_tensors() const { return {{{"shift", this->inputs(), 1}, {"scale", this->inputs(), 1}}}; }

  /// Views of shift and scale, N numbers each.
  template <class Scalar>
  struct Buffers {
    detail::MapOf<Scalar, N, 1> shift;  ///< shift of each feature
    detail::MapOf<Scalar, N, 1> scale;  ///< scale of each feature; 0 if it is not set yet

    /// Prints the tensors with their names, shapes and numbers.
    template <class Stream>
    friend Stream& operator<<(Stream& out, const Buffers& views) {
      detail::print_tensor(out, "shift", views.shift);
      detail::print_tensor(out, "scale", views.scale);
      return out;
    }

    /// Copies shift and scale from a fitted scaler, a Standardizer or MinMaxScaler. Throws ShapeError if it has another number of features,
    /// ValueError for a scale of 0 or numbers that are not finite, and what scaler.shift() throws, such as StateError for a scaler that is
    /// not fitted.
    template <class Scaler>
    void set(const Scaler& scaler) {
      set_to(scaler.shift(), scaler.scale());
    }

    /// Sets the inverse of a fitted scaler, a Standardizer or MinMaxScaler, so that this layer undoes it:
    ///
    ///     a = x / s + m = (x - (-m s)) (1 / s)        for the scaler x = (a - m) s
    /// Throws what set throws, and leaves the layer as it was.
    template <class Scaler>
    void set_inverse(const Scaler& scaler) {
      using Wide = std::common_type_t<double, Scalar>;
      const Vector<Wide> m = scaler.shift().template cast<Wide>(), s = scaler.scale().template cast<Wide>();
      set_to((-m.cwiseProduct(s)).eval(), s.cwiseInverse().eval());
    }

   private:
    template <class Numbers>
    void set_to(const Numbers& new_shift, const Numbers& new_scale) {
      if (new_shift.size() != shift.size() || new_scale.size() != scale.size())
        detail::raise<ShapeError>("Normalize: the layer has ", shift.size(), " units, but the scaler was fitted to ", new_shift.size(),
                                  " features");
      const auto usable = [](auto number) {  // checked after conversion to Scalar, because 1e-50 is 0 in float
        return detail::is_finite(static_cast<Scalar>(number));
      };
      for (Index i = 0; i < shift.size(); ++i)
        if (!(usable(new_shift[i]) && usable(new_scale[i]) && static_cast<Scalar>(new_scale[i]) != 0))
          detail::raise<ValueError>("Normalize: feature ", i, " has shift ", new_shift[i], " and scale ", new_scale[i],
                                    ", but both must be finite, and the scale not 0");
      shift = new_shift.template cast<Scalar>();
      scale = new_scale.template cast<Scalar>();
    }
  };

  /// The buffers by name, as views on this layer's slice of all buffers.
  template <class Scalar>
  Buffers<Scalar> buffers(Scalar* numbers) const {
    return {{numbers, this->inputs()}, {numbers + this->inputs(), this->inputs()}};
  }
  /// Sets the buffers to their initial values.
  template <class Scalar>
  void initialize_buffers(Scalar* numbers) const {
    std::fill_n(numbers, 2 * this->inputs(), Scalar{0});  // a scale of 0 means that it is not set
  }

  /// Throws StateError if shift and scale are not set.
  template <class Scalar>
  void check_pass(const ForwardContext<Scalar>& pass, Index) const {
    if (pass.buffers == nullptr || pass.buffers[this->inputs()] == 0)
      detail::raise<StateError>(
          "Normalize has no shift and scale yet; set them once, before training: "
          "net.buffers<0>().set(Standardizer<float>(train.features))");
  }

  /// Storage that forward fills for backward, for up to max_batch samples; part of a Workspace.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const Normalize& layer, Index max_batch) : output(layer.outputs(), max_batch), scale(layer.outputs(), 1) {}
    SpacedBatchStorage<Scalar, N, MaxBatch> output;  ///< a(l+1), outputs x max_batch
    BatchStorage<Scalar, N, 1> scale;                ///< scale in the last forward pass, N
  };

  ///     a = (x - shift) * scale        (N x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar*, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const ForwardContext<Scalar>& pass) const {
    const auto [shift, scale] = buffers(pass.buffers);
    cache.scale.first(1) = scale;
    MatrixView<Scalar> a = cache.output.first(x.cols());
    for (Index j = 0; j < x.cols(); ++j) a.col(j) = (x.col(j) - shift).cwiseProduct(scale);
  }

  ///     dJ/dx = dJ/da * scale        (N x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar*, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar*,
                MatrixView<Scalar>* input_gradient) const {
    if (input_gradient == nullptr) return;
    for (Index j = 0; j < x.cols(); ++j) input_gradient->col(j) = delta.col(j).cwiseProduct(cache.scale.first(1).col(0));
  }

  /// Computes the derivative of a along directions dx, for the last forward pass.
  ///
  ///     da = dx * scale        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar*, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>& cache, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const {
    multiply_by_scale(cache, direction, derivative);
  }
  /// Computes dJ/dx from `delta`, which is dJ/da.
  ///
  ///     dJ/dx = dJ/da * scale        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar*, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const {
    multiply_by_scale(cache, detail::as_const(delta), input_gradient);
  }

  /// Storage that forward_jet fills, for jets of up to max_columns columns.
  template <class Scalar>
  using JetCache = detail::OutputJet<Scalar>;

  /// Computes the jet of a from the jet of x.
  ///
  ///     a_c = x_c * scale for each channel c
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar*, const Scalar*, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>& cache, const JetShape& shape,
                   ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const {
    multiply_by_scale(cache, jet, result.output.first(shape.columns()));
  }
  /// Computes the gradients by x and its jet from those by a and its jet.
  ///
  ///     dJ/dx = dJ/da * scale,  dJ/dx_c = dJ/da_c * scale
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar*, const Scalar*, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>& cache, const JetShape&,
                    ConstMatrixView<Scalar>, const JetCache<Scalar>&, MatrixView<Scalar> delta, MatrixView<Scalar> deltas, Scalar*,
                    MatrixView<Scalar>* input_gradient, MatrixView<Scalar>* jet_gradient) const {
    if (input_gradient == nullptr) return;
    multiply_by_scale(cache, detail::as_const(delta), *input_gradient);
    multiply_by_scale(cache, detail::as_const(deltas), *jet_gradient);
  }

 private:
  // out = x * scale, for each column        (N x columns)
  template <class Scalar, int MaxBatch>
  static void multiply_by_scale(const Cache<Scalar, MaxBatch>& cache, const ConstMatrixView<Scalar>& x, MatrixView<Scalar> out) {
    for (Index j = 0; j < x.cols(); ++j) out.col(j) = x.col(j).cwiseProduct(cache.scale.first(1).col(0));
  }
};

}  // namespace chainrule
