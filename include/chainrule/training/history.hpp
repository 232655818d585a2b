#pragma once

#include <chainrule/bytes/file.hpp>
#include <chainrule/training/progress.hpp>
#include <span>

namespace chainrule {

/// The value of every quantity after every epoch. `fit` returns its History. Pass one as an observer to read it while the training runs,
/// or to keep it if an exception ends the training.
/// @code{.cpp}
/// auto history = trainer.fit(train, {.epochs = 20, .validation = test});
/// const double last = history["validation_loss"].back();
/// history.write_csv("history.csv");
/// @endcode
class History {
 public:
  static constexpr std::string_view name = "History";  ///< the name in descriptions, files and messages

  /// One epoch.
  struct Row {
    Index epoch;                 ///< number of the epoch, counted from 1
    double seconds;              ///< time from the start of the training to the end of the epoch
    double learning_rate;        ///< learning rate of the last step of the epoch
    std::vector<double> values;  ///< the quantities, in the order of names()
  };

  std::string stopped_because;     ///< reason given to stop(), such as "interrupted"; empty if nothing stopped the training
  std::vector<std::string> notes;  ///< the sentences of Progress::notes on data and options; filled when the training ends

  const std::vector<std::string>& names() const { return names_; }   ///< names of the quantities; the first is "loss"
  const std::vector<Row>& rows() const { return rows_; }             ///< one row for each epoch
  Index epochs() const { return static_cast<Index>(rows_.size()); }  ///< number of complete epochs

  /// The values of one quantity, one for each epoch. Throws ValueError if there is no quantity of this name.
  std::vector<double> operator[](std::string_view quantity) const {
    std::size_t k = 0;
    while (k < names_.size() && names_[k] != quantity) ++k;
    if (k == names_.size()) {
      std::string known;
      for (const std::string& one : names_) known += (known.empty() ? "" : ", ") + one;
      detail::raise<ValueError>("History has no \"", quantity, "\"; it has: ", known);
    }
    std::vector<double> values;
    for (const Row& row : rows_) values.push_back(row.values[k]);
    return values;
  }

  /// CSV text: the header "epoch,seconds,learning_rate,loss,..." and a line for each epoch.
  std::string to_csv() const {
    std::string text = "epoch,seconds,learning_rate";
    for (const std::string& one : names_) detail::append(text += ',', one);
    for (const Row& row : rows_) {
      text += detail::text_of("\n", row.epoch, ",", row.seconds, ",", row.learning_rate);
      for (const double value : row.values) detail::append(text += ',', value);
    }
    return text + "\n";
  }

  /// Writes to_csv() into a file. Throws Error with the reason if it cannot be written.
  void write_csv(const std::string& path) const { detail::write_file("History", path, to_csv()); }

  /// Called by the trainer before the first step.
  void training_started(const Progress& progress) {
    names_.clear();
    rows_.clear();
    stopped_because.clear();
    notes.clear();
    for (const Quantity& quantity : progress.quantities) names_.push_back(quantity.name);
    rows_.reserve(static_cast<std::size_t>(progress.epochs));
  }
  /// Called by the trainer after each epoch.
  void epoch_ended(const Progress& progress) {
    rows_.push_back({progress.epoch, progress.seconds(), progress.learning_rate, {}});
    for (const Quantity& quantity : progress.quantities) rows_.back().values.push_back(quantity.value);
  }
  /// Writes or reads the rows. The names are not stored, because training_started sets them.
  template <class Archive>
  void archive(Archive& a) {
    std::size_t count = rows_.size();
    a(count);
    if (a.reads()) rows_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      if (a.reads()) rows_.push_back({0, 0, 0, std::vector<double>(names_.size())});
      a(rows_[i].epoch, rows_[i].seconds, rows_[i].learning_rate, std::span(rows_[i].values));
    }
  }
  /// Called by the trainer at the end, also when an exception ends the training.
  void training_ended(const Progress& progress) {
    stopped_because = progress.stopped_because;
    notes = progress.notes;
  }

 private:
  std::vector<std::string> names_;
  std::vector<Row> rows_;
};

}  // namespace chainrule
