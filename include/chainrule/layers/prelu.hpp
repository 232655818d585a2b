#pragma once

#include <algorithm>
#include <array>
#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/kernels/map.hpp>

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
    BatchStorage<Scalar, N, MaxBatch> output;  ///< a(l+1), outputs x max_batch
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
    const auto dJ_dalpha = [](const auto& d, const auto& at) CHAINRULE_FORMULA { return select(at > 0, 0, d * at); };
    if constexpr (shared) {
      using Sum = detail::Accumulator<Scalar>;
      detail::PairwiseSum<Sum> sum;
      for (Index j = 0; j < z.cols(); ++j)
        sum += static_cast<Sum>(kernels::sum<Scalar>(
            z.rows(), dJ_dalpha, static_cast<const Scalar*>(delta.data() + j * delta.outerStride()), z.data() + j * z.outerStride()));
      gradient[0] = static_cast<Scalar>(sum.total());
    } else {
      kernels::row_sums_of([dJ_dalpha](auto& sum, const auto& d, const auto& at) CHAINRULE_FORMULA { sum = sum + dJ_dalpha(d, at); },
                           std::array{gradient}, z.rows(), z.cols(), kernels::columns(detail::as_const(delta)), kernels::columns(z));
    }
    if (input_gradient == nullptr) return;
    apply_slopes(theta, z, detail::as_const(delta), *input_gradient);
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
