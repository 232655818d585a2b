#pragma once

#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/view.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <string_view>

namespace chainrule {

/// Half the squared norm of the error, J = 1/(2 batch) sum |y_hat - y|^2, whose gradient for one sample is y_hat - y as in the lecture. y
/// is outputs x batch; NaN and infinity are a ValueError.
struct SquaredError {
  static constexpr std::string_view name = "SquaredError";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = false;            ///< takes the outputs as predictions, so the last layer may have any activation
  static constexpr Index min_outputs = 1;                   ///< the smallest number of outputs that a network with this loss can have

  /// Throws ValueError if y has NaN or infinity.
  template <class Scalar>
  void check(const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>& y) const {
    detail::check_finite("target", "y", y);
  }

  ///     J = 1/batch sum over samples of 1/2 |y_hat - y|^2
  template <class Scalar>
  Scalar value(const ConstMatrixView<Scalar>& y_hat, const ConstMatrixView<Scalar>& y) const {
    return static_cast<Scalar>(sum_of_squares(y_hat, y, 2 * static_cast<detail::Accumulator<Scalar>>(y.cols())));
  }

  ///     dJ/dy_hat = (y_hat - y)/batch
  template <class Scalar>
  void gradient(const ConstMatrixView<Scalar>& y_hat, const ConstMatrixView<Scalar>& y, MatrixView<Scalar> dJ) const {
    const auto batch = static_cast<Scalar>(y.cols());
    // contiguous columns are computed as one long column, which is many times as fast if there are few outputs
    const bool contiguous = y_hat.outerStride() == y_hat.rows() && y.outerStride() == y.rows() && dJ.outerStride() == dJ.rows();
    const Index columns = contiguous ? 1 : dJ.cols(), rows = dJ.size() / columns;
    for (Index j = 0; j < columns; ++j)
      VectorView<Scalar>(dJ.data() + j * dJ.outerStride(), rows) = (ConstVectorView<Scalar>(y_hat.data() + j * y_hat.outerStride(), rows) -
                                                                    ConstVectorView<Scalar>(y.data() + j * y.outerStride(), rows)) /
                                                                   batch;
  }

  /// Sets `out` to the derivative of the gradient along the direction d (outputs x batch).
  ///
  ///     out = d/batch
  template <class Scalar>
  void gradient_jvp(const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>& y, const ConstMatrixView<Scalar>& direction,
                    MatrixView<Scalar> out) const {
    out = direction / static_cast<Scalar>(y.cols());
  }

  /// Leaves the outputs as they are: they are the prediction.
  template <class Scalar>
  void link(MatrixView<Scalar>) const {}
  /// Leaves the tangent as it is: the link is the identity.
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar>, MatrixView<Scalar>) const {}

  /// Writes the residuals whose squares J adds up, and their derivatives by y_hat, for LevenbergMarquardt (core/concepts.hpp).
  ///
  ///     J = 1/(2 batch) sum r^2 with r = y_hat - y,   dr/dy_hat = 1        (outputs x batch)
  template <class Scalar>
  void residuals(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> r, MatrixView<Scalar> slopes) const {
    r = y_hat - y;
    slopes.setOnes();
  }

 protected:
  /// Returns the sum of (y_hat - y)^2 over all elements divided by `divisor`, added in double or wider. Squares are rounded to Scalar
  /// first, unless one of them is too large for it.
  template <class Scalar>
  static detail::Accumulator<Scalar> sum_of_squares(const ConstMatrixView<Scalar>& y_hat, const ConstMatrixView<Scalar>& y,
                                                    detail::Accumulator<Scalar> divisor) {
    if (y.size() == 1) {  // a call of a kernel takes longer than the step of a tiny network
      const Scalar error = y_hat(0, 0) - y(0, 0), square = detail::rounded(error * error);
      if (detail::is_finite(square)) return static_cast<detail::Accumulator<Scalar>>(square) / divisor;
    }
    return sum_of_many_squares<Scalar>(y_hat, y, divisor);
  }

  /// Does not compile, and says what to write instead: matrices that are not views.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile, and says what to write instead: matrices that are not views.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile, and says what to write instead: matrices that are not views.
  void link(detail::LossArgument z) const;

 private:
  template <class Scalar>
  [[gnu::noinline]] static detail::Accumulator<Scalar> sum_of_many_squares(const ConstMatrixView<Scalar>& y_hat,
                                                                           const ConstMatrixView<Scalar>& y,
                                                                           detail::Accumulator<Scalar> divisor) {
    using Sum = detail::Accumulator<Scalar>;
    const Sum sum = kernels::sum_matrices<Sum>([](auto p, auto target) CHAINRULE_FORMULA { return (p - target) * (p - target); }, y_hat, y);
    if (detail::is_finite(sum)) return sum / divisor;
    return detail::pairwise_sum<Sum>(y.rows(), y.cols(), [&](Index i, Index j) {
      const Sum error = static_cast<Sum>(y_hat(i, j)) - static_cast<Sum>(y(i, j));
      return error / divisor * error;
    });
  }
};

}  // namespace chainrule
