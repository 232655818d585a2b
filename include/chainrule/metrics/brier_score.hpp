#pragma once

#include <chainrule/metrics/detail/metric_inputs.hpp>

namespace chainrule {

/// The Brier score, the mean squared error of predicted probabilities (Brier 1950). For one row with the probabilities of class 1 ("yes")
/// it is the mean of (p - y)^2, from 0 to 1 (scikit-learn's brier_score_loss). For one row per class the squares of all classes are added,
/// so it is from 0 to 2, as Brier defined it; with two rows it is twice the score of one row.
///
/// y_hat is probabilities, classes x samples, or one row; y is a vector of labels, or probabilities of the shape of y_hat. Throws as
/// Accuracy does, and ValueError for numbers outside [0, 1] in y_hat.
struct BrierScore {
  static constexpr std::string_view name = "brier_score";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = false;          ///< the smaller the score, the better

  ///     1/samples sum over samples and rows of (p - y)^2
  template <detail::NumberMatrix Predictions, detail::ClassTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return mean_square(detail::metric_view(y_hat), detail::metric_view(y), detail::metric_weights(y));
  }
  /// Does not compile for the arguments in the other order; the message says what to write instead.
  template <detail::LabelVector Labels, detail::NumberMatrix Predictions>
  double operator()(const Labels&, const Predictions&) const {
    return detail::labels_first<Labels>();
  }

 private:
  template <class Scalar, class Targets, class Weights>
  static double mean_square(const ConstMatrixView<Scalar>& p, const Targets& y, const Weights& w) {
    detail::checked_classes(name, p, y);
    detail::check_probabilities(name, "y_hat", p);
    const double sum = detail::pairwise_sum<double>(p.rows(), p.cols(), [&](Index i, Index j) {
      const double error = static_cast<double>(p(i, j)) - target(y, p.rows(), i, j);
      return w(j) * (error * error);
    });
    return sum / w.total(name, p.cols());
  }

  template <class Scalar>
  static double target(const ConstMatrixView<Scalar>& y, Index, Index i, Index j) {
    return static_cast<double>(y(i, j));
  }
  template <class Label>
  static double target(std::span<const Label> y, Index rows, Index i, Index j) {
    return detail::class_of(y, j) == (rows == 1 ? 1 : i) ? 1 : 0;
  }
};

inline constexpr BrierScore brier_score{};  ///< the object of class BrierScore, to call or to give to `fit`

}  // namespace chainrule
