#pragma once
// Precision, recall and F1 of one class against all others, and their averages over classes.

#include <chainrule/core/detail/pairwise_sum.hpp>

namespace chainrule {

/// How the scores of the classes are averaged, as in scikit-learn. Classes that occur neither in the targets nor in the predictions are
/// left out.
enum class ClassAverage {
  macro,    ///< the mean over the classes, each with the same weight
  micro,    ///< the score of the summed counts; with one class per sample, all three scores are the accuracy
  weighted  ///< the mean over the classes, weighted by the number of samples of each class
};

namespace detail {

/// The counts of one class against all others, as doubles because samples may have weights, and the scores that follow from them. A score
/// with denominator 0 is 0 (scikit-learn's zero_division = 0).
struct ClassCounts {
  double correct = 0;    ///< samples of this class that are predicted as it: TP
  double predicted = 0;  ///< samples predicted as this class: TP + FP
  double actual = 0;     ///< samples of this class: TP + FN

  // TP/(TP + FP)
  constexpr double precision() const { return ratio(correct, predicted); }
  // TP/(TP + FN)
  constexpr double recall() const { return ratio(correct, actual); }
  // 2 precision recall/(precision + recall) = 2 TP/(2 TP + FP + FN)
  constexpr double f1() const { return ratio(2 * correct, predicted + actual); }

 private:
  static constexpr double ratio(double a, double b) { return b == 0 ? 0 : a / b; }
};

/// A pointer to ClassCounts::precision, recall or f1.
using ClassScore = double (ClassCounts::*)() const;

/// Averages a score over classes, which are added one by one.
class AverageScore {
 public:
  AverageScore(ClassAverage average, ClassScore score) : average_{average}, score_{score} {}

  void add(const ClassCounts& one) {
    if (one.predicted + one.actual == 0) return;
    const double weight = average_ == ClassAverage::weighted ? one.actual : 1;
    sum_ += weight * (one.*score_)();
    weights_ += weight;
    total_ = {total_.correct + one.correct, total_.predicted + one.predicted, total_.actual + one.actual};
  }

  double value() const { return average_ == ClassAverage::micro ? (total_.*score_)() : sum_.total() / weights_; }

 private:
  ClassAverage average_;
  ClassScore score_;
  detail::PairwiseSum<double> sum_;
  double weights_ = 0;
  ClassCounts total_;
};

}  // namespace detail
}  // namespace chainrule
