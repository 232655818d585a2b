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
    SpacedBatchStorage<Scalar, N, MaxBatch> output;       ///< a(l+1), outputs x max_batch
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

  /// Computes the derivative of a along directions u, for the last forward pass.
  ///
  ///     da = weight * dx_hat,  dx_hat = (u - 1/N sum u - x_hat 1/N sum (u x_hat))/sqrt(variance + epsilon)        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const {
    for (Index k = 0; k < direction.cols(); ++k)
      times_derivative(cache, k % x.cols(), direction.data() + k * direction.outerStride(),
                       derivative.data() + k * derivative.outerStride());
    Base::times_weight(theta, detail::as_const(derivative), derivative);
  }

  /// Computes dJ/dx from `delta`, which is dJ/da on entry and g = dJ/dx_hat afterwards, by the formula of backward.
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const {
    const auto [weight, bias] = this->parameters(theta);
    for (Index k = 0, j = 0; k < delta.cols(); ++k, j = j + 1 < x.cols() ? j + 1 : 0) {
      delta.col(k) = delta.col(k).cwiseProduct(weight);  // g
      times_derivative(cache, j, delta.data() + k * delta.outerStride(), input_gradient.data() + k * input_gradient.outerStride());
    }
  }

  /// Gives the gradient by weight and bias of each column of `delta` by itself, and computes dJ/dx if input_gradient is not null. `delta`
  /// is dJ/da on entry and may be overwritten; column k batch + j belongs to sample j.
  ///
  ///     dJ/dweight = dJ/da_c * x_hat_j,  dJ/dbias = dJ/da_c  for column c of sample j        (N)
  template <class Scalar, int MaxBatch>
  void sample_gradients(const Scalar* theta, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const {
    Base::sample_parameter_gradients(detail::as_const(delta), cache.x_hat.first(x.cols()), gradients);
    if (input_gradient != nullptr) vjp(theta, x, cache, delta, *input_gradient);
  }

  /// Storage that forward_jet fills for backward_jet, for jets of up to max_columns columns.
  template <class Scalar>
  struct JetCache : Base::template NormalizationJet<Scalar> {
    /// Allocates everything.
    JetCache(const LayerNorm& layer, Index, Index max_columns)
        : Base::template NormalizationJet<Scalar>(layer.outputs(), max_columns),
          s(layer.outputs(), max_columns),
          m(1, max_columns),
          dJ_dm(1, max_columns) {}
    BatchStorage<Scalar, Dynamic, Dynamic> s;      ///< derivatives of c times r, N x columns; see forward_jet
    BatchStorage<Scalar, Dynamic, Dynamic> m;      ///< derivatives of q divided by 2 q, 1 x columns; see forward_jet
    BatchStorage<Scalar, Dynamic, Dynamic> dJ_dm;  ///< scratch of backward_jet, 1 x columns
  };

  /// Computes the jet of a from the jet of x, by the chain rule over the steps
  ///
  ///     c = x - mean,  q = 1/N sum c^2 + epsilon,  r = q^(-1/2),  x_hat = r c,  a = weight * x_hat + bias
  ///
  /// Their derivatives are computed relative to the size of c, so that no square overflows: s_k = r c_k, m_k = q_k/(2 q), and r_k/r = -m_k.
  /// A term of second derivative p has directions k and l and a coefficient h; c_p, q_p and r_p are the second derivatives of the steps.
  ///
  ///     c_k = x_k - 1/N sum x_k,  m_k = 1/N sum (x_hat s_k),  x_hat_k = s_k - m_k x_hat
  ///     c_p = x_p - 1/N sum x_p,  m_p = q_p/(2 q) = 1/N sum (x_hat s_p) + sum over terms: h/N sum (s_k s_l)
  ///     r_p/r = -m_p + 3 sum over terms: h m_k m_l
  ///     x_hat_p = s_p + r_p/r x_hat - sum over terms: h (m_l s_k + m_k s_l)
  ///     a_k = weight * x_hat_k,  a_p = weight * x_hat_p
  ///
  /// Where theta_direction = (V, u) is not null, theta depends on t_1 as weight + t_1 V and bias + t_1 u, the jet has no second
  /// derivatives, and a_1 <- a_1 + V * x_hat + u.
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache,
                   const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const {
    const Index n = x.rows();
    const ConstMatrixView<Scalar> x_hat = cache.x_hat.first(shape.batch), inverse_deviation = cache.inverse_deviation.first(shape.batch);
    for (Index j = 0; j < shape.batch; ++j) {
      const Jet<Scalar> of{n, shape, j, result};
      const Scalar* h = x_hat.data() + j * n;
      for (Index c = 0; c < shape.channels(); ++c) {
        const Scalar* x_c = jet.data() + of.column(c) * n;
        const Scalar m = mean(n, number, x_c);
        const Scalar rest = mean(
            n, [m](auto x_i) CHAINRULE_FORMULA { return x_i - m; }, x_c);
        kernels::map(
            n, [m, rest, r = inverse_deviation(0, j)](auto x_i) CHAINRULE_FORMULA { return (x_i - m - rest) * r; }, of.s(c), x_c);
        of.m(c) = mean(n, product, h, of.s(c));
      }
      for (const SecondDerivativeTerm& term : shape.terms)
        of.m(shape.first + term.second) +=
            detail::rounded(static_cast<Scalar>(term.coefficient) * mean(n, product, of.s(term.k), of.s(term.l)));
      for (Index c = 0; c < shape.channels(); ++c)
        kernels::map(
            n, [r_c = of.relative_r(c)](auto s_i, auto h_i) CHAINRULE_FORMULA { return s_i + r_c * h_i; }, of.x_hat(c), of.s(c), h);
      for (const SecondDerivativeTerm& term : shape.terms) {
        of.add(of.x_hat(shape.first + term.second), -of.times(term, of.m(term.l)), of.s(term.k));
        of.add(of.x_hat(shape.first + term.second), -of.times(term, of.m(term.k)), of.s(term.l));
      }
    }
    Base::jet_of_output(theta, theta_direction, x_hat, shape, result);
  }

  /// Computes the gradients of a J that depends on a and on its jet, as Dense::backward_jet says: the steps of forward_jet from the last to
  /// the first. g = dJ/dx_hat and g_c = dJ/dx_hat_c are those of the outputs, dJ/dx_hat also has what comes back from the jet.
  ///
  ///     dJ/dm_k = -sum (g_k x_hat) + sum over terms with k: h (3 m_l sum (g_p x_hat) - sum (g_p s_l)),  dJ/dm_p = -sum (g_p x_hat)
  ///     dJ/ds_c = g_c + dJ/dm_c x_hat/N;  dJ/ds_k <- dJ/ds_k + sum over terms with k: h (dJ/dm_p s_l/N - m_l g_p)
  ///     dJ/dx_hat = g + sum over channels: r_c/r g_c + dJ/dm_c s_c/N
  ///     R = r dJ/dr = sum (dJ/dx_hat x_hat) + sum over channels: sum (dJ/ds_c s_c)
  ///     dJ/dx_c = r (dJ/ds_c - 1/N sum dJ/ds_c),  dJ/dx = r (dJ/dx_hat - 1/N sum dJ/dx_hat - x_hat R/N)
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache,
                    const JetShape& shape, ConstMatrixView<Scalar>, JetCache<Scalar>& result, MatrixView<Scalar> delta,
                    MatrixView<Scalar> deltas, Scalar* gradient, MatrixView<Scalar>* input_gradient,
                    MatrixView<Scalar>* jet_gradient) const {
    const Index n = x.rows();
    const Scalar units = static_cast<Scalar>(n);
    const ConstMatrixView<Scalar> x_hat = cache.x_hat.first(shape.batch), inverse_deviation = cache.inverse_deviation.first(shape.batch);
    Base::jet_of_output_backward(theta, theta_direction, x_hat, shape, result, delta, deltas, gradient);
    if (input_gradient == nullptr) return;
    for (Index j = 0; j < shape.batch; ++j) {
      const Jet<Scalar> of{n, shape, j, result};
      const Scalar *h = x_hat.data() + j * n, r = inverse_deviation(0, j);
      Scalar* dJ_dx_hat = delta.data() + j * n;
      const auto g = [&](Index c) { return static_cast<const Scalar*>(deltas.data() + of.column(c) * n); };
      const auto dJ_ds = [&](Index c) { return jet_gradient->data() + of.column(c) * n; };
      for (Index c = 0; c < shape.channels(); ++c) {
        of.dJ_dm(c) = -kernels::sum<Scalar>(n, product, g(c), h);
        std::copy_n(g(c), n, dJ_ds(c));
        of.add(dJ_dx_hat, of.relative_r(c), g(c));
      }
      for (const SecondDerivativeTerm& term : shape.terms) {
        const Index p = shape.first + term.second;
        const auto one_direction = [&](Index k, Index l) {
          of.add(dJ_ds(k), -of.times(term, of.m(l)), g(p));
          of.add(dJ_ds(k), of.times(term, of.dJ_dm(p)) / units, of.s(l));
          const Scalar by_r = detail::rounded(-3 * of.m(l) * of.dJ_dm(p));
          of.dJ_dm(k) += of.times(term, by_r - kernels::sum<Scalar>(n, product, g(p), of.s(l)));
        };
        one_direction(term.k, term.l);
        one_direction(term.l, term.k);
      }
      Scalar R = 0;
      for (Index c = 0; c < shape.channels(); ++c) {
        of.add(dJ_ds(c), of.dJ_dm(c) / units, h);
        of.add(dJ_dx_hat, of.dJ_dm(c) / units, of.s(c));
        R += kernels::sum<Scalar>(n, product, static_cast<const Scalar*>(dJ_ds(c)), of.s(c));
        const Scalar m = mean(n, number, static_cast<const Scalar*>(dJ_ds(c)));
        kernels::update(
            n, [m, r](auto& d) CHAINRULE_FORMULA { d = (d - m) * r; }, dJ_ds(c));
      }
      R += kernels::sum<Scalar>(n, product, static_cast<const Scalar*>(dJ_dx_hat), h);
      subtract_means(n, static_cast<const Scalar*>(dJ_dx_hat), h, R / units, r, input_gradient->data() + j * input_gradient->outerStride());
    }
  }

 private:
  // functions of kernels::sum
  static constexpr auto number = [](auto x) CHAINRULE_FORMULA { return x; };
  static constexpr auto product = [](auto x, auto y) CHAINRULE_FORMULA { return x * y; };

  // The numbers of a JetCache that belong to sample j, by channel.
  template <class Scalar>
  struct Jet {
    Index n;
    const JetShape& shape;
    Index j;
    JetCache<Scalar>& cache;

    Index column(Index c) const { return c * shape.batch + j; }
    Scalar* s(Index c) const { return cache.s.first(shape.columns()).data() + column(c) * n; }
    Scalar* x_hat(Index c) const { return cache.x_hat.first(shape.columns()).data() + column(c) * n; }
    Scalar& m(Index c) const { return cache.m.first(shape.columns()).data()[column(c)]; }
    Scalar& dJ_dm(Index c) const { return cache.dJ_dm.first(shape.columns()).data()[column(c)]; }
    static Scalar times(const SecondDerivativeTerm& term, Scalar x) { return detail::rounded(static_cast<Scalar>(term.coefficient) * x); }

    // r_c/r = -m_c, and for a second derivative + 3 sum over its terms: h m_k m_l
    Scalar relative_r(Index c) const {
      Scalar relative = -m(c);
      for (const SecondDerivativeTerm& term : shape.terms)
        if (shape.first + term.second == c) relative += times(term, 3 * m(term.k) * m(term.l));
      return relative;
    }

    // sum <- sum + factor x, arrays of n numbers
    void add(Scalar* sum, Scalar factor, const Scalar* x) const {
      kernels::update(
          n, [factor](auto& sum_i, const auto& x_i) CHAINRULE_FORMULA { sum_i = sum_i + factor * x_i; }, sum, x);
    }
  };

  // Multiplies by the derivative of x_hat by x, a symmetric matrix, for sample j.
  //
  //     out = (g - 1/N sum g - x_hat 1/N sum (g x_hat))/sqrt(variance + epsilon)        (N)
  template <class Scalar, int MaxBatch>
  void times_derivative(const Cache<Scalar, MaxBatch>& cache, Index j, const Scalar* g, Scalar* out) const {
    const Index n = this->inputs();
    const Scalar* h = cache.x_hat.first(j + 1).data() + j * n;
    subtract_means(n, g, h, mean(n, product, g, h), cache.inverse_deviation.first(j + 1)(0, j), out);
  }

  // out = (g - 1/n sum g - x_hat factor) inverse, arrays of n numbers
  template <class Scalar>
  static void subtract_means(Index n, const Scalar* g, const Scalar* x_hat, Scalar factor, Scalar inverse, Scalar* out) {
    kernels::map(
        n,
        [mean_of_g = mean(n, number, g), factor, inverse](auto g_i, auto x_hat_i)
            CHAINRULE_FORMULA { return (g_i - mean_of_g - x_hat_i * factor) * inverse; },
        out, g, x_hat);
  }

  // 1/n sum f(in ...) over arrays of n numbers
  template <class F, class Scalar, class... In>
  static Scalar mean(Index n, const F& f, const Scalar* first, const In*... in) {
    return kernels::sum<Scalar>(n, f, first, in...) / static_cast<Scalar>(n);
  }
};

}  // namespace chainrule
