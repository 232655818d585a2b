#pragma once

#include <array>
#include <chainrule/metrics/class_scores.hpp>
#include <chainrule/metrics/detail/class_counts.hpp>

namespace chainrule {

namespace detail {

/// The score of class 1, "yes", where there are two classes.
template <class Predictions, class Targets>
double binary_score(std::string_view who, ClassScore score, const Predictions& y_hat, const Targets& y) {
  const Index classes = checked_classes(who, y_hat, y);
  if (classes > 2)
    raise<ShapeError>(who, ": there are ", classes, " classes, but it is a score of two, no and yes; macro_", who, " and micro_", who,
                      " take any number");
  ClassCounts yes;
  for (Index j = 0; j < samples_of(y); ++j) {
    const Index actual = class_of(y, j);
    const Index predicted = class_of(y_hat, j);
    yes.right += actual & predicted;
    yes.predicted += predicted;
    yes.actual += actual;
  }
  return (yes.*score)();
}

/// The average over all classes, which are counted 256 at a time: so no number of them needs the heap.
template <class Predictions, class Targets>
double average_score(std::string_view who, ClassAverage average, ClassScore score, const Predictions& y_hat, const Targets& y) {
  constexpr Index at_a_time = 256;
  const Index classes = checked_classes(who, y_hat, y);
  AverageScore result(average, score);
  for (Index first = 0; first < classes; first += at_a_time) {
    std::array<ClassCounts, at_a_time> counts{};
    const auto counts_of = [&](Index k) {  // null for a class of another round
      return k >= first && k - first < at_a_time ? &counts[static_cast<std::size_t>(k - first)] : nullptr;
    };
    for (Index j = 0; j < samples_of(y); ++j) {
      ClassCounts* actual = counts_of(class_of(y, j));
      ClassCounts* predicted = counts_of(class_of(y_hat, j));
      if (actual != nullptr) ++actual->actual;
      if (predicted != nullptr) ++predicted->predicted;
      if (actual != nullptr && actual == predicted) ++actual->right;
    }
    for (const ClassCounts& one : counts) result.add(one);
  }
  return result.value();
}

template <class Metric, ClassScore score>
struct BinaryScore {
  static constexpr bool larger_is_better = true;

  template <Classes Predictions, Classes Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return binary_score(Metric::name, score, metric_view(y_hat), metric_view(y));
  }
};

template <class Metric, ClassAverage average, ClassScore score>
struct MultiClassScore {
  static constexpr bool larger_is_better = true;

  template <Classes Predictions, Classes Targets>
  double operator()(const Predictions& y_hat, const Targets& y) const {
    return average_score(Metric::name, average, score, metric_view(y_hat), metric_view(y));
  }
};

}  // namespace detail

// For two classes, "no" and "yes": y_hat is one row of probabilities of "yes", or two rows, or labels 0 and 1; y labels, or
// probabilities of the shape of y_hat. A score without a denominator is 0 (scikit-learn's zero_division = 0). They throw what
// Accuracy does, and ShapeError for more than two classes.

/// How many of those predicted to be "yes" are: TP/(TP + FP).
struct Precision : detail::BinaryScore<Precision, &detail::ClassCounts::precision> {
  static constexpr std::string_view name = "precision";
};
/// How many of the "yes" are predicted to be: TP/(TP + FN).
struct Recall : detail::BinaryScore<Recall, &detail::ClassCounts::recall> {
  static constexpr std::string_view name = "recall";
};
/// The harmonic mean of precision and recall: 2 TP/(2 TP + FP + FN).
struct F1 : detail::BinaryScore<F1, &detail::ClassCounts::f1> {
  static constexpr std::string_view name = "f1";
};

// For any number of classes, two included: y_hat and y as for Accuracy, which see for errors. See ClassAverage for what is averaged.

/// The mean of the classes' precisions.
struct MacroPrecision : detail::MultiClassScore<MacroPrecision, ClassAverage::macro, &detail::ClassCounts::precision> {
  static constexpr std::string_view name = "macro_precision";
};
/// The mean of the classes' recalls: what is also called balanced accuracy, where each class occurs in y.
struct MacroRecall : detail::MultiClassScore<MacroRecall, ClassAverage::macro, &detail::ClassCounts::recall> {
  static constexpr std::string_view name = "macro_recall";
};
/// The mean of the classes' F1; not the F1 of the two means.
struct MacroF1 : detail::MultiClassScore<MacroF1, ClassAverage::macro, &detail::ClassCounts::f1> {
  static constexpr std::string_view name = "macro_f1";
};
/// The precision of all classes' counts added up, which is the accuracy.
struct MicroPrecision : detail::MultiClassScore<MicroPrecision, ClassAverage::micro, &detail::ClassCounts::precision> {
  static constexpr std::string_view name = "micro_precision";
};
/// The recall of all classes' counts added up, which is the accuracy.
struct MicroRecall : detail::MultiClassScore<MicroRecall, ClassAverage::micro, &detail::ClassCounts::recall> {
  static constexpr std::string_view name = "micro_recall";
};
/// The F1 of all classes' counts added up, which is the accuracy.
struct MicroF1 : detail::MultiClassScore<MicroF1, ClassAverage::micro, &detail::ClassCounts::f1> {
  static constexpr std::string_view name = "micro_f1";
};

inline constexpr Precision precision{};
inline constexpr Recall recall{};
inline constexpr F1 f1{};
inline constexpr MacroPrecision macro_precision{};
inline constexpr MacroRecall macro_recall{};
inline constexpr MacroF1 macro_f1{};
inline constexpr MicroPrecision micro_precision{};
inline constexpr MicroRecall micro_recall{};
inline constexpr MicroF1 micro_f1{};

}  // namespace chainrule
