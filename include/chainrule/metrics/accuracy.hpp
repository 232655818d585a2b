#pragma once

#include <chainrule/metrics/detail/class_counts.hpp>
#include <string>

namespace chainrule {

/// The share of samples whose class is predicted right, scikit-learn's accuracy_score. y_hat: classes x samples, of which the
/// largest counts (the first of equal ones); or one row, the probabilities of "yes", which is what is at least 1/2; or labels.
/// y: labels, or probabilities of the shape of y_hat. Throws ShapeError where samples or classes differ or are none, ValueError
/// for a NaN or infinity, a label that is no class, a target outside [0, 1].
struct Accuracy {
  static constexpr std::string_view name = "accuracy";
  static constexpr bool larger_is_better = true;

  ///     1/samples sum of (1 where the class of y_hat is that of y, else 0)
  template <detail::Classes Predictions, detail::Classes Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return share_right(detail::metric_view(y_hat), detail::metric_view(y));
  }

 private:
  template <class Predictions, class Targets>
  static double share_right(const Predictions& y_hat, const Targets& y) {
    detail::checked_classes(name, y_hat, y);
    const Index samples = detail::samples_of(y);
    Index right = 0;
    for (Index j = 0; j < samples; ++j) right += detail::class_of(y_hat, j) == detail::class_of(y, j);
    return static_cast<double>(right) / static_cast<double>(samples);
  }
};

inline constexpr Accuracy accuracy{};

/// The share of samples whose class is among the k most probable. Of equal probabilities the first is taken for the larger, so
/// that k = 1 is the accuracy (scikit-learn's top_k_accuracy_score takes the last). y_hat and y: as for Accuracy, but no labels
/// for y_hat. Throws what Accuracy does, and ValueError where k is below 1 (at once) or above the number of classes.
class TopKAccuracy {
 public:
  static constexpr bool larger_is_better = true;

  /// k: how many of the most probable classes count, at least 1.
  explicit TopKAccuracy(Index k) : name{detail::text_of("top_", k, "_accuracy")}, k_{k} {
    if (k < 1) detail::raise<ValueError>("TopKAccuracy: k must be at least 1, got ", k);
  }

  std::string name;  ///< top_5_accuracy

  Index k() const { return k_; }  ///< how many classes count

  ///     1/samples sum of (1 where fewer than k classes are above the class of y, else 0)
  template <detail::Numbers Predictions, detail::Classes Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return share_near_top(detail::metric_view(y_hat), detail::metric_view(y));
  }

 private:
  template <class Predictions, class Targets>
  double share_near_top(const Predictions& y_hat, const Targets& y) const {
    const Index classes = detail::checked_classes(name, y_hat, y);
    if (k_ > classes) detail::raise<ValueError>(name, ": k is ", k_, ", but there are only ", classes, " classes");
    Index right = 0;
    for (Index j = 0; j < y_hat.cols(); ++j) right += classes_above(y_hat, detail::class_of(y, j), j) < k_;
    return static_cast<double>(right) / static_cast<double>(y_hat.cols());
  }

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
