#pragma once

#include <chainrule/core/view.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>

namespace chainrule {

/// The Kullback-Leibler divergence sum_k y_k ln(y_k / p_k) between target probabilities y and p = softmax(z) for logits z, averaged over
/// the batch (Kullback and Leibler 1951; PyTorch's KLDivLoss of log_softmax(z) with "batchmean"). It is 0 for p = y. It differs from
/// SoftmaxCrossEntropy by the entropy of y, so both have the same gradient.
///
/// y holds probabilities, outputs x batch, that sum to 1 (to 1e-3) in every column; any other y is a ValueError.
struct KLDivergence {
  static constexpr std::string_view name = "KLDivergence";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = true;  ///< takes raw outputs and brings its own link, so the last layer has no activation
  static constexpr Index min_outputs = 2;        ///< the smallest number of outputs that a network with this loss can have
  static constexpr std::string_view link_name = "softmax";  ///< the name of its link, which losses of the same link share

  /// Throws ValueError unless each column of y holds probabilities that sum to 1 (to 1e-3).
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_distributions(name, y);
  }

  ///     J = 1/batch sum over samples of  sum_k y_k (ln y_k - ln p_k), where 0 ln 0 = 0
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y) const {
    using Sum = detail::Accumulator<Scalar>;
    return static_cast<Scalar>(detail::mean_of(static_cast<Sum>(y.cols()), [&](Sum divisor) {
      detail::PairwiseSum<Sum> sum;
      detail::for_each_log_softmax(logits, [&](Index j, const auto& minus_log_p) {
        sum += detail::pairwise_sum<Sum>(
                   y.rows(), [&](Index k) { return y(k, j) > 0 ? y(k, j) * (std::log(y(k, j)) + minus_log_p(logits(k, j))) : Scalar{0}; }) /
               divisor;
      });
      return sum.total();
    }));
  }

  ///     dJ/dz = (softmax(z) - y)/batch
  template <class Scalar>
  void gradient(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, MatrixView<Scalar> dJ) const {
    SoftmaxCrossEntropy{}.gradient(logits, y, dJ);
  }

  /// Sets `out` to the derivative of the gradient along the direction d (outputs x batch). The sum of y is 1 up to rounding.
  ///
  ///     out = sum(y) (p o d - p (p.d))/batch  with p = softmax(z), for each sample
  template <class Scalar>
  void gradient_jvp(ConstMatrixView<Scalar> logits, ConstMatrixView<Scalar> y, ConstMatrixView<Scalar> direction,
                    MatrixView<Scalar> out) const {
    SoftmaxCrossEntropy{}.gradient_jvp(logits, y, direction, out);
  }

  ///     y_hat = softmax(z)
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    SoftmaxCrossEntropy{}.link(z);
  }
  /// Multiplies the tangent t (outputs x K batch) by the Jacobian of the link, which is symmetric; column k batch + j belongs to sample j.
  ///
  ///     t <- p o t - p (p.t)  with p = y_hat, for each column
  template <class Scalar>
  void link_jvp(ConstMatrixView<Scalar> p, MatrixView<Scalar> tangent) const {
    SoftmaxCrossEntropy{}.link_jvp(p, tangent);
  }

  /// Does not compile for matrices that are not views; the message says what to write instead.
  double value(detail::LossArgument y_hat, detail::LossArgument y) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void gradient(detail::LossArgument y_hat, detail::LossArgument y, detail::LossArgument dJ) const;
  /// Does not compile for matrices that are not views; the message says what to write instead.
  void link(detail::LossArgument z) const;
};

}  // namespace chainrule
