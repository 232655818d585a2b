#pragma once

#include <chainrule/metrics/detail/metric_inputs.hpp>
#include <string>

namespace chainrule {

/// The share of samples whose class is predicted correctly (scikit-learn's accuracy_score).
///
/// y_hat is one of: scores, classes x samples, of which the largest one predicts the class (the first among equals); one row with the
/// probabilities of class 1 ("yes"), which is predicted for at least 1/2; or a vector of labels. y is a vector of labels, or
/// probabilities of the shape of y_hat; or weighted(y, w), which every metric takes, and in which a sample counts as w_j samples
/// (scikit-learn's sample_weight). Throws ShapeError where the numbers of samples or rows differ or are 0; ValueError for NaN and
/// infinity, a label outside [0, classes), and a probability in y outside [0, 1].
struct Accuracy {
  static constexpr std::string_view name = "accuracy";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = true;        ///< the larger the score, the better

  ///     1/samples sum of (1 where y_hat and y have the same class, else 0)
  template <detail::LabelsOrProbabilities Predictions, detail::ClassTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return share_correct(detail::metric_view(y_hat), detail::metric_view(y), detail::metric_weights(y));
  }

 private:
  template <class Predictions, class Targets, class Weights>
  static double share_correct(const Predictions& y_hat, const Targets& y, const Weights& w) {
    detail::checked_classes(name, y_hat, y);
    const Index samples = detail::samples_of(y);
    const double correct =
        detail::pairwise_sum<double>(samples, [&](Index j) { return detail::class_of(y_hat, j) == detail::class_of(y, j) ? w(j) : 0; });
    return correct / w.total(name, samples);
  }
};

inline constexpr Accuracy accuracy{};  ///< the object of class Accuracy, to call or to give to `fit`

/// The share of samples whose class is among the k classes with the largest scores. Among equal scores the first counts as the largest, so
/// that k = 1 is the accuracy (scikit-learn's top_k_accuracy_score takes the last). y_hat and y are as for Accuracy, except that y_hat
/// cannot be labels. Throws as Accuracy does, and ValueError where k is above the number of classes.
class TopKAccuracy {
 public:
  static constexpr bool larger_is_better = true;  ///< the larger the score, the better

  /// k is the number of largest scores that count. Throws ValueError where it is below 1.
  explicit TopKAccuracy(Index k) : name{detail::text_of("top_", k, "_accuracy")}, k_{k} {
    if (k < 1) detail::raise<ValueError>("TopKAccuracy: k must be at least 1, got ", k);
  }

  std::string name;  ///< the name of the metric, such as "top_5_accuracy"

  Index k() const { return k_; }  ///< the number of largest scores that count

  ///     1/samples sum of (1 where fewer than k classes score above the class of y, else 0)
  template <detail::NumberMatrix Predictions, detail::ClassTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return share_in_top_k(detail::metric_view(y_hat), detail::metric_view(y), detail::metric_weights(y));
  }

 private:
  template <class Predictions, class Targets, class Weights>
  double share_in_top_k(const Predictions& y_hat, const Targets& y, const Weights& w) const {
    const Index classes = detail::checked_classes(name, y_hat, y);
    if (k_ > classes) detail::raise<ValueError>(name, ": k is ", k_, ", but there are only ", classes, " classes");
    const double correct = detail::pairwise_sum<double>(
        y_hat.cols(), [&](Index j) { return classes_above(y_hat, detail::class_of(y, j), j) < k_ ? w(j) : 0; });
    return correct / w.total(name, y_hat.cols());
  }

  /// Returns how many classes score above `label` in sample j.
  template <class Scalar>
  static Index classes_above(const ConstMatrixView<Scalar>& y_hat, Index label, Index j) {
    if (y_hat.rows() == 1) return detail::class_of(y_hat, j) == label ? 0 : 1;
    Index above = 0;
    for (Index i = 0; i < y_hat.rows(); ++i) above += i < label ? y_hat(i, j) >= y_hat(label, j) : y_hat(i, j) > y_hat(label, j);
    return above;
  }

  Index k_;
};

}  // namespace chainrule
