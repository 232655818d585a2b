#pragma once

#include <chainrule/core/view.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <cmath>

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

  /// Writes the residuals whose squares J adds up, and their derivatives by y_hat, for LevenbergMarquardt (core/concepts.hpp).
  ///
  ///     J = 1/(2 batch) sum r^2 with r = sqrt(2/outputs) (y_hat - y),   dr/dy_hat = sqrt(2/outputs)        (outputs x batch)
  template <class Scalar>
  void residuals(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> r, MatrixView<Scalar> slopes) const {
    const Scalar factor = std::sqrt(2 / static_cast<Scalar>(y.rows()));
    r = factor * (y_hat - y);
    slopes.setConstant(factor);
  }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
};

}  // namespace chainrule
