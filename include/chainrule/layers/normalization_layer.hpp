#pragma once
// Common parts of BatchNorm and LayerNorm. They compute x_hat over different numbers; both continue with  a = weight * x_hat + bias,  with
// a weight (gamma in the papers) and a bias (beta) for each unit.
//
// Mean and variance are exact to a few roundings also for numbers far from 0, such as 1e5 with a spread of 1. Both layers compute them as
//
//     m = 1/n sum x, rounded to a Scalar, so that x - m is exact for x close to m
//     r = 1/n sum (x - m),  mean = m + r,  variance = 1/n sum (x - m)^2 - r^2,  x_hat = ((x - m) - r)/sqrt(variance + epsilon)
//
// Numbers that are too large, or too close together for their size, for these sums are normalised again by ScaledStatistics.

#include <algorithm>
#include <array>
#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/kernels/map.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <chainrule/layers/sample_gradients.hpp>
#include <cmath>

namespace chainrule {

namespace detail {

// Kernels of BatchNorm and LayerNorm. They are apart from the class, so that layers of several sizes share them.

/// dJ/dweight = row sums of delta * x_hat,  dJ/dbias = row sums of delta        (N)
template <class Scalar>
void normalization_gradients(ConstMatrixView<Scalar> delta, ConstMatrixView<Scalar> x_hat, Scalar* weight, Scalar* bias) {
  kernels::row_sums_of(
      [](auto& dw, auto& db, const auto& d, const auto& x) CHAINRULE_FORMULA {
        dw = dw + d * x;
        db = db + d;
      },
      std::array{weight, bias}, delta.rows(), delta.cols(), kernels::columns(delta), kernels::columns(x_hat));
}
/// sum <- sum + weight * x_hat + bias
template <class Scalar>
void add_affine(Index units, const Scalar* x_hat, const Scalar* weight, const Scalar* bias, Scalar* sum) {
  kernels::update(
      units, [](auto& s, const auto& h, const auto& v, const auto& u) CHAINRULE_FORMULA { s = s + (v * h + u); }, sum, x_hat, weight, bias);
}
/// sum <- sum + more
template <class Scalar>
void add_numbers(Index size, const Scalar* more, Scalar* sum) {
  kernels::update(
      size, [](auto& s, const auto& m) CHAINRULE_FORMULA { s = s + m; }, sum, more);
}
/// sum <- sum + weight * delta
template <class Scalar>
void add_weighted(Index units, const Scalar* delta, const Scalar* weight, Scalar* sum) {
  kernels::update(
      units, [](auto& s, const auto& d, const auto& v) CHAINRULE_FORMULA { s = s + v * d; }, sum, delta, weight);
}

}  // namespace detail

/// Base class of BatchNorm and LayerNorm: N units, epsilon, and a weight and a bias for each unit.
template <int N>
class NormalizationLayer : public SameShape<N> {
 public:
  static constexpr Index parameters_at_compile_time = detail::extent_product(2, N);  ///< the number of parameters, or Dynamic

  double epsilon() const { return epsilon_; }  ///< the number added to the variance
  /// True: its inputs are divided by their deviation, so that their scale does not matter.
  static constexpr bool takes_any_scale() { return true; }
  /// True: a = weight * x_hat + bias is linear in weight and bias.
  static constexpr bool scales_with_parameters() { return true; }
  /// Names and shapes of the parameters, in the order of the flat vector.
  std::array<TensorShape, 2> tensors() const { return {{{"weight", this->inputs(), 1}, {"bias", this->inputs(), 1}}}; }

  /// Views of weight and bias in theta, or of their gradients, N numbers each.
  template <class Scalar>
  struct Parameters {
    detail::MapOf<Scalar, N, 1> weight;  ///< gamma in the papers, starts at 1
    detail::MapOf<Scalar, N, 1> bias;    ///< beta in the papers, starts at 0

    /// Prints the tensors with their names, shapes and numbers.
    template <class Stream>
    friend Stream& operator<<(Stream& out, const Parameters& views) {
      detail::print_tensor(out, "weight", views.weight);
      detail::print_tensor(out, "bias", views.bias);
      return out;
    }
  };
  /// The parameters by name, as views on this layer's slice of theta or of dJ/dtheta.
  template <class Scalar>
  Parameters<Scalar> parameters(Scalar* theta) const {
    return {{theta, this->inputs()}, {theta + this->inputs(), this->inputs()}};
  }
  /// Sets weight to 1 and bias to 0.
  template <class Scalar>
  void initialize(Scalar* theta, Random&) const {
    std::fill_n(theta, this->inputs(), Scalar{1});
    std::fill_n(theta + this->inputs(), this->inputs(), Scalar{0});
  }

 protected:
  /// For a number of units given by N or inferred from the layer before. Throws ValueError unless epsilon is above 0 and finite.
  explicit NormalizationLayer(const char* who, double epsilon) requires(N != Dynamic) : epsilon_{checked(who, epsilon)} {}
  /// For a number of units known at run time. Throws ShapeError or ValueError, with the name `who`.
  NormalizationLayer(const char* who, Index units, double epsilon) : SameShape<N>(who, units), epsilon_{checked(who, epsilon)} {}

  ///     dJ/dweight = row sums of delta * x_hat,  dJ/dbias = row sums of delta        (N)
  template <class Scalar>
  static void parameter_gradients(ConstMatrixView<Scalar> delta, ConstMatrixView<Scalar> x_hat, Scalar* weight, Scalar* bias) {
    detail::normalization_gradients(delta, x_hat, weight, bias);
  }

  ///     dJ/dweight = delta_c * x_hat_j,  dJ/dbias = delta_c  for column c of sample j, by itself        (N)
  template <class Scalar>
  static void sample_parameter_gradients(const ConstMatrixView<Scalar>& delta, const ConstMatrixView<Scalar>& x_hat,
                                         const SampleGradients<Scalar>& gradients) {
    const Index n = delta.rows();
    for (Index c = 0; c < delta.cols(); ++c) {
      const Scalar* delta_c = delta.data() + c * delta.outerStride();
      gradients.numbers(
          c, 0, n, [](const auto& d, const auto& x) CHAINRULE_FORMULA { return d * x; }, delta_c,
          x_hat.data() + gradients.sample_of(c) * x_hat.outerStride());
      gradients.numbers(c, n, n, delta_c);
    }
  }

  /// The storage of both layers for a jet: the jets of a and of x_hat, N x columns.
  template <class Scalar>
  struct NormalizationJet {
    /// Allocates for `units` units and jets of up to max_columns columns.
    NormalizationJet(Index units, Index max_columns)
        : output(units, max_columns), x_hat(units, max_columns), parameters_of_channels(2 * units, 1) {}
    BatchStorage<Scalar, Dynamic, Dynamic> output;                  ///< the jet of a
    BatchStorage<Scalar, Dynamic, Dynamic> x_hat;                   ///< the jet of x_hat
    BatchStorage<Scalar, Dynamic, Dynamic> parameters_of_channels;  ///< part of dJ/dweight that comes from the channels
  };

  /// Computes the jet of a from x_hat and its jet. Where theta_direction = (V, u) is not null, weight + t_1 V and bias + t_1 u depend on
  /// t_1.
  ///
  ///     a_c = weight * x_hat_c for each channel c,  a_1 <- a_1 + V * x_hat + u
  template <class Scalar>
  void jet_of_output(const Scalar* theta, const Scalar* theta_direction, const ConstMatrixView<Scalar>& x_hat, const JetShape& shape,
                     NormalizationJet<Scalar>& jet) const {
    MatrixView<Scalar> a = jet.output.first(shape.columns());
    times_weight(theta, detail::as_const(jet.x_hat.first(shape.columns())), a);
    if (theta_direction == nullptr) return;
    const auto [weight, bias] = parameters(theta_direction);
    for (Index j = 0; j < shape.batch; ++j)
      detail::add_affine<Scalar>(a.rows(), x_hat.data() + j * x_hat.outerStride(), weight.data(), bias.data(),
                                 a.data() + j * a.outerStride());
  }

  /// Turns the gradients by a and by its jet into those by x_hat and by its jet, in place, after computing those by weight and bias unless
  /// `gradient` is null.
  ///
  ///     dJ/dweight = row sums of dJ/da * x_hat + row sums over channels: dJ/da_c * x_hat_c,  dJ/dbias = row sums of dJ/da
  ///     dJ/dx_hat = weight * dJ/da + V * dJ/da_1,  dJ/dx_hat_c = weight * dJ/da_c
  template <class Scalar>
  void jet_of_output_backward(const Scalar* theta, const Scalar* theta_direction, const ConstMatrixView<Scalar>& x_hat,
                              const JetShape& shape, NormalizationJet<Scalar>& jet, MatrixView<Scalar> delta, MatrixView<Scalar> deltas,
                              Scalar* gradient) const {
    const Index n = this->inputs();
    if (gradient != nullptr) {
      Scalar* of_channels = jet.parameters_of_channels.first(1).data();
      parameter_gradients(detail::as_const(delta), x_hat, gradient, gradient + n);
      parameter_gradients(detail::as_const(deltas), detail::as_const(jet.x_hat.first(shape.columns())), of_channels, of_channels + n);
      detail::add_numbers<Scalar>(n, of_channels, gradient);
    }
    times_weight(theta, detail::as_const(delta), delta);
    if (theta_direction != nullptr)
      for (Index j = 0; j < shape.batch; ++j)
        detail::add_weighted<Scalar>(n, deltas.data() + j * deltas.outerStride(), theta_direction, delta.data() + j * delta.outerStride());
    times_weight(theta, detail::as_const(deltas), deltas);
  }

  ///     out = weight * x, for each column; out may be x        (N x columns)
  template <class Scalar>
  void times_weight(const Scalar* theta, const ConstMatrixView<Scalar>& x, MatrixView<Scalar> out) const {
    const auto [weight, bias] = parameters(theta);
    for (Index j = 0; j < x.cols(); ++j) out.col(j) = x.col(j).cwiseProduct(weight);
  }

  /// Whether x_hat is right to a few roundings with this r and variance. It is not where a sum, a distance or a square was too large for a
  /// Scalar. Nor is it where r, which is the rounding error of m, is larger than the deviation, for numbers that are nearly all equal: if
  /// one of 5,000 numbers is 100000008 and the others are 1e8, mean (x - m)^2 - r^2 can be off by 10 %.
  template <class Scalar>
  bool are_accurate(Scalar r, Scalar variance) const {
    return detail::is_finite(variance + r) && r * r <= variance + static_cast<Scalar>(epsilon_);
  }

  /// Statistics of numbers x that are not too large for their sums once they are multiplied by `scale`, a power of two.
  template <class Scalar>
  struct ScaledStatistics {
    Scalar scale;              ///< brings the largest |x| to at most 8; 1 where it is below 1
    Scalar m;                  ///< m + r is the mean of x scale
    Scalar r;                  ///< see m
    Scalar variance;           ///< variance of x scale
    Scalar factor;             ///< 1/sqrt(variance + epsilon scale^2), or 0 where that is infinite, because all x are equal
    Scalar inverse_deviation;  ///< 1/sqrt(variance + epsilon) of x itself

    /// Returns x_hat of one of the numbers.
    Scalar x_hat(Scalar x) const { return (x * scale - m - r) * factor; }
  };

  /// Computes the statistics of size numbers x(i), finite and of any size. m is the first number plus the mean distance from it, so the
  /// mean of equal numbers is exact.
  template <class Scalar, class Number>
  [[gnu::noinline]] ScaledStatistics<Scalar> scaled_statistics(Index size, const Number& x) const {
    const auto mean = [size](const auto& term) { return detail::pairwise_sum<Scalar>(size, term) / static_cast<Scalar>(size); };
    Scalar largest = 0;
    for (Index i = 0; i < size; ++i) largest = (std::max)(largest, std::abs(x(i)));
    int exponent = 0;
    if (detail::is_finite(largest)) std::frexp(largest, &exponent);
    ScaledStatistics<Scalar> s{};
    s.scale = std::ldexp(Scalar{1}, -std::clamp(exponent, 0, -std::numeric_limits<Scalar>::min_exponent));
    const Scalar first = x(0) * s.scale;
    s.m = first + mean([&](Index i) { return x(i) * s.scale - first; });
    s.r = mean([&](Index i) { return x(i) * s.scale - s.m; });
    s.variance = mean([&](Index i) {
      const Scalar d = x(i) * s.scale - s.m - s.r;
      return d * d;
    });
    const Scalar epsilon = static_cast<Scalar>(epsilon_), deviation = std::sqrt(s.variance + epsilon * s.scale * s.scale);
    s.factor = deviation == 0 ? Scalar{0} : 1 / deviation;
    s.inverse_deviation = deviation == 0 ? 1 / std::sqrt(epsilon) : s.scale / deviation;
    return s;
  }

 private:
  static double checked(const char* who, double epsilon) {
    detail::check_positive(who, "epsilon", epsilon);
    return epsilon;
  }

  double epsilon_;
};

}  // namespace chainrule
