#pragma once
// Precision, recall and F1 of one class against all others, and their averages over the classes.

#include <chainrule/core/types.hpp>

namespace chainrule {

/// How the scores of the classes become one number, as in scikit-learn. Classes that occur neither as truth nor as prediction
/// do not count.
enum class ClassAverage {
  macro,    ///< the mean over the classes: each counts the same
  micro,    ///< the score of all counts added up: where each sample has one class, it is the accuracy for all three scores
  weighted  ///< the mean weighted with how many samples each class has
};

namespace detail {

/// One class against all others. Where the denominator is 0 the score is 0: scikit-learn's zero_division = 0.
struct ClassCounts {
  Index right = 0;      ///< TP: of this class, and predicted to be
  Index predicted = 0;  ///< TP + FP: predicted to be of this class
  Index actual = 0;     ///< TP + FN: of this class

  // TP/(TP + FP)
  constexpr double precision() const { return ratio(right, predicted); }
  // TP/(TP + FN)
  constexpr double recall() const { return ratio(right, actual); }
  // 2 precision recall/(precision + recall) = 2 TP/(2 TP + FP + FN)
  constexpr double f1() const { return ratio(2 * right, predicted + actual); }

 private:
  static constexpr double ratio(Index a, Index b) { return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b); }
};

/// One of ClassCounts's three.
using ClassScore = double (ClassCounts::*)() const;

/// The average of a score over the classes that are added.
class AverageScore {
 public:
  constexpr AverageScore(ClassAverage average, ClassScore score) : average_{average}, score_{score} {}

  constexpr void add(const ClassCounts& one) {
    if (one.predicted + one.actual == 0) return;
    const double weight = average_ == ClassAverage::weighted ? static_cast<double>(one.actual) : 1;
    sum_ += weight * (one.*score_)();
    weights_ += weight;
    total_ = {total_.right + one.right, total_.predicted + one.predicted, total_.actual + one.actual};
  }

  constexpr double value() const { return average_ == ClassAverage::micro ? (total_.*score_)() : sum_ / weights_; }

 private:
  ClassAverage average_;
  ClassScore score_;
  double sum_ = 0;
  double weights_ = 0;
  ClassCounts total_;
};

}  // namespace detail
}  // namespace chainrule
