#pragma once
// Common parts of BatchNorm and LayerNorm. They compute x_hat over different numbers; both continue with  a = weight * x_hat + bias,  with
// a weight (gamma in the papers) and a bias (beta) for each unit.
//
// Mean and variance are exact to a few roundings also for numbers far from 0, such as 1e5 with a spread of 1. Both layers compute them as
//
//     m = 1/n sum x, rounded to a Scalar, so that x - m is exact for x close to m
//     r = 1/n sum (x - m),  mean = m + r,  variance = 1/n sum (x - m)^2 - r^2,  x_hat = ((x - m) - r)/sqrt(variance + epsilon)

#include <algorithm>
#include <array>
#include <chainrule/core/shape_preserving_layer.hpp>
#include <chainrule/kernels/map.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <cmath>

namespace chainrule {

/// Base class of BatchNorm and LayerNorm: N units, epsilon, and a weight and a bias for each unit.
template <int N>
class NormalizationLayer : public SameShape<N> {
 public:
  static constexpr Index parameters_at_compile_time = detail::extent_product(2, N);  ///< the number of parameters, or Dynamic

  double epsilon() const { return epsilon_; }  ///< the number added to the variance
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
    kernels::row_sums_of(
        [](auto& dw, auto& db, const auto& d, const auto& x) CHAINRULE_FORMULA {
          dw = dw + d * x;
          db = db + d;
        },
        std::array{weight, bias}, delta.rows(), delta.cols(), kernels::columns(delta), kernels::columns(x_hat));
  }

  /// Returns 1/sqrt(variance + epsilon) where the variance 1/size sum deviation(i)^2 is too large for a Scalar, as of -1e25 and 1e25 in
  /// float, by scaling the deviations down first.
  template <class Scalar, class Deviation>
  [[gnu::noinline]] Scalar inverse_of_large_deviation(Index size, const Deviation& deviation) const {
    const Scalar scale = std::ldexp(Scalar{1}, -std::numeric_limits<Scalar>::max_exponent / 32 * 25);
    const Scalar squares = detail::pairwise_sum<Scalar>(size, [&](Index i) {
      const Scalar scaled = deviation(i) * scale;
      return scaled * scaled;
    });
    return scale / std::sqrt(squares / static_cast<Scalar>(size) + static_cast<Scalar>(epsilon_) * scale * scale);
  }

 private:
  static double checked(const char* who, double epsilon) {
    detail::check_positive(who, "epsilon", epsilon);
    return epsilon;
  }

  double epsilon_;
};

}  // namespace chainrule
