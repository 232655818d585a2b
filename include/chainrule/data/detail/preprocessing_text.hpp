#pragma once
// The text of a Preprocessing, token by token: its columns, its lists of words, and the layout of its table.

#include <algorithm>
#include <chainrule/bytes/tokens.hpp>
#include <chainrule/data/detail/prepared_column.hpp>
#include <cmath>

namespace chainrule::detail {

inline constexpr const char* reader_of_preprocessing = "Preprocessing: from_string";  ///< names the function in messages

inline void add_list(TokenWriter& line, const WordList& list) {
  line.add_number(int{list.by_value()});
  line.add_number(list.size());
  for (const std::string& name : list.names()) line.add_text(name);
}

/// Reads a whole number from 0 to max.
inline int take_int(TokenReader& line, int max) {
  const double number = line.take_number<double>();
  if (!(number >= 0 && number <= max && number == std::floor(number)))
    raise<ValueError>(reader_of_preprocessing, " expected a whole number from 0 to ", max, ", but found ", number);
  return static_cast<int>(number);
}

template <class Line>
WordList take_list(Line& line) {
  const bool by_value = take_int(line, 1) == 1;
  std::vector<std::string> names;
  const Index count = line.take_count("words", 0);
  for (Index i = 0; i < count; ++i) names.push_back(line.take_text());
  return WordList(reader_of_preprocessing, std::move(names), by_value);
}

inline void add_column(TokenWriter& line, const PreparedColumn& column) {
  line.add_word(column_kinds[static_cast<std::size_t>(column.kind)]);
  line.add_text(column.name);
  line.add_number(int{column.is_found});
  line.add_number(static_cast<int>(column.unknown));
  if (column.kind == ColumnKind::one_hot) {
    line.add_number(static_cast<int>(column.missing_word));
    line.add_number(int{column.constant.has_value()});
    line.add_text(column.constant.value_or(""));
    line.add_number(int{column.has_other});
    line.add_number(int{column.has_missing});
    line.add_number(column.most_frequent + 1);
  } else {
    line.add_number(int{column.fill.has_value()});
    line.add_number(column.fill.value_or(0));
  }
  if (column.kind == ColumnKind::yes_no) line.add_number(column.answer_pair);
  if (column.has_words()) add_list(line, column.words);
}

template <class Line>
PreparedColumn take_column(Line& line) {
  const std::string_view kind = line.take_any_word();
  const auto known = std::find(column_kinds.begin(), column_kinds.end(), kind);
  if (known == column_kinds.end())
    raise<ValueError>(reader_of_preprocessing, " expected number, yes_no, ordinal or one_hot, but found ", in_quotes(kind));
  PreparedColumn column{.name = line.take_text(), .kind = static_cast<ColumnKind>(known - column_kinds.begin())};
  column.is_found = take_int(line, 1) == 1;
  column.unknown = static_cast<UnknownWord>(take_int(line, 2));
  if (column.kind == ColumnKind::one_hot) {
    column.missing_word = static_cast<MissingWord>(take_int(line, 3));
    const bool has_constant = take_int(line, 1) == 1;
    std::string constant = line.take_text();
    if (has_constant) column.constant = std::move(constant);
    column.has_other = take_int(line, 1) == 1;
    column.has_missing = take_int(line, 1) == 1;
    column.most_frequent = Index{take_int(line, (std::numeric_limits<int>::max)())} - 1;
  } else {
    const bool has_fill = take_int(line, 1) == 1;
    const double fill = line.template take_number<double>();
    if (has_fill) column.fill = fill;
  }
  if (column.kind == ColumnKind::yes_no) column.answer_pair = take_int(line, static_cast<int>(answers.size()) - 1);
  if (column.has_words()) column.words = take_list(line);
  if (column.has_words() && (column.words.size() == 0 || column.most_frequent >= column.words.size()))
    raise<ValueError>(reader_of_preprocessing, " expected more than ", (std::max)(column.most_frequent, Index{0}), " words of column ",
                      in_quotes(column.name), ", but found ", column.words.size());
  return column;
}

inline void add_table_options(TokenWriter& line, const TableOptions& options) {
  line.add_word("table");
  line.add_number(int{options.header});
  line.add_number(int{options.keep_index});
  line.add_number(options.skip_lines);
  line.add_text(std::string(1, options.separator));
  line.add_text(std::string(1, options.decimal));
  for (const auto* texts : {&options.names, &options.missing_words, &options.also_missing}) {
    line.add_number(texts->size());
    for (const std::string& text : *texts) line.add_text(text);
  }
}

inline void take_table_options(TokenReader& line, TableOptions& options) {
  line.take_word("table");
  options.header = take_int(line, 1) == 1;
  options.keep_index = take_int(line, 1) == 1;
  options.skip_lines = take_int(line, (std::numeric_limits<int>::max)());
  for (char* const character : {&options.separator, &options.decimal}) {
    const std::string text = line.take_text();
    if (text.size() != 1) raise<ValueError>(reader_of_preprocessing, " expected one character, but found ", in_quotes(text));
    *character = text[0];
  }
  check_layout(reader_of_preprocessing, options.separator, options.decimal, options.skip_lines);
  for (auto* const texts : {&options.names, &options.missing_words, &options.also_missing}) {
    texts->resize(static_cast<std::size_t>(line.take_count("texts", 0)));
    for (std::string& text : *texts) text = line.take_text();
  }
}

}  // namespace chainrule::detail
