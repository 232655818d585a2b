#pragma once

#include <chainrule/bytes/file.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/data/detail/csv_columns.hpp>

namespace chainrule::detail {

/// What becomes of the target columns.
enum class CsvTargets { labels, numbers, none };

/// Reads a table's values in the order of the file, sample after sample. Each error is a ValueError with file, line and column.
template <class Scalar>
class CsvReader {
 public:
  CsvReader(std::string_view text, const CsvOptions& options, const std::string& file, CsvTargets targets)
      : options_{options}, targets_are_{targets}, places_{file}, is_missing_{options.missing_words}, classes_{options.classes} {
    check_options();
    refuse_gzip(file, text);
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
      raise<ValueError>(file, ": expected text in UTF-8, but this is UTF-16; save it as UTF-8");
    CsvScanner rows(text, options.separator, places_);
    if (!rows.next_row()) raise<ValueError>(file, " is empty");
    const std::size_t columns = rows.cells().size();
    if (options.header) {
      for (const CsvCell& cell : rows.cells()) places_.columns.emplace_back(cell.text);
      check_unique(places_, rows.line());
    }
    roles_ = csv_roles(places_, columns, options);
    if (options.header && !rows.next_row()) raise<ValueError>(file, " holds a header, but no row below it");
    do {
      if (rows.cells().size() != columns)
        raise<ValueError>(places_.line(rows.line()), ": expected ", columns, " values, as in the first row, but found ",
                          rows.cells().size());
      read_row(rows.cells());
    } while (rows.next_row());
    if (samples_ == 0) raise<ValueError>(file, ": no row is left, because each one has a missing value");
    if (!missing_.empty()) fill_with_means();
    if (targets_are_ == CsvTargets::labels) classes_.sort(places_, find_column(places_, columns, options.target[0]), labels_);
  }

  Matrix<Scalar> features() const { return matrix(features_); }
  Matrix<Scalar> targets() const { return matrix(targets_); }
  const std::vector<int>& labels() const { return labels_; }
  const std::vector<std::string>& classes() const { return classes_.names(); }

  /// The names of the columns that are features, or of those that are targets, in their order; none where there is no header.
  std::vector<std::string> names(CsvRole::Kind kind) const {
    std::vector<std::string> names(kind == CsvRole::target ? options_.target.size() : 0);
    for (std::size_t i = 0; i < places_.columns.size(); ++i) {
      if (roles_[i].kind != kind) continue;
      if (kind == CsvRole::target)
        names[roles_[i].slot] = places_.columns[i];
      else
        names.push_back(places_.columns[i]);
    }
    return places_.columns.empty() ? std::vector<std::string>{} : names;
  }

 private:
  void check_options() const {
    const std::size_t targets = options_.target.size();
    check_separator(places_.file, options_.separator);
    if (targets_are_ == CsvTargets::none && targets > 0)
      raise<ValueError>(places_.file,
                        ": a matrix holds features alone, but .target names a column; put it into .ignore, or read a Dataset");
    if (targets_are_ != CsvTargets::none && targets == 0)
      raise<ValueError>(places_.file, ": which column is the target? Say {.target = \"its name\"}, or {.target = -1} for the last one");
    if (targets_are_ == CsvTargets::labels && targets > 1)
      raise<ValueError>(places_.file, ": labels are one column, but .target names ", targets, "; numbers are read as a RegressionDataset");
  }

  bool lacks_a_value(const std::vector<CsvCell>& cells) const {
    for (std::size_t i = 0; i < cells.size(); ++i)
      if (roles_[i].kind != CsvRole::ignored && is_missing_(cells[i].text)) return true;
    return false;
  }

  void read_row(const std::vector<CsvCell>& cells) {
    if (options_.missing == Missing::drop_row && lacks_a_value(cells)) return;
    const std::size_t begin = targets_.size();
    if (targets_are_ == CsvTargets::numbers) targets_.resize(begin + options_.target.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const CsvRole role = roles_[i];
      if (role.kind == CsvRole::ignored) continue;
      if (is_missing_(cells[i].text)) {
        check_may_be_missing(cells[i], i);
        missing_.push_back({features_.size(), i});
        features_.push_back(0);
      } else if (role.kind == CsvRole::feature) {
        features_.push_back(number(cells[i], i));
      } else if (targets_are_ == CsvTargets::labels) {
        labels_.push_back(classes_.label(places_, i, cells[i]));
      } else {
        targets_[begin + role.slot] = number(cells[i], i);
      }
    }
    ++samples_;
  }

  Scalar number(const CsvCell& cell, std::size_t column) const {
    Scalar value{};
    const ParseResult parsed = parse_number(cell.text, value);
    if (parsed == ParseResult::invalid)
      raise<ValueError>(places_.cell(cell.line, column), ": expected a number, but found ", in_quotes(cell.text),
                        "; .ignore leaves a column out, .missing_words are what stands for no value");
    if (parsed == ParseResult::out_of_range)
      raise<ValueError>(places_.cell(cell.line, column), ": expected a number of at most ", std::numeric_limits<Scalar>::max(),
                        ", but found ", in_quotes(cell.text));
    return value;
  }

  void check_may_be_missing(const CsvCell& cell, std::size_t column) const {
    const bool is_target = roles_[column].kind == CsvRole::target;
    if (options_.missing == Missing::error || is_target)
      raise<ValueError>(places_.cell(cell.line, column), ": expected ", is_target ? "a target" : "a number", ", but the value is missing, ",
                        in_quotes(cell.text), "; .missing = Missing::drop_row leaves such rows out",
                        is_target ? "" : ", Missing::mean puts the mean of the column there");
  }

  /// Puts the mean of a feature's other values where it is missing.
  void fill_with_means() {
    const std::size_t features = features_.size() / samples_;
    std::vector<Accumulator<Scalar>> mean(features);
    for (std::size_t i = 0; i < features_.size(); ++i) mean[i % features] += features_[i];  // + 0 where it is missing
    std::vector<std::size_t> known(features, samples_);
    for (const MissingValue& missing : missing_)
      if (--known[missing.place % features] == 0)
        raise<ValueError>(places_.cell(1, missing.column), ": the column has no mean, because all of its values are missing; set .ignore");
    for (std::size_t f = 0; f < features; ++f) mean[f] /= static_cast<Accumulator<Scalar>>(known[f]);
    for (const MissingValue& missing : missing_) features_[missing.place] = static_cast<Scalar>(mean[missing.place % features]);
  }

  Matrix<Scalar> matrix(const std::vector<Scalar>& values) const {
    const Index samples = static_cast<Index>(samples_);
    return Eigen::Map<const Matrix<Scalar>>(values.data(), static_cast<Index>(values.size()) / samples, samples);
  }

  struct MissingValue {
    std::size_t place;  // in features_
    std::size_t column;
  };

  const CsvOptions& options_;
  CsvTargets targets_are_;
  CsvPlaces places_;
  MissingWords is_missing_;
  CsvClasses classes_;
  std::vector<CsvRole> roles_ = {};
  std::size_t samples_ = 0;
  std::vector<Scalar> features_ = {};
  std::vector<Scalar> targets_ = {};
  std::vector<int> labels_ = {};
  std::vector<MissingValue> missing_ = {};
};

}  // namespace chainrule::detail
