#pragma once
// Helpers that metrics of rankings share: the scores of one class beside the truth, and the mean over classes, each against all others.

#include <algorithm>
#include <chainrule/metrics/detail/metric_inputs.hpp>
#include <vector>

namespace chainrule::detail {

/// A sample's score for a class, whether the sample is of this class, and how much it counts.
template <class Scalar>
struct RankedScore {
  Scalar score;
  bool is_positive;
  double weight;
};

/// Calls f(scores) for class 1 of two classes, or for each of more classes, and returns the mean of the results. f may sort the scores.
/// Throws what checked_classes throws, and ValueError where a class has no sample with a weight above 0; with two classes and
/// needs_negatives = false only class 1 needs one. `curve`, such as "ROC curve", is for the message.
template <class Scalar, class Targets, class Weights, class F>
double mean_over_ranked_classes(std::string_view who, std::string_view curve, bool needs_negatives, const ConstMatrixView<Scalar>& y_hat,
                                const Targets& y, const Weights& w, const F& f) {
  const Index classes = checked_classes(who, y_hat, y);
  static_cast<void>(w.total(who, y_hat.cols()));
  std::vector<Index> truth;
  truth.reserve(static_cast<std::size_t>(y_hat.cols()));
  for (Index j = 0; j < y_hat.cols(); ++j) truth.push_back(class_of(y, j));

  std::vector<bool> present(static_cast<std::size_t>(classes));
  for (std::size_t j = 0; j < truth.size(); ++j)
    if (w(static_cast<Index>(j)) > 0) present[static_cast<std::size_t>(truth[j])] = true;
  if (classes == 2 && !needs_negatives) present[0] = true;
  const auto missing = std::find(present.begin(), present.end(), false);
  if (missing != present.end())
    raise<ValueError>(who, ": no sample is of class ", missing - present.begin(), ", so it has no ", curve, "; every class needs a sample");

  std::vector<RankedScore<Scalar>> scores(truth.size());
  const auto of_class = [&](Index k, Index row) {
    for (std::size_t j = 0; j < truth.size(); ++j) scores[j] = {y_hat(row, static_cast<Index>(j)), truth[j] == k, w(static_cast<Index>(j))};
    return f(scores);
  };
  if (classes == 2) return of_class(1, y_hat.rows() - 1);
  const double sum = pairwise_sum<double>(classes, [&](Index k) { return of_class(k, k); });
  return sum / static_cast<double>(classes);
}

}  // namespace chainrule::detail
