#pragma once

#include <chainrule/core/view.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/losses/mean_over_elements.hpp>
#include <string_view>

namespace chainrule {

/// The mean absolute error J = 1/(outputs batch) sum |y_hat - y|, PyTorch's L1Loss. Outliers have less influence than with squares. y is
/// outputs x batch; NaN and infinity are a ValueError.
struct MeanAbsoluteError {
  static constexpr std::string_view name = "MeanAbsoluteError";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = false;  ///< takes the outputs as predictions, so the last layer may have any activation
  static constexpr Index min_outputs = 1;         ///< the smallest number of outputs that a network with this loss can have

  /// Throws ValueError if y has NaN or infinity.
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_finite("target", "y", y);
  }

  ///     J = 1/(outputs batch) sum |y_hat - y|
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    return mean_over_elements(y_hat, y, [](auto prediction, auto target) CHAINRULE_FORMULA { return abs(prediction - target); });
  }

  ///     dJ/dy_hat = sign(y_hat - y)/(outputs batch), and 0 where they are equal; NaN where y_hat is NaN
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    slopes_over_elements(y_hat, y, dJ, [](auto prediction, auto target) CHAINRULE_FORMULA { return sign(prediction - target); });
  }

  /// Sets `out` to the derivative of the gradient, which is 0, also where y_hat = y, as in PyTorch.
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar>, ConstMatrixView<Scalar>, ConstMatrixView<Scalar>, MatrixView<Scalar> out) const {
    out.setZero();
  }

  /// Leaves the outputs as they are: they are the prediction.
  template <class Scalar>
  void link(MatrixView<Scalar>) const {}
  /// Leaves the tangent as it is: the link is the identity.
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar>, MatrixView<Scalar>) const {}

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;
};

}  // namespace chainrule
