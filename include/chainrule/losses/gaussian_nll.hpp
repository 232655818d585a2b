#pragma once

#include <algorithm>
#include <chainrule/core/checks.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <limits>
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
  double minimum_variance = 1e-6;

  template <class Scalar>
  void check(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y) const {
    if (z.rows() % 2 != 0)
      detail::raise<ShapeError>("GaussianNLL needs an even number of outputs, a mean and a variance for each target, but the net has ",
                                z.rows());
    if (!(minimum_variance >= 0 && std::isfinite(minimum_variance)))
      detail::raise<ValueError>("GaussianNLL: minimum_variance must be at least 0 and finite, got ", minimum_variance);
    detail::check_finite("target", "y", y);
  }

  // J = 1/(K batch) sum 1/2 (ln v + (y - m)^2 / v)
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y) const {
    detail::Accumulator<Scalar> sum = 0;
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i) {
        const Scalar log_v = log_variance(z(y.rows() + i, j));
        const Scalar scaled = (y(i, j) - z(i, j)) * std::exp(-log_v / 2);  // (y - m)/sqrt(v)
        sum += (log_v + scaled * scaled) / 2;
      }
    return static_cast<Scalar>(sum / static_cast<detail::Accumulator<Scalar>>(y.size()));
  }

  // dJ/dm = -(y - m)/v /(K batch),  dJ/ds = 1/2 e^s/v (1 - (y - m)^2/v) /(K batch)
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    const Scalar size = static_cast<Scalar>(y.size());
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i) {
        const Scalar s = z(y.rows() + i, j);
        const Scalar log_v = log_variance(s);
        const Scalar per_deviation = std::exp(-log_v / 2);
        const Scalar scaled = (y(i, j) - z(i, j)) * per_deviation;
        dJ(i, j) = -scaled * per_deviation / size;
        dJ(y.rows() + i, j) = std::exp(s - log_v) * (1 - scaled * scaled) / 2 / size;
      }
  }

  // y_hat = (m, v)
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    for (Index j = 0; j < z.cols(); ++j)
      for (Index i = z.rows() / 2; i < z.rows(); ++i) z(i, j) = std::exp(z(i, j)) + static_cast<Scalar>(minimum_variance);
  }

 private:
  // ln(e^s + minimum), without e^s: max(s, ln minimum) + ln(1 + e^-|s - ln minimum|)
  template <class Scalar>
  Scalar log_variance(Scalar s) const {
    if (minimum_variance == 0) return s;
    const Scalar least = std::log(static_cast<Scalar>(minimum_variance));
    return std::max(s, least) + std::log1p(std::exp(-std::abs(s - least)));
  }
};

}  // namespace chainrule
