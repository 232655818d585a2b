#pragma once

#include <chainrule/losses/squared_error.hpp>

namespace chainrule {

/// The mean squared error J = 1/(outputs batch) sum (y_hat - y)^2, as PyTorch's MSELoss and Keras define it. It equals SquaredError times
/// 2/outputs. y is outputs x batch; NaN and infinity are a ValueError.
struct MeanSquaredError : SquaredError {
  static constexpr std::string_view name = "MeanSquaredError";  ///< the name in descriptions, files and messages

  ///     J = 1/(outputs batch) sum (y_hat - y)^2
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    return static_cast<Scalar>(sum_of_squares(y_hat, y, static_cast<detail::Accumulator<Scalar>>(y.size())));
  }

  ///     dJ/dy_hat = 2 (y_hat - y)/(outputs batch)
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    dJ = 2 * (y_hat - y) / static_cast<Scalar>(y.size());
  }

  /// Sets `out` to the derivative of the gradient along the direction d (outputs x batch).
  ///
  ///     out = 2 d/(outputs batch)
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) const {
    out = 2 * direction / static_cast<Scalar>(y.size());
  }
};

}  // namespace chainrule
