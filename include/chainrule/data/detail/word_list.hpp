#pragma once
// Words with numbers: the categories of a column, or the names of classes.

#include <chainrule/core/types.hpp>
#include <chainrule/data/detail/csv_columns.hpp>
#include <map>

namespace chainrule::detail {

/// Different words, numbered 0, 1, ... in their order, by numbers of type Number. A template, so that only programs that fit, read or check
/// words compile its map.
template <class Number>
class WordListOf {
 public:
  WordListOf() = default;

  /// Numbers the words in this order. Throws ValueError, which begins with `who`, where two of them are equal.
  WordListOf(std::string_view who, std::vector<std::string> words, bool by_value) : names_{std::move(words)}, by_value_{by_value} {
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (!numbers_.emplace(key(names_[i]), static_cast<Number>(i)).second) raise<ValueError>(who, " has ", in_quotes(names_[i]), " twice");
  }

  /// Numbers the words in this order, by their values where all of them are whole numbers.
  WordListOf(std::string_view who, const std::vector<std::string>& words) : WordListOf(who, words, are_whole(words)) {}

  /// Sorts the words: whole numbers by value, a word for no before that for yes, anything else as text. Where all words are whole numbers,
  /// those of the same value, such as 7 and 7.0, become one.
  static WordListOf sorted(std::vector<std::string> words) {
    if (are_whole(words)) {
      std::map<long long, std::string> by_value;
      for (const std::string& word : words) {
        long long value = 0;
        parse_whole(word, value);
        by_value.emplace(value, std::to_string(value));
      }
      words.clear();
      for (auto& [value, word] : by_value) words.push_back(std::move(word));
      return WordListOf("", std::move(words), true);
    }
    std::sort(words.begin(), words.end());
    if (words.size() == 2 && answer_of(words[0]).is_yes && answer_of(words[0]).pair == answer_of(words[1]).pair)
      std::swap(words[0], words[1]);  // "Yes" is before "no" as text
    return WordListOf("", std::move(words), false);
  }

  Number size() const { return static_cast<Number>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }
  bool by_value() const { return by_value_; }

  /// The number of the word, or -1 where it is none of these.
  Number find(std::string_view word) const {
    const auto found = by_value_ ? numbers_.find(key(word)) : numbers_.find(word);
    return found == numbers_.end() ? -1 : found->second;
  }

 private:
  static bool are_whole(const std::vector<std::string>& words) {
    long long value = 0;
    return !words.empty() && std::all_of(words.begin(), words.end(), [&](const std::string& word) { return parse_whole(word, value); });
  }

  std::string key(std::string_view word) const {
    long long value = 0;
    return by_value_ && parse_whole(word, value) ? std::to_string(value) : std::string(word);
  }

  std::vector<std::string> names_ = {};
  bool by_value_ = false;
  std::map<std::string, Number, std::less<>> numbers_ = {};
};
using WordList = WordListOf<Index>;

/// Whether all words are numbers, but not all of them are whole.
template <class Word>
bool are_fractions(const std::vector<Word>& words) {
  double number = 0;
  long long whole = 0;
  return std::all_of(words.begin(), words.end(), [&](const auto& word) { return parse_number(word, number) != ParseResult::invalid; }) &&
         !std::all_of(words.begin(), words.end(), [&](const auto& word) { return parse_whole(word, whole); });
}

}  // namespace chainrule::detail
