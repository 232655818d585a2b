#pragma once
// Thresholds on the probability of class 1 ("yes"), chosen from validation data: a sample is taken for yes where P(yes) is at least the
// threshold.

#include <algorithm>
#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/metrics/detail/ranked_scores.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace chainrule {
namespace detail {

/// Returns the threshold with the largest score(true yes, false yes, false no), each a sum of weights; among equals the highest. Thresholds
/// are the middle between two neighbouring scores, the lowest score, where all are taken for yes, and the number after the highest one,
/// where none is. Throws ShapeError for more than two classes, and what mean_over_ranked_classes throws.
template <class Predictions, class Targets, class Score>
double best_threshold(std::string_view who, const Predictions& y_hat, const Targets& y, const Score& score) {
  if (y_hat.rows() > 2) raise<ShapeError>(who, ": a threshold is for two classes, but y_hat has ", y_hat.rows(), " rows");
  const auto search = [&score](auto& scores) {
    std::sort(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    double yes = 0, true_yes = 0, false_yes = 0;
    for (const auto& each : scores) yes += each.is_positive ? each.weight : 0;
    double best = std::nextafter(static_cast<double>(scores.front().score), std::numeric_limits<double>::infinity());
    double best_score = score(0.0, 0.0, yes);
    for (auto next = scores.begin(); next != scores.end();) {
      const auto value = next->score;
      for (; next != scores.end() && next->score == value; ++next) (next->is_positive ? true_yes : false_yes) += next->weight;
      const double found = score(true_yes, false_yes, yes - true_yes);
      if (!(found > best_score)) continue;
      best_score = found;
      best = static_cast<double>(value);
      if (next == scores.end()) continue;
      const double below = static_cast<double>(next->score), middle = std::midpoint(below, best);
      if (middle > below) best = middle;
    }
    return best;
  };
  return mean_over_ranked_classes(who, "threshold", false, metric_view(y_hat), metric_view(y), metric_weights(y), search);
}

}  // namespace detail

/// The threshold on P(yes) with the largest F1 of class 1. y_hat has the probabilities, or any finite scores, outputs x samples: one row
/// with those of class 1, or two rows, of which the second counts. y is a vector of labels, or probabilities of the shape of y_hat, with or
/// without weights. Among thresholds of equal F1 it is the highest. Use validation data, neither those of training nor those of the test.
/// Throws what AveragePrecision throws, and ShapeError for more than two classes.
///
///     F1 = 2 true yes / (2 true yes + false yes + false no)
template <detail::NumberMatrix Predictions, detail::ClassTargets Targets>
double best_f1_threshold(const Predictions& y_hat, const Targets& y) {
  return detail::best_threshold("best_f1_threshold", y_hat, y, [](double true_yes, double false_yes, double false_no) {
    const double sum = 2 * true_yes + false_yes + false_no;
    return sum > 0 ? 2 * true_yes / sum : 0.0;
  });
}

/// The threshold on P(yes) with the least cost, for the cost of a sample that is wrongly taken for yes and of one that is wrongly taken for
/// no. For probabilities that are right it is near cost_of_false_yes / (cost_of_false_yes + cost_of_false_no). Arguments and errors are as
/// for best_f1_threshold; throws ValueError too unless both costs are finite and at least 0.
template <detail::NumberMatrix Predictions, detail::ClassTargets Targets>
double cheapest_threshold(const Predictions& y_hat, const Targets& y, double cost_of_false_yes, double cost_of_false_no) {
  detail::check_not_negative("cheapest_threshold", "cost_of_false_yes", cost_of_false_yes);
  detail::check_not_negative("cheapest_threshold", "cost_of_false_no", cost_of_false_no);
  return detail::best_threshold("cheapest_threshold", y_hat, y, [&](double, double false_yes, double false_no) {
    return -(detail::rounded(cost_of_false_yes * false_yes) + detail::rounded(cost_of_false_no * false_no));
  });
}

}  // namespace chainrule
