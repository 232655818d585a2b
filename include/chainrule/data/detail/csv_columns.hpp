#pragma once
// The meaning of a table's columns: which are features, targets or ignored; which texts stand for a missing value; which class name has
// which label.

#include <algorithm>
#include <array>
#include <chainrule/data/csv_options.hpp>
#include <chainrule/data/detail/csv_scanner.hpp>
#include <limits>
#include <map>

namespace chainrule::detail {

/// Use of a column.
struct CsvRole {
  enum Kind { feature, target, ignored } kind = feature;
  std::size_t target_index = 0;  ///< position in CsvOptions::target, for a target
};

/// Throws ValueError where the separator could be a part of a value.
inline void check_separator(std::string_view who, char separator) {
  const bool is_letter = (separator >= 'a' && separator <= 'z') || (separator >= 'A' && separator <= 'Z');
  if (is_letter || is_digit(separator) || std::string_view("\0\r\n\".+-", 7).find(separator) != std::string_view::npos)
    raise<ValueError>(who, ": the separator must not be a letter, digit, point, sign, quote or line break, but is ",
                      in_quotes(std::string_view(&separator, 1)));
}

/// Throws ValueError where two columns have the same name, because a column could then not be referred to by its name. `line` is that
/// of the header.
inline void check_unique_names(const CsvLocator& locator, std::size_t line) {
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < locator.columns.size(); ++i) {
    const std::string& name = locator.columns[i];
    if (const auto [first, is_new] = seen.try_emplace(name, i); !is_new)
      raise<ValueError>(locator.line(line), ": expected different column names, but columns ", first->second + 1, " and ", i + 1,
                        " are both ", in_quotes(name), "; for a file without a header, set .header = false");
  }
}

/// Lists names for an error message: "a", "b", "c" and 7 more.
inline std::string quoted_list(const std::vector<std::string>& names) {
  constexpr std::size_t max_shown = 30;
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), max_shown); ++i) list += (i == 0 ? "" : ", ") + in_quotes(names[i]);
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
  for (std::size_t i = 0; i < options.target.size(); ++i) set(options.target[i], {CsvRole::target, i});
  for (const CsvColumn& column : options.ignore) set(column, {CsvRole::ignored});
  if (features == 0)
    raise<ValueError>(locator.file, ": no column is left as a feature; the table has ", count, count == 1 ? " column" : " columns",
                      ", with ", in_quotes(std::string_view(&options.separator, 1)), " as separator");
  return roles;
}

/// Tells whether a cell holds one of the texts that stand for a missing value.
class MissingWords {
 public:
  explicit MissingWords(const std::vector<std::string>& words) : words_{words} {
    for (const std::string& word : words_) is_first_character_[first_character(word)] = true;
  }
  bool operator()(std::string_view cell) const {
    return is_first_character_[first_character(cell)] && std::find(words_.begin(), words_.end(), cell) != words_.end();
  }

 private:
  static std::size_t first_character(std::string_view text) { return text.empty() ? 0 : static_cast<unsigned char>(text[0]); }

  const std::vector<std::string>& words_;
  std::array<bool, 256> is_first_character_{};  // first characters of all words; rules out most cells without comparing them to the words
};

/// Assigns labels 0, 1, ... to class names: the names known before, or the names in the order in which they occur, to be sorted at the
/// end.
class CsvClassNames {
 public:
  explicit CsvClassNames(const std::vector<std::string>& known) : is_known_{!known.empty()} {
    for (const std::string& name : known) add(name, 0);
  }

  /// Returns the label of the class named in the cell; a new class gets the next label. Throws ValueError where the classes are known
  /// and this is none of them.
  int label(const CsvLocator& locator, std::size_t column, const CsvCell& cell) {
    if (const auto found = labels_.find(cell.text); found != labels_.end()) return found->second;
    if (is_known_)
      raise<ValueError>(locator.cell(cell.line, column), ": expected one of the classes ", quoted_list(names_), ", but found ",
                        in_quotes(cell.text));
    return add(std::string(cell.text), cell.line);
  }

  const std::vector<std::string>& names() const { return names_; }

  /// Sorts the names, whole numbers by value and anything else as text, and renumbers `labels` accordingly. Whole numbers of the same
  /// value, such as 7 and 7.0, are one class. Known classes stay as they are. Throws ValueError where all names are numbers but not all
  /// of them are whole: such a column is a regression target rather than class names.
  void sort(const CsvLocator& locator, std::size_t column, std::vector<int>& labels) {
    if (is_known_) return;
    std::vector<Class> classes(names_.size());
    bool all_numbers = true;
    bool all_whole = true;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      classes[i].old_label = i;
      double number = 0;
      all_numbers = all_numbers && parse_number(names_[i], number) != ParseResult::invalid;
      all_whole = all_whole && parse_whole(names_[i], classes[i].value);
    }
    if (all_numbers && !all_whole) refuse_numbers(locator, column);
    std::sort(classes.begin(), classes.end(), [&](const Class& a, const Class& b) {
      if (all_whole && a.value != b.value) return a.value < b.value;
      return all_whole ? a.old_label < b.old_label : names_[a.old_label] < names_[b.old_label];
    });
    std::vector<int> new_label(classes.size());
    std::vector<std::string> sorted;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      if (i == 0 || !all_whole || classes[i].value != classes[i - 1].value) sorted.push_back(names_[classes[i].old_label]);
      new_label[classes[i].old_label] = static_cast<int>(sorted.size()) - 1;
    }
    names_ = std::move(sorted);
    for (int& label : labels) label = new_label[static_cast<std::size_t>(label)];
  }

 private:
  struct Class {
    long long value = 0;
    std::size_t old_label = 0;
  };

  int add(std::string name, std::size_t line) {
    const int label = static_cast<int>(names_.size());
    labels_.emplace(name, label);
    names_.push_back(std::move(name));
    lines_.push_back(line);
    return label;
  }

  /// Reads a whole number: 7, +7, 007 or 7.0.
  static bool parse_whole(std::string_view text, long long& value) {
    if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
      if (text.find_first_not_of('0', point + 1) != std::string_view::npos) return false;
      text = text.substr(0, point);
    }
    if (text.size() > 1 && text[0] == '+' && is_digit(text[1])) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
  }

  void refuse_numbers(const CsvLocator& locator, std::size_t column) const {
    std::size_t i = 0;
    long long value = 0;
    while (parse_whole(names_[i], value)) ++i;
    raise<ValueError>(locator.cell(lines_[i], column), ": expected a class name, text or a whole number, but found ", in_quotes(names_[i]),
                      "; read numbers to predict as a RegressionDataset");
  }

  bool is_known_;
  std::map<std::string, int, std::less<>> labels_ = {};
  std::vector<std::string> names_ = {};
  std::vector<std::size_t> lines_ = {};  // the line in which each name occurs first
};

}  // namespace chainrule::detail
