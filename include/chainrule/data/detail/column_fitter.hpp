#pragma once
// Finds out what the columns of a training table are, collects their words, and computes what replaces missing values.

#include <algorithm>
#include <chainrule/data/detail/prepared_column.hpp>
#include <chainrule/data/mean_imputer.hpp>
#include <map>
#include <set>

namespace chainrule::detail {

inline bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Fits columns to a table of type T, Table. A template, so that only programs that fit compile it.
template <class T>
class ColumnFitter {
 public:
  ColumnFitter(const PreprocessingOptions& options, const T& train) : options_{options}, train_{train} {}

  /// Fits column j. Throws ValueError for a column without values, of numbers and other texts, of too many words, or whose cells or
  /// policies are errors by the options.
  PreparedColumn column(Index j) const {
    const std::string& name = train_.names()[static_cast<std::size_t>(j)];
    const auto ordinal =
        std::find_if(options_.ordinal.begin(), options_.ordinal.end(), [&](const OrdinalColumn& each) { return each.name == name; });
    PreparedColumn column{.name = name};
    if (ordinal != options_.ordinal.end()) {
      column.kind = ColumnKind::ordinal;
      column.words = WordList(name, ordinal->words);
    } else if (contains(options_.one_hot, name)) {
      column.kind = ColumnKind::one_hot;
    } else {
      find_kind(column, j);
    }
    set_policies(column);
    if (column.kind == ColumnKind::one_hot)
      fit_words(column, j);
    else
      fit_fill(column, j);
    return column;
  }

  /// Returns the classes of column j, the labels. Throws ValueError for a row without a label and for numbers that are not whole.
  WordList classes(Index j) const {
    if (!options_.classes.empty()) return WordList("Preprocessing: .classes", options_.classes);
    std::set<std::string> words;
    for (Index row = 0; row < train_.size(); ++row) {
      if (train_.is_missing(row, j)) refuse_missing(train_, row, j, "drop_missing leaves out rows without a label");
      words.insert(word_in(train_, row, j));
    }
    const std::vector<std::string> names(words.begin(), words.end());
    if (are_fractions(names))
      raise<ValueError>(train_.file(), ": expected class names in column ", in_quotes(options_.label),
                        ", but it holds numbers that are not whole; learn numbers with .target");
    return WordList::sorted(names);
  }

 private:
  /// Gives the column its policies. Throws ValueError for one that is for columns of another kind.
  void set_policies(PreparedColumn& column) const {
    column.unknown = options_.unknown;
    column.missing_word = options_.missing_word;
    column.missing_number = options_.missing_number;
    for (const ColumnPolicy& policy : options_.policies) {
      if (policy.name != column.name) continue;
      const auto check = [&](bool is_right, const char* what) {
        if (!is_right)
          raise<ValueError>(train_.file(), ": ", what, " in .policies does not suit column ", in_quotes(column.name), ", which holds ",
                            name_of(column.kind));
      };
      check(!policy.unknown || column.kind != ColumnKind::number, ".unknown");
      check(!policy.missing_word || column.kind == ColumnKind::one_hot, ".missing_word");
      check(!policy.missing_number || column.kind != ColumnKind::one_hot, ".missing_number");
      column.unknown = policy.unknown.value_or(column.unknown);
      column.missing_word = policy.missing_word.value_or(column.missing_word);
      column.missing_number = policy.missing_number.value_or(column.missing_number);
      column.constant = policy.constant;
      if (!column.constant || column.kind == ColumnKind::one_hot) continue;
      column.fill = column.value_of(*column.constant);
      check(column.fill.has_value(), text_of(".constant = ", in_quotes(*column.constant)).c_str());
    }
  }

  [[noreturn]] void refuse_empty(const PreparedColumn& column) const {
    raise<ValueError>(train_.file(), ": column ", in_quotes(column.name), " has no value in the ", train_.size(),
                      " rows of the training part; put it into .ignore");
  }

  /// Finds out what a column is that no option names.
  void find_kind(PreparedColumn& column, Index j) const {
    column.is_found = true;
    Index values = 0, numbers = 0, with_answer = 0, first_text = -1;
    for (Index row = 0; row < train_.size(); ++row) {
      if (train_.is_missing(row, j)) continue;
      ++values;
      double number = 0;
      if (parse_csv_number(train_.text(row, j), train_.decimal(), number) != ParseResult::invalid) {
        ++numbers;
        continue;
      }
      const int pair = answer_of(train_.text(row, j)).pair;
      if (first_text < 0) {
        first_text = row;
        column.answer_pair = pair;
      }
      with_answer += pair >= 0 && pair == column.answer_pair ? 1 : 0;
    }
    if (values == 0) refuse_empty(column);
    if (numbers > 0 && numbers < values)
      refuse_word(train_, first_text, j, text_of("a number, as in ", numbers, " of the ", values, " rows with a value"),
                  "; read the table with .also_missing where this text stands for a missing value, or name the column in .one_hot, "
                  ".ordinal or .ignore");
    column.kind = numbers > 0 ? ColumnKind::number : with_answer == values ? ColumnKind::yes_no : ColumnKind::one_hot;
    column.answer_pair = column.kind == ColumnKind::yes_no ? column.answer_pair : 0;
  }

  /// Collects the words of a one-hot column.
  void fit_words(PreparedColumn& column, Index j) const {
    std::map<std::string, Index, std::less<>> counts;
    Index first_missing = -1;
    Index missing = 0;
    for (Index row = 0; row < train_.size(); ++row) {
      if (!train_.is_missing(row, j)) {
        ++counts[word_in(train_, row, j)];
        continue;
      }
      ++missing;
      if (first_missing < 0) first_missing = row;
    }
    if (counts.empty()) refuse_empty(column);
    if (column.constant && missing > 0) counts[*column.constant] += missing;
    const bool has_missing = missing > 0 && !column.constant;
    const Index min_count = column.unknown == UnknownWord::own_category ? options_.min_count : 1;
    if (has_missing && column.missing_word == MissingWord::error) column.hot_feature(train_, first_missing, j);  // throws
    if (column.is_found && static_cast<Index>(counts.size()) > options_.max_found)
      raise<ValueError>(train_.file(), ": column ", in_quotes(column.name), " has ", counts.size(),
                        " different words, more than .max_found = ", options_.max_found,
                        "; put it into .ignore where they are no features, such as names, or into .one_hot");
    std::vector<std::string> words;
    for (const auto& each : counts) words.push_back(each.first);
    const WordList all = WordList::sorted(std::move(words));
    std::vector<Index> count(static_cast<std::size_t>(all.size()), 0);
    for (const auto& [word, rows] : counts) count[static_cast<std::size_t>(all.find(word))] += rows;
    std::vector<std::string> kept;
    Index largest = 0;
    for (std::size_t i = 0; i < count.size(); ++i) {
      if (count[i] < min_count) {
        column.has_other = true;
        continue;
      }
      if (!column.constant && column.missing_word == MissingWord::most_frequent && count[i] > largest) {
        largest = count[i];
        column.most_frequent = static_cast<Index>(kept.size());
      }
      kept.push_back(all.names()[i]);
    }
    if (kept.empty())
      raise<ValueError>(train_.file(), ": each word of column ", in_quotes(column.name),
                        " is in fewer than .min_count = ", options_.min_count, " rows of the training part; put it into .ignore");
    column.words = WordList(column.name, std::move(kept), all.by_value());
    column.has_missing = has_missing && column.missing_word == MissingWord::own_category;
  }

  /// Computes what replaces missing values of a column of numbers.
  void fit_fill(PreparedColumn& column, Index j) const {
    std::vector<double> values;
    for (Index row = 0; row < train_.size(); ++row) {
      if (const std::optional<double> value = column.value_in(train_, row, j))
        values.push_back(*value);
      else if (!train_.is_missing(row, j))
        refuse_word(train_, row, j, "one of " + quoted_list(column.words.names()), ", and in the training part there can be no other word");
      else if (column.missing_number == MissingNumber::error && !column.fill)
        column.number_in(train_, row, j);  // throws
    }
    if (values.empty()) refuse_empty(column);
    if (column.missing_number == MissingNumber::error || column.fill) return;  // a .constant has set the fill
    if (column.missing_number == MissingNumber::mean) {
      column.fill = MeanImputer<double>(Eigen::Map<const Eigen::RowVectorXd>(values.data(), static_cast<Index>(values.size()))).means()[0];
      return;
    }
    std::sort(values.begin(), values.end());
    if (column.missing_number == MissingNumber::median) {
      const double low = values[(values.size() - 1) / 2], high = values[values.size() / 2];
      column.fill = low == high ? low : low / 2 + high / 2;
      return;
    }
    std::size_t longest = 0;
    for (std::size_t begin = 0, end = 0; begin < values.size(); begin = end) {
      while (end < values.size() && values[end] == values[begin]) ++end;
      if (end - begin > longest) {
        longest = end - begin;
        column.fill = values[begin];
      }
    }
  }

  const PreprocessingOptions& options_;
  const T& train_;
};

}  // namespace chainrule::detail
