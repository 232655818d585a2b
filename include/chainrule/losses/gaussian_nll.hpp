#pragma once

#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <cmath>
#include <string_view>

namespace chainrule {

/// The negative logarithm of a normal density, for a net that says how sure it is (Nix and Weigend 1994): of its 2 K outputs the
/// first K are means m, the others logarithms s of variances. The variance is v = e^s + minimum_variance, and
///     J = 1/(K batch) sum 1/2 (ln v + (y - m)^2 / v)
/// which is PyTorch's GaussianNLLLoss with v as its var, but that the least variance is added and not a clamp, so that J is smooth.
/// The prediction is the means, and below them the variances v. y: K x batch, finite, else ValueError; so is a minimum_variance
/// that is negative or not finite. ShapeError for an odd number of outputs.
struct GaussianNLL {
  static constexpr std::string_view name = "GaussianNLL";
  static constexpr bool works_on_logits = true;
  static constexpr Index min_outputs = 2;
  static constexpr Index target_rows(Index outputs) { return outputs / 2; }
  double minimum_variance = 1e-6;  ///< where it is 0, 1/v overflows for an s far below 0

  auto hyperparameters() const { return std::tuple{Hyperparameter{"minimum_variance", minimum_variance}}; }

  template <class Scalar>
  void check(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y) const {
    if (z.rows() % 2 != 0)
      detail::raise<ShapeError>("GaussianNLL needs an even number of outputs, a mean and a variance for each target, but the net has ",
                                z.rows());
    if (!(minimum_variance >= 0 && std::isfinite(minimum_variance)))
      detail::raise<ValueError>("GaussianNLL: minimum_variance must be at least 0 and finite, got ", minimum_variance);
    detail::check_finite("target", "y", y);
  }

  ///     J = 1/(K batch) sum 1/2 (ln v + (y - m)^2 / v)
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y) const {
    detail::Accumulator<Scalar> sum = 0;
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i) {
        const Variance<Scalar> v = variance(z(y.rows() + i, j));
        const Scalar error = y(i, j) - z(i, j);
        sum += (v.logarithm + error * error * v.inverse) / 2;
      }
    return static_cast<Scalar>(sum / static_cast<detail::Accumulator<Scalar>>(y.size()));
  }

  ///     dJ/dm = -(y - m)/v /(K batch),  dJ/ds = 1/2 e^s/v (1 - (y - m)^2/v) /(K batch)
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    const Scalar size = static_cast<Scalar>(y.size());
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i) {
        const Variance<Scalar> v = variance(z(y.rows() + i, j));
        const Scalar error = y(i, j) - z(i, j);
        dJ(i, j) = -error * v.inverse / size;
        dJ(y.rows() + i, j) = v.share * (1 - error * error * v.inverse) / 2 / size;
      }
  }

  ///     y_hat = (m, v)
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    for (Index j = 0; j < z.cols(); ++j)
      for (Index i = z.rows() / 2; i < z.rows(); ++i) z(i, j) = std::exp(z(i, j)) + static_cast<Scalar>(minimum_variance);
  }

 private:
  template <class Scalar>
  struct Variance {
    Scalar logarithm;  // ln v
    Scalar inverse;    // 1/v
    Scalar share;      // e^s/v
  };

  // of v = e^s + minimum; for large s by e^-s, which cannot overflow
  template <class Scalar>
  Variance<Scalar> variance(Scalar s) const {
    const Scalar least = static_cast<Scalar>(minimum_variance);
    if (s > 0 || least == 0) {
      const Scalar inverse = std::exp(-s);
      return {s + std::log1p(least * inverse), inverse / (1 + least * inverse), 1 / (1 + least * inverse)};
    }
    const Scalar v = std::exp(s) + least;
    return {std::log(v), 1 / v, std::exp(s) / v};
  }
};

}  // namespace chainrule
