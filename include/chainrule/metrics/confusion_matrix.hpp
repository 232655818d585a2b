#pragma once

#include <algorithm>
#include <chainrule/metrics/class_scores.hpp>
#include <chainrule/metrics/detail/metric_inputs.hpp>
#include <numeric>
#include <string>
#include <vector>

namespace chainrule {

/// Counts how often each true class is predicted as each class: a row for each true class, a column for each predicted class. Computes
/// accuracy, precision, recall and F1 from the counts. A score with denominator 0 is 0 (scikit-learn's zero_division = 0).
class ConfusionMatrix {
 public:
  /// Starts with all counts 0; add counts samples. Throws ValueError unless 1 <= classes <= 10,000.
  explicit ConfusionMatrix(Index classes) {
    if (classes < 1 || classes > 10'000) detail::raise<ValueError>("ConfusionMatrix: classes must be 1 to 10000, got ", classes);
    counts_.resize(classes, classes);
    std::fill_n(counts_.data(), counts_.size(), Index{0});
  }

  /// Counts these samples. y_hat, y and errors are as for Accuracy. Where both are labels, the number of classes is the largest label + 1.
  template <detail::LabelsOrProbabilities Predictions, detail::LabelsOrProbabilities Targets>
  ConfusionMatrix(const Predictions& y_hat, const Targets& y)
      : ConfusionMatrix(detail::checked_classes("ConfusionMatrix", detail::metric_view(y_hat), detail::metric_view(y))) {
    count(detail::metric_view(y_hat), detail::metric_view(y));
  }

  /// Counts more samples. y_hat and y are as for Accuracy. Throws as Accuracy does, and ShapeError where they have another number of
  /// classes. Allocates nothing.
  template <detail::LabelsOrProbabilities Predictions, detail::LabelsOrProbabilities Targets>
  void add(const Predictions& y_hat, const Targets& y) {
    const auto predictions = detail::metric_view(y_hat);
    const auto targets = detail::metric_view(y);
    const Index found = detail::checked_classes("ConfusionMatrix", predictions, targets, classes());
    const bool has_rows = detail::NumberMatrix<Predictions> || detail::NumberMatrix<Targets>;
    if (has_rows && found != classes())
      detail::raise<ShapeError>("ConfusionMatrix: it has ", classes(), " classes, but these predictions and targets have ", found);
    count(predictions, targets);
  }

  /// The number of classes.
  Index classes() const { return counts_.rows(); }
  /// The number of samples counted.
  Index samples() const { return std::accumulate(counts_.data(), counts_.data() + counts_.size(), Index{0}); }
  /// The counts, classes x classes: rows are true classes, columns are predicted classes.
  const Matrix<Index>& counts() const { return counts_; }
  /// The number of samples of class `truth` that are predicted as class `prediction`. Throws ValueError where there is no such class.
  Index operator()(Index truth, Index prediction) const {
    check_class(truth);
    check_class(prediction);
    return counts_(truth, prediction);
  }

  /// The share of samples predicted correctly. Throws StateError where no sample is counted yet.
  double accuracy() const {
    check_samples();
    Index correct = 0;
    for (Index k = 0; k < classes(); ++k) correct += counts_(k, k);
    return static_cast<double>(correct) / static_cast<double>(samples());
  }

  /// The precision of class k, TP/(TP + FP). Throws ValueError where there is no such class.
  double precision(Index k) const { return counts_of(k).precision(); }
  /// The recall of class k, TP/(TP + FN). Throws ValueError where there is no such class.
  double recall(Index k) const { return counts_of(k).recall(); }
  /// The F1 score of class k, 2 TP/(2 TP + FP + FN). Throws ValueError where there is no such class.
  double f1(Index k) const { return counts_of(k).f1(); }
  /// The number of samples of class k. Throws ValueError where there is no such class.
  Index support(Index k) const { return static_cast<Index>(counts_of(k).actual); }

  /// The precision averaged over all classes. Throws StateError where no sample is counted yet.
  double precision(ClassAverage average) const { return average_of(average, &detail::ClassCounts::precision); }
  /// The recall averaged over all classes. Throws StateError where no sample is counted yet.
  double recall(ClassAverage average) const { return average_of(average, &detail::ClassCounts::recall); }
  /// The F1 score averaged over all classes. Throws StateError where no sample is counted yet.
  double f1(ClassAverage average) const { return average_of(average, &detail::ClassCounts::f1); }

  /// Writes the counts as a table for people, one line per true class. `names` are the names of the classes; without names, classes are
  /// shown by number. Throws ShapeError where the number of names is not the number of classes.
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
      widths.push_back((std::max)(width_of(name(k)), largest.size()));
      margin = (std::max)(margin, width_of(name(k)));
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
    return {static_cast<double>(counts_(k, k)), static_cast<double>(predicted), static_cast<double>(actual)};
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

  /// Returns the number of characters of a text in UTF-8.
  static std::size_t width_of(const std::string& text) {
    const auto begins_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
  }

  Matrix<Index> counts_;  // summed in loops, because Eigen's expressions of Index are used nowhere else and would slow compilation
};

}  // namespace chainrule
