#pragma once

#include <chainrule/metrics/detail/metric_inputs.hpp>
#include <cmath>
#include <limits>

namespace chainrule {

/// The cross entropy of predicted probabilities p, -sum_k y_k ln p_k, as a mean over the samples (scikit-learn's log_loss). As there, p is
/// first clamped to [epsilon, 1 - epsilon], with the epsilon of its scalar type (2.2e-16 for double, 1.2e-7 for float), so that ln p is
/// finite; then each column is divided by its sum. The losses SoftmaxCrossEntropy and BinaryCrossEntropy work on logits, and need no
/// clamping.
///
/// y_hat is probabilities, classes x samples, whose columns sum to 1 within 1e-3, or one row with the probabilities of class 1 ("yes").
/// y is labels, or probabilities of the shape of y_hat that sum to 1 too. Throws as Accuracy does, and ValueError for numbers outside
/// [0, 1] and for columns that do not sum to 1.
struct LogLoss {
  static constexpr std::string_view name = "log_loss";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = false;       ///< the smaller the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples) for the targets y.
  template <detail::NumberMatrix Predictions, detail::ClassTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return mean_loss(detail::metric_view(y_hat), detail::metric_view(y), detail::metric_weights(y));
  }
  /// Does not compile for the arguments in the other order; the message says what to write instead.
  template <detail::LabelVector Labels, detail::NumberMatrix Predictions>
  double operator()(const Labels&, const Predictions&) const {
    return detail::labels_first<Labels>();
  }

 private:
  template <class Scalar, class Targets, class Weights>
  static double mean_loss(const ConstMatrixView<Scalar>& p, const Targets& y, const Weights& w) {
    const Index classes = detail::checked_classes(name, p, y);
    detail::check_probabilities(name, "y_hat", p);
    check_sums("y_hat", p);
    if constexpr (detail::NumberMatrix<Targets>) check_sums("y", y);

    detail::PairwiseSum<double> sum;
    for (Index j = 0; j < p.cols(); ++j) {
      const double total = detail::pairwise_sum<double>(classes, [&](Index k) { return clamped(p, k, j); });
      for (Index k = 0; k < classes; ++k)
        if (const double y_k = target(y, k, j); y_k > 0) sum -= w(j) * (y_k * std::log(clamped(p, k, j) / total));
    }
    return sum.total() / w.total(name, p.cols());
  }

  /// Returns the probability of class k in sample j; a single row holds the probability of class 1.
  template <class Scalar>
  static Scalar probability(const ConstMatrixView<Scalar>& p, Index k, Index j) {
    if (p.rows() > 1) return p(k, j);
    return k == 1 ? p(0, j) : 1 - p(0, j);
  }

  template <class Scalar>
  static double clamped(const ConstMatrixView<Scalar>& p, Index k, Index j) {
    constexpr Scalar epsilon = std::numeric_limits<Scalar>::epsilon();
    return static_cast<double>(std::clamp(probability(p, k, j), epsilon, 1 - epsilon));
  }

  /// Returns y_k of sample j.
  template <class Scalar>
  static double target(const ConstMatrixView<Scalar>& y, Index k, Index j) {
    return static_cast<double>(probability(y, k, j));
  }
  template <class Label>
  static double target(std::span<const Label> y, Index k, Index j) {
    return detail::class_of(y, j) == k ? 1 : 0;
  }

  /// Throws ValueError where the probabilities of a sample do not sum to 1 within 1e-3.
  template <class Scalar>
  static void check_sums(const char* what, const ConstMatrixView<Scalar>& p) {
    if (p.rows() == 1) return;
    for (Index j = 0; j < p.cols(); ++j) {
      const double sum = detail::pairwise_sum<double>(p.rows(), [&](Index k) { return static_cast<double>(p(k, j)); });
      if (!(std::abs(sum - 1) <= 1e-3))
        detail::raise<ValueError>(name, ": the probabilities of sample ", j, " in ", what, " sum to ", sum, ", but they must sum to 1");
    }
  }
};

inline constexpr LogLoss log_loss{};  ///< the object of class LogLoss, to call or to give to `fit`

}  // namespace chainrule
