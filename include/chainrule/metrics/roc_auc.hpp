#pragma once

#include <algorithm>
#include <chainrule/metrics/detail/class_counts.hpp>
#include <vector>

namespace chainrule {

/// The area under the ROC curve: how probable it is that a sample of the class gets a higher score than one of another, where
/// equal scores count half (Mann and Whitney's U over the number of pairs). scikit-learn's roc_auc_score.
/// y_hat: one row, the scores of "yes"; two rows, of which the second is that; or classes x samples, and then it is the mean
/// over the classes of each one against the rest (multi_class = "ovr", average = "macro"). y: as for Accuracy, which see for
/// errors; and ValueError where a class has no sample. It sorts a copy of the scores, and so allocates.
struct RocAuc {
  static constexpr std::string_view name = "roc_auc";
  static constexpr bool larger_is_better = true;

  template <detail::Numbers Predictions, detail::Classes Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return mean_area(detail::metric_view(y_hat), detail::metric_view(y));
  }

 private:
  template <class Scalar>
  struct Scored {
    Scalar score;
    bool yes;
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
    double sum = 0;
    for (Index k = 0; k < classes; ++k) sum += area_of(k, k);
    return sum / static_cast<double>(classes);
  }

  static void check_present(const std::vector<Index>& truth, Index classes) {
    std::vector<bool> present(static_cast<std::size_t>(classes));
    for (const Index k : truth) present[static_cast<std::size_t>(k)] = true;
    const auto missing = std::find(present.begin(), present.end(), false);
    if (missing != present.end())
      detail::raise<ValueError>(name, ": no sample is of class ", missing - present.begin(),
                                ", so it has no ROC curve; every class needs a sample");
  }

  // pairs (yes, no) in which yes is above no, and half of those in which they are equal, over all pairs
  template <class Scalar>
  static double area(std::vector<Scored<Scalar>>& scored) {
    std::sort(scored.begin(), scored.end(), [](const Scored<Scalar>& a, const Scored<Scalar>& b) { return a.score < b.score; });
    double won = 0;
    double yes = 0;
    double no = 0;
    for (auto next = scored.begin(); next != scored.end();) {
      double equal_yes = 0;
      double equal_no = 0;
      for (const Scalar score = next->score; next != scored.end() && next->score == score; ++next) ++(next->yes ? equal_yes : equal_no);
      won += equal_yes * (no + equal_no / 2);
      yes += equal_yes;
      no += equal_no;
    }
    return won / (yes * no);
  }
};

inline constexpr RocAuc roc_auc{};

}  // namespace chainrule
