#pragma once

#include <algorithm>
#include <chainrule/metrics/class_scores.hpp>
#include <chainrule/metrics/detail/class_counts.hpp>
#include <numeric>
#include <string>
#include <vector>

namespace chainrule {

/// How often each class is taken for each: counts, a row for each true class, a column for each predicted one, and the scores
/// that follow from them. A score without a denominator is 0 (scikit-learn's zero_division = 0).
class ConfusionMatrix {
 public:
  /// Without a sample yet, for `add`. Throws ValueError unless 1 <= classes <= 10,000.
  explicit ConfusionMatrix(Index classes) {
    if (classes < 1 || classes > 10'000) detail::raise<ValueError>("ConfusionMatrix: classes must be 1 to 10000, got ", classes);
    counts_.resize(classes, classes);
    std::fill_n(counts_.data(), counts_.size(), Index{0});
  }

  /// Of predictions and truth, each as Accuracy takes them, which see for errors. Where both are labels there are as many classes
  /// as the largest label says.
  template <detail::Classes Predictions, detail::Classes Targets>
  ConfusionMatrix(const Predictions& y_hat, const Targets& y)
      : ConfusionMatrix(detail::checked_classes("ConfusionMatrix", detail::metric_view(y_hat), detail::metric_view(y))) {
    count(detail::metric_view(y_hat), detail::metric_view(y));
  }

  /// Counts more samples, of the same classes, else ShapeError or ValueError. Allocates nothing.
  template <detail::Classes Predictions, detail::Classes Targets>
  void add(const Predictions& y_hat, const Targets& y) {
    const auto predictions = detail::metric_view(y_hat);
    const auto targets = detail::metric_view(y);
    const Index found = detail::checked_classes("ConfusionMatrix", predictions, targets, classes());
    const bool found_is_exact = detail::Numbers<Predictions> || detail::Numbers<Targets>;
    if (found_is_exact && found != classes())
      detail::raise<ShapeError>("ConfusionMatrix: it has ", classes(), " classes, but these predictions and targets have ", found);
    count(predictions, targets);
  }

  /// How many there are.
  Index classes() const { return counts_.rows(); }
  /// How many were counted.
  Index samples() const { return std::accumulate(counts_.data(), counts_.data() + counts_.size(), Index{0}); }
  /// classes x classes; row: truth, column: prediction.
  const Matrix<Index>& counts() const { return counts_; }
  /// How many samples of class `truth` are predicted to be of class `prediction`.
  Index operator()(Index truth, Index prediction) const {
    check_class(truth);
    check_class(prediction);
    return counts_(truth, prediction);
  }

  /// The share of samples on the diagonal. Throws StateError where no sample is counted yet, as the averages below do.
  double accuracy() const {
    check_samples();
    Index right = 0;
    for (Index k = 0; k < classes(); ++k) right += counts_(k, k);
    return static_cast<double>(right) / static_cast<double>(samples());
  }

  /// TP/(TP + FP) of class k; ValueError where there is no such class, as for the next three.
  double precision(Index k) const { return counts_of(k).precision(); }
  /// TP/(TP + FN) of class k.
  double recall(Index k) const { return counts_of(k).recall(); }
  /// 2 TP/(2 TP + FP + FN) of class k.
  double f1(Index k) const { return counts_of(k).f1(); }
  /// How many samples are of class k.
  Index support(Index k) const { return counts_of(k).actual; }

  /// The same three over all classes.
  double precision(ClassAverage average) const { return average_of(average, &detail::ClassCounts::precision); }
  /// TP/(TP + FN) over all classes.
  double recall(ClassAverage average) const { return average_of(average, &detail::ClassCounts::recall); }
  /// 2 TP/(2 TP + FP + FN) over all classes.
  double f1(ClassAverage average) const { return average_of(average, &detail::ClassCounts::f1); }

  /// A table for people, of a line for each true class. names: one for each class, else ShapeError; none: their numbers.
  std::string to_string(std::span<const std::string> names = {}) const {
    if (!names.empty() && std::ssize(names) != classes())
      detail::raise<ShapeError>("ConfusionMatrix: there are ", names.size(), " names for ", classes(), " classes");
    const auto name = [&](Index k) { return names.empty() ? std::to_string(k) : names[static_cast<std::size_t>(k)]; };

    const std::string corner = "truth \\ predicted";
    std::size_t margin = width_of(corner);
    std::vector<std::size_t> widths;
    for (Index k = 0; k < classes(); ++k) {
      const Index* column = counts_.data() + k * classes();
      const std::string largest = std::to_string(*std::max_element(column, column + classes()));
      widths.push_back(std::max(width_of(name(k)), largest.size()));
      margin = std::max(margin, width_of(name(k)));
    }
    const auto space = [](std::size_t width, const std::string& text) { return std::string(width - width_of(text), ' '); };

    std::string text = corner + space(margin, corner);
    const auto add_cell = [&](Index k, const std::string& cell) { text += "  " + space(widths[static_cast<std::size_t>(k)], cell) + cell; };
    for (Index k = 0; k < classes(); ++k) add_cell(k, name(k));
    for (Index truth = 0; truth < classes(); ++truth) {
      text += "\n" + name(truth) + space(margin, name(truth));
      for (Index k = 0; k < classes(); ++k) add_cell(k, std::to_string(counts_(truth, k)));
    }
    return text + "\n";
  }

 private:
  template <class Predictions, class Targets>
  void count(const Predictions& y_hat, const Targets& y) {
    for (Index j = 0; j < detail::samples_of(y); ++j) ++counts_(detail::class_of(y, j), detail::class_of(y_hat, j));
  }

  detail::ClassCounts counts_of(Index k) const {
    check_class(k);
    Index predicted = 0, actual = 0;
    for (Index i = 0; i < classes(); ++i) {
      predicted += counts_(i, k);
      actual += counts_(k, i);
    }
    return {counts_(k, k), predicted, actual};
  }

  double average_of(ClassAverage average, detail::ClassScore score) const {
    check_samples();
    detail::AverageScore result(average, score);
    for (Index k = 0; k < classes(); ++k) result.add(counts_of(k));
    return result.value();
  }

  void check_class(Index k) const {
    if (k < 0 || k >= classes()) detail::raise<ValueError>("ConfusionMatrix: there is no class ", k, "; classes are 0 to ", classes() - 1);
  }

  void check_samples() const {
    if (samples() == 0) detail::raise<StateError>("ConfusionMatrix: no sample is counted yet; call add(y_hat, y) first");
  }

  /// In characters: all bytes of UTF-8 but those that continue a character.
  static std::size_t width_of(const std::string& text) {
    const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
  }

  Matrix<Index> counts_;  // summed by loops: nobody else has Eigen's expressions of Index, which all files would compile
};

}  // namespace chainrule
