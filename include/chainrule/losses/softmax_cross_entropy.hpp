#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/kernels/softmax.hpp>
#include <cmath>
#include <string_view>
#include <utility>

namespace chainrule {

namespace detail {

/// Returns the function k -> -ln p_k of sample j, with p = softmax(z) and m = max z = z_best. Forms no ln 0, no 0 inf and no large e^z.
///
///     -ln p_k = (m - z_k) + ln(1 + sum_i e^(z_i - m))    with the sum over all i except best
template <class Scalar>
auto negative_log_softmax(ConstMatrixView<Scalar> logits, Index j) {
  Index best = 0;
  const Scalar m = logits.col(j).maxCoeff(&best);
  Scalar others = 0;
  for (Index k = 0; k < logits.rows(); ++k)
    if (k != best) others += std::exp(logits(k, j) - m);
  return [logits, j, m, log_sum = std::log1p(others)](Index k) { return (m - logits(k, j)) + log_sum; };
}

/// Throws ValueError unless each column of y holds probabilities that sum to 1 (to 1e-3). `loss` is the name for the message.
template <class Scalar>
void check_distributions(std::string_view loss, ConstMatrixView<Scalar> y) {
  check_finite("target", "y", y);
  for (Index j = 0; j < y.cols(); ++j) {
    Scalar sum = 0;
    for (Index i = 0; i < y.rows(); ++i) {
      if (!(y(i, j) >= 0 && y(i, j) <= 1))
        raise<ValueError>("target: y(", i, ", ", j, ") is ", y(i, j), ", but ", loss, " takes probabilities, each from 0 to 1");
      sum += y(i, j);
    }
    if (!(std::abs(sum - 1) <= Scalar(1e-3)))
      raise<ValueError>("target: the probabilities of sample ", j, " sum to ", sum, ", but they must sum to 1");
  }
}

}  // namespace detail

/// Cross-entropy -sum_k y_k ln p_k with p = softmax(z) for logits z, averaged over the batch; PyTorch's CrossEntropyLoss.
///
/// y holds one integer label for each sample, each in [0, outputs); or probabilities, outputs x batch, that sum to 1 (to 1e-3) in every
/// column. Any other y is a ValueError. With label_smoothing = e the target is y' = (1 - e) y + e/outputs instead of y (Szegedy et al.
/// 2016; PyTorch's label_smoothing).
struct SoftmaxCrossEntropy {
  static constexpr std::string_view name = "SoftmaxCrossEntropy";  ///< the name in descriptions, files and messages
  static constexpr bool works_on_logits = true;  ///< takes raw outputs and brings its own link, so the last layer has no activation
  static constexpr Index min_outputs = 2;        ///< the smallest number of outputs that a network with this loss can have

  double label_smoothing = 0;  ///< e in y' = (1 - e) y + e/outputs, in [0, 1)

  /// The hyperparameters with their names, for describe().
  auto hyperparameters() const { return std::tuple{Hyperparameter{"label_smoothing", label_smoothing}}; }

  /// Throws ValueError if a label is not in [0, outputs) or label_smoothing not in [0, 1).
  template <class Scalar, class Label>
  void check(ConstMatrixView<Scalar> logits, Labels<Label> labels) const {
    detail::check_fraction<Scalar>(name, "label_smoothing", label_smoothing);
    for (Index j = 0; j < logits.cols(); ++j) {
      using Wide = std::conditional_t<std::is_signed_v<Label>, long long, unsigned long long>;
      const Wide label = static_cast<Wide>(labels[static_cast<std::size_t>(j)]);
      if (std::cmp_less(label, 0) || std::cmp_greater_equal(label, logits.rows()))
        detail::raise<ValueError>("target: the label of sample ", j, " is ", label, ", but with ", logits.rows(),
                                  " outputs labels are 0 to ", logits.rows() - 1);
    }
  }

  /// Throws ValueError unless each column of y holds probabilities that sum to 1 (to 1e-3) and label_smoothing is in [0, 1).
  template <class Scalar>
  void check(ConstMatrixView<Scalar>, ConstMatrixView<Scalar> y) const {
    detail::check_fraction<Scalar>(name, "label_smoothing", label_smoothing);
    detail::check_distributions(name, y);
  }

  ///     J = 1/batch sum over samples of  -sum_k y_k ln p_k
  template <class Scalar, class Target>
  Scalar value(ConstMatrixView<Scalar> logits, Target y) const {
    detail::Accumulator<Scalar> sum = 0;
    for (Index j = 0; j < logits.cols(); ++j) sum += cross_entropy<Scalar>(logits, y, j);
    return static_cast<Scalar>(sum / static_cast<detail::Accumulator<Scalar>>(logits.cols()));
  }

  /// Sets dJ to the gradient. If a column of y sums not exactly to 1, its softmax is multiplied by the sum, which makes the gradient exact.
  ///
  ///     dJ/dz = (softmax(z) - y)/batch        (outputs x batch)
  template <class Scalar, class Target>
  void gradient(ConstMatrixView<Scalar> logits, Target y, MatrixView<Scalar> dJ) const {
    kernels::softmax(logits, dJ);
    const Scalar kept = static_cast<Scalar>(1 - label_smoothing);
    const Scalar spread = static_cast<Scalar>(label_smoothing / static_cast<double>(dJ.rows()));
    for (Index j = 0; j < dJ.cols(); ++j) {
      if constexpr (std::is_same_v<Target, ConstMatrixView<Scalar>>) {
        Scalar sum = 0;  // a loop, because the order of Eigen's sum() depends on the alignment of y
        for (Index i = 0; i < y.rows(); ++i) sum += y(i, j);
        Scalar smoothed_sum = kept * sum;
        kernels::baseline::keep_rounded(smoothed_sum);  // so that no compiler fuses the product and the sum, which would change bits
        smoothed_sum += static_cast<Scalar>(label_smoothing);
        for (Index i = 0; i < y.rows(); ++i) {
          Scalar p = dJ(i, j) * smoothed_sum, target = kept * y(i, j);
          kernels::baseline::keep_rounded(p);
          kernels::baseline::keep_rounded(target);
          dJ(i, j) = p - (target + spread);
        }
      } else {
        dJ(label_of(y, j), j) -= kept;
        if (label_smoothing > 0) dJ.col(j).array() -= spread;
      }
    }
    // contiguous columns are divided as one long column
    const Index columns = dJ.outerStride() == dJ.rows() ? 1 : dJ.cols(), rows = dJ.size() / columns;
    for (Index j = 0; j < columns; ++j) VectorView<Scalar>(dJ.data() + j * dJ.outerStride(), rows) /= static_cast<Scalar>(dJ.cols());
  }

  ///     y_hat = softmax(z)
  template <class Scalar>
  void link(MatrixView<Scalar> z) const {
    kernels::softmax(detail::as_const(z), z);
  }

 private:
  template <class Label>
  static Index label_of(Labels<Label> labels, Index j) {
    return static_cast<Index>(labels[static_cast<std::size_t>(j)]);
  }

  // -sum_k y'_k ln p_k of sample j
  template <class Scalar, class Target>
  Scalar cross_entropy(ConstMatrixView<Scalar> logits, Target y, Index j) const {
    const auto minus_log_p = detail::negative_log_softmax(logits, j);
    Scalar of_target = 0;
    if constexpr (std::is_same_v<Target, ConstMatrixView<Scalar>>) {
      for (Index k = 0; k < logits.rows(); ++k)
        if (y(k, j) > 0) of_target += y(k, j) * minus_log_p(k);
    } else {
      of_target = minus_log_p(label_of(y, j));
    }
    if (label_smoothing == 0) return of_target;
    Scalar of_all = 0;
    for (Index k = 0; k < logits.rows(); ++k) of_all += minus_log_p(k);
    return static_cast<Scalar>(1 - label_smoothing) * of_target +
           static_cast<Scalar>(label_smoothing / static_cast<double>(logits.rows())) * of_all;
  }
};

}  // namespace chainrule
