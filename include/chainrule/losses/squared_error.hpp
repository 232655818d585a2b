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
    const bool in_one_piece = kernels::is_contiguous(y_hat) && kernels::is_contiguous(y) && kernels::is_contiguous(dJ);
    if (kernels::scalar_only<Scalar> || y.size() > few_numbers || !in_one_piece) return gradient_of_many(y_hat, y, dJ);
    const auto batch = static_cast<Scalar>(y.cols());
    const Index size = y.size();
    const Scalar *p = y_hat.data(), *t = y.data();
    Scalar* d = dJ.data();
    using Four = Eigen::Array<Scalar, 4, 1>;
    Index k = 0;
    for (; k + 4 <= size; k += 4) Eigen::Map<Four>(d + k) = (Eigen::Map<const Four>(p + k) - Eigen::Map<const Four>(t + k)) / batch;
    for (; k < size; ++k) d[k] = (p[k] - t[k]) / batch;
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
  /// Up to so many numbers are computed in place, because the call of a kernel takes longer than the step of a tiny network.
  static constexpr Index few_numbers = 8;

  /// Returns the sum of (y_hat - y)^2 over all elements divided by `divisor`, added in double or wider. Squares are rounded to Scalar
  /// first, unless one of them is too large for it.
  template <class Scalar>
  static detail::Accumulator<Scalar> sum_of_squares(const ConstMatrixView<Scalar>& y_hat, const ConstMatrixView<Scalar>& y,
                                                    detail::Accumulator<Scalar> divisor) {
    constexpr Index few = kernels::scalar_only<Scalar> ? 1 : few_numbers;
    if (y.size() <= few) {  // added in the order of kernels::sum
      detail::Accumulator<Scalar> s[few] = {}, *next = s;
      for (Index j = 0; j < y.cols(); ++j)
        for (Index i = 0; i < y.rows(); ++i) {
          const Scalar error = y_hat.coeff(i, j) - y.coeff(i, j);
          *next++ = static_cast<detail::Accumulator<Scalar>>(detail::rounded(error * error));
        }
      if constexpr (few > 1) s[0] = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
      if (detail::is_finite(s[0])) return s[0] / divisor;
    }
    return sum_of_many_squares<Scalar>(y_hat, y, divisor);
  }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;

 private:
  template <class Scalar>
  [[gnu::noinline]] static void gradient_of_many(const ConstMatrixView<Scalar>& y_hat, const ConstMatrixView<Scalar>& y,
                                                 MatrixView<Scalar> dJ) {
    const auto batch = static_cast<Scalar>(y.cols());
    if constexpr (!kernels::scalar_only<Scalar>)
      return kernels::map_matrices([batch](auto p, auto target) CHAINRULE_FORMULA { return (p - target) / batch; }, dJ, y_hat, y);
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i) dJ.coeffRef(i, j) = (y_hat.coeff(i, j) - y.coeff(i, j)) / batch;
  }

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
