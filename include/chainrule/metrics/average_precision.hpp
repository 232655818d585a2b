#pragma once

#include <algorithm>
#include <chainrule/metrics/detail/ranked_scores.hpp>
#include <vector>

namespace chainrule {

/// The average precision, a summary of the curve of precision over recall that tells more than the ROC curve where few samples are of class
/// 1 ("yes"); also called PR AUC (scikit-learn's average_precision_score). Thresholds t_1 > t_2 > ... are the different scores, and P_n and
/// R_n are precision and recall where all scores of at least t_n are predicted as yes. Samples with equal scores belong to one threshold,
/// so their order does not matter. A random order has about the share of samples of class 1.
///
/// For more than two classes it is the mean, over the classes, of each class against all others (average = "macro"). y_hat has the scores,
/// outputs x samples: one row with those of class 1, or one row per class (for two classes only the second row counts). y is a vector of
/// labels, or probabilities of the shape of y_hat. Throws what Accuracy throws, and ValueError where class 1 of two, or a class of several,
/// has no sample. Allocates, because it sorts a copy of the scores.
struct AveragePrecision {
  static constexpr std::string_view name = "average_precision";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = true;                 ///< the larger the score, the better

  ///     sum over thresholds of (R_n - R_(n-1)) P_n        with R_0 = 0
  template <detail::NumberMatrix Predictions, detail::ClassTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return detail::mean_over_ranked_classes(name, "curve of precision over recall", false, detail::metric_view(y_hat),
                                            detail::metric_view(y), detail::metric_weights(y),
                                            [](auto& scores) { return of_one_class(scores); });
  }
  /// Does not compile for the arguments in the other order; the message says what to write instead.
  template <detail::LabelVector Labels, detail::NumberMatrix Predictions>
  double operator()(const Labels&, const Predictions&) const {
    return detail::labels_first<Labels>();
  }

 private:
  template <class Scalar>
  static double of_one_class(std::vector<detail::RankedScore<Scalar>>& scores) {
    std::sort(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    detail::PairwiseSum<double> sum;  // sum of P_n times the number of positives at threshold n
    double positives = 0, predicted = 0;
    for (auto next = scores.begin(); next != scores.end();) {
      double positives_here = 0;
      for (const Scalar threshold = next->score; next != scores.end() && next->score == threshold; ++next) {
        if (next->is_positive) positives_here += next->weight;
        predicted += next->weight;
      }
      positives += positives_here;
      if (predicted > 0) sum += positives_here * (positives / predicted);
    }
    return sum.total() / positives;
  }
};

inline constexpr AveragePrecision average_precision{};  ///< the object of class AveragePrecision, to call or to give to `fit`

}  // namespace chainrule
