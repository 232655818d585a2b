#pragma once
// Cuts CSV text into rows of cells. Knows quotes, separators and line ends, and nothing about the meaning of columns.

#include <algorithm>
#include <chainrule/bytes/decimal.hpp>
#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/error.hpp>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::detail {

/// Describes positions in a table for error messages: "iris.csv, line 3, column 2 (petal length)".
struct CsvLocator {
  std::string file;
  std::vector<std::string> columns = {};  ///< the names of the columns, or empty

  /// Describes a line; `number` counts from 1.
  std::string line(std::size_t number) const { return text_of(file, ", line ", number); }
  /// Describes a cell; `line_number` counts from 1, `column` from 0.
  std::string cell(std::size_t line_number, std::size_t column) const {
    const std::string place = text_of(line(line_number), ", column ", column + 1);
    return column < columns.size() && !columns[column].empty() ? text_of(place, " (", excerpt(columns[column]), ")") : place;
  }
};

/// The byte order mark with which some programs begin a text in UTF-8.
inline constexpr std::string_view utf8_byte_order_mark = "\xef\xbb\xbf";

struct CsvCell {
  std::string_view text;  ///< the value without its quotes, or without the spaces and tabs around it where it has no quotes
  std::size_t line = 0;   ///< the line in which the cell begins, counted from 1
};

/// How a text is cut into cells.
struct CsvLayout {
  char separator = ',';  ///< the character between two cells; ' ' stands for any number of blanks and tabs
  int skip_lines = 0;    ///< how many lines at the beginning are left out
};

/// The largest number of columns that a table may have. It limits the memory for a row, of which each cell takes more than its text.
inline constexpr std::size_t max_csv_columns = std::size_t{1} << 20;

/// Cuts a text into rows of cells as RFC 4180 says: a cell in quotes may hold separators, line breaks and doubled quotes. Lines end with
/// \n, \r\n or \r; the last line needs no end. Blank lines at the end of the text are skipped. Throws ValueError for broken quotes, for
/// blank lines between rows, and for rows that have not as many cells as the first row or more than max_csv_columns. Where ' ' separates,
/// each run of blanks and tabs separates two cells, and those at the ends of a line none, as with sep="\\s+" in pandas.
class CsvScanner {
 public:
  /// `text` and `locator` must outlive the scanner.
  CsvScanner(std::string_view text, const CsvLayout& layout, const CsvLocator& locator)
      : at_{text.data()}, end_{text.data() + text.size()}, separator_{layout.separator}, locator_{locator} {
    if (text.starts_with(utf8_byte_order_mark)) at_ += utf8_byte_order_mark.size();
    for (int line = 0; line < layout.skip_lines && at_ != end_; ++line) {
      at_ = std::find_if(at_, end_, [](char c) { return c == '\n' || c == '\r'; });
      if (at_ != end_) end_line();
    }
    const auto separators = std::count(at_, std::find_if(at_, end_, [](char c) { return c == '\n' || c == '\r'; }), separator_);
    cells_.reserve((std::min)(static_cast<std::size_t>(separators) + 1, max_csv_columns));
  }

  /// Moves to the next row, and returns false where there is none. The row has at least one cell; cells() is valid until the next call.
  bool next_row() {
    std::size_t blank_line = 0;
    while (at_ != end_) {
      read_row();
      if (!is_blank_line_) {
        if (blank_line != 0) raise<ValueError>(locator_.line(blank_line), ": expected a row, but the line is blank and rows follow");
        check_length();
        return true;
      }
      if (blank_line == 0) blank_line = cells_.front().line;
    }
    return false;
  }

  const std::vector<CsvCell>& cells() const { return cells_; }

  /// Where a row begins in the text.
  struct Place {
    const char* at;
    std::size_t line;  // counted from 1
  };
  /// Where the current row begins.
  Place place() const { return begin_; }
  /// Lets next_row move to the row that begins at this place.
  void go_to(const Place& begin) {
    at_ = begin.at;
    line_ = begin.line;
  }

  /// The line in which the current row begins.
  std::size_t line() const { return cells_.front().line; }

 private:
  bool blanks_separate() const { return separator_ == ' '; }
  bool is_space(char c) const { return is_blank(c) && c != separator_ && !blanks_separate(); }
  bool ends_cell(char c) const { return c == separator_ || c == '\n' || c == '\r' || (blanks_separate() && c == '\t'); }

  /// Compares the number of cells with that of the first row.
  void check_length() {
    if (columns_ == 0 && length_ > max_csv_columns)
      raise<ValueError>(locator_.line(line()), ": expected at most ", max_csv_columns, " columns, but found ", length_);
    if (columns_ == 0) columns_ = length_;
    if (length_ != columns_)
      raise<ValueError>(locator_.line(line()), ": expected ", columns_, " values, as in the first row, but found ", length_);
  }

  void read_row() {
    length_ = 0;
    cells_.clear();
    unquoted_.clear();
    is_blank_line_ = true;
    begin_ = {at_, line_};
    for (;;) {
      if (blanks_separate() && !skip_blanks()) break;
      const char* begin = at_;
      while (at_ != end_ && is_space(*at_)) ++at_;
      if (at_ != end_ && *at_ == '"') {
        read_quoted();
        is_blank_line_ = false;
      } else {
        at_ = end_of_cell(at_);
        add(begin, at_);
      }
      if (blanks_separate()) continue;
      if (at_ == end_ || *at_ != separator_) break;
      is_blank_line_ = false;
      ++at_;
    }
    if (at_ != end_) end_line();
  }

  /// Steps over blanks and tabs, and returns whether a cell follows in the line. A line of blanks alone has one empty cell.
  bool skip_blanks() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
    if (at_ != end_ && *at_ != '\n' && *at_ != '\r') return true;
    if (length_ == 0) add(at_, at_);
    return false;
  }

  /// Finds the end of a cell without quotes. Most of the scanner's time is spent in this loop, so it works on local copies, which the
  /// compiler can keep in registers: a char* may alias the members.
  const char* end_of_cell(const char* at) const {
    const char* const end = end_;
    const char separator = separator_;
    if (blanks_separate())
      while (at != end && !is_blank(*at) && *at != '\n' && *at != '\r') ++at;
    else
      while (at != end && *at != separator && *at != '\n' && *at != '\r') ++at;
    return at;
  }

  void add(const char* begin, const char* end) {
    while (begin != end && is_space(*begin)) ++begin;
    while (begin != end && is_space(end[-1])) --end;
    if (begin != end) is_blank_line_ = false;
    store({std::string_view(begin, static_cast<std::size_t>(end - begin)), line_});
  }

  /// Appends a cell to the row. Cells beyond the length of the first row are only counted.
  void store(const CsvCell& cell) {
    if (++length_ <= (columns_ == 0 ? max_csv_columns : columns_)) cells_.push_back(cell);
  }

  /// Steps over a line end of one or two characters.
  void end_line() {
    if (*at_ == '\r' && at_ + 1 != end_ && at_[1] == '\n') ++at_;
    ++at_;
    ++line_;
  }

  /// Reads a cell in quotes, in which a doubled quote stands for one: "a, ""b""" is a, "b".
  void read_quoted() {
    const std::size_t line = line_;
    const char* begin = ++at_;
    bool has_doubled_quotes = false;
    for (;; ++at_) {
      while (at_ != end_ && (*at_ == '\n' || *at_ == '\r')) end_line();
      if (at_ == end_)
        raise<ValueError>(locator_.cell(line, length_), ": expected a closing quote, but the quote that begins here is never closed");
      if (*at_ != '"') continue;
      if (at_ + 1 == end_ || at_[1] != '"') break;
      has_doubled_quotes = true;
      ++at_;
    }
    std::string_view text(begin, static_cast<std::size_t>(at_ - begin));
    ++at_;
    while (at_ != end_ && is_space(*at_)) ++at_;
    if (at_ != end_ && !ends_cell(*at_))
      raise<ValueError>(locator_.cell(line, length_), ": expected a separator after the closing quote, but found ",
                        in_quotes(std::string_view(at_, 1)));
    store({has_doubled_quotes ? with_single_quotes(text) : text, line});
  }

  std::string_view with_single_quotes(std::string_view text) {
    std::string& single = unquoted_.emplace_back();
    for (std::size_t i = 0; i < text.size(); ++i) {
      single += text[i];
      if (text[i] == '"') ++i;
    }
    return single;
  }

  const char* at_;
  const char* end_;
  char separator_;
  const CsvLocator& locator_;
  std::size_t line_ = 1;
  bool is_blank_line_ = true;
  Place begin_ = {nullptr, 0};
  std::vector<CsvCell> cells_ = {};
  std::size_t length_ = 0;                 // the number of cells in the current row
  std::size_t columns_ = 0;                // the number of cells in the first row, or 0 before it is known
  std::deque<std::string> unquoted_ = {};  // a deque, because growing does not move its strings, which cells_ refers to
};

}  // namespace chainrule::detail
