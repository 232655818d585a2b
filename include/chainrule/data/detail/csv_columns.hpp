#pragma once
// The meaning of a table's columns: which are features, targets or ignored; which texts stand for a missing value; which class name has
// which label.

#include <algorithm>
#include <array>
#include <chainrule/bytes/file.hpp>
#include <chainrule/data/csv_options.hpp>
#include <chainrule/data/detail/csv_scanner.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>

namespace chainrule::detail {

/// Use of a column.
struct CsvRole {
  enum Kind : unsigned char { feature, target, ignored } kind = feature;
  signed char content = unknown;   ///< kind of values in the rows so far: numbers, or the position of a pair in `answers`
  std::uint32_t target_index = 0;  ///< position in CsvOptions::target, for a target

  static constexpr signed char unknown = -2;
  static constexpr signed char numbers = -1;
};

/// Throws ValueError where the separator could be a part of a value.
inline void check_separator(std::string_view who, char separator) {
  const bool is_letter = (separator >= 'a' && separator <= 'z') || (separator >= 'A' && separator <= 'Z');
  if (is_letter || is_digit(separator) || std::string_view("\0\r\n\".+-", 7).find(separator) != std::string_view::npos)
    raise<ValueError>(who, ": the separator must not be a letter, digit, point, sign, quote or line break, but is ",
                      in_quotes(std::string_view(&separator, 1)));
}

/// Throws ValueError where the layout is none that a file can have: see check_separator, or a decimal point other than '.' and ',' or
/// equal to the separator, or a negative number of lines to skip.
inline void check_layout(std::string_view who, char separator, char decimal, int skip_lines) {
  check_separator(who, separator);
  if (decimal != '.' && decimal != ',')
    raise<ValueError>(who, ": .decimal must be a point or a comma, but is ", in_quotes(std::string_view(&decimal, 1)));
  if (decimal == separator)
    raise<ValueError>(who, ": a comma cannot be both .separator and .decimal; files with decimal commas mostly have .separator = ';'");
  if (skip_lines < 0) raise<ValueError>(who, ": .skip_lines must be at least 0, but is ", skip_lines);
}

/// Throws ValueError where the text is compressed or is not UTF-8 but UTF-16.
inline void check_encoding(const std::string& file, std::string_view text) {
  refuse_gzip(file, text);
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    raise<ValueError>(file, ": expected text in UTF-8, but this is UTF-16; save it as UTF-8");
}

/// Returns `text` with a point for its decimal comma where `decimal` is a comma; otherwise, and for a text with points, `text` itself.
/// `scratch` holds the characters of the result.
inline std::string_view with_point(std::string_view text, char decimal, std::string& scratch) {
  if (decimal == '.') return text;
  const std::size_t comma = text.find(decimal);
  if (comma == std::string_view::npos || text.find('.') != std::string_view::npos) return text;
  scratch = text;
  scratch[comma] = '.';
  return scratch;
}

/// Parses a number with this decimal point, as parse_number does. With a decimal comma, a text with a point is invalid, because the point
/// may be one between thousands.
template <class Scalar>
ParseResult parse_csv_number(std::string_view text, char decimal, Scalar& value) {
  if (decimal == '.') return parse_number(text, value);
  if (text.find('.') != std::string_view::npos) return ParseResult::invalid;
  std::string scratch;
  return parse_number(with_point(text, decimal, scratch), value);
}

/// Reads a whole number: 7, +7, 007 or 7.0.
inline bool parse_whole(std::string_view text, long long& value) {
  if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
    if (text.find_first_not_of('0', point + 1) != std::string_view::npos) return false;
    text = text.substr(0, point);
  }
  if (text.size() > 1 && text[0] == '+' && is_digit(text[1])) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

/// Throws ValueError where two of `count` columns have the same name_of(i), because a column could then not be referred to by its name.
/// `line` describes that of the header.
template <class NameOf>
void check_unique_names(const std::string& line, std::size_t count, const NameOf& name_of) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int compared = name_of(a).compare(name_of(b));
    return compared != 0 ? compared < 0 : a < b;
  });
  const auto equal = [&](std::size_t a, std::size_t b) { return name_of(a) == name_of(b); };
  if (const auto first = std::adjacent_find(order.begin(), order.end(), equal); first != order.end())
    raise<ValueError>(line, ": expected different column names, but columns ", first[0] + 1, " and ", first[1] + 1, " are both ",
                      in_quotes(name_of(*first)), "; for a file without a header, set .header = false");
}

/// Lists names for an error message: "a", "b", "c" and 7 more.
inline std::string quoted_list(const std::vector<std::string>& names) {
  constexpr std::size_t max_shown = 30;
  std::string list;
  for (std::size_t i = 0; i < (std::min)(names.size(), max_shown); ++i) list += (i == 0 ? "" : ", ") + in_quotes(names[i]);
  return names.size() > max_shown ? text_of(list, " and ", names.size() - max_shown, " more") : list;
}

/// Returns the number of the column among `count`, counted from 0. Throws ValueError where there is no such column.
inline std::size_t find_column(const CsvLocator& locator, std::size_t count, const CsvColumn& column) {
  if (column.is_name()) {
    if (locator.columns.empty())
      raise<ValueError>(locator.file, ": a file without a header has no column named ", in_quotes(column.name()),
                        "; give the number of the column, counted from 0");
    const auto found = std::find(locator.columns.begin(), locator.columns.end(), column.name());
    if (found == locator.columns.end())
      raise<ValueError>(locator.file, ": there is no column ", in_quotes(column.name()), "; there are ", quoted_list(locator.columns),
                        locator.columns.size() == 1 ? "; set .separator if columns are separated by another character" : "");
    return static_cast<std::size_t>(found - locator.columns.begin());
  }
  const long long number = column.number() < 0 ? static_cast<long long>(count) + column.number() : column.number();
  if (number < 0 || number >= static_cast<long long>(count))
    raise<ValueError>(locator.file, ": there is no column ", column.number(), "; the ", count, " columns are 0 to ", count - 1,
                      ", or -1 to -", count, " from the end");
  return static_cast<std::size_t>(number);
}

/// Returns how many columns at the end have no name and an empty cell in `row`, the first row below the header. Lines that end with a
/// separator make such columns.
inline std::size_t empty_columns_at_end(const std::vector<std::string>& names, const std::vector<CsvCell>& row) {
  std::size_t count = 0;
  while (count < names.size() && names[names.size() - 1 - count].empty() && row[names.size() - 1 - count].text.empty()) ++count;
  return count;
}

/// Whether a first column of this name may be an index: pandas writes an index without a name, which it reads as "Unnamed: 0".
inline bool looks_like_index(std::string_view name) { return name.empty() || name == "Unnamed: 0"; }

/// Whether these are the numbers of an index: at least two, whole, from 0 on, and all different. In a file that holds a part of the rows of
/// another one, they are not in sequence. Changes the order of the numbers.
template <class Number>
bool are_index_numbers(std::vector<Number>& numbers) {
  const auto may_be_one = [](Number number) { return number >= 0 && number < 1e15 && number == std::floor(number); };
  if (numbers.size() < 2 || !std::all_of(numbers.begin(), numbers.end(), may_be_one)) return false;
  std::sort(numbers.begin(), numbers.end());
  return std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end();
}

/// Throws ValueError where a column that was taken for an empty one at the end of the lines has a value.
inline void check_empty(const CsvLocator& locator, std::size_t column, const CsvCell& cell) {
  if (!cell.text.empty())
    raise<ValueError>(locator.cell(cell.line, column), ": expected nothing, because the column has no name and no value in its first row, ",
                      "but found ", in_quotes(cell.text), "; give the column a name");
}

/// Returns the role of each of `count` columns. Throws ValueError where the options name a column that does not exist or name one twice,
/// or where no column is left as a feature.
inline std::vector<CsvRole> roles_of_columns(const CsvLocator& locator, std::size_t count, const CsvOptions& options) {
  std::vector<CsvRole> roles(count);
  std::size_t features = count;
  const auto set = [&](const CsvColumn& column, CsvRole role) {
    const std::size_t i = find_column(locator, count, column);
    if (roles[i].kind != CsvRole::feature)
      raise<ValueError>(locator.file, ": column ", column.is_name() ? in_quotes(column.name()) : std::to_string(column.number()),
                        " is named twice in .target and .ignore");
    roles[i] = role;
    --features;
  };
  for (std::size_t i = 0; i < options.target.size(); ++i)
    set(options.target[i], {CsvRole::target, CsvRole::unknown, static_cast<std::uint32_t>(i)});
  for (const CsvColumn& column : options.ignore) set(column, {CsvRole::ignored});
  if (features == 0)
    raise<ValueError>(locator.file, ": no column is left as a feature; the table has ", count, count == 1 ? " column" : " columns",
                      ", with ", in_quotes(std::string_view(&options.separator, 1)), " as separator");
  return roles;
}

/// Tells whether a cell holds one of the texts that stand for a missing value.
class MissingWords {
 public:
  /// `words`: CsvOptions::missing_words; `more`: CsvOptions::also_missing.
  MissingWords(const std::vector<std::string>& words, const std::vector<std::string>& more) : words_{words} {
    for (const std::string& word : more) words_.push_back(word);
    for (const std::string& word : words_) lengths_[last_character(word)] |= length_bit(word);
  }
  bool operator()(std::string_view cell) const {
    return (lengths_[last_character(cell)] & length_bit(cell)) != 0 && std::find(words_.begin(), words_.end(), cell) != words_.end();
  }

 private:
  static std::size_t last_character(std::string_view text) { return text.empty() ? 0 : static_cast<unsigned char>(text.back()); }
  static std::uint32_t length_bit(std::string_view text) { return std::uint32_t{1} << (std::min)(text.size(), std::size_t{31}); }

  std::vector<std::string> words_;
  // for each last character, the lengths of the words that end with it, as bits; rules out numbers without comparing them to the words,
  // because none of the usual words ends with a digit
  std::array<std::uint32_t, 256> lengths_{};
};

/// The words for no and yes that are read as 0 and 1, in small letters.
inline constexpr std::array<std::array<std::string_view, 2>, 5> answers{
    {{"no", "yes"}, {"false", "true"}, {"n", "y"}, {"f", "t"}, {"off", "on"}}};

/// A word for no or yes.
struct Answer {
  int pair = -1;  ///< position in `answers`, or -1 where the text is no such word
  bool is_yes = false;
};

/// Returns which word for no or yes the text is, in letters of either case.
inline Answer answer_of(std::string_view text) {
  const auto equal = [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); };
  for (int pair = 0; pair < static_cast<int>(answers.size()); ++pair)
    for (const bool is_yes : {false, true}) {
      const std::string_view word = answers[static_cast<std::size_t>(pair)][is_yes ? 1 : 0];
      if (std::equal(text.begin(), text.end(), word.begin(), word.end(), equal)) return {pair, is_yes};
    }
  return {};
}

/// Assigns labels 0, 1, ... to class names: the names known before, or the names in the order in which they occur, to be sorted at the
/// end. A template, so that only programs that read or write class names compile its map.
template <class Label>
class CsvClassNames {
 public:
  /// `known`: the names known before, or none. Throws ValueError, which begins with `file`, where it has a name twice.
  CsvClassNames(const std::string& file, const std::vector<std::string>& known) : names_{known} {
    for (const std::string& name : known)
      if (!classes_.emplace(name, Class{static_cast<Label>(classes_.size()), 0}).second)
        raise<ValueError>(file, ": .classes has ", in_quotes(name), " twice");
  }

  /// Whether this is one of the classes known before.
  bool knows(std::string_view name) const { return !names_.empty() && classes_.find(name) != classes_.end(); }

  /// Returns the label of the class named in the cell; a new class gets the next label. Throws ValueError where the classes are known
  /// and this is none of them.
  Label label(const CsvLocator& locator, std::size_t column, const CsvCell& cell) {
    if (const auto found = classes_.find(cell.text); found != classes_.end()) return found->second.label;
    if (!names_.empty())
      raise<ValueError>(locator.cell(cell.line, column), ": expected one of the classes ", quoted_list(names_), ", but found ",
                        in_quotes(cell.text));
    const auto label = static_cast<Label>(classes_.size());
    classes_.emplace(std::string(cell.text), Class{label, cell.line});
    return label;
  }

  /// Whether all names are numbers, but not all of them are whole.
  bool are_fractions() const {
    double number = 0;
    long long whole = 0;
    const auto is_number = [&](const auto& each) { return parse_number(each.first, number) != ParseResult::invalid; };
    const auto is_whole = [&](const auto& each) { return parse_whole(each.first, whole); };
    return std::all_of(classes_.begin(), classes_.end(), is_number) && !std::all_of(classes_.begin(), classes_.end(), is_whole);
  }

  /// The known names, or those that sort() has sorted.
  const std::vector<std::string>& names() const { return names_; }

  /// Sorts the names and renumbers `labels` accordingly: whole numbers by value, a word for no before that for yes, anything else as text.
  /// Whole numbers of the same value, such as 7 and 7.0, are one class. Known classes stay as they are. Throws ValueError where all names
  /// are numbers but not all of them are whole: such a column is a regression target rather than class names.
  void sort(const CsvLocator& locator, std::size_t column, std::vector<Label>& labels) {
    if (!names_.empty()) return;
    if (are_fractions()) refuse_numbers(locator, column);
    std::vector<SortedClass> sorted;  // in the order of the text, as in the map
    sorted.reserve(classes_.size());
    bool all_whole = true;
    for (const auto& [name, its] : classes_) {
      long long value = 0;
      all_whole = all_whole && parse_whole(name, value);
      sorted.push_back({value, its.label, &name});
    }
    if (all_whole)
      std::sort(sorted.begin(), sorted.end(), [](const SortedClass& a, const SortedClass& b) {
        return a.value != b.value ? a.value < b.value : a.old_label < b.old_label;
      });
    if (sorted.size() == 2 && answer_of(*sorted[0].name).is_yes && answer_of(*sorted[0].name).pair == answer_of(*sorted[1].name).pair)
      std::swap(sorted[0], sorted[1]);  // "Yes" is before "no" as text
    std::vector<Label> new_label(sorted.size());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (i == 0 || !all_whole || sorted[i].value != sorted[i - 1].value) names_.push_back(*sorted[i].name);
      new_label[static_cast<std::size_t>(sorted[i].old_label)] = static_cast<Label>(names_.size()) - 1;
    }
    for (Label& label : labels) label = new_label[static_cast<std::size_t>(label)];
  }

 private:
  struct Class {
    Label label = 0;
    std::size_t line = 0;  // in which the name occurs first
  };
  struct SortedClass {
    long long value = 0;
    Label old_label = 0;
    const std::string* name = nullptr;
  };

  /// Refuses the first name that is not a whole number.
  [[noreturn]] void refuse_numbers(const CsvLocator& locator, std::size_t column) const {
    const std::pair<const std::string, Class>* first = nullptr;
    long long value = 0;
    for (const auto& each : classes_)
      if (!parse_whole(each.first, value) && (first == nullptr || each.second.label < first->second.label)) first = &each;
    raise<ValueError>(locator.cell(first->second.line, column), ": expected a class name, text or a whole number, but found ",
                      in_quotes(first->first), "; read numbers to predict as a RegressionDataset");
  }

  std::map<std::string, Class, std::less<>> classes_ = {};
  std::vector<std::string> names_;  // empty until the names are known or sorted
};

}  // namespace chainrule::detail
