#pragma once

#include <algorithm>
#include <array>
#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/kernels/map.hpp>
#include <chainrule/layers/sample_gradients.hpp>

namespace chainrule {

/// Tells whether the units of a PReLU share one slope or each unit learns its own.
enum class Slopes { shared, per_unit };

/// ReLU with a learned slope alpha for z < 0 (He, Zhang, Ren and Sun 2015): a = max(0, z) + alpha min(0, z). It is a layer and not an
/// activation because it has parameters; write Dense<64, 32>, PReLU<>. PReLU<> has one slope for all units, like PyTorch's default,
/// PReLU<Slopes::per_unit> one for each unit. Weight decay does not apply to alpha (section 2 of the paper).
template <Slopes slopes = Slopes::shared, int N = Inferred>
class PReLU : public SameShape<N> {
  static constexpr bool shared = slopes == Slopes::shared;
  static constexpr int Alphas = shared ? 1 : N;

 public:
  static constexpr std::string_view name = shared ? "PReLU" : "PReLUPerUnit";             ///< the name in descriptions, files and messages
  static constexpr Index parameters_at_compile_time = detail::extent_product(1, Alphas);  ///< the number of parameters, or Dynamic

  /// `initial_slope` is the initial value of alpha. Throws ValueError unless it is between -1e9 and 1e9.
  explicit PReLU(double initial_slope = 0.25) requires(N != Dynamic) : initial_slope_{checked(initial_slope)} {}
  /// Takes the number of units as a run-time value. Throws ShapeError if it is below 1 or contradicts N.
  explicit PReLU(Index units, double initial_slope = 0.25) : SameShape<N>("PReLU", units), initial_slope_{checked(initial_slope)} {}

  /// The type of this layer with Units inputs, for a layer whose number of inputs is Inferred.
  template <int Units>
  using ForInputs = PReLU<slopes, Units>;
  /// Returns this layer with `units` inputs, which is the number of outputs of the layer before.
  template <int Units>
  ForInputs<Units> for_inputs(Index units) const {
    return ForInputs<Units>(units, initial_slope_);
  }

  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"initial_slope", initial_slope_}}; }

  std::string_view activation_name() const { return "PReLU"; }  ///< the name of the activation inside; empty if there is none
  /// Names and shapes of the parameters, in the order of the flat vector.
  std::array<TensorShape, 1> tensors() const { return {{{"slope", alphas(), 1}}}; }

  /// A view of alpha in theta, or of dJ/dalpha in a gradient.
  template <class Scalar>
  struct Parameters {
    detail::MapOf<Scalar, Alphas, 1> slope;  ///< alpha: one number, or one for each unit

    /// Prints the tensors with their names, shapes and numbers.
    template <class Stream>
    friend Stream& operator<<(Stream& out, const Parameters& views) {
      detail::print_tensor(out, "slope", views.slope);
      return out;
    }
  };
  /// The parameters by name, as views on this layer's slice of theta or of dJ/dtheta.
  template <class Scalar>
  Parameters<Scalar> parameters(Scalar* theta) const {
    return {{theta, alphas()}};
  }
  /// Draws the weights from `random` and sets all other parameters to their initial values.
  template <class Scalar>
  void initialize(Scalar* theta, Random&) const {
    std::fill_n(theta, alphas(), static_cast<Scalar>(initial_slope_));
  }

  /// Storage that forward fills for backward, for up to max_batch samples; part of a Workspace.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const PReLU& layer, Index max_batch) : output(layer.outputs(), max_batch) {}
    SpacedBatchStorage<Scalar, N, MaxBatch> output;  ///< a(l+1), outputs x max_batch
  };

  ///     a = z for z > 0, alpha z elsewhere        (N x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> z, Cache<Scalar, MaxBatch>& cache) const {
    MatrixView<Scalar> a = cache.output.first(z.cols());
    apply_slopes(theta, z, z, a);
  }

  ///     dJ/dalpha = sum of dJ/da * z over z <= 0,  dJ/dz = dJ/da * (1 for z > 0, alpha elsewhere)        (N x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> z, Cache<Scalar, MaxBatch>&, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient) const {
    sum_for_slopes([](const auto& d, const auto& at) CHAINRULE_FORMULA { return select(at > 0, 0, d * at); }, gradient,
                   detail::as_const(delta), z);
    if (input_gradient == nullptr) return;
    apply_slopes(theta, z, detail::as_const(delta), *input_gradient);
  }

  /// Computes the derivative of a along directions dz, for the last forward pass.
  ///
  ///     da = dz * (1 for z > 0, alpha elsewhere)        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar* theta, ConstMatrixView<Scalar> z, const Cache<Scalar, MaxBatch>&, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const {
    apply_slopes_to_each(theta, z, direction, derivative);
  }

  /// Computes dJ/dz from `delta`, which is dJ/da.
  ///
  ///     dJ/dz = dJ/da * (1 for z > 0, alpha elsewhere)        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar* theta, ConstMatrixView<Scalar> z, const Cache<Scalar, MaxBatch>&, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const {
    apply_slopes_to_each(theta, z, detail::as_const(delta), input_gradient);
  }

  /// Gives the gradient by alpha of each column of `delta`, which is dJ/da, by itself, and computes dJ/dz if input_gradient is not null.
  /// Column k batch + j belongs to sample j.
  ///
  ///     dJ/dalpha = dJ/da_c * z_j where z_j <= 0, or the sum over all units for a shared slope        (for column c of sample j)
  template <class Scalar, int MaxBatch>
  void sample_gradients(const Scalar* theta, ConstMatrixView<Scalar> z, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const {
    const auto dJ_dalpha = [](const auto& d, const auto& at) CHAINRULE_FORMULA { return select(at > 0, 0, d * at); };
    for (Index c = 0; c < delta.cols(); ++c) {
      const Scalar *d = delta.data() + c * delta.outerStride(), *z_j = z.data() + gradients.sample_of(c) * z.outerStride();
      if constexpr (shared) {
        const Scalar sum = kernels::sum<Scalar>(z.rows(), dJ_dalpha, d, z_j);
        gradients.numbers(c, 0, 1, &sum);
      } else {
        gradients.numbers(c, 0, z.rows(), dJ_dalpha, d, z_j);
      }
    }
    if (input_gradient != nullptr) vjp(theta, z, cache, delta, *input_gradient);
  }

  /// Storage that forward_jet fills for backward_jet, for jets of up to max_columns columns.
  template <class Scalar>
  struct JetCache {
    /// Allocates everything.
    JetCache(const PReLU& layer, Index, Index max_columns) : output(layer.outputs(), max_columns), slopes_of_channel(layer.alphas(), 1) {}
    BatchStorage<Scalar, Dynamic, Dynamic> output;             ///< the jet of a, outputs x columns
    BatchStorage<Scalar, Dynamic, Dynamic> slopes_of_channel;  ///< part of dJ/dalpha that comes from one channel
  };

  /// Computes the jet of a from the jet of z. Where theta_direction = beta is not null, alpha depends on t_1 as alpha + t_1 beta, and the
  /// jet has no second derivatives.
  ///
  ///     a_c = z_c * (1 for z > 0, alpha elsewhere) for each channel c,  a_1 <- a_1 + beta z where z <= 0
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> z, const Cache<Scalar, MaxBatch>&,
                   const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const {
    MatrixView<Scalar> a = result.output.first(shape.columns());
    apply_slopes_to_each(theta, z, jet, a);
    if (theta_direction != nullptr) add_slopes(theta_direction, z, z, shape.first_of(a, 0));
  }

  /// Computes the gradients of a J that depends on a and on its jet, as Dense::backward_jet says.
  ///
  ///     dJ/dalpha = sum over z <= 0 of dJ/da * z + sum over channels: dJ/da_c * z_c
  ///     dJ/dz = dJ/da * (1 for z > 0, alpha elsewhere) + dJ/da_1 * (0 for z > 0, beta elsewhere)
  ///     dJ/dz_c = dJ/da_c * (1 for z > 0, alpha elsewhere)
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> z, const Cache<Scalar, MaxBatch>&,
                    const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result, MatrixView<Scalar> delta,
                    MatrixView<Scalar> deltas, Scalar* gradient, MatrixView<Scalar>* input_gradient,
                    MatrixView<Scalar>* jet_gradient) const {
    const auto dJ_dalpha = [](const auto& d, const auto& at, const auto& z_c) CHAINRULE_FORMULA { return select(at > 0, 0, d * z_c); };
    if (gradient != nullptr) {
      sum_for_slopes(dJ_dalpha, gradient, detail::as_const(delta), z, z);
      Scalar* of_channel = result.slopes_of_channel.first(1).data();
      for (Index c = 0; c < shape.channels(); ++c) {
        const Index first = c * shape.batch;
        sum_for_slopes(dJ_dalpha, of_channel, detail::as_const(detail::columns_of(deltas, first, shape.batch)), z,
                       detail::columns_of(jet, first, shape.batch));
        kernels::update(
            alphas(), [](auto& sum, const auto& more) CHAINRULE_FORMULA { sum = sum + more; }, gradient,
            static_cast<const Scalar*>(of_channel));
      }
    }
    if (input_gradient == nullptr) return;
    apply_slopes(theta, z, detail::as_const(delta), *input_gradient);
    if (theta_direction != nullptr) add_slopes(theta_direction, z, detail::as_const(shape.first_of(deltas, 0)), *input_gradient);
    apply_slopes_to_each(theta, z, detail::as_const(deltas), *jet_gradient);
  }

  /// Copies z, which is this layer's input, and turns `delta`, which is dJ/da on entry, into dJ/dz, for layer_values.
  template <class Scalar, int MaxBatch>
  void z_and_delta(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>&, MatrixView<Scalar> z,
                   MatrixView<Scalar> delta) const {
    z = x;
    apply_slopes(theta, x, detail::as_const(delta), delta);
  }

 private:
  static double checked(double slope) {
    if (!(detail::is_finite(slope) && slope > -1e9 && slope < 1e9))
      detail::raise<ValueError>("PReLU: the initial slope must be a finite number, got ", slope);
    return slope;
  }

  Index alphas() const { return shared ? 1 : this->inputs(); }

  // Sums f(d, in ...) over all samples, for the shared slope or for each unit. f is a gradient by alpha for one number.
  template <class F, class Scalar, class... In>
  static void sum_for_slopes(const F& f, Scalar* sums, const ConstMatrixView<Scalar>& d, const In&... in) {
    if constexpr (shared) {
      using Sum = detail::Accumulator<Scalar>;
      detail::PairwiseSum<Sum> sum;
      for (Index j = 0; j < d.cols(); ++j)
        sum += static_cast<Sum>(kernels::sum<Scalar>(d.rows(), f, d.data() + j * d.outerStride(), (in.data() + j * in.outerStride())...));
      sums[0] = static_cast<Scalar>(sum.total());
    } else {
      kernels::row_sums_of([f](auto& sum, const auto&... numbers) CHAINRULE_FORMULA { sum = sum + f(numbers...); }, std::array{sums},
                           d.rows(), d.cols(), kernels::columns(d), kernels::columns(in)...);
    }
  }

  // apply_slopes to each N x batch matrix of x, which are side by side
  template <class Scalar>
  static void apply_slopes_to_each(const Scalar* alpha, const ConstMatrixView<Scalar>& z, const ConstMatrixView<Scalar>& x,
                                   const MatrixView<Scalar>& out) {
    for (Index first = 0; first < x.cols(); first += z.cols())
      apply_slopes(alpha, z, detail::columns_of(x, first, z.cols()), detail::columns_of(out, first, z.cols()));
  }

  // out <- out + (0 where z > 0, beta x elsewhere)        (N x batch)
  template <class Scalar>
  static void add_slopes(const Scalar* beta, const ConstMatrixView<Scalar>& z, const ConstMatrixView<Scalar>& x, MatrixView<Scalar> out) {
    for (Index j = 0; j < z.cols(); ++j) {
      Scalar* out_j = out.data() + j * out.outerStride();
      const Scalar *z_j = z.data() + j * z.outerStride(), *x_j = x.data() + j * x.outerStride();
      if constexpr (shared)
        kernels::update(
            z.rows(),
            [b = *beta](auto& sum, const auto& z_i, const auto& x_i) CHAINRULE_FORMULA { sum = sum + select(z_i > 0, 0, b * x_i); }, out_j,
            z_j, x_j);
      else
        kernels::update(
            z.rows(),
            [](auto& sum, const auto& z_i, const auto& x_i, const auto& b) CHAINRULE_FORMULA { sum = sum + select(z_i > 0, 0, b * x_i); },
            out_j, z_j, x_j, beta);
    }
  }

  // out = x where z > 0, alpha x elsewhere        (N x batch)
  template <class Scalar>
  static void apply_slopes(const Scalar* alpha, ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> x, MatrixView<Scalar> out) {
    if constexpr (shared) {
      kernels::map_matrices([alpha = *alpha](auto z_i, auto x_i) CHAINRULE_FORMULA { return select(z_i > 0, x_i, alpha * x_i); }, out, z,
                            x);
    } else {
      for (Index j = 0; j < z.cols(); ++j)
        kernels::map(
            z.rows(), [](auto z_i, auto x_i, auto alpha_i) CHAINRULE_FORMULA { return select(z_i > 0, x_i, alpha_i * x_i); },
            out.data() + j * out.outerStride(), z.data() + j * z.outerStride(), x.data() + j * x.outerStride(), alpha);
    }
  }

  double initial_slope_;
};

}  // namespace chainrule
