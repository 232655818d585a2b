#pragma once

#include <chainrule/core/view.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/losses/mean_over_elements.hpp>
#include <span>
#include <string_view>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

/// The hinge loss max(0, 1 - y y_hat), averaged over all elements (Keras's Hinge). It asks for a margin of 1 as a support vector machine
/// does; the sign of y_hat is the decision. y is outputs x batch, each number -1 or 1; any other y is a ValueError.
/// ClassWeighted<Hinge> gives yes and no, or the yes of each output, a weight.
struct Hinge {
  static constexpr std::string_view name = "Hinge";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = false;     ///< takes the outputs as predictions, so the last layer may have any activation
  static constexpr Index min_outputs = 1;            ///< the smallest number of outputs that a network with this loss can have

  /// Throws ValueError unless each number of y is -1 or 1.
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_finite("target", "y", y);
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i)
        if (!(y(i, j) == 1 || y(i, j) == -1))
          detail::raise<ValueError>("target: y(", i, ", ", j, ") is ", y(i, j), ", but Hinge takes -1 for no and 1 for yes");
  }

  ///     J = 1/(outputs batch) sum max(0, 1 - y y_hat)
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    return mean_over_elements(y_hat, y, [](auto prediction, auto target) CHAINRULE_FORMULA { return max(1 - target * prediction, 0); });
  }

  ///     dJ/dy_hat = -y/(outputs batch) where y y_hat < 1, else 0; NaN where y_hat is NaN
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    slopes_over_elements(y_hat, y, dJ,
                         [](auto prediction, auto target) CHAINRULE_FORMULA { return -target * max(sign(1 - target * prediction), 0); });
  }

  /// J where a yes of output i counts w_i times, which ClassWeighted calls. yes_weights: one for each output.
  ///
  ///     J = 1/(outputs batch) sum (w_i if y = 1, else 1) max(0, 1 - y y_hat)
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, std::span<const double> yes_weights) const {
    using Sum = detail::Accumulator<Scalar>;
    return static_cast<Scalar>(detail::mean_of(static_cast<Sum>(y.size()), [&](Sum divisor) {
      Sum sum = 0;
      for (Index i = 0; i < y.rows(); ++i) {
        const auto w = static_cast<Scalar>(yes_weights[static_cast<std::size_t>(i)]);
        sum += detail::mean_of_matrices<Sum>(
            divisor,
            [w](auto prediction, auto target) CHAINRULE_FORMULA {
              const auto loss = max(1 - target * prediction, 0);
              return select(target > 0, w * loss, loss);
            },
            detail::row_of(y_hat, i), detail::row_of(y, i));
      }
      return sum;
    }));
  }
  /// Sets dJ to the gradient where a yes of output i counts w_i times.
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ,
                std::span<const double> yes_weights) const {
    gradient(y_hat, y, dJ);
    for (Index i = 0; i < y.rows(); ++i)
      for (Index j = 0; j < y.cols(); ++j)
        if (y(i, j) > 0) dJ(i, j) *= static_cast<Scalar>(yes_weights[static_cast<std::size_t>(i)]);
  }

  /// Sets `out` to the derivative of the gradient, which is 0, also at the margin y y_hat = 1.
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar>, ConstMatrixView<Scalar>, ConstMatrixView<Scalar>, MatrixView<Scalar> out) const {
    out.setZero();
  }
  /// Sets `out` to 0, whatever the weights of the outputs' yes are.
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar>, ConstMatrixView<Scalar>, ConstMatrixView<Scalar>, MatrixView<Scalar> out,
                    std::span<const double>) const {
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

#include <chainrule/core/detail/restore_min_max.inc>
