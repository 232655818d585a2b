#pragma once

#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/view.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/losses/mean_over_elements.hpp>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// The loss ln cosh(y_hat - y), averaged over all elements (Keras's LogCosh): close to half the square for small errors and to the absolute
/// value for large ones, and smooth everywhere. y is outputs x batch; NaN and infinity are a ValueError.
struct LogCosh {
  static constexpr std::string_view name = "LogCosh";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = false;       ///< takes the outputs as predictions, so the last layer may have any activation
  static constexpr Index min_outputs = 1;              ///< the smallest number of outputs that a network with this loss can have

  /// Throws ValueError if y has NaN or infinity.
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_finite("target", "y", y);
  }

  /// Returns J, with one formula for |e| < 1, in which nothing cancels, and one for larger errors, in which nothing overflows.
  ///
  ///     J = 1/(outputs batch) sum ln cosh e,  with e = y_hat - y
  ///     ln cosh e = ln(1 + m^2/(2(1 + m)))  with  m = e^-|e| - 1        for |e| < 1
  ///     ln cosh e = |e| + ln(1 + e^(-2|e|)) - ln 2                      elsewhere
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    return mean_over_elements(y_hat, y, [](auto prediction, auto target) CHAINRULE_FORMULA {
      const auto e = abs(prediction - target), m = expm1_nonpositive(-min(e, 1));
      const auto near_0 = log1p_unit(m * m / (2 * (1 + m)));
      return select(e < 1, near_0, e + log1p_unit(exp(-2 * e)) - detail::ln2<Scalar>);
    });
  }

  ///     dJ/dy_hat = tanh(e)/(outputs batch)
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    slopes_over_elements(y_hat, y, dJ, [](auto prediction, auto target) CHAINRULE_FORMULA { return tanh(prediction - target); });
  }

  /// Sets `out` to the derivative of the gradient along the direction d (outputs x batch). With q = e^(-2|e|) nothing cancels or overflows.
  ///
  ///     out = d/cosh(e)^2/(outputs batch),  1/cosh(e)^2 = 4 q/(1 + q)^2
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, ConstMatrixView<Scalar> direction,
                    MatrixView<Scalar> out) const {
    curvatures_over_elements(y_hat, y, direction, out, [](auto prediction, auto target) CHAINRULE_FORMULA {
      const auto q = exp(-2 * abs(prediction - target));
      return 4 * q / ((1 + q) * (1 + q));
    });
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

#include <chainrule/core/detail/restore_min_max.inc>
