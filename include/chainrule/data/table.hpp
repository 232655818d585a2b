#pragma once
// Tables as files have them: texts in columns with names. Preprocessing turns them into numbers; this header does not.
//
// @code{.cpp}
// const Table table = read_table("churn.csv", {.separator = ';', .decimal = ','});
// for (const std::string& note : table.notes()) std::puts(note.c_str());
// const auto [train, test] = stratified_split(table, "churn", {.test_share = 0.2, .seed = Seed{1}});
// @endcode

#include <chainrule/data/data_part.hpp>
#include <chainrule/data/detail/csv_columns.hpp>
#include <chainrule/data/split.hpp>
#include <concepts>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>

namespace chainrule {

/// The layout of a file that read_table reads.
struct TableOptions {
  bool header = true;                   ///< whether the first row holds the names of the columns
  std::vector<std::string> names = {};  ///< names of the columns of a file without a header; where empty, they are "0", "1", ...
  char separator = ',';                 ///< the character between the values of a row; ' ' stands for any number of blanks and tabs
  char decimal = '.';                   ///< the decimal point of numbers: '.' or ','
  int skip_lines = 0;                   ///< how many lines before the header, or before the first row, are left out
  bool keep_index = false;              ///< whether a first column without a name that numbers the rows is kept
  std::vector<std::string> missing_words = usual_missing_words();  ///< texts that stand for a missing value
  std::vector<std::string> also_missing = {};                      ///< more such texts, beside missing_words
};

namespace detail {
template <class T>
class TableReader;
}

/// A table of texts: each column has a name, each row is a sample, and a cell is a text, which may stand for a missing value. A copy, and a
/// part of the rows that subset or split takes, shares the texts and takes 17 bytes for each of its cells.
class Table {
 public:
  /// Creates a table without columns and rows.
  Table() = default;

  /// Creates a table from rows in memory: rows[i][j] is the text of column j in row i, and missing where it is one of missing_words or
  /// also_missing. Of `options` only these and `decimal` are used. Throws ValueError for a name that occurs twice, ShapeError for a row
  /// that has not as many texts as there are names.
  /// @code{.cpp}
  /// const Table row({"age", "city"}, {{"42", "Bern"}});
  /// @endcode
  template <std::derived_from<TableOptions> Options = TableOptions>  // a template, so that only programs that call it compile it
  Table(std::vector<std::string> names, const std::vector<std::vector<std::string>>& rows, const Options& options = {})
      : names_{std::move(names)}, options_{options}, file_{"the table"} {
    if (options.separator == options.decimal) options_.separator = ';';  // so that files can have the layout too
    detail::check_layout(file_, options_.separator, options_.decimal, options_.skip_lines);
    check_names(names_);
    const detail::MissingWords missing(options.missing_words, options.also_missing);
    auto texts = std::make_shared<Texts>();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].size() != names_.size())
        detail::raise<ShapeError>(file_, ": row ", i + 1, " has ", rows[i].size(), " texts, but there are ", names_.size(), " columns");
      for (const std::string& text : rows[i]) {
        cells_.push_back(texts->own.emplace_back(text));
        missing_.push_back(missing(text));
      }
    }
    texts_ = std::move(texts);
    rows_ = rows.size();
    for (std::size_t j = 0; j < names_.size(); ++j) numbers_.push_back(j + 1);
  }

  Index size() const { return static_cast<Index>(rows_); }             ///< number of rows
  const std::vector<std::string>& names() const { return names_; }     ///< names of the columns, in the order of the file
  Index columns() const { return static_cast<Index>(names_.size()); }  ///< number of columns
  char decimal() const { return options_.decimal; }                    ///< the decimal point of its numbers: '.' or ','
  const TableOptions& options() const { return options_; }             ///< the layout of the file, or the options given
  const std::string& file() const { return file_; }                    ///< the name of the file, which begins error messages

  /// Sentences about what reading has recognised and left out: an index, and columns that are empty or repeat another one.
  const std::vector<std::string>& notes() const { return notes_; }

  /// Whether there is a column of this name.
  bool has(std::string_view name) const { return std::find(names_.begin(), names_.end(), name) != names_.end(); }

  /// The number of the column of this name, counted from 0. Throws ValueError, which lists the columns, where there is none.
  Index column(std::string_view name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end())
      detail::raise<ValueError>(file_, ": there is no column ", detail::in_quotes(name), "; there are ", detail::quoted_list(names_),
                                names_.size() == 1 ? "; set .separator if columns are separated by another character" : "");
    return found - names_.begin();
  }

  /// Whether the cell is missing. Row and column count from 0. Throws ShapeError where there is no such cell.
  bool is_missing(Index row, Index column) const { return missing_[cell(row, column)]; }

  /// The text of the cell, without quotes; where it is missing, the text that stands for that. The view stays valid as long as the table or
  /// a copy of it. Throws ShapeError where there is no such cell.
  std::string_view text(Index row, Index column) const { return cells_[cell(row, column)]; }

  /// Describes the place of a cell for error messages: "churn.csv, line 17, column 3 (city)".
  std::string place(Index row, Index column) const {
    static_cast<void>(cell(row, column));
    const auto i = static_cast<std::size_t>(row), j = static_cast<std::size_t>(column);
    return detail::text_of(file_, lines_.empty() ? ", row " : ", line ", lines_.empty() ? i + 1 : lines_[i], ", column ", numbers_[j], " (",
                           detail::excerpt(names_[j]), ")");
  }

  /// Copies the rows with these indices, in this order, to a table of their own; an index may occur several times. Throws ValueError for
  /// an index outside [0, size()).
  Table rows(const std::vector<Index>& indices) const {
    for (const Index i : indices)
      if (i < 0 || i >= size())
        detail::raise<ValueError>("subset: there is no row ", i, "; the ", size(), " rows of ", file_, " are counted from 0");
    Table part;
    part.names_ = names_;
    part.options_ = options_;
    part.file_ = file_;
    part.numbers_ = numbers_;
    part.notes_ = notes_;
    part.texts_ = texts_;
    part.rows_ = indices.size();
    part.cells_.reserve(indices.size() * names_.size());
    for (const Index i : indices) {
      for (std::size_t k = cell_in(i, 0); k < cell_in(i + 1, 0); ++k) {
        part.cells_.push_back(cells_[k]);
        part.missing_.push_back(missing_[k]);
      }
      // a table in memory has no lines, so its rows get the numbers that they had there
      part.lines_.push_back(lines_.empty() ? static_cast<std::size_t>(i) + 1 : lines_[static_cast<std::size_t>(i)]);
    }
    return part;
  }

  /// Copies a part of the rows to a table of their own, for the ranks of a training. There is no reader of a part of a file with words: a
  /// Preprocessing must be fitted to the same rows on all ranks, and not to the part of each, because they would make different numbers of
  /// a word.
  /// @code{.cpp}
  /// preprocessing.fit(table);
  /// train = preprocessing.dataset<float>(table.part(mpi.part()));
  /// @endcode
  Table part(const DataPart& part) const {
    const SampleRange range = part.range_of(size());
    std::vector<Index> indices(static_cast<std::size_t>(range.count));
    std::iota(indices.begin(), indices.end(), range.first);
    return rows(indices);
  }

 private:
  template <class T>
  friend class detail::TableReader;

  /// The characters that cells refer to: the text of a file, and texts that are not in it as they are, because of doubled quotes.
  struct Texts {
    std::string file = {};
    std::deque<std::string> own = {};
  };

  /// The place in `cells_`.
  std::size_t cell(Index row, Index column) const {
    if (row < 0 || row >= size() || column < 0 || column >= columns())
      detail::raise<ShapeError>(file_, ": there is no cell in row ", row, ", column ", column, "; there are ", size(), " rows and ",
                                columns(), " columns, counted from 0");
    return cell_in(row, column);
  }
  std::size_t cell_in(Index row, Index column) const {
    return static_cast<std::size_t>(row) * names_.size() + static_cast<std::size_t>(column);
  }

  template <class Names>
  void check_names(const Names& names) const {
    std::set<std::string_view> different;
    for (const std::string& name : names)
      if (!different.insert(name).second) detail::raise<ValueError>(file_, ": there are two columns ", detail::in_quotes(name));
  }

  std::vector<std::string> names_ = {};
  std::vector<std::string_view> cells_ = {};  // row by row
  std::vector<bool> missing_ = {};            // for each cell, whether its value is missing
  std::vector<std::size_t> lines_ = {};       // the line of each row, counted from 1; empty for a table that is from no file
  std::vector<std::size_t> numbers_ = {};     // the number of each column in the file, counted from 1
  std::vector<std::string> notes_ = {};
  std::shared_ptr<const Texts> texts_ = {};
  std::size_t rows_ = 0;
  TableOptions options_ = {};
  std::string file_ = "the table";
};

namespace detail {

/// Reads a table of type T, Table, from the text of a file. A template, so that only programs that read tables compile it.
template <class T>
class TableReader {
 public:
  TableReader(std::string text, const TableOptions& options, const std::string& file) : options_{options}, locator_{file} {
    check_layout(file, options.separator, options.decimal, options.skip_lines);
    if (options.header && !options.names.empty())
      raise<ValueError>(file, ": .names are those of a file without a header; set .header = false");
    auto texts = std::make_shared<typename T::Texts>();
    texts->file = std::move(text);
    read(*texts);
    table_.texts_ = std::move(texts);
    table_.options_ = options;
    table_.file_ = file;
    leave_out_columns();
    table_.check_names(table_.names_);
  }

  T take() { return std::move(table_); }

 private:
  void read(typename T::Texts& texts) {
    check_encoding(locator_.file, texts.file);
    const MissingWords missing(options_.missing_words, options_.also_missing);
    CsvScanner rows(texts.file, {options_.separator, options_.skip_lines}, locator_);
    if (!rows.next_row()) raise<ValueError>(locator_.file, options_.skip_lines > 0 ? " has no row below the lines to skip" : " is empty");
    const std::size_t columns = rows.cells().size();
    if (options_.header) {
      for (const CsvCell& cell : rows.cells()) locator_.columns.emplace_back(cell.text);
      if (!rows.next_row()) raise<ValueError>(locator_.file, " has a header, but no row below it");
      empty_at_end_ = empty_columns_at_end(locator_.columns, rows.cells());
      if (empty_at_end_ == columns)
        raise<ValueError>(locator_.file, ": the header has no names; set .header = false for a file without one");
    } else {
      if (!options_.names.empty() && options_.names.size() != columns)
        raise<ValueError>(locator_.file, ": .names has ", options_.names.size(), " names, but the file has ", columns, " columns");
      locator_.columns = options_.names;
      for (std::size_t j = options_.names.size(); j < columns; ++j) locator_.columns.push_back(std::to_string(j));
    }
    const std::less<const char*> before;
    const char* const begin = texts.file.data();
    const char* const end = begin + texts.file.size();
    do {
      table_.lines_.push_back(rows.line());
      for (std::size_t j = 0; j < columns; ++j) {
        const CsvCell& cell = rows.cells()[j];
        if (j >= columns - empty_at_end_) {
          check_empty(locator_, j, cell);
          continue;
        }
        const bool is_in_file = !before(cell.text.data(), begin) && !before(end, cell.text.data());
        table_.cells_.push_back(is_in_file ? cell.text : std::string_view(texts.own.emplace_back(cell.text)));
        table_.missing_.push_back(missing(cell.text));
      }
    } while (rows.next_row());
    table_.rows_ = table_.lines_.size();
    table_.names_.assign(locator_.columns.begin(), locator_.columns.end() - static_cast<std::ptrdiff_t>(empty_at_end_));
    for (std::size_t j = 0; j < table_.names_.size(); ++j) table_.numbers_.push_back(j + 1);
  }

  bool is_empty(std::size_t column) const {
    for (std::size_t k = column; k < table_.cells_.size(); k += table_.names_.size())
      if (!table_.missing_[k]) return false;
    return true;
  }

  bool is_index(std::size_t column) const {
    std::vector<double> numbers;
    for (std::size_t k = column; k < table_.cells_.size(); k += table_.names_.size())
      if (parse_csv_number(table_.cells_[k], options_.decimal, numbers.emplace_back()) != ParseResult::number) return false;
    return are_index_numbers(numbers);
  }

  bool are_equal(std::size_t a, std::size_t b) const {
    for (std::size_t row = 0; row < table_.cells_.size(); row += table_.names_.size())
      if (table_.cells_[row + a] != table_.cells_[row + b]) return false;
    return true;
  }

  /// Leaves out what is no column of values, and says so in the notes.
  void leave_out_columns() {
    const std::vector<std::string>& names = table_.names_;
    const auto note = [&](const auto&... parts) { table_.notes_.push_back(text_of(locator_.file, ": ", parts..., ", and is left out")); };
    std::vector<bool> left_out(names.size(), false);
    if (options_.header && !options_.keep_index && looks_like_index(names[0]) && is_index(0)) {
      left_out[0] = true;
      note("column 1 is an index: it is named ", in_quotes(names[0]), ", and holds a different whole number in each row");
    }
    std::map<std::string_view, std::size_t> first;  // the first column of each name
    for (std::size_t j = 0; j < names.size(); ++j) {
      if (left_out[j]) continue;
      if (options_.header && names[j].empty() && is_empty(j)) {
        left_out[j] = true;
        note("column ", j + 1, " has no name and no value");
        continue;
      }
      const auto [found, is_first] = first.emplace(names[j], j);
      if (is_first) continue;
      if (!are_equal(found->second, j))
        raise<ValueError>(locator_.file, ": expected different column names, but columns ", found->second + 1, " and ", j + 1, " are both ",
                          in_quotes(names[j]), " and hold different values; for a file without a header, set .header = false");
      left_out[j] = true;
      note("column ", j + 1, " has the name and the values of column ", found->second + 1, " (", excerpt(names[j]), ")");
    }
    for (std::size_t j = names.size(); j < locator_.columns.size(); ++j) note("column ", j + 1, " has no name and no value");
    keep_others(left_out);
  }

  void keep_others(const std::vector<bool>& left_out) {
    const std::size_t columns = left_out.size();
    if (std::find(left_out.begin(), left_out.end(), true) == left_out.end()) return;
    if (std::find(left_out.begin(), left_out.end(), false) == left_out.end())
      raise<ValueError>(locator_.file, ": no column is left: ", table_.notes_.front());
    std::size_t kept = 0;
    for (std::size_t k = 0; k < table_.cells_.size(); ++k)
      if (!left_out[k % columns]) {
        table_.cells_[kept] = table_.cells_[k];
        table_.missing_[kept++] = table_.missing_[k];
      }
    table_.cells_.resize(kept);
    table_.missing_.resize(kept);
    kept = 0;
    for (std::size_t j = 0; j < columns; ++j)
      if (!left_out[j]) {
        if (kept != j) table_.names_[kept] = std::move(table_.names_[j]);
        table_.numbers_[kept++] = j + 1;
      }
    table_.names_.resize(kept);
    table_.numbers_.resize(kept);
  }

  const TableOptions& options_;
  CsvLocator locator_;
  std::size_t empty_at_end_ = 0;
  T table_ = {};
};

}  // namespace detail

/// Reads a table from CSV text. `name` stands for the text in error messages. Values are not interpreted. Left out, with a sentence in
/// notes(), are columns without name and value, a column that has the name and the values of another one, and, unless .keep_index is set, a
/// first column without a name, or named "Unnamed: 0", that holds a different whole number in each row: an index that pandas has written.
/// Throws ValueError, with line and column, for what is no table, and for columns of the same name that differ. Takes memory of three to
/// ten times the text.
template <std::derived_from<TableOptions> Options = TableOptions>  // a template, as TableReader is
Table parse_table(std::string_view text, const Options& options = {}, const std::string& name = "the text") {
  return detail::TableReader<Table>(std::string(text), options, name).take();
}

/// Reads a table from a file, as parse_table does.
template <std::derived_from<TableOptions> Options = TableOptions>
Table read_table(const std::string& path, const Options& options = {}) {
  return detail::TableReader<Table>(detail::read_file("read_table", path), options, path).take();
}

/// Copies the rows with these indices, in this order, to a table of their own. Throws ValueError for an index outside [0, table.size()).
inline Table subset(const Table& table, const std::vector<Index>& indices) { return table.rows(indices); }

/// Returns the rows in which none of these columns has a missing value, as pandas' dropna(subset=...) does. Throws ValueError where there
/// is no such column.
template <std::derived_from<Table> T>
Table drop_missing(const T& table, const std::vector<std::string>& columns) {
  std::vector<Index> numbers;
  for (const std::string& name : columns) numbers.push_back(table.column(name));
  std::vector<Index> kept;
  for (Index i = 0; i < table.size(); ++i)
    if (std::none_of(numbers.begin(), numbers.end(), [&](Index j) { return table.is_missing(i, j); })) kept.push_back(i);
  return table.rows(kept);
}

/// Divides a table into a training and a test part. Throws ValueError unless 0 < test_share < 1 and neither part is empty.
template <std::derived_from<Table> T>
Split<Table> split(const T& table, const SplitOptions& options = {}) {
  const IndexSplit parts = split_indices(table.size(), options);
  return {table.rows(parts.train), table.rows(parts.test)};
}

namespace detail {

/// Returns a number for each row: equal for equal texts in the column. Throws ValueError where there is no such column or one of its values
/// is missing.
template <class T>
std::vector<int> strata(const T& table, const std::string& column) {
  const Index j = table.column(column);
  std::map<std::string_view, int> labels;
  std::vector<int> strata;
  for (Index i = 0; i < table.size(); ++i) {
    if (table.is_missing(i, j))
      raise<ValueError>(table.place(i, j), ": expected a class, but the value is missing; drop_missing(table, {", in_quotes(column),
                        "}) leaves out such rows");
    strata.push_back(labels.try_emplace(table.text(i, j), static_cast<int>(labels.size())).first->second);
  }
  return strata;
}

}  // namespace detail

/// Divides a table into a training and a test part, each with the same share of every text in the column, to within one row. Throws
/// ValueError as stratified_split of a data set does, and where a value of the column is missing.
template <std::derived_from<Table> T>
Split<Table> stratified_split(const T& table, const std::string& column, const SplitOptions& options = {}) {
  const IndexSplit parts = stratified_split_indices(detail::strata(table, column), options);
  return {table.rows(parts.train), table.rows(parts.test)};
}

/// Divides the rows of a table into k folds, each with the same share of every text in the column, to within one row; subset(table,
/// fold.train) takes them. Throws ValueError as stratified_k_fold of labels does, and where a value of the column is missing.
template <std::derived_from<Table> T>
std::vector<Fold> stratified_k_fold(const T& table, const std::string& column, Index k, const FoldOptions& options = {}) {
  return stratified_k_fold(detail::strata(table, column), k, options);
}

}  // namespace chainrule
