#pragma once

#include <algorithm>
#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/kernels/reductions.hpp>

namespace chainrule {

/// Whether all units of a PReLU learn one slope together, or each its own.
enum class Slopes { shared, per_unit };

/// ReLU with a slope alpha for z < 0 that is learned (He, Zhang, Ren and Sun 2015): a = max(0, z) + alpha min(0, z). It is a
/// layer, because it has parameters: Dense<64, 32>, PReLU<>. One slope for all units as PyTorch's default, or with
/// PReLU<Slopes::per_unit> one for each. alpha starts at 0.25; weight decay leaves it alone (section 2 of the paper).
template <Slopes slopes = Slopes::shared, int N = Inferred>
class PReLU : public detail::SameShape<N> {
  static constexpr bool shared = slopes == Slopes::shared;
  static constexpr int Alphas = shared ? 1 : N;

 public:
  static constexpr std::string_view name = shared ? "PReLU" : "PReLUPerUnit";
  static constexpr Index parameters_at_compile_time = detail::extent_product(1, Alphas);

  /// initial_slope: what alpha starts with; ValueError unless it is finite.
  explicit PReLU(double initial_slope = 0.25) requires(N != Dynamic) : initial_slope_{checked(initial_slope)} {}
  /// For an extent that is a value.
  explicit PReLU(Index units, double initial_slope = 0.25) : detail::SameShape<N>("PReLU", units), initial_slope_{checked(initial_slope)} {}

  template <int Units>
  using ForInputs = PReLU<slopes, Units>;
  template <int Units>
  ForInputs<Units> for_inputs(Index units) const {
    return ForInputs<Units>(units, initial_slope_);
  }

  auto hyperparameters() const { return std::tuple{Hyperparameter{"initial_slope", initial_slope_}}; }

  std::string_view activation_name() const { return "PReLU"; }
  std::array<TensorShape, 1> tensors() const { return {{{"slope", alphas(), 1}}}; }

  /// alpha, or dJ/dalpha.
  template <class Scalar>
  struct Parameters {
    detail::MapOf<Scalar, Alphas, 1> slope;  ///< one number, or one for each unit
  };
  template <class Scalar>
  Parameters<Scalar> parameters(Scalar* theta) const {
    return {{theta, alphas()}};
  }
  template <class Scalar>
  void initialize(Scalar* theta, Random&) const {
    std::fill_n(theta, alphas(), static_cast<Scalar>(initial_slope_));
  }

  template <class Scalar, int MaxBatch>
  struct Cache {
    Cache(const PReLU& layer, Index max_batch) : output(layer.outputs(), max_batch) {}
    BatchStorage<Scalar, N, MaxBatch> output;
  };

  ///     a = z for z > 0, alpha z elsewhere        (N x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> z, Cache<Scalar, MaxBatch>& cache) const {
    MatrixView<Scalar> a = cache.output.first(z.cols());
    for (Index j = 0; j < z.cols(); ++j)
      for (Index i = 0; i < z.rows(); ++i) a(i, j) = z(i, j) > 0 ? z(i, j) : theta[alpha_of(i)] * z(i, j);
  }

  ///     dJ/dalpha = sum of dJ/da * z where z <= 0,  dJ/dz = dJ/da * (1 for z > 0, alpha elsewhere)        (N x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> z, Cache<Scalar, MaxBatch>&, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient) const {
    const auto below = [](const Chunk<Scalar>& d, const Chunk<Scalar>& at) -> Chunk<Scalar> {
      return (at > 0).select(Chunk<Scalar>::Zero(), d * at);
    };
    if constexpr (shared) {
      detail::Accumulator<Scalar> sum = 0;
      for (Index j = 0; j < z.cols(); ++j)
        sum += kernels::sum_of(z.rows(), below, static_cast<const Scalar*>(delta.data() + j * delta.outerStride()),
                               z.data() + j * z.outerStride());
      gradient[0] = static_cast<Scalar>(sum);
    } else {
      kernels::row_sums_of(below, gradient, detail::as_const(delta), z);
    }
    if (input_gradient == nullptr) return;
    for (Index j = 0; j < z.cols(); ++j)
      for (Index i = 0; i < z.rows(); ++i) (*input_gradient)(i, j) = z(i, j) > 0 ? delta(i, j) : theta[alpha_of(i)] * delta(i, j);
  }

 private:
  static double checked(double slope) {
    if (!(slope > -1e9 && slope < 1e9)) detail::raise<ValueError>("PReLU: the initial slope must be a finite number, got ", slope);
    return slope;
  }

  Index alphas() const { return shared ? 1 : this->inputs(); }
  static Index alpha_of(Index unit) { return shared ? 0 : unit; }

  double initial_slope_;
};

}  // namespace chainrule
