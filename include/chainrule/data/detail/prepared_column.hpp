#pragma once
// A column of a table as Preprocessing has fitted it: how its cells become features.

#include <array>
#include <chainrule/data/detail/word_list.hpp>
#include <chainrule/data/preprocessing_options.hpp>
#include <chainrule/data/table.hpp>
#include <limits>

namespace chainrule::detail {

/// The meaning of the cells of a column.
enum class ColumnKind { number, yes_no, ordinal, one_hot };
inline constexpr std::array<std::string_view, 4> column_kinds = {"number", "yes_no", "ordinal", "one_hot"};  ///< in texts of Preprocessing

/// The kind in a message.
inline const char* name_of(ColumnKind kind) {
  return kind == ColumnKind::number    ? "numbers"
         : kind == ColumnKind::yes_no  ? "no and yes"
         : kind == ColumnKind::ordinal ? "ordered words"
                                       : "words";
}

/// The text of a cell as a word. A number with a decimal comma gets a point.
template <class T>
std::string word_in(const T& table, Index row, Index at) {
  const std::string_view text = table.text(row, at);
  double number = 0;
  std::string scratch;
  const bool is_number = table.decimal() != '.' && parse_csv_number(text, table.decimal(), number) == ParseResult::number;
  return std::string(is_number ? with_point(text, table.decimal(), scratch) : text);
}

[[noreturn]] inline void refuse_missing(const Table& table, Index row, Index at, std::string_view policy) {
  raise<ValueError>(table.place(row, at), ": the value is missing, ", in_quotes(table.text(row, at)), "; ", policy);
}

[[noreturn]] inline void refuse_word(const Table& table, Index row, Index at, std::string_view expected, std::string_view remedy = {}) {
  raise<ValueError>(table.place(row, at), ": expected ", expected, ", but found ", in_quotes(table.text(row, at)), remedy);
}

/// Returns the number in a cell, or throws ValueError.
template <class T>
double number_in_cell(const T& table, Index row, Index at) {
  double number = 0;
  const ParseResult result = parse_csv_number(table.text(row, at), table.decimal(), number);
  if (result == ParseResult::invalid) refuse_word(table, row, at, "a number");
  if (result == ParseResult::out_of_range)
    refuse_word(table, row, at, text_of("a number of at most ", (std::numeric_limits<double>::max)()));
  return number;
}

/// Converts a number to Scalar. Throws ValueError where it is too large for it.
template <class Scalar>
Scalar narrowed(double number, const Table& table, Index row, Index at) {
  if (!(std::abs(number) <= static_cast<double>((std::numeric_limits<Scalar>::max)())))
    refuse_word(table, row, at, "a number that can be scaled and held");
  return static_cast<Scalar>(number);
}

/// A fitted column.
struct PreparedColumn {
  std::string name;
  ColumnKind kind = ColumnKind::number;
  bool is_found = false;            // whether no option names it
  WordList words = {};              // for ordinal and one_hot
  std::optional<double> fill = {};  // replaces a missing value, for all kinds but one_hot; none: it is an error
  UnknownWord unknown = UnknownWord::error;
  MissingWord missing_word = MissingWord::error;
  MissingNumber missing_number = MissingNumber::error;  // used by fit alone
  std::optional<std::string> constant = {};             // text as which missing values are read
  int answer_pair = 0;                                  // the pair of words for no and yes, for yes_no
  bool has_other = false;                               // whether unknown words have a feature, for one_hot
  bool has_missing = false;                             // whether missing values have a feature, for one_hot
  Index most_frequent = -1;                             // the word that replaces missing values, for one_hot; -1: none does

  bool has_words() const { return kind == ColumnKind::ordinal || kind == ColumnKind::one_hot; }
  bool is_scaled() const { return kind == ColumnKind::number || kind == ColumnKind::ordinal; }
  Index features() const { return kind == ColumnKind::one_hot ? words.size() + Index{has_other} + Index{has_missing} : 1; }

  /// Returns the number that a text stands for in a column that is not one-hot, or nothing where it stands for none.
  std::optional<double> value_of(std::string_view text) const {
    double number = 0;
    if (kind == ColumnKind::number) return parse_number(text, number) == ParseResult::number ? std::optional<double>(number) : std::nullopt;
    if (kind == ColumnKind::ordinal) {
      const Index word = words.find(text);
      return word < 0 ? std::nullopt : std::optional<double>(static_cast<double>(word));
    }
    const Answer answer = answer_of(text);
    return answer.pair == answer_pair ? std::optional<double>(answer.is_yes ? 1 : 0) : std::nullopt;
  }

  /// Returns the number that the value of a cell is, or nothing where it is missing or a word that is unknown.
  template <class T>
  std::optional<double> value_in(const T& table, Index row, Index at) const {
    // a word of the list is a value, even if it is one that mostly stands for a missing value
    if (kind == ColumnKind::ordinal) return value_of(word_in(table, row, at));
    if (table.is_missing(row, at)) return std::nullopt;
    return kind == ColumnKind::number ? number_in_cell(table, row, at) : value_of(table.text(row, at));
  }

  /// Returns the number in a cell, or what replaces it. Throws ValueError where the policies call the cell an error.
  template <class T>
  double number_in(const T& table, Index row, Index at) const {
    if (const std::optional<double> value = value_in(table, row, at)) return *value;
    const bool is_missing = table.is_missing(row, at);
    if (fill && (is_missing || unknown != UnknownWord::error)) return *fill;
    if (is_missing)
      refuse_missing(table, row, at,
                     ".missing_number = MissingNumber::median replaces it by the median of the training part, and drop_missing leaves out "
                     "such rows");
    const auto& pair = answers[static_cast<std::size_t>(answer_pair)];
    refuse_word(table, row, at,
                kind == ColumnKind::yes_no ? text_of("\"", pair[0], "\" or \"", pair[1], "\"") : "one of " + quoted_list(words.names()),
                "; with .unknown = UnknownWord::zeros and a policy .missing_number it counts as missing");
  }

  /// Returns which of the column's features is 1, or -1 where none is.
  template <class T>
  Index hot_feature(const T& table, Index row, Index at) const {
    const bool is_missing = table.is_missing(row, at);
    if (is_missing && !constant) {
      if (missing_word == MissingWord::error)
        refuse_missing(table, row, at,
                       ".missing_word = MissingWord::own_category makes it a category of its own, and drop_missing leaves out "
                       "such rows");
      if (most_frequent >= 0) return most_frequent;
      return has_missing ? features() - 1 : -1;
    }
    if (const Index word = words.find(is_missing ? *constant : word_in(table, row, at)); word >= 0) return word;
    if (unknown == UnknownWord::error && is_missing)
      refuse_missing(table, row, at, "the .constant of its column, " + in_quotes(*constant) + ", is no word of the training part");
    if (unknown == UnknownWord::error)
      refuse_word(table, row, at, "one of the words of the training part, " + quoted_list(words.names()),
                  "; .unknown = UnknownWord::zeros takes others");
    return has_other ? words.size() : -1;
  }

  /// Says what the column was taken for.
  std::string line() const {
    std::string text = text_of(excerpt(name), ": ", name_of(kind), is_found ? ", found by itself" : "");
    if (kind == ColumnKind::one_hot) append(text, text_of(", ", features(), " features"));
    if (fill) append(text, text_of(", missing ones become ", *fill));
    if (kind == ColumnKind::one_hot && constant) append(text, text_of(", missing ones become ", in_quotes(*constant)));
    if (most_frequent >= 0)
      append(text, text_of(", missing ones become ", in_quotes(words.names()[static_cast<std::size_t>(most_frequent)])));
    return text;
  }
};

}  // namespace chainrule::detail
