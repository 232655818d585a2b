#pragma once

#include <chainrule/core/view.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/losses/mean_over_elements.hpp>
#include <string_view>

namespace chainrule {

/// The negative log-likelihood of a Poisson distribution, for counts. The raw output z is the logarithm of the expected count, and J is the
/// mean of e^z - y z over all elements, without the term ln y!, which does not depend on z (PyTorch's PoissonNLLLoss with its defaults).
/// The prediction is the expected count e^z. Where e^z is too large for Scalar, for z above 88.7 in float and 709.7 in double, it is the
/// largest finite number of Scalar, also in J and its gradient, so that clipping can deal with it.
///
/// y is outputs x batch, finite and at least 0; any other y is a ValueError.
struct PoissonNLL {
  static constexpr std::string_view name = "PoissonNLL";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = true;         ///< takes raw outputs and brings its own link, so the last layer has no activation
  static constexpr Index min_outputs = 1;               ///< the smallest number of outputs that a network with this loss can have
  static constexpr std::string_view link_name = "exp";  ///< the name of its link, which losses of the same link share

  /// Throws ValueError unless each number of y is finite and at least 0.
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_finite("target", "y", y);
    for (Index j = 0; j < y.cols(); ++j)
      for (Index i = 0; i < y.rows(); ++i)
        if (!(y(i, j) >= 0))
          detail::raise<ValueError>("target: y(", i, ", ", j, ") is ", y(i, j), ", but PoissonNLL takes counts, which are at least 0");
  }

  ///     J = 1/(outputs batch) sum e^z - y z
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y) const {
    const Scalar largest = (std::numeric_limits<Scalar>::max)();
    using Sum = detail::Accumulator<Scalar>;
    return detail::finite_mean<Scalar>(detail::mean_of_matrices<Sum>(
        static_cast<Sum>(y.size()),
        [largest](auto log_rate, auto count) CHAINRULE_FORMULA {
          const auto rate = exp(log_rate);
          return select(rate > largest, largest, detail::finite(rate - count * log_rate));
        },
        z, y));
  }

  ///     dJ/dz = (e^z - y)/(outputs batch)
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    slopes_over_elements(z, y, dJ, [](auto log_rate, auto count) CHAINRULE_FORMULA { return detail::finite(exp(log_rate)) - count; });
  }

  /// Sets `out` to the derivative of the gradient along the direction d (outputs x batch), or to the largest finite number of Scalar (with
  /// its sign) where that is too large.
  ///
  ///     out = e^z d/(outputs batch)
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar> z, ConstMatrixView<Scalar>, ConstMatrixView<Scalar> direction, MatrixView<Scalar> out) const {
    const Scalar size = static_cast<Scalar>(z.size());
    kernels::map_matrices([size](auto log_rate, auto d)
                              CHAINRULE_FORMULA { return detail::finite(detail::finite(exp(log_rate)) * d) / size; },
                          out, z, direction);
  }

  ///     y_hat = e^z
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    kernels::map_matrices([](auto log_rate) CHAINRULE_FORMULA { return detail::finite(exp(log_rate)); }, z, z);
  }
  /// Multiplies the tangent t (outputs x K batch) by the derivative of the link; column k batch + j belongs to sample j.
  ///
  ///     t <- y_hat t
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar> rate, MatrixView<Scalar> tangent) const {
    for (Index first = 0; first < tangent.cols(); first += rate.cols()) {
      const MatrixView<Scalar> t = detail::columns_of(tangent, first, rate.cols());
      kernels::map_matrices([](auto r, auto t_i) CHAINRULE_FORMULA { return detail::finite(r * t_i); }, t, rate, t);
    }
  }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;
};

}  // namespace chainrule
