#pragma once

#include <algorithm>
#include <chainrule/metrics/detail/ranked_scores.hpp>
#include <vector>

namespace chainrule {

/// The area under the ROC curve (scikit-learn's roc_auc_score). For two classes it is the probability that a random sample of class 1
/// ("yes") has a higher score than a random sample of class 0, where equal scores count one half. For more classes it is the mean, over
/// the classes, of the area of each class against all others (scikit-learn's multi_class = "ovr", average = "macro"). It is computed as the
/// Mann-Whitney U statistic divided by the number of pairs of a sample of the class and a sample of another class.
///
/// y_hat has the scores, outputs x samples: one row with those of class 1, or one row per class (for two classes only the second row
/// counts). y is a vector of labels, or probabilities of the shape of y_hat. Throws what Accuracy throws, and ValueError where a class has
/// no sample. Allocates, because it sorts a copy of the scores.
struct RocAuc {
  static constexpr std::string_view name = "roc_auc";  ///< the name in descriptions, files and messages
  static constexpr bool larger_is_better = true;       ///< the larger the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples) for the targets y.
  template <detail::NumberMatrix Predictions, detail::ClassTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return detail::mean_over_ranked_classes(name, "ROC curve", true, detail::metric_view(y_hat), detail::metric_view(y),
                                            detail::metric_weights(y), [](auto& scores) { return area(scores); });
  }
  /// Does not compile for the arguments in the other order; the message says what to write instead.
  template <detail::LabelVector Labels, detail::NumberMatrix Predictions>
  double operator()(const Labels&, const Predictions&) const {
    return detail::labels_first<Labels>();
  }

 private:
  // (pairs in which the positive scores higher + 1/2 pairs with equal scores) / all pairs of a positive and a negative
  template <class Scalar>
  static double area(std::vector<detail::RankedScore<Scalar>>& scored) {
    std::sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) { return a.score < b.score; });
    double won = 0;  // without weights a count of halves, exact up to 2^52 pairs
    double positives = 0;
    double negatives = 0;
    for (auto next = scored.begin(); next != scored.end();) {
      double equal_positives = 0;
      double equal_negatives = 0;
      for (const Scalar score = next->score; next != scored.end() && next->score == score; ++next)
        (next->is_positive ? equal_positives : equal_negatives) += next->weight;
      won += detail::rounded(equal_positives * (negatives + equal_negatives / 2));
      positives += equal_positives;
      negatives += equal_negatives;
    }
    return won / (positives * negatives);
  }
};

inline constexpr RocAuc roc_auc{};  ///< the object of class RocAuc, to call or to give to `fit`

}  // namespace chainrule
