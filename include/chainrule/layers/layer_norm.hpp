#pragma once

#include <chainrule/layers/normalization_layer.hpp>

namespace chainrule {

/// Layer normalisation (Ba, Kiros and Hinton 2016; conventions of PyTorch's LayerNorm). Each sample is normalised with the mean and
/// variance of its units, in training and in prediction and for batches of any size:
///
///     x_hat = (x - mean)/sqrt(variance + epsilon),   a = weight * x_hat + bias
///
/// The parameters are weight (N, starts at 1) and bias (N, starts at 0). LayerNorm<> takes its number of units from the layer before.
template <int N = Inferred>
class LayerNorm : public NormalizationLayer<N> {
  using Base = NormalizationLayer<N>;

 public:
  static constexpr std::string_view name = "LayerNorm";  ///< the name in descriptions, files and messages

  /// `epsilon` is added to the variance. Throws ValueError unless it is above 0 and finite.
  explicit LayerNorm(double epsilon = 1e-5) requires(N != Dynamic) : Base(name.data(), epsilon) {}
  /// Takes the number of units as a run-time value. Throws ShapeError if it is below 1 or contradicts N.
  explicit LayerNorm(Index units, double epsilon = 1e-5) : Base(name.data(), units, epsilon) {}

  /// The type of this layer with Units inputs, for a layer whose number of inputs is Inferred.
  template <int Units>
  using ForInputs = LayerNorm<Units>;
  /// Returns this layer with `units` inputs, which is the number of outputs of the layer before.
  template <int Units>
  ForInputs<Units> for_inputs(Index units) const {
    return ForInputs<Units>(units, this->epsilon());
  }

  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"epsilon", this->epsilon()}}; }

  /// Storage that forward fills for backward, for up to max_batch samples; part of a Workspace.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const LayerNorm& layer, Index max_batch)
        : output(layer.outputs(), max_batch), x_hat(layer.outputs(), max_batch), inverse_deviation(1, max_batch) {}
    BatchStorage<Scalar, N, MaxBatch> output;             ///< a(l+1), outputs x max_batch
    BatchStorage<Scalar, N, MaxBatch> x_hat;              ///< normalised x, N x batch
    BatchStorage<Scalar, 1, MaxBatch> inverse_deviation;  ///< 1/sqrt(variance + epsilon) of each sample
  };

  /// Normalises x and keeps x_hat and 1/sqrt(variance + epsilon).
  ///
  ///     mean = 1/N sum x,  variance = 1/N sum (x - mean)^2,  x_hat = (x - mean)/sqrt(variance + epsilon)
  ///     a = weight * x_hat + bias        (N x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache) const {
    const auto [weight, bias] = this->parameters(theta);
    const Index n = x.rows();
    MatrixView<Scalar> x_hat = cache.x_hat.first(x.cols()), a = cache.output.first(x.cols());
    MatrixView<Scalar> inverse_deviation = cache.inverse_deviation.first(x.cols());
    for (Index j = 0; j < x.cols(); ++j) {
      const Scalar* x_j = x.data() + j * x.outerStride();
      const Scalar m = mean(
          n, [](auto c) CHAINRULE_FORMULA { return c; }, x_j);
      const Scalar r = mean(
          n, [m](auto c) CHAINRULE_FORMULA { return c - m; }, x_j);
      const Scalar squares = mean(
          n, [m](auto c) CHAINRULE_FORMULA { return (c - m) * (c - m); }, x_j);
      const Scalar variance = (std::max)(squares - detail::rounded(r * r), Scalar{0});
      if (!this->are_accurate(r, variance)) {
        const auto scaled = this->template scaled_statistics<Scalar>(n, [x_j](Index i) { return x_j[i]; });
        inverse_deviation(0, j) = scaled.inverse_deviation;
        for (Index i = 0; i < n; ++i) {
          x_hat(i, j) = scaled.x_hat(x_j[i]);
          a(i, j) = detail::rounded(x_hat(i, j) * weight[i]) + bias[i];
        }
        continue;
      }
      const Scalar inverse = 1 / std::sqrt(variance + static_cast<Scalar>(this->epsilon()));
      inverse_deviation(0, j) = inverse;
      kernels::map_columns(
          [m, r, inverse](auto& x_hat_i, auto& a_i, const auto& x_i, const auto& w, const auto& b) CHAINRULE_FORMULA {
            x_hat_i = (x_i - m - r) * inverse;
            a_i = x_hat_i * w + b;
          },
          std::array{kernels::one_column(x_hat.data() + j * x_hat.outerStride()), kernels::one_column(a.data() + j * a.outerStride())}, n,
          1, kernels::one_column(x_j), kernels::one_column(weight.data()), kernels::one_column(bias.data()));
    }
  }

  /// Computes the gradients. `delta` is dJ/da on entry and g afterwards.
  ///
  ///     dJ/dweight = row sums of delta * x_hat,  dJ/dbias = row sums of delta        (N)
  ///     g = dJ/dx_hat = dJ/da * weight
  ///     dJ/dx = (g - 1/N sum g - x_hat 1/N sum (g x_hat))/sqrt(variance + epsilon)        (N x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient) const {
    const Index n = x.rows();
    const ConstMatrixView<Scalar> x_hat = detail::as_const(cache.x_hat.first(x.cols()));
    const MatrixView<Scalar> inverse_deviation = cache.inverse_deviation.first(x.cols());
    Base::parameter_gradients(detail::as_const(delta), x_hat, gradient, gradient + n);
    if (input_gradient == nullptr) return;
    const auto [weight, bias] = this->parameters(theta);
    for (Index j = 0; j < x.cols(); ++j) {
      delta.col(j) = delta.col(j).cwiseProduct(weight);  // g
      const Scalar* g = delta.data() + j * delta.outerStride();
      const Scalar mean_of_g = mean(
          n, [](auto c) CHAINRULE_FORMULA { return c; }, g);
      const Scalar mean_of_g_x_hat = mean(
          n, [](auto c, auto h) CHAINRULE_FORMULA { return c * h; }, g, x_hat.data() + j * x_hat.outerStride());
      kernels::map(
          n,
          [mean_of_g, mean_of_g_x_hat, inverse = inverse_deviation(0, j)](auto g_i, auto x_hat_i)
              CHAINRULE_FORMULA { return (g_i - mean_of_g - x_hat_i * mean_of_g_x_hat) * inverse; },
          input_gradient->data() + j * input_gradient->outerStride(), g, x_hat.data() + j * x_hat.outerStride());
    }
  }

 private:
  // 1/n sum f(in ...) over arrays of n numbers
  template <class F, class Scalar, class... In>
  static Scalar mean(Index n, const F& f, const Scalar* first, const In*... in) {
    return kernels::sum<Scalar>(n, f, first, in...) / static_cast<Scalar>(n);
  }
};

}  // namespace chainrule
