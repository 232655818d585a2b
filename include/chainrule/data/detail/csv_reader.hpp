#pragma once
// Reads the rows of a CSV table with the scanner, and collects numbers and labels by the roles of the columns.

#include <chainrule/bytes/file.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/data/data_part.hpp>
#include <chainrule/data/detail/csv_columns.hpp>

namespace chainrule::detail {

/// How the target columns are read: as class labels, as numbers, or not at all.
enum class CsvTargetKind { labels, numbers, none };

/// Reads a table, or a part of its rows, in its constructor; the member functions return the results. Errors are ValueErrors with file,
/// line and column.
///
/// A part is read as it is in the whole table. So all rows are cut into cells, and what the values of one part could not tell is taken
/// from all of them: which rows have a missing value, the names of the classes, which columns hold words for no and yes, and whether the
/// first column is an index. Other cells outside the part are not looked at.
template <class Scalar>
class CsvReader {
 public:
  CsvReader(std::string_view text, const CsvOptions& options, const std::string& file, CsvTargetKind target_kind, const DataPart& part)
      : options_{options},
        target_kind_{target_kind},
        locator_{file},
        missing_words_{options.missing_words, options.also_missing},
        class_names_{file, options.classes} {
    check_options();
    check_encoding(file, text);
    CsvScanner rows(text, {options.separator, options.skip_lines}, locator_);
    if (!rows.next_row()) raise<ValueError>(file, options.skip_lines > 0 ? " has no row below the lines to skip" : " is empty");
    std::size_t columns = rows.cells().size();
    if (options.header) {
      const std::string header = locator_.line(rows.line());
      std::size_t named = columns;  // columns up to the last one with a name; millions of separators need no memory for names
      while (named > 0 && rows.cells()[named - 1].text.empty()) --named;
      locator_.columns.reserve(named);
      for (std::size_t i = 0; i < named; ++i) locator_.columns.emplace_back(rows.cells()[i].text);
      if (!rows.next_row()) {
        check_unique_names(header, columns, [&](std::size_t i) { return i < named ? std::string_view(locator_.columns[i]) : ""; });
        raise<ValueError>(file, " has a header, but no row below it");
      }
      while (columns > named && rows.cells()[columns - 1].text.empty() && !options_name("")) --columns;
      locator_.columns.resize(columns);
      check_unique_names(header, columns, [&](std::size_t i) { return std::string_view(locator_.columns[i]); });
    }
    roles_ = roles_of_columns(locator_, columns, options);
    if (target_kind_ == CsvTargetKind::labels) label_column_ = find_column(locator_, columns, options.target[0]);
    features_.reserve(columns);  // at once, because they may be many
    has_index_name_ = !locator_.columns.empty() && looks_like_index(locator_.columns[0]) && roles_[0].kind == CsvRole::feature;
    static_cast<void>(part.range_of(0));  // throws for a part that does not exist
    if (part.of == 1) {
      do {
        read_row(rows.cells());
      } while (rows.next_row());
      check_any_row(samples_);
      if (has_index_name_)
        for (std::size_t i = 0; i < features_.size(); i += features_.size() / samples_) index_.push_back(static_cast<double>(features_[i]));
    } else {
      read_part(rows, part);
    }
    if (has_index_name_) refuse_index();
    if (target_kind_ == CsvTargetKind::labels) class_names_.sort(locator_, label_column_, labels_);
  }

  /// The features, features x samples.
  Matrix<Scalar> features() const {
    return matrix(features_,
                  std::count_if(roles_.begin(), roles_.end(), [](const CsvRole& role) { return role.kind == CsvRole::feature; }));
  }
  /// The targets, outputs x samples, for CsvTargetKind::numbers.
  Matrix<Scalar> targets() const { return matrix(targets_, static_cast<Index>(options_.target.size())); }
  /// The label of each sample, for CsvTargetKind::labels.
  const std::vector<int>& labels() const { return labels_; }
  /// The names of classes 0, 1, ..., for CsvTargetKind::labels.
  const std::vector<std::string>& class_names() const { return class_names_.names(); }

  /// The names of the feature columns, in the order of the file, or of the target columns, in the order of the options; empty where
  /// there is no header.
  std::vector<std::string> names(CsvRole::Kind kind) const {
    std::vector<std::string> names(kind == CsvRole::target ? options_.target.size() : 0);
    for (std::size_t i = 0; i < locator_.columns.size(); ++i) {
      if (roles_[i].kind != kind) continue;
      if (kind == CsvRole::target)
        names[roles_[i].target_index] = locator_.columns[i];
      else
        names.push_back(locator_.columns[i]);
    }
    return locator_.columns.empty() ? std::vector<std::string>{} : names;
  }

 private:
  void check_options() const {
    const std::size_t targets = options_.target.size();
    check_layout(locator_.file, options_.separator, options_.decimal, options_.skip_lines);
    if (target_kind_ == CsvTargetKind::none && targets > 0)
      raise<ValueError>(locator_.file,
                        ": a matrix holds features alone, but .target names a column; put it into .ignore, or read a Dataset");
    if (target_kind_ != CsvTargetKind::none && targets == 0)
      raise<ValueError>(locator_.file, ": which column is the target? Say {.target = \"its name\"}, or {.target = -1} for the last one");
    if (target_kind_ == CsvTargetKind::labels && targets > 1)
      raise<ValueError>(locator_.file, ": class labels are one column, but .target names ", targets,
                        "; read numbers as a RegressionDataset");
  }

  /// Whether .target or .ignore refers to a column by this name.
  bool options_name(std::string_view name) const {
    const auto is_it = [&](const CsvColumn& column) { return column.is_name() && column.name() == name; };
    return std::any_of(options_.target.begin(), options_.target.end(), is_it) ||
           std::any_of(options_.ignore.begin(), options_.ignore.end(), is_it);
  }

  /// Whether the cell is in use and holds no value. A name of CsvOptions::classes is a value, whatever it is.
  bool is_missing(const CsvCell& cell, const CsvRole& role) const {
    if (role.kind == CsvRole::ignored || !missing_words_(cell.text)) return false;
    return !(role.kind == CsvRole::target && target_kind_ == CsvTargetKind::labels && class_names_.knows(cell.text));
  }

  bool has_missing_value(const std::vector<CsvCell>& cells) const {
    for (std::size_t i = 0; i < roles_.size(); ++i)
      if (is_missing(cells[i], roles_[i])) return true;
    return false;
  }

  /// Whether the row is left out, because of a missing value.
  bool is_dropped(const std::vector<CsvCell>& cells) const { return options_.missing == Missing::drop_row && has_missing_value(cells); }

  /// Reads the rows of the part, among the current row and all after it.
  void read_part(CsvScanner& rows, const DataPart& part) {
    for (std::size_t i = 0; i < roles_.size(); ++i)
      if (roles_[i].kind == CsvRole::feature || (roles_[i].kind == CsvRole::target && target_kind_ == CsvTargetKind::numbers))
        unknown_.push_back(i);
    std::vector<CsvScanner::Place> kept;  // the rows that are not left out
    do {
      if (is_dropped(rows.cells())) continue;
      kept.push_back(rows.place());
      look_at(rows.cells());
    } while (rows.next_row());
    check_any_row(kept.size());
    const SampleRange range = part.range_of(static_cast<Index>(kept.size()));
    for (Index i = range.first; i < range.first + range.count; ++i) {
      rows.go_to(kept[static_cast<std::size_t>(i)]);
      rows.next_row();
      read_row(rows.cells());
    }
  }

  /// Takes from a row what reading any part of the table needs of all rows.
  void look_at(const std::vector<CsvCell>& cells) {
    std::erase_if(unknown_, [&](std::size_t i) {
      if (is_missing(cells[i], roles_[i])) return false;
      number(cells[i], i);
      return true;
    });
    if (target_kind_ == CsvTargetKind::labels && !is_missing(cells[label_column_], roles_[label_column_]))
      class_names_.label(locator_, label_column_, label_cell(cells[label_column_]));
    if (has_index_name_)
      index_.push_back(is_missing(cells[0], roles_[0]) ? std::numeric_limits<double>::quiet_NaN()
                                                       : static_cast<double>(number(cells[0], 0)));
  }

  void check_any_row(std::size_t rows) const {
    if (rows == 0) raise<ValueError>(locator_.file, ": no row is left, because every row has a missing value");
  }

  void read_row(const std::vector<CsvCell>& cells) {
    for (std::size_t i = roles_.size(); i < cells.size(); ++i) check_empty(locator_, i, cells[i]);
    if (is_dropped(cells)) return;
    const std::size_t begin = targets_.size();
    if (target_kind_ == CsvTargetKind::numbers) targets_.resize(begin + options_.target.size());
    for (std::size_t i = 0; i < roles_.size(); ++i) {
      const CsvRole role = roles_[i];
      if (role.kind == CsvRole::ignored) continue;
      if (is_missing(cells[i], role)) {
        check_missing_allowed(cells[i], i);
        features_.push_back(std::numeric_limits<Scalar>::quiet_NaN());
      } else if (role.kind == CsvRole::feature) {
        features_.push_back(number(cells[i], i));
      } else if (target_kind_ == CsvTargetKind::labels) {
        labels_.push_back(class_names_.label(locator_, i, label_cell(cells[i])));
      } else {
        targets_[begin + role.target_index] = number(cells[i], i);
      }
    }
    ++samples_;
  }

  /// The cell of a label. A number with a decimal comma gets a point, so that 7,0 is the class 7, unless a known class has a comma itself.
  CsvCell label_cell(const CsvCell& cell) {
    Scalar number{};
    const bool keep = options_.decimal == '.' || class_names_.knows(cell.text) ||
                      parse_csv_number(cell.text, options_.decimal, number) != ParseResult::number;
    return keep ? cell : CsvCell{with_point(cell.text, options_.decimal, scratch_), cell.line};
  }

  /// Returns the number in the cell, or 0 and 1 for words for no and yes.
  Scalar number(const CsvCell& cell, std::size_t column) {
    signed char& content = roles_[column].content;
    Scalar value{};
    const ParseResult parsed = parse_csv_number(cell.text, options_.decimal, value);
    if (parsed == ParseResult::number && content == CsvRole::numbers) return value;
    const Answer answer = parsed == ParseResult::invalid ? answer_of(cell.text) : Answer{};
    if (content == CsvRole::unknown) content = answer.pair >= 0 ? static_cast<signed char>(answer.pair) : CsvRole::numbers;
    if (content >= 0 && answer.pair != content) {
      const auto& [no, yes] = answers[static_cast<std::size_t>(content)];
      raise<ValueError>(locator_.cell(cell.line, column), ": expected \"", no, "\" or \"", yes, "\", as in the rows above, but found ",
                        in_quotes(cell.text));
    }
    if (content >= 0) return answer.is_yes ? Scalar{1} : Scalar{0};
    if (parsed == ParseResult::invalid)
      raise<ValueError>(locator_.cell(cell.line, column), ": expected a number, but found ", in_quotes(cell.text),
                        "; leave out the column with .ignore, add this text to .also_missing if it stands for a missing value, or take ",
                        "read_table and Preprocessing for features that are words");
    if (parsed == ParseResult::out_of_range)
      raise<ValueError>(locator_.cell(cell.line, column), ": expected a number of at most ", (std::numeric_limits<Scalar>::max)(),
                        ", but found ", in_quotes(cell.text));
    return value;
  }

  void check_missing_allowed(const CsvCell& cell, std::size_t column) const {
    const bool is_target = roles_[column].kind == CsvRole::target;
    if (options_.missing == Missing::error || is_target)
      raise<ValueError>(locator_.cell(cell.line, column), ": expected ", is_target ? "a target" : "a number",
                        ", but the value is missing, ", in_quotes(cell.text), "; .missing = Missing::drop_row leaves out such rows",
                        is_target ? "" : ", Missing::nan reads NaN, which a MeanImputer can replace by the mean");
  }

  /// Throws ValueError where the first feature numbers the rows.
  void refuse_index() {
    if (are_index_numbers(index_))
      raise<ValueError>(locator_.file, ": column 1 numbers the rows and is named ", in_quotes(locator_.columns[0]),
                        ", as an index that pandas has written, which is no feature; leave it out with .ignore = 0, or give it another "
                        "name if it is one");
  }

  Matrix<Scalar> matrix(const std::vector<Scalar>& values, Index rows) const {
    return Eigen::Map<const Matrix<Scalar>>(values.data(), rows, static_cast<Index>(samples_));
  }

  const CsvOptions& options_;
  CsvTargetKind target_kind_;
  CsvLocator locator_;
  MissingWords missing_words_;
  CsvClassNames<int> class_names_;
  std::vector<CsvRole> roles_ = {};
  std::size_t label_column_ = 0;           // for CsvTargetKind::labels
  bool has_index_name_ = false;            // whether the first column is a feature with a name that an index may have
  std::vector<double> index_ = {};         // then its numbers in all rows
  std::vector<std::size_t> unknown_ = {};  // the columns of numbers in which no row so far has a value; for a part of the rows
  std::size_t samples_ = 0;                // the vectors below hold the values sample by sample, in the order of the file
  std::vector<Scalar> features_ = {};
  std::vector<Scalar> targets_ = {};
  std::vector<int> labels_ = {};
  std::string scratch_ = {};
};

}  // namespace chainrule::detail
