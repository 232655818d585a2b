#pragma once

#include <array>
#include <chainrule/metrics/class_scores.hpp>
#include <chainrule/metrics/detail/metric_inputs.hpp>

namespace chainrule {

namespace detail {

/// Computes a score of class 1 ("yes") for two classes. Throws ShapeError where there are more.
template <class Predictions, class Targets, class Weights>
double binary_score(std::string_view who, ClassScore score, const Predictions& y_hat, const Targets& y, const Weights& w) {
  const Index classes = checked_classes(who, y_hat, y);
  if (classes > 2)
    raise<ShapeError>(who, ": there are ", classes, " classes, but this score is for two, no and yes; macro_", who, " and micro_", who,
                      " take any number");
  ClassCounts yes;
  for (Index j = 0; j < samples_of(y); ++j) {
    const Index actual = class_of(y, j);
    const Index predicted = class_of(y_hat, j);
    if (actual == 1 && predicted == 1) yes.correct += w(j);
    if (predicted == 1) yes.predicted += w(j);
    if (actual == 1) yes.actual += w(j);
  }
  static_cast<void>(w.total(who, samples_of(y)));
  return (yes.*score)();
}

/// Computes the average of a score over all classes. Goes through the samples once per 256 classes, so that the counts fit on the stack
/// and nothing is allocated for any number of classes.
template <class Predictions, class Targets, class Weights>
double average_score(std::string_view who, ClassAverage average, ClassScore score, const Predictions& y_hat, const Targets& y,
                     const Weights& w) {
  constexpr Index classes_per_pass = 256;
  const Index classes = checked_classes(who, y_hat, y);
  static_cast<void>(w.total(who, samples_of(y)));
  AverageScore result(average, score);
  for (Index first = 0; first < classes; first += classes_per_pass) {
    std::array<ClassCounts, classes_per_pass> counts{};
    const auto counts_of = [&](Index k) {  // null for a class of another pass
      return k >= first && k - first < classes_per_pass ? &counts[static_cast<std::size_t>(k - first)] : nullptr;
    };
    for (Index j = 0; j < samples_of(y); ++j) {
      ClassCounts* actual = counts_of(class_of(y, j));
      ClassCounts* predicted = counts_of(class_of(y_hat, j));
      if (actual != nullptr) actual->actual += w(j);
      if (predicted != nullptr) predicted->predicted += w(j);
      if (actual != nullptr && actual == predicted) actual->correct += w(j);
    }
    for (const ClassCounts& one : counts) result.add(one);
  }
  return result.value();
}

}  // namespace detail

/// Base class of the scores for two classes. Metric is the derived class, `score` computes the score from counts.
template <class Metric, detail::ClassScore score>
struct BinaryScore {
  static constexpr bool larger_is_better = true;  ///< the larger the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples, or labels) for the targets y.
  template <detail::LabelsOrProbabilities Predictions, detail::ClassTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return detail::binary_score(Metric::name, score, detail::metric_view(y_hat), detail::metric_view(y), detail::metric_weights(y));
  }
  /// Does not compile for the arguments in the other order; the message says what to write instead.
  template <detail::LabelVector Labels, detail::NumberMatrix Predictions>
  double operator()(const Labels&, const Predictions&) const {
    return detail::labels_first<Labels>();
  }
};

/// Base class of the averaged scores for any number of classes. Metric is the derived class, `score` computes the score of one class.
template <class Metric, ClassAverage average, detail::ClassScore score>
struct MultiClassScore {
  static constexpr bool larger_is_better = true;  ///< the larger the score, the better

  /// Returns the score of the predictions y_hat (outputs x samples, or labels) for the targets y.
  template <detail::LabelsOrProbabilities Predictions, detail::ClassTargets Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return detail::average_score(Metric::name, average, score, detail::metric_view(y_hat), detail::metric_view(y),
                                 detail::metric_weights(y));
  }
  /// Does not compile for the arguments in the other order; the message says what to write instead.
  template <detail::LabelVector Labels, detail::NumberMatrix Predictions>
  double operator()(const Labels&, const Predictions&) const {
    return detail::labels_first<Labels>();
  }
};

// Scores for two classes, "no" and "yes".

/// Precision for two classes, TP/(TP + FP): the share of samples predicted as class 1 ("yes") that are of class 1. It is 0 where none is
/// predicted as class 1 (scikit-learn's zero_division = 0). y_hat is one row with the probabilities of class 1, two rows, or labels 0 and
/// 1; y is labels, or probabilities of the shape of y_hat. Throws as Accuracy does, and ShapeError for more than two classes.
struct Precision : BinaryScore<Precision, &detail::ClassCounts::precision> {
  static constexpr std::string_view name = "precision";  ///< the name in descriptions, files and messages
};
/// Recall for two classes, TP/(TP + FN): the share of samples of class 1 ("yes") that are predicted as class 1; 0 where there are none.
/// y_hat, y and errors are as for Precision.
struct Recall : BinaryScore<Recall, &detail::ClassCounts::recall> {
  static constexpr std::string_view name = "recall";  ///< the name in descriptions, files and messages
};
/// The harmonic mean of precision and recall for two classes, 2 TP/(2 TP + FP + FN); 0 where class 1 occurs neither in y_hat nor in y.
/// y_hat, y and errors are as for Precision.
struct F1 : BinaryScore<F1, &detail::ClassCounts::f1> {
  static constexpr std::string_view name = "f1";  ///< the name in descriptions, files and messages
};

// Scores for any number of classes.

/// The mean of the precisions of all classes that occur (see ClassAverage). y_hat, y and errors are as for Accuracy.
struct MacroPrecision : MultiClassScore<MacroPrecision, ClassAverage::macro, &detail::ClassCounts::precision> {
  static constexpr std::string_view name = "macro_precision";  ///< the name in descriptions, files and messages
};
/// The mean of the recalls of all classes that occur (see ClassAverage); it is the balanced accuracy where each class occurs in y. y_hat, y
/// and errors are as for Accuracy.
struct MacroRecall : MultiClassScore<MacroRecall, ClassAverage::macro, &detail::ClassCounts::recall> {
  static constexpr std::string_view name = "macro_recall";  ///< the name in descriptions, files and messages
};
/// The mean of the F1 scores of all classes that occur (see ClassAverage), which is not the F1 of MacroPrecision and MacroRecall. y_hat, y
/// and errors are as for Accuracy.
struct MacroF1 : MultiClassScore<MacroF1, ClassAverage::macro, &detail::ClassCounts::f1> {
  static constexpr std::string_view name = "macro_f1";  ///< the name in descriptions, files and messages
};
/// The precision computed from the summed counts of all classes, which is the accuracy. y_hat and y are as for Accuracy.
struct MicroPrecision : MultiClassScore<MicroPrecision, ClassAverage::micro, &detail::ClassCounts::precision> {
  static constexpr std::string_view name = "micro_precision";  ///< the name in descriptions, files and messages
};
/// The recall computed from the summed counts of all classes, which is the accuracy. y_hat and y are as for Accuracy.
struct MicroRecall : MultiClassScore<MicroRecall, ClassAverage::micro, &detail::ClassCounts::recall> {
  static constexpr std::string_view name = "micro_recall";  ///< the name in descriptions, files and messages
};
/// The F1 computed from the summed counts of all classes, which is the accuracy. y_hat and y are as for Accuracy.
struct MicroF1 : MultiClassScore<MicroF1, ClassAverage::micro, &detail::ClassCounts::f1> {
  static constexpr std::string_view name = "micro_f1";  ///< the name in descriptions, files and messages
};

inline constexpr Precision precision{};             ///< the object of class Precision, to call or to give to `fit`
inline constexpr Recall recall{};                   ///< the object of class Recall, to call or to give to `fit`
inline constexpr F1 f1{};                           ///< the object of class F1, to call or to give to `fit`
inline constexpr MacroPrecision macro_precision{};  ///< the object of class MacroPrecision, to call or to give to `fit`
inline constexpr MacroRecall macro_recall{};        ///< the object of class MacroRecall, to call or to give to `fit`
inline constexpr MacroF1 macro_f1{};                ///< the object of class MacroF1, to call or to give to `fit`
inline constexpr MicroPrecision micro_precision{};  ///< the object of class MicroPrecision, to call or to give to `fit`
inline constexpr MicroRecall micro_recall{};        ///< the object of class MicroRecall, to call or to give to `fit`
inline constexpr MicroF1 micro_f1{};                ///< the object of class MicroF1, to call or to give to `fit`

}  // namespace chainrule
