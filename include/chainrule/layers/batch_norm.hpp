#pragma once

#include <chainrule/core/shard_reduction.hpp>
#include <chainrule/layers/normalization_layer.hpp>

namespace chainrule {

namespace detail {

// The passes of BatchNorm over all units. They are apart from the class, so that layers of several sizes share their kernels.

/// m = 1/batch sum x,  r = 1/batch sum (x - m),  variance = 1/batch sum (x - m)^2 - r^2
template <class Scalar>
void mean_and_variance_of_batch(ConstMatrixView<Scalar> x, Scalar* mean, Scalar* rest, Scalar* variance) {
  const Scalar batch = static_cast<Scalar>(x.cols());
  kernels::row_sums_of([](auto& sum, const auto& x_i) CHAINRULE_FORMULA { sum = sum + x_i; }, std::array{mean}, x.rows(), x.cols(),
                       kernels::columns(x));
  kernels::update(
      x.rows(), [batch](auto& m) CHAINRULE_FORMULA { m = m / batch; }, mean);
  kernels::row_sums_of(
      [](auto& sum, auto& squares, const auto& x_i, const auto& m) CHAINRULE_FORMULA {
        const auto d = x_i - m;
        sum = sum + d;
        squares = squares + d * d;
      },
      std::array{rest, variance}, x.rows(), x.cols(), kernels::columns(x), kernels::one_column(static_cast<const Scalar*>(mean)));
  kernels::update(
      x.rows(),
      [batch](auto& r, auto& v) CHAINRULE_FORMULA {
        r = r / batch;
        v = max(v / batch - r * r, 0);
      },
      rest, variance);
}

/// Statistics of each unit and its parameters, by which a BatchNorm normalises.
template <class Scalar>
struct UnitScaling {
  const Scalar *mean, *rest, *inverse_deviation, *weight, *bias;
};

/// inverse_deviation = 1/sqrt(variance + epsilon)
template <class Scalar>
void set_inverse_deviation(Index units, Scalar epsilon, const Scalar* variance, Scalar* inverse_deviation) {
  kernels::update(
      units, [epsilon](const auto& v, auto& inverse) CHAINRULE_FORMULA { inverse = 1 / sqrt(v + epsilon); }, variance, inverse_deviation);
}

/// x_hat = (x - mean - rest) inverse_deviation,  a = weight * x_hat + bias        (N x batch)
template <class Scalar>
void normalize_batch(ConstMatrixView<Scalar> x, const UnitScaling<Scalar>& by, MatrixView<Scalar> x_hat, MatrixView<Scalar> a) {
  kernels::map_columns(
      [](auto& x_hat_i, auto& a_i, const auto& x_i, const auto& m, const auto& r, const auto& inverse, const auto& w, const auto& b)
          CHAINRULE_FORMULA {
            x_hat_i = (x_i - m - r) * inverse;
            a_i = x_hat_i * w + b;
          },
      std::array{kernels::columns(x_hat), kernels::columns(a)}, x.rows(), x.cols(), kernels::columns(x), kernels::one_column(by.mean),
      kernels::one_column(by.rest), kernels::one_column(by.inverse_deviation), kernels::one_column(by.weight),
      kernels::one_column(by.bias));
}

/// dJ/dx of a pass in training from delta = dJ/da. sum g = weight dJ/dbias and sum (g x_hat) = weight dJ/dweight, so weight is a common
/// factor of all three terms.
template <class Scalar>
void batch_norm_gradient(ConstMatrixView<Scalar> delta, ConstMatrixView<Scalar> x_hat, const Scalar* dJ_dweight, const Scalar* dJ_dbias,
                         const Scalar* inverse_deviation, const Scalar* weight, MatrixView<Scalar> input_gradient) {
  const Scalar batch = static_cast<Scalar>(delta.cols());
  kernels::map_columns(
      [batch](auto& dx, const auto& d, const auto& x_hat_i, const auto& dw, const auto& db, const auto& inverse, const auto& w)
          CHAINRULE_FORMULA { dx = (d - db / batch - x_hat_i * (dw / batch)) * (inverse * w); },
      std::array{kernels::columns(input_gradient)}, delta.rows(), delta.cols(), kernels::columns(delta), kernels::columns(x_hat),
      kernels::one_column(dJ_dweight), kernels::one_column(dJ_dbias), kernels::one_column(inverse_deviation), kernels::one_column(weight));
}

/// running <- keep running + added batch
template <class Scalar>
void move_running_statistics(Index units, Scalar keep, Scalar added, const Scalar* of_batch, Scalar* running) {
  kernels::update(
      units, [keep, added](const auto& b, auto& r) CHAINRULE_FORMULA { r = keep * r + added * b; }, of_batch, running);
}

/// The moments of all units in the samples of two sets, from those of each (Chan, Golub and LeVeque 1979). `low` and `high` hold the
/// number of samples n, m of each unit, r of each unit, where m + r is its mean, and M2 = sum (x - mean)^2 of each unit.
///
///     d = mean_high - mean_low,  mean = mean_low + d n_high/n,  M2 = M2_low + M2_high + d^2 n_low n_high/n
template <class Number>
void merge_moments(Number* low, const Number* high, Index count) {
  const Index units = (count - 1) / 3;
  const Number n = low[0] + high[0], share = high[0] / n, both = low[0] * share;
  for (Index i = 0; i < units; ++i) {
    const Index m = 1 + i, r = m + units, M2 = r + units;
    const Number d = (high[m] - low[m]) + (high[r] - low[r]);
    low[r] += rounded(d * share);
    low[M2] += high[M2] + rounded(rounded(d * d) * both);
  }
  low[0] = n;
}

/// low += high
template <class Number>
void merge_sums(Number* low, const Number* high, Index count) {
  for (Index i = 0; i < count; ++i) low[i] += high[i];
}

/// Whether NormalizationLayer::are_accurate(r, variance) holds for all units.
template <class Scalar>
bool all_are_accurate(Index units, Scalar epsilon, const Scalar* rest, const Scalar* variance) {
  return kernels::all_finite(units, variance) &&
         kernels::sum<Scalar>(
             units, [epsilon](auto r, auto v) CHAINRULE_FORMULA { return select(r * r > v + epsilon, 1, r * 0); }, rest, variance) == 0;
}

}  // namespace detail

/// Batch normalisation (Ioffe and Szegedy 2015; conventions of PyTorch's BatchNorm1d). Each unit is normalised with the mean and variance
/// of the batch in training, and with running statistics in prediction:
///
///     x_hat = (x - mean)/sqrt(variance + epsilon),   a = weight * x_hat + bias
///
/// After each training step net.update_statistics(work), which the Trainer calls, moves the running statistics; their variance is unbiased,
/// with a divisor of batch - 1:
///
///     running <- (1 - momentum) running + momentum batch
///
/// In a training on several ranks the batch is a shard, or with RankOptions::sync_batch_norm the whole batch of all ranks.
///
/// Prediction before the first update throws StateError; training on a single sample throws ShapeError. The parameters are weight (N,
/// starts at 1) and bias (N, starts at 0). BatchNorm<> takes its number of units from the layer before.
template <int N = Inferred>
class BatchNorm : public NormalizationLayer<N> {
  using Base = NormalizationLayer<N>;

 public:
  static constexpr std::string_view name = "BatchNorm";  ///< the name in descriptions, files and messages
  /// The number of buffers, or Dynamic.
  static constexpr Index buffers_at_compile_time = detail::extent_sum(detail::extent_product(2, N), 1);

  /// `momentum` is the share of the last batch in the running statistics, in (0, 1]; `epsilon` is added to the variance and must be above 0
  /// and finite. Throws ValueError for others.
  explicit BatchNorm(double momentum = 0.1, double epsilon = 1e-5) requires(N != Dynamic)
      : Base(name.data(), epsilon), momentum_{checked(momentum)} {}
  /// Takes the number of units as a run-time value. Throws ShapeError if it is below 1 or contradicts N.
  explicit BatchNorm(Index units, double momentum = 0.1, double epsilon = 1e-5)
      : Base(name.data(), units, epsilon), momentum_{checked(momentum)} {}

  /// The type of this layer with Units inputs, for a layer whose number of inputs is Inferred.
  template <int Units>
  using ForInputs = BatchNorm<Units>;
  /// Returns this layer with `units` inputs, which is the number of outputs of the layer before.
  template <int Units>
  ForInputs<Units> for_inputs(Index units) const {
    return ForInputs<Units>(units, momentum_, this->epsilon());
  }

  double momentum() const { return momentum_; }  ///< the share of the last batch in the running statistics
  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"momentum", momentum_}, Hyperparameter{"epsilon", this->epsilon()}}; }
  Index fewest_training_samples() const { return 2; }  ///< the smallest batch that a training pass takes

  /// Names and shapes of the buffers, in the order of their flat vector.
  std::array<TensorShape, 3> buffer_tensors() const {
    return {{{"running_mean", this->inputs(), 1}, {"running_variance", this->inputs(), 1}, {"batches", 1, 1}}};
  }
  /// The running statistics and the number of batches they were computed from, which a float counts up to 2^24.
  template <class Scalar>
  struct Buffers {
    detail::MapOf<Scalar, N, 1> running_mean;      ///< running mean of each unit
    detail::MapOf<Scalar, N, 1> running_variance;  ///< running variance of each unit, unbiased: with divisor batch - 1
    Scalar& batches;                               ///< the number of batches in the statistics

    /// Prints the tensors with their names, shapes and numbers.
    template <class Stream>
    friend Stream& operator<<(Stream& out, const Buffers& views) {
      detail::print_tensor(out, "running_mean", views.running_mean);
      detail::print_tensor(out, "running_variance", views.running_variance);
      out << "batches: " << views.batches << '\n';
      return out;
    }
  };
  /// The buffers by name, as views on this layer's slice of all buffers.
  template <class Scalar>
  Buffers<Scalar> buffers(Scalar* numbers) const {
    const Index n = this->inputs();
    return {{numbers, n}, {numbers + n, n}, numbers[2 * n]};
  }
  /// Sets the buffers to their initial values.
  template <class Scalar>
  void initialize_buffers(Scalar* numbers) const {
    std::fill_n(numbers, 2 * this->inputs() + 1, Scalar{0});
    buffers(numbers).running_variance.setOnes();
  }

  /// Throws StateError for a prediction before the first update_statistics, ShapeError for training on one sample.
  template <class Scalar>
  void check_pass(const ForwardContext<Scalar>& pass, Index samples) const {
    if (pass.mode == Mode::predict && !(buffers(pass.buffers).batches > 0))
      detail::raise<StateError>(
          "BatchNorm has no running statistics to predict with; call net.update_statistics(work) after each training step");
    if (pass.mode == Mode::train && pass.shards == nullptr && samples < fewest_training_samples())
      detail::raise<ShapeError>("forward: BatchNorm cannot learn from a batch of one sample, which has no variance; it needs at least 2");
  }

  /// Storage that forward fills for backward, for up to max_batch samples; part of a Workspace.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const BatchNorm& layer, Index max_batch)
        : output(layer.outputs(), max_batch),
          x_hat(layer.outputs(), max_batch),
          mean(layer.outputs(), 1),
          rest(layer.outputs(), 1),
          variance(layer.outputs(), 1),
          inverse_deviation(layer.outputs(), 1),
          sums(layer.outputs(), 2) {}
    SpacedBatchStorage<Scalar, N, MaxBatch> output;  ///< a(l+1), outputs x max_batch
    BatchStorage<Scalar, N, MaxBatch> x_hat;         ///< normalised x, N x batch
    BatchStorage<Scalar, N, 1> mean;                 ///< mean of the batch, N
    BatchStorage<Scalar, N, 1> rest;                 ///< mean of x - m, where m is the mean rounded to a Scalar, N
    BatchStorage<Scalar, N, 1> variance;             ///< variance of the batch, with divisor batch, N
    BatchStorage<Scalar, N, 1> inverse_deviation;    ///< 1/sqrt(variance + epsilon)
    BatchStorage<Scalar, N, 2> sums;                 ///< scratch for two sums of each unit in vjp
    Mode mode = Mode::predict;                       ///< the mode of the last forward pass
    ShardReduction<Scalar>* shards = nullptr;        ///< where the batch consists of several shards, what merges their statistics
    Index samples_of_shards = 0;                     ///< the number of samples in all shards, where there are several
  };

  /// Normalises x and keeps x_hat and, in training, mean and variance. In prediction these are the running statistics.
  ///
  ///     mean = 1/batch sum x,  variance = 1/batch sum (x - mean)^2,  x_hat = (x - mean)/sqrt(variance + epsilon)
  ///     a = weight * x_hat + bias        (N x batch)
  ///
  /// Where x is one of several shards of a batch, which pass.shards says, the sums are over all of them.
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const ForwardContext<Scalar>& pass) const {
    const auto [weight, bias] = this->parameters(theta);
    MatrixView<Scalar> mean = cache.mean.first(1), rest = cache.rest.first(1), variance = cache.variance.first(1);
    cache.mode = pass.mode;
    cache.shards = pass.shards;
    if (pass.mode == Mode::train) {
      detail::mean_and_variance_of_batch(x, mean.data(), rest.data(), variance.data());
      if (pass.shards != nullptr) merge_statistics(x, cache);
    } else {
      const auto running = buffers(pass.buffers);
      mean = running.running_mean;
      rest.setZero();
      variance = running.running_variance;
    }
    Scalar* inverse_deviation = cache.inverse_deviation.first(1).data();
    const Scalar epsilon = static_cast<Scalar>(this->epsilon());
    detail::set_inverse_deviation<Scalar>(x.rows(), epsilon, variance.data(), inverse_deviation);
    detail::normalize_batch<Scalar>(x, {mean.data(), rest.data(), inverse_deviation, weight.data(), bias.data()},
                                    cache.x_hat.first(x.cols()), cache.output.first(x.cols()));
    if (pass.mode == Mode::train && pass.shards == nullptr &&
        !detail::all_are_accurate<Scalar>(x.rows(), epsilon, rest.data(), variance.data()))
      for (Index i = 0; i < x.rows(); ++i)
        if (!this->are_accurate(rest(i, 0), variance(i, 0))) normalize_scaled(i, weight[i], bias[i], x, cache);
    mean += rest;
  }

  /// Computes the gradients, for a forward pass in training; after a prediction, which a frozen layer makes in training too, dJ/dx is that
  /// of vjp.
  ///
  ///     dJ/dweight = row sums of delta * x_hat,  dJ/dbias = row sums of delta        (N)
  ///     g = dJ/dx_hat = dJ/da * weight
  ///     dJ/dx = (g - 1/batch sum g - x_hat 1/batch sum (g x_hat))/sqrt(variance + epsilon)        (N x batch)
  ///
  /// Where x is shard s of several, delta is that of J_s, the mean over the samples of this shard, and so are dJ/dweight and dJ/dbias. But
  /// J, the mean over all samples, depends on x by the statistics of all shards too, so dJ/dx is that of J samples/batch_s:
  ///
  ///     J = sum of batch_t/samples J_t over all shards t
  ///     dJ/dx with sum of batch_t/samples sum g_t over all shards t in place of sum g, and so for sum (g x_hat)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient) const {
    const ConstMatrixView<Scalar> x_hat = detail::as_const(cache.x_hat.first(x.cols()));
    Base::parameter_gradients(detail::as_const(delta), x_hat, gradient, gradient + this->inputs());
    if (input_gradient == nullptr) return;
    if (cache.mode == Mode::predict) return vjp(theta, x, cache, delta, *input_gradient);
    gradient_of_training(theta, cache, gradient, detail::as_const(delta), *input_gradient);
  }

  /// Computes the derivative of a along directions dx, for the last forward pass, in prediction.
  ///
  ///     da = weight * dx/sqrt(running_variance + epsilon)        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar* theta, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>& cache, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const {
    divide_by_deviation(cache, direction, derivative);
    Base::times_weight(theta, detail::as_const(derivative), derivative);
  }

  /// Computes dJ/dx from `delta`, which is dJ/da: after a pass in training as backward does, for the samples of each direction, and after a
  /// prediction with constant statistics.
  ///
  ///     dJ/dx = weight * dJ/da/sqrt(running_variance + epsilon) after a prediction        (N x directions batch)
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const {
    if (cache.mode == Mode::predict) {
      Base::times_weight(theta, detail::as_const(delta), delta);
      return divide_by_deviation(cache, detail::as_const(delta), input_gradient);
    }
    const Index batch = x.cols();
    Scalar* const sums = cache.sums.first(2).data();
    for (Index first = 0; first < delta.cols(); first += batch) {
      const ConstMatrixView<Scalar> of_direction = detail::columns_of(detail::as_const(delta), first, batch);
      Base::parameter_gradients(of_direction, detail::as_const(cache.x_hat.first(batch)), sums, sums + this->inputs());
      gradient_of_training(theta, cache, sums, of_direction, detail::columns_of(input_gradient, first, batch));
    }
  }

  /// Gives the gradient by weight and bias of each column of `delta` by itself, and computes dJ/dx if input_gradient is not null, as vjp
  /// does. `delta` is dJ/da on entry and may be overwritten; column k batch + j belongs to sample j.
  ///
  ///     dJ/dweight = dJ/da_c * x_hat_j,  dJ/dbias = dJ/da_c  for column c of sample j        (N)
  template <class Scalar, int MaxBatch>
  void sample_gradients(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const {
    Base::sample_parameter_gradients(detail::as_const(delta), std::as_const(cache).x_hat.first(x.cols()), gradients);
    if (input_gradient != nullptr) vjp(theta, x, cache, delta, *input_gradient);
  }

  /// Storage that forward_jet fills for backward_jet, for jets of up to max_columns columns.
  template <class Scalar>
  struct JetCache : Base::template NormalizationJet<Scalar> {
    /// Allocates everything.
    JetCache(const BatchNorm& layer, Index, Index max_columns) : Base::template NormalizationJet<Scalar>(layer.outputs(), max_columns) {}
  };

  /// Computes the jet of a from the jet of x, in prediction. Where theta_direction = (V, u) is not null, theta depends on t_1 as
  /// weight + t_1 V and bias + t_1 u, and the jet has no second derivatives.
  ///
  ///     x_hat_c = x_c/sqrt(running_variance + epsilon),  a_c = weight * x_hat_c for each channel c,  a_1 <- a_1 + V * x_hat + u
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache,
                   const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const {
    divide_by_deviation(cache, jet, result.x_hat.first(shape.columns()));
    Base::jet_of_output(theta, theta_direction, cache.x_hat.first(x.cols()), shape, result);
  }

  /// Computes the gradients of a J that depends on a and on its jet, in prediction, as Dense::backward_jet says.
  ///
  ///     dJ/dweight = row sums of dJ/da * x_hat + row sums over channels: dJ/da_c * x_hat_c,  dJ/dbias = row sums of dJ/da
  ///     dJ/dx = (weight * dJ/da + V * dJ/da_1)/sqrt(running_variance + epsilon)
  ///     dJ/dx_c = weight * dJ/da_c/sqrt(running_variance + epsilon)
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, const Cache<Scalar, MaxBatch>& cache,
                    const JetShape& shape, ConstMatrixView<Scalar>, JetCache<Scalar>& result, MatrixView<Scalar> delta,
                    MatrixView<Scalar> deltas, Scalar* gradient, MatrixView<Scalar>* input_gradient,
                    MatrixView<Scalar>* jet_gradient) const {
    Base::jet_of_output_backward(theta, theta_direction, cache.x_hat.first(x.cols()), shape, result, delta, deltas, gradient);
    if (input_gradient == nullptr) return;
    divide_by_deviation(cache, detail::as_const(delta), *input_gradient);
    divide_by_deviation(cache, detail::as_const(deltas), *jet_gradient);
  }

  /// Updates the running statistics by the batch of the last forward pass, whose share in them is `share`, or the momentum where that is 0;
  /// keeps them if that was a prediction, as a frozen layer makes in training too. Throws ValueError where a variance of the batch, which
  /// the pass computes without overflow, is too large to be stored as a Scalar.
  ///
  ///     running <- (1 - share) running + share batch
  template <class Scalar, int MaxBatch>
  void update_statistics(Scalar* numbers, const Cache<Scalar, MaxBatch>& cache, Index samples, double share = 0) const {
    if (cache.mode == Mode::predict) return;
    for (Index i = 0; i < this->inputs(); ++i)
      if (!detail::is_finite(cache.variance.first(1)(i, 0)))
        detail::raise<ValueError>("update_statistics: the variance of unit ", i,
                                  " of BatchNorm in this batch is above the largest number, ", (std::numeric_limits<Scalar>::max)(),
                                  "; scale the inputs of the network down (Standardizer)");
    auto running = buffers(numbers);
    const Scalar m = static_cast<Scalar>(share == 0 ? momentum_ : share);
    const Index batch = cache.shards == nullptr ? samples : cache.samples_of_shards;
    const Scalar unbiased = static_cast<Scalar>(batch) / static_cast<Scalar>(batch - 1);
    detail::move_running_statistics<Scalar>(this->inputs(), 1 - m, m, cache.mean.first(1).data(), running.running_mean.data());
    detail::move_running_statistics<Scalar>(this->inputs(), 1 - m, m * unbiased, cache.variance.first(1).data(),
                                            running.running_variance.data());
    running.batches += 1;
  }

 private:
  static double checked(double momentum) {
    if (detail::is_zero(momentum) || !detail::is_within(momentum, 0, 1))
      detail::raise<ValueError>("BatchNorm: momentum must be above 0 and at most 1, got ", momentum);
    return momentum;
  }

  // out = x/sqrt(variance + epsilon) for each column        (N x columns)
  template <class Scalar, int MaxBatch>
  static void divide_by_deviation(const Cache<Scalar, MaxBatch>& cache, const ConstMatrixView<Scalar>& x, MatrixView<Scalar> out) {
    for (Index j = 0; j < x.cols(); ++j) out.col(j) = x.col(j).cwiseProduct(cache.inverse_deviation.first(1).col(0));
  }

  // dJ/dx of a pass in training from delta = dJ/da; `sums`: dJ/dweight, then dJ/dbias
  template <class Scalar, int MaxBatch>
  void gradient_of_training(const Scalar* theta, Cache<Scalar, MaxBatch>& cache, const Scalar* sums, ConstMatrixView<Scalar> delta,
                            MatrixView<Scalar> input_gradient) const {
    if (cache.shards != nullptr) sums = merged_sums(cache, sums, delta.cols());
    const auto [weight, bias] = this->parameters(theta);
    const auto [dJ_dweight, dJ_dbias] = this->parameters(sums);
    detail::batch_norm_gradient<Scalar>(delta, detail::as_const(cache.x_hat.first(delta.cols())), dJ_dweight.data(), dJ_dbias.data(),
                                        cache.inverse_deviation.first(1).data(), weight.data(), input_gradient);
  }

  // Replaces the statistics of this shard by those of all shards.
  template <class Scalar, int MaxBatch>
  [[gnu::noinline]] void merge_statistics(ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache) const {
    using Number = typename ShardReduction<Scalar>::Number;
    const Index units = this->inputs();
    MatrixView<Scalar> mean = cache.mean.first(1), rest = cache.rest.first(1), variance = cache.variance.first(1);
    Number* const all = cache.shards->numbers(1 + 3 * units);
    Number *const m = all + 1, *const r = m + units, *const M2 = r + units;
    const Number of_shard = static_cast<Number>(x.cols());
    all[0] = of_shard;
    for (Index i = 0; i < units; ++i) {
      m[i] = static_cast<Number>(mean(i, 0));
      r[i] = static_cast<Number>(rest(i, 0));
      M2[i] = static_cast<Number>(variance(i, 0)) * of_shard;
      if (this->are_accurate(rest(i, 0), variance(i, 0))) continue;
      const auto scaled = this->template scaled_statistics<Scalar>(x.cols(), [x, i](Index j) { return x(i, j); });
      const Number scale = static_cast<Number>(scaled.scale);
      m[i] = static_cast<Number>(scaled.m) / scale;
      r[i] = static_cast<Number>(scaled.r) / scale;
      M2[i] = static_cast<Number>(scaled.variance) / scale / scale * of_shard;
    }
    cache.shards->reduce(detail::merge_moments<Number>);
    cache.samples_of_shards = static_cast<Index>(all[0]);
    for (Index i = 0; i < units; ++i) {
      mean(i, 0) = static_cast<Scalar>(m[i] + r[i]);
      rest(i, 0) = static_cast<Scalar>((m[i] - static_cast<Number>(mean(i, 0))) + r[i]);
      variance(i, 0) = static_cast<Scalar>(M2[i] / all[0]);
    }
  }

  // The sums over the samples of all shards, each times the shard's share of the samples, from those of this shard; see backward.
  template <class Scalar, int MaxBatch>
  [[gnu::noinline]] const Scalar* merged_sums(Cache<Scalar, MaxBatch>& cache, const Scalar* of_shard, Index samples) const {
    using Number = typename ShardReduction<Scalar>::Number;
    const Index count = 2 * this->inputs();
    Number* const all = cache.shards->numbers(count);
    const Number share = static_cast<Number>(samples) / static_cast<Number>(cache.samples_of_shards);
    for (Index i = 0; i < count; ++i) all[i] = detail::rounded(share * static_cast<Number>(of_shard[i]));
    cache.shards->reduce(detail::merge_sums<Number>);
    Scalar* const sums = cache.sums.first(2).data();
    for (Index i = 0; i < count; ++i) sums[i] = static_cast<Scalar>(all[i]);
    return sums;
  }

  // Normalises the numbers of unit i once more, after scaling them. A variance that a Scalar cannot hold becomes infinite.
  template <class Scalar, int MaxBatch>
  [[gnu::noinline]] void normalize_scaled(Index i, Scalar weight, Scalar bias, ConstMatrixView<Scalar> x,
                                          Cache<Scalar, MaxBatch>& cache) const {
    const auto scaled = this->template scaled_statistics<Scalar>(x.cols(), [x, i](Index j) { return x(i, j); });
    MatrixView<Scalar> x_hat = cache.x_hat.first(x.cols()), a = cache.output.first(x.cols());
    for (Index j = 0; j < x.cols(); ++j) {
      x_hat(i, j) = scaled.x_hat(x(i, j));
      a(i, j) = detail::rounded(x_hat(i, j) * weight) + bias;
    }
    cache.mean.first(1)(i, 0) = (scaled.m + scaled.r) / scaled.scale;
    cache.rest.first(1)(i, 0) = 0;
    cache.variance.first(1)(i, 0) = scaled.variance / scaled.scale / scaled.scale;
    cache.inverse_deviation.first(1)(i, 0) = scaled.inverse_deviation;
  }

  double momentum_;
};

}  // namespace chainrule
