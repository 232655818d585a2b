#pragma once

#include <chainrule/activations/tanh.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <chainrule/losses/detail/elementwise.hpp>
#include <cmath>
#include <string_view>

namespace chainrule {

/// ln cosh(y_hat - y), the mean over all elements (Keras's LogCosh): like half the square for small errors and like the
/// absolute value for large ones, and smooth everywhere. y: outputs x batch, finite, else ValueError.
struct LogCosh {
  static constexpr std::string_view name = "LogCosh";
  static constexpr bool works_on_logits = false;
  static constexpr Index min_outputs = 1;

  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_finite("target", "y", y);
  }

  ///     J = 1/(outputs batch) sum ln cosh e,  with e = y_hat - y
  /// Near 0 as ln(1 + 2 sinh^2(e/2)), so that nothing cancels; else as |e| + ln(1 + e^(-2|e|)) - ln 2, so that nothing overflows.
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    return detail::mean_over_elements(y_hat, y, [](Scalar prediction, Scalar target) {
      const Scalar e = std::abs(prediction - target);
      if (!(e < 1)) return e + std::log1p(std::exp(-2 * e)) - detail::ln2<Scalar>;
      const Scalar s = std::sinh(e / 2);
      return std::log1p(2 * s * s);
    });
  }

  ///     dJ/dy_hat = tanh(e)/(outputs batch)
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    dJ = y_hat - y;
    kernels::activate(Tanh{}, detail::as_const(dJ), dJ);
    dJ /= static_cast<Scalar>(y.size());
  }

  /// the prediction is the output itself
  template <class Scalar>
  void link(MatrixView<Scalar>) const {}
};

}  // namespace chainrule
