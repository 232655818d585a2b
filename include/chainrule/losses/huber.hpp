#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/core/view.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/losses/mean_over_elements.hpp>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// The Huber loss: half the square of errors up to delta, linear beyond (Huber 1964), averaged over all elements; PyTorch's HuberLoss. y is
/// outputs x batch. check throws ValueError if y has NaN or infinity or delta is not above 0 and finite.
struct Huber {
  static constexpr std::string_view name = "Huber";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = false;     ///< takes the outputs as predictions, so the last layer may have any activation
  static constexpr Index min_outputs = 1;            ///< the smallest number of outputs that a network with this loss can have

  double delta = 1;  ///< the largest error for which the loss is quadratic; above 0 and finite

  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"delta", delta}}; }

  /// Throws ValueError if y has NaN or infinity or delta is not above 0 and finite.
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_positive<Scalar>(name, "delta", delta);
    detail::check_finite("target", "y", y);
  }

  ///     J = 1/(outputs batch) sum of  e^2/2 where |e| <= delta,  delta (|e| - delta/2) elsewhere,  with e = y_hat - y
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    const Scalar d = static_cast<Scalar>(delta);
    return mean_over_elements(y_hat, y, [d](auto prediction, auto target) CHAINRULE_FORMULA {
      const auto e = abs(prediction - target);
      return select(e > d, d * (e - d / 2), e * e / 2);
    });
  }

  ///     dJ/dy_hat = max(-delta, min(delta, e))/(outputs batch)
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    const Scalar d = static_cast<Scalar>(delta);
    slopes_over_elements(y_hat, y, dJ,
                         [d](auto prediction, auto target) CHAINRULE_FORMULA { return min(max(prediction - target, -d), d); });
  }

  /// Sets `out` to the derivative of the gradient along the direction d (outputs x batch).
  ///
  ///     out = d/(outputs batch) where |e| < delta, else 0, also where |e| = delta, as in PyTorch
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, ConstMatrixView<Scalar> direction,
                    MatrixView<Scalar> out) const {
    const Scalar d = static_cast<Scalar>(delta);
    curvatures_over_elements(y_hat, y, direction, out, [d](auto prediction, auto target) CHAINRULE_FORMULA {
      return select(abs(prediction - target) < d, Scalar{1}, Scalar{0});
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
