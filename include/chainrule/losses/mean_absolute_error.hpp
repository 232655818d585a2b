#pragma once

#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/losses/detail/elementwise.hpp>
#include <cmath>
#include <string_view>

namespace chainrule {

/// The mean over all elements, J = 1/(outputs batch) sum |y_hat - y|: PyTorch's L1Loss. Outliers count less than with a square.
/// y: outputs x batch, finite, else ValueError.
struct MeanAbsoluteError {
  static constexpr std::string_view name = "MeanAbsoluteError";
  static constexpr bool works_on_logits = false;
  static constexpr Index min_outputs = 1;

  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_finite("target", "y", y);
  }

  ///     J = 1/(outputs batch) sum |y_hat - y|
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    return detail::mean_over_elements(y_hat, y, [](Scalar prediction, Scalar target) { return std::abs(prediction - target); });
  }

  ///     dJ/dy_hat = sign(y_hat - y)/(outputs batch), and 0 where they are equal
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    detail::slopes_over_elements(y_hat, y, dJ, [](Scalar prediction, Scalar target) {
      return static_cast<Scalar>(prediction > target) - static_cast<Scalar>(prediction < target);
    });
  }

  /// the prediction is the output itself
  template <class Scalar>
  void link(MatrixView<Scalar>) const {}
};

}  // namespace chainrule
