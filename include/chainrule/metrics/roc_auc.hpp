#pragma once

#include <algorithm>
#include <chainrule/metrics/detail/metric_inputs.hpp>
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
  template <detail::NumberMatrix Predictions, detail::LabelsOrProbabilities Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return mean_area(detail::metric_view(y_hat), detail::metric_view(y));
  }
  /// Does not compile, and says what to write instead: the arguments in the other order.
  template <detail::LabelVector Labels, detail::NumberMatrix Predictions>
  double operator()(const Labels&, const Predictions&) const {
    return detail::labels_first<Labels>();
  }

 private:
  /// A sample's score, and whether the sample is of the class whose area is computed.
  template <class Scalar>
  struct Scored {
    Scalar score;
    bool is_positive;
  };

  template <class Scalar, class Targets>
  static double mean_area(const ConstMatrixView<Scalar>& y_hat, const Targets& y) {
    const Index classes = detail::checked_classes(name, y_hat, y);
    std::vector<Index> truth;
    truth.reserve(static_cast<std::size_t>(y_hat.cols()));
    for (Index j = 0; j < y_hat.cols(); ++j) truth.push_back(detail::class_of(y, j));
    check_present(truth, classes);

    std::vector<Scored<Scalar>> scored(truth.size());
    const auto area_of = [&](Index k, Index row) {
      for (std::size_t j = 0; j < truth.size(); ++j) scored[j] = {y_hat(row, static_cast<Index>(j)), truth[j] == k};
      return area(scored);
    };
    if (classes == 2) return area_of(1, y_hat.rows() - 1);
    const double sum = detail::pairwise_sum<double>(classes, [&](Index k) { return area_of(k, k); });
    return sum / static_cast<double>(classes);
  }

  /// Throws ValueError where a class has no sample.
  static void check_present(const std::vector<Index>& truth, Index classes) {
    std::vector<bool> present(static_cast<std::size_t>(classes));
    for (const Index k : truth) present[static_cast<std::size_t>(k)] = true;
    const auto missing = std::find(present.begin(), present.end(), false);
    if (missing != present.end())
      detail::raise<ValueError>(name, ": no sample is of class ", missing - present.begin(),
                                ", so it has no ROC curve; every class needs a sample");
  }

  // (pairs in which the positive scores higher + 1/2 pairs with equal scores) / all pairs of a positive and a negative
  template <class Scalar>
  static double area(std::vector<Scored<Scalar>>& scored) {
    std::sort(scored.begin(), scored.end(), [](const Scored<Scalar>& a, const Scored<Scalar>& b) { return a.score < b.score; });
    double won = 0;  // a count of halves, exact up to 2^52 pairs
    double positives = 0;
    double negatives = 0;
    for (auto next = scored.begin(); next != scored.end();) {
      double equal_positives = 0;
      double equal_negatives = 0;
      for (const Scalar score = next->score; next != scored.end() && next->score == score; ++next)
        ++(next->is_positive ? equal_positives : equal_negatives);
      won += equal_positives * (negatives + equal_negatives / 2);
      positives += equal_positives;
      negatives += equal_negatives;
    }
    return won / (positives * negatives);
  }
};

inline constexpr RocAuc roc_auc{};  ///< the object of class RocAuc, to call or to give to `fit`

}  // namespace chainrule
