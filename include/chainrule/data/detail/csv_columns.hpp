#pragma once
// What the columns of a table are: features, targets or neither; which words mean that a value is missing; which class has which label.

#include <algorithm>
#include <array>
#include <chainrule/data/csv_options.hpp>
#include <chainrule/data/detail/csv_scanner.hpp>
#include <limits>
#include <map>

namespace chainrule::detail {

struct CsvRole {
  enum Kind { feature, target, ignored } kind = feature;
  std::size_t slot = 0;  ///< which target
};

/// What separates values cannot be a part of them.
inline void check_separator(std::string_view who, char separator) {
  const bool is_letter = (separator >= 'a' && separator <= 'z') || (separator >= 'A' && separator <= 'Z');
  if (is_letter || is_digit(separator) || std::string_view("\0\r\n\".+-", 7).find(separator) != std::string_view::npos)
    raise<ValueError>(who, ": a separator can be no letter, digit, point, sign, quote or line break, but is ",
                      in_quotes(std::string_view(&separator, 1)));
}

/// Column names must differ, or asking for one by its name would be a guess.
inline void check_unique(const CsvPlaces& places, std::size_t line) {
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < places.columns.size(); ++i) {
    const std::string& name = places.columns[i];
    if (const auto [first, is_new] = seen.try_emplace(name, i); !is_new)
      raise<ValueError>(places.line(line), ": expected different column names, but columns ", first->second + 1, " and ", i + 1,
                        " are both ", in_quotes(name), "; for a file without a header, set .header = false");
  }
}

inline std::string list_of(const std::vector<std::string>& names) {
  constexpr std::size_t most = 30;
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) list += (i == 0 ? "" : ", ") + in_quotes(names[i]);
  return names.size() > most ? text_of(list, " and ", names.size() - most, " more") : list;
}

/// The column's number, from 0.
inline std::size_t find_column(const CsvPlaces& places, std::size_t count, const CsvColumn& column) {
  if (column.is_name()) {
    if (places.columns.empty())
      raise<ValueError>(places.file, ": a file without a header has no column ", in_quotes(column.name()), "; give its number, from 0");
    const auto found = std::find(places.columns.begin(), places.columns.end(), column.name());
    if (found == places.columns.end())
      raise<ValueError>(places.file, ": there is no column ", in_quotes(column.name()), "; there are ", list_of(places.columns),
                        places.columns.size() == 1 ? "; .separator says what stands between columns, if not this" : "");
    return static_cast<std::size_t>(found - places.columns.begin());
  }
  const long long number = column.number() < 0 ? static_cast<long long>(count) + column.number() : column.number();
  if (number < 0 || number >= static_cast<long long>(count))
    raise<ValueError>(places.file, ": there is no column ", column.number(), "; the ", count, " columns are 0 to ", count - 1,
                      ", or -1 to -", count, " from the end");
  return static_cast<std::size_t>(number);
}

/// What each of `count` columns is. Throws ValueError where one is asked for that is not there, or in two roles; or no feature is left.
inline std::vector<CsvRole> csv_roles(const CsvPlaces& places, std::size_t count, const CsvOptions& options) {
  std::vector<CsvRole> roles(count);
  std::size_t features = count;
  const auto set = [&](const CsvColumn& column, CsvRole role) {
    const std::size_t i = find_column(places, count, column);
    if (roles[i].kind != CsvRole::feature)
      raise<ValueError>(places.file, ": column ", column.is_name() ? in_quotes(column.name()) : std::to_string(column.number()),
                        " is named twice as target or to be ignored");
    roles[i] = role;
    --features;
  };
  for (std::size_t slot = 0; slot < options.target.size(); ++slot) set(options.target[slot], {CsvRole::target, slot});
  for (const CsvColumn& column : options.ignore) set(column, {CsvRole::ignored});
  if (features == 0)
    raise<ValueError>(places.file, ": none of the columns is left as a feature; there ",
                      count == 1 ? "is 1" : "are " + std::to_string(count), ", with ", in_quotes(std::string_view(&options.separator, 1)),
                      " as separator");
  return roles;
}

/// Whether a cell says that its value is missing.
class MissingWords {
 public:
  explicit MissingWords(const std::vector<std::string>& words) : words_{words} {
    for (const std::string& word : words_) begins_[word.empty() ? 0 : static_cast<unsigned char>(word[0])] = true;
  }
  bool operator()(std::string_view cell) const {
    return begins_[cell.empty() ? 0 : static_cast<unsigned char>(cell[0])] && std::find(words_.begin(), words_.end(), cell) != words_.end();
  }

 private:
  const std::vector<std::string>& words_;
  std::array<bool, 256> begins_{};  // by what character one of them begins, because most cells are settled by that
};

/// Gives names to labels 0, 1, ...: known ones, or those that come along, which are sorted at the end.
class CsvClasses {
 public:
  explicit CsvClasses(const std::vector<std::string>& known) : is_known_{!known.empty()} {
    for (const std::string& name : known) add(name, 0);
  }

  /// The label of this name so far.
  int label(const CsvPlaces& places, std::size_t column, const CsvCell& cell) {
    if (const auto found = labels_.find(cell.text); found != labels_.end()) return found->second;
    if (is_known_)
      raise<ValueError>(places.cell(cell.line, column), ": expected one of the classes ", list_of(names_), ", but found ",
                        in_quotes(cell.text));
    return add(std::string(cell.text), cell.line);
  }

  const std::vector<std::string>& names() const { return names_; }

  /// Sorts the names, whole numbers by value and otherwise as text, and gives `labels` their new places. Names of the same value are
  /// one class. Throws ValueError for numbers that are not whole, which are hardly names.
  void sort(const CsvPlaces& places, std::size_t column, std::vector<int>& labels) {
    if (is_known_) return;
    std::vector<Class> classes(names_.size());
    bool all_numbers = true;
    bool all_whole = true;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      classes[i].seen_as = i;
      double number = 0;
      all_numbers = all_numbers && parse_number(names_[i], number) != ParseResult::invalid;
      all_whole = all_whole && parse_whole(names_[i], classes[i].value);
    }
    if (all_numbers && !all_whole) refuse_numbers(places, column);
    std::sort(classes.begin(), classes.end(), [&](const Class& a, const Class& b) {
      if (all_whole && a.value != b.value) return a.value < b.value;
      return all_whole ? a.seen_as < b.seen_as : names_[a.seen_as] < names_[b.seen_as];
    });
    std::vector<int> new_label(classes.size());
    std::vector<std::string> sorted;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      if (i == 0 || !all_whole || classes[i].value != classes[i - 1].value) sorted.push_back(names_[classes[i].seen_as]);
      new_label[classes[i].seen_as] = static_cast<int>(sorted.size()) - 1;
    }
    names_ = std::move(sorted);
    for (int& label : labels) label = new_label[static_cast<std::size_t>(label)];
  }

 private:
  struct Class {
    long long value = 0;
    std::size_t seen_as = 0;
  };

  int add(std::string name, std::size_t line) {
    const int label = static_cast<int>(names_.size());
    labels_.emplace(name, label);
    names_.push_back(std::move(name));
    lines_.push_back(line);
    return label;
  }

  /// 7, +7, 007 or 7.0
  static bool parse_whole(std::string_view text, long long& value) {
    if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
      if (text.find_first_not_of('0', point + 1) != std::string_view::npos) return false;
      text = text.substr(0, point);
    }
    if (text.size() > 1 && text[0] == '+' && is_digit(text[1])) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
  }

  void refuse_numbers(const CsvPlaces& places, std::size_t column) const {
    std::size_t i = 0;
    long long value = 0;
    while (parse_whole(names_[i], value)) ++i;
    raise<ValueError>(places.cell(lines_[i], column), ": expected the name of a class, text or a whole number, but found ",
                      in_quotes(names_[i]), "; numbers to predict are read as a RegressionDataset");
  }

  bool is_known_;
  std::map<std::string, int, std::less<>> labels_ = {};
  std::vector<std::string> names_ = {};
  std::vector<std::size_t> lines_ = {};  // where each was seen first
};

}  // namespace chainrule::detail
