#pragma once

#include <algorithm>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/selection/detail/text_table.hpp>
#include <chainrule/training/progress.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chainrule {

/// The result of one training of a cross-validation.
struct FoldResult {
  /// "loss", the mean loss of the last epoch of the training; then the quantities that fit measures for this fold's validation part:
  /// "validation_loss", "validation_accuracy" and so on, without the l1 and l2 penalties. NaN where the training diverged.
  std::vector<Quantity> quantities{};
  std::vector<std::string> notes{};  ///< the sentences of fit on data and options with which a training works, but probably not well
  Index epochs = 0;                  ///< number of complete epochs
  double seconds = 0;                ///< time of the training
  std::string diverged{};            ///< the message of the DivergenceError that ended the training; empty where there was none
  std::uint64_t fingerprint = 0;     ///< a number made from data, network and options where the results are kept in a file, else 0

  /// The value of a quantity. Throws ValueError, which lists the quantities, where there is none of this name.
  double operator[](std::string_view name) const {
    std::string known;
    for (const Quantity& quantity : quantities) {
      if (quantity.name == name) return quantity.value;
      known += (known.empty() ? "" : ", ") + quantity.name;
    }
    detail::raise<ValueError>("cross-validation: there is no quantity \"", name, "\"; there are: ", known);
  }

  /// Writes or reads the result.
  template <class Archive>
  void archive(Archive& a) {
    std::size_t count = quantities.size();
    a(count);
    if (a.reads()) quantities.clear();
    for (std::size_t i = 0; i < count; ++i) {
      if (a.reads()) quantities.emplace_back();
      a(quantities[i].name, quantities[i].value);
    }
    a(notes, epochs, seconds, diverged, fingerprint);
  }
};

/// The results of a cross-validation: each quantity for each fold, with mean and standard deviation. `std::cout << result` prints a table.
class CrossValidation {
 public:
  /// Takes the results of the folds, in their order.
  explicit CrossValidation(std::vector<FoldResult> folds = {}) : folds_{std::move(folds)} {}

  const std::vector<FoldResult>& folds() const { return folds_; }  ///< one result for each fold

  /// The values of one quantity, one for each fold. Throws ValueError, which lists the quantities, where there is none of this name.
  std::vector<double> operator[](std::string_view quantity) const {
    std::vector<double> values;
    for (const FoldResult& fold : folds_) values.push_back(fold[quantity]);
    return values;
  }
  /// The mean of a quantity over the folds. NaN where a training diverged, and infinite or NaN where a value is.
  double mean(std::string_view quantity) const {
    double sum = 0;
    for (const double value : (*this)[quantity]) sum += value;
    return sum / static_cast<double>(folds_.size());
  }
  /// The standard deviation of a quantity over the folds, the root of the mean square distance from the mean (NumPy's std, which
  /// scikit-learn reports as std_test_score). NaN where a value is not finite.
  double deviation(std::string_view quantity) const {
    const double center = mean(quantity);
    double sum = 0;
    for (const double value : (*this)[quantity]) sum += detail::rounded((value - center) * (value - center));
    return std::sqrt(sum / static_cast<double>(folds_.size()));
  }
  /// How many trainings diverged.
  Index diverged() const {
    Index count = 0;
    for (const FoldResult& fold : folds_) count += fold.diverged.empty() ? 0 : 1;
    return count;
  }

  /// The notes of all folds, each of them once.
  std::vector<std::string> notes() const {
    std::vector<std::string> all;
    for (const FoldResult& fold : folds_)
      for (const std::string& note : fold.notes)
        if (std::find(all.begin(), all.end(), note) == all.end()) all.push_back(note);
    return all;
  }

  /// A table with a line for each fold, the mean and the standard deviation of each quantity, a sentence for each training that diverged,
  /// and the notes.
  std::string to_string() const {
    if (folds_.empty()) return "cross-validation of no folds\n";
    std::vector<std::vector<std::string>> rows{{"fold", "epochs", "seconds"}};
    for (std::size_t f = 0; f < folds_.size(); ++f)
      rows.push_back({std::to_string(f), std::to_string(folds_[f].epochs), detail::in_table(folds_[f].seconds)});
    rows.push_back({"mean", "", ""});
    rows.push_back({"deviation", "", ""});
    for (const Quantity& quantity : folds_.front().quantities) {
      rows[0].push_back(quantity.name);
      for (std::size_t f = 0; f < folds_.size(); ++f) rows[f + 1].push_back(detail::in_table(folds_[f][quantity.name]));
      rows[folds_.size() + 1].push_back(detail::in_table(mean(quantity.name)));
      rows[folds_.size() + 2].push_back(detail::in_table(deviation(quantity.name)));
    }
    std::string text = detail::text_table(rows, 1);
    for (std::size_t f = 0; f < folds_.size(); ++f)
      if (!folds_[f].diverged.empty()) text += detail::text_of("fold ", f, " diverged: ", folds_[f].diverged, "\n");
    for (const std::string& note : notes()) text += "note: " + note + "\n";
    return text;
  }
  /// Prints the table.
  template <class Stream>
  friend Stream& operator<<(Stream& out, const CrossValidation& result) {
    out << result.to_string();
    return out;
  }

 private:
  std::vector<FoldResult> folds_;
};

}  // namespace chainrule
