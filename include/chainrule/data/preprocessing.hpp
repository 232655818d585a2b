#pragma once
// Turns tables with words, holes and numbers of any scale into the numbers that a network reads. What is fitted to the training part is
// one value, which is saved with the network (io/model.hpp), so that new rows become the same x in every program.
//
// @code{.cpp}
// const auto [train, test] = stratified_split(read_table("churn.csv"), "churn");
// Preprocessing preprocessing({.label = "churn",
//                              .ignore = {"customer"},
//                              .one_hot = {"city"},
//                              .ordinal = {{"size", {"S", "M", "L"}}},
//                              .unknown = UnknownWord::zeros,
//                              .missing_number = MissingNumber::median});
// preprocessing.fit(train);
// std::printf("%s", preprocessing.report().c_str());
// const Dataset<float> data = preprocessing.dataset<float>(train);
// @endcode

#include <chainrule/bytes/tokens.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/data/detail/word_list.hpp>
#include <chainrule/data/mean_imputer.hpp>
#include <chainrule/data/min_max_scaler.hpp>
#include <chainrule/data/standardizer.hpp>
#include <chainrule/data/table.hpp>
#include <concepts>
#include <map>
#include <optional>
#include <set>

namespace chainrule {

/// Policy for words of a one-hot column that the training part does not have. In an ordinal column and in one of yes and no, such a word
/// is an error, or with zeros and own_category a missing number.
enum class UnknownWord {
  error,         ///< throw ValueError, as scikit-learn's OneHotEncoder does with handle_unknown="error"
  zeros,         ///< all features of the column are 0, as with handle_unknown="ignore"
  own_category,  ///< the category of words that fewer than .min_count training rows have; all zeros where there is none, as with
                 ///< handle_unknown="infrequent_if_exist"
};

/// Policy for missing values of one-hot columns.
enum class MissingWord {
  error,          ///< throw ValueError
  zeros,          ///< all features of the column are 0
  own_category,   ///< a category of its own; all zeros where the training part has no missing value in this column
  most_frequent,  ///< the most frequent word of the training part, the first one among equals, as scikit-learn's SimpleImputer does
};

/// Policy for missing values of all other columns: of numbers, of ordered words, of yes and no.
enum class MissingNumber {
  error,          ///< throw ValueError
  mean,           ///< the mean of the column's values in the training part
  median,         ///< the median of these values, the mean of the two in the middle for an even number of them
  most_frequent,  ///< the most frequent of them, the smallest one among equals, as scikit-learn's SimpleImputer does
};

/// How columns of numbers and of ordered words are scaled. Features of one-hot columns and of yes and no stay 0 and 1.
enum class FeatureScale {
  none,         ///< not at all
  standardize,  ///< to mean 0 and variance 1, as by Standardizer
  min_max,      ///< to the interval from 0 to 1, as by MinMaxScaler
};

/// A column of words that have an order.
struct OrdinalColumn {
  std::string name;                ///< the name of the column
  std::vector<std::string> words;  ///< the words of the column in their order; word i becomes the number i
};

/// Policies for one column, in place of those for all columns.
struct ColumnPolicy {
  std::string name;                                  ///< the name of a column of features
  std::optional<UnknownWord> unknown = {};           ///< for a column of words, ordered or not, or of yes and no
  std::optional<MissingWord> missing_word = {};      ///< for a one-hot column
  std::optional<MissingNumber> missing_number = {};  ///< for any other column
  /// The text as which missing values are read, in place of the two policies above: a number, with a decimal point, for a column of
  /// numbers, else a word of the column. A word of a one-hot column that the training part does not have is an unknown word.
  std::optional<std::string> constant = {};
};

/// Says what the columns of a table mean, and how they become numbers. Columns that are not named here are features: numbers, yes and no,
/// or words, as the training part shows.
struct PreprocessingOptions {
  std::string label = {};                               ///< the column of class names to learn, or empty
  std::vector<std::string> target = {};                 ///< the columns of numbers to learn, in the order of the outputs
  std::vector<std::string> ignore = {};                 ///< columns that are neither features nor learned
  std::vector<std::string> one_hot = {};                ///< columns of words, each of which becomes a feature that is 0 or 1
  std::vector<OrdinalColumn> ordinal = {};              ///< columns of words that have an order
  std::vector<std::string> classes = {};                ///< names of classes 0, 1, ...; where empty, those of the training part, sorted
  UnknownWord unknown = UnknownWord::error;             ///< policy for words that the training part does not have
  MissingWord missing_word = MissingWord::error;        ///< policy for missing values of one-hot columns
  MissingNumber missing_number = MissingNumber::error;  ///< policy for missing values of all other features
  std::vector<ColumnPolicy> policies = {};              ///< other policies for some columns
  FeatureScale scale = FeatureScale::standardize;       ///< scaling of numbers and of ordered words
  Index min_count = 1;    ///< with UnknownWord::own_category, words of fewer training rows share that category
  Index max_found = 100;  ///< a column of more different words than that must be named in .one_hot or .ignore
};

/// Features that belong together, such as those of one column of words.
struct FeatureGroup {
  std::string name;             ///< the name of the column
  std::vector<Index> features;  ///< rows of x
};

/// Turns the rows of tables into features and targets, as scikit-learn's ColumnTransformer of StandardScaler, OneHotEncoder, OrdinalEncoder
/// and SimpleImputer does. Fit it once, to the training part. Then it turns rows of any table into x, whose columns it finds by their
/// names, in any order; columns that it does not know are not looked at. It computes in double precision and rounds once, at the end.
///
/// A column of numbers is one feature, and so is a column of no and yes, false and true, n and y, f and t or off and on, in letters of
/// either case: 0 and 1. A column of words is a feature for each word, in sorted order: 1 for the row's word, else 0. Where all its words
/// are whole numbers, they are compared by their values: 7 and 7.0 are the same.
class Preprocessing {
 public:
  /// Creates a preprocessing that is not fitted yet. Throws ValueError where the options name a column or a class twice.
  template <std::same_as<PreprocessingOptions> Options = PreprocessingOptions>  // a template, so that only programs that call it compile it
  explicit Preprocessing(Options options = {}) : options_{std::move(options)} {
    check_options(options_);
  }

  bool is_fitted() const { return !columns_.empty(); }  ///< whether fit was called or the preprocessing was read by from_string

  /// Fits to the training part: finds out what the columns are, collects the words, computes what replaces missing values, and then the
  /// scales. Throws ValueError, with line and column, for a column that .one_hot or another option names and the table lacks, a column of
  /// numbers and other texts, a column without any value, more than max_found different words in a column that is not named in .one_hot,
  /// and whatever the policies call an error; StateError where it was read by from_string. After an error the previous fit stays.
  template <std::same_as<Table> T>  // a template, as what it calls is, so that only programs that call it compile it
  void fit(const T& train) {
    if (is_read_)
      detail::raise<StateError>("Preprocessing: it was read from a text, which does not hold all options; create another one to fit");
    Preprocessing fitted(options_);
    fitted.fit_columns(train);
    *this = std::move(fitted);
  }

  /// The number of features: rows of x. Throws StateError before fit.
  Index features() const {
    check_fitted();
    Index count = 0;
    for (const Column& column : columns_) count += column.features();
    return count;
  }

  /// The name of each feature: "age", "city=Bern", "city (other)", "city (missing)". Throws StateError before fit.
  std::vector<std::string> feature_names() const {
    check_fitted();
    std::vector<std::string> names;
    for (const Column& column : columns_) {
      if (column.kind != Kind::one_hot) {
        names.push_back(column.name);
        continue;
      }
      for (const std::string& word : column.words.names()) names.push_back(column.name + "=" + word);
      if (column.has_other) names.push_back(column.name + " (other)");
      if (column.has_missing) names.push_back(column.name + " (missing)");
    }
    return names;
  }

  /// The features that each column becomes: one for a column of numbers, several for a column of words. Throws StateError before fit.
  std::vector<FeatureGroup> feature_groups() const {
    check_fitted();
    std::vector<FeatureGroup> groups;
    Index next = 0;
    for (const Column& column : columns_) {
      FeatureGroup& group = groups.emplace_back(FeatureGroup{column.name, {}});
      for (Index i = 0; i < column.features(); ++i) group.features.push_back(next++);
    }
    return groups;
  }

  /// The names of the columns that transform reads. Throws StateError before fit.
  std::vector<std::string> columns() const {
    check_fitted();
    std::vector<std::string> names;
    for (const Column& column : columns_) names.push_back(column.name);
    return names;
  }

  /// The names of classes 0, 1, ... of the column .label; empty where there is none.
  const std::vector<std::string>& class_names() const { return classes_.names(); }

  /// The name of the column of class names, or an empty text.
  const std::string& label() const { return options_.label; }

  /// The layout with which the table was read that it was fitted to: read_table(path, preprocessing.table_options()) reads other files the
  /// same way. Throws StateError before fit.
  const TableOptions& table_options() const {
    check_fitted();
    return table_options_;
  }

  /// The names of the columns of numbers to learn, one for each output.
  const std::vector<std::string>& targets() const { return options_.target; }

  /// Says what each column was taken for, one line each: "city: words, found by itself, 3 features". Throws StateError before fit.
  std::string report() const {
    check_fitted();
    std::string text;
    for (const Column& column : columns_) text += line_of(column) + '\n';
    if (!options_.label.empty())
      text += detail::text_of(detail::excerpt(options_.label), ": label, ", classes_.size(),
                              " classes: ", detail::quoted_list(class_names()), "\n");
    for (const std::string& name : options_.target) text += detail::excerpt(name) + ": target\n";
    for (const std::string& name : options_.ignore) text += detail::excerpt(name) + ": ignored\n";
    return text;
  }

  /// Returns the features of each row (features x rows). Throws StateError before fit; ValueError, with line and column, for a missing
  /// column, a text where a number must be, a number that is too large for Scalar, and whatever the policies call an error.
  template <class Scalar>
  Matrix<Scalar> transform(const Table& table) const {
    const std::vector<Index> at = places_in(table);
    Matrix<Scalar> x;
    detail::allocate_or_refuse("Preprocessing", features(), table.size(), [&] { x.setZero(features(), table.size()); });
    Matrix<double> scaled(count_scaled(), table.size());
    for (Index row = 0; row < table.size(); ++row) {
      Index feature = 0, next_scaled = 0;
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        const Column& column = columns_[c];
        if (column.is_scaled())
          scaled(next_scaled++, row) = number_in(column, table, row, at[c]);
        else if (column.kind == Kind::yes_no)
          x(feature, row) = rounded<Scalar>(number_in(column, table, row, at[c]), table, row, at[c]);
        else if (const Index hot = hot_feature(column, table, row, at[c]); hot >= 0)
          x(feature + hot, row) = Scalar{1};
        feature += column.features();
      }
    }
    scale(scaled);
    for (Index row = 0; row < table.size(); ++row) {
      Index feature = 0, next_scaled = 0;
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        if (columns_[c].is_scaled()) x(feature, row) = rounded<Scalar>(scaled(next_scaled++, row), table, row, at[c]);
        feature += columns_[c].features();
      }
    }
    return x;
  }

  /// Returns features and labels of each row, with the names of features and classes. Throws as transform does, and ValueError where there
  /// is no .label, or a row has none or one that is no known class.
  template <class Scalar>
  Dataset<Scalar> dataset(const Table& table) const {
    std::vector<int> labels = labels_of_rows(table);
    return {transform<Scalar>(table), std::move(labels), {}, feature_names(), class_names()};
  }

  /// Returns features and the numbers of the columns .target; or, with a .label of two classes, 0 and 1, which BinaryCrossEntropy takes.
  /// Throws as transform does, and ValueError where there is no such column, or a value is missing or no number.
  template <class Scalar>
  RegressionDataset<Scalar> regression_dataset(const Table& table) const {
    check_fitted();
    Matrix<Scalar> y;
    if (options_.target.empty()) {
      if (classes_.size() != 2)
        detail::raise<ValueError>(
            "Preprocessing: numbers to learn are the columns .target, or a .label of two classes, but .target names no "
            "column, and there are ",
            classes_.size(), " classes");
      const std::vector<int> labels = labels_of_rows(table);
      y.resize(1, table.size());
      for (Index row = 0; row < table.size(); ++row) y(0, row) = static_cast<Scalar>(labels[static_cast<std::size_t>(row)]);
      return {transform<Scalar>(table), std::move(y), {}, feature_names(), {options_.label}};
    }
    y.resize(static_cast<Index>(options_.target.size()), table.size());
    for (Index k = 0; k < y.rows(); ++k) {
      const Index at = table.column(options_.target[static_cast<std::size_t>(k)]);
      for (Index row = 0; row < table.size(); ++row) y(k, row) = target_in<Scalar>(table, row, at);
    }
    return {transform<Scalar>(table), std::move(y), {}, feature_names(), options_.target};
  }

  /// Writes what was fitted as one line of text, from which from_string restores it bit for bit. Throws StateError before fit.
  std::string to_string() const {
    check_fitted();
    detail::TokenWriter line;
    line.add_word("Preprocessing");
    line.add_number(version);
    line.add_number(static_cast<int>(options_.scale));
    line.add_word("columns");
    line.add_number(columns_.size());
    for (const Column& column : columns_) {
      line.add_word(kind_names[static_cast<std::size_t>(column.kind)]);
      line.add_text(column.name);
      line.add_number(int{column.is_found});
      line.add_number(static_cast<int>(column.unknown));
      if (column.kind == Kind::one_hot) {
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
      if (column.kind == Kind::yes_no) line.add_number(column.answers);
      if (column.has_words()) add_list(line, column.words);
    }
    line.add_word("scaler");
    line.add_text(!has_scaler() ? std::string() : is_standardized() ? standardizer_.to_string() : min_max_.to_string());
    line.add_word("label");
    line.add_text(options_.label);
    add_list(line, classes_);
    line.add_word("target");
    line.add_number(options_.target.size());
    for (const std::string& name : options_.target) line.add_text(name);
    add_table_options(line);
    return line.text();
  }

  /// Reads a preprocessing from the text that to_string writes. It transforms as the one that was written, but cannot be fitted again.
  /// Throws ValueError, with what was expected and what was found, for any other text.
  template <std::convertible_to<std::string_view> Text>
  static Preprocessing from_string(const Text& text) {
    detail::TokenReader line(from_string_name, text);
    line.take_word("Preprocessing");
    if (const int found = take_int(line, 1'000'000); found != version)
      detail::raise<ValueError>(from_string_name, " expected version ", version, " of the text, but found version ", found,
                                "; it is from another version of the library");
    Preprocessing made;
    made.is_read_ = true;
    made.options_.scale = static_cast<FeatureScale>(take_int(line, 2));
    line.take_word("columns");
    const Index columns = line.take_count("columns");
    for (Index i = 0; i < columns; ++i) made.columns_.push_back(take_column(line));
    line.take_word("scaler");
    made.take_scaler(line.take_text());
    line.take_word("label");
    made.options_.label = line.take_text();
    made.classes_ = take_list(line);
    line.take_word("target");
    made.options_.target.resize(static_cast<std::size_t>(line.take_count("targets", 0)));
    for (std::string& name : made.options_.target) name = line.take_text();
    made.take_table_options(line);
    line.expect_end();
    if (made.options_.label.empty() != (made.classes_.size() == 0))
      detail::raise<ValueError>(from_string_name, " expected classes where there is a label, and none where there is none, but found ",
                                made.classes_.size(), " for the label ", detail::in_quotes(made.options_.label));
    std::vector<std::string> names = made.columns();
    for (const std::string& name : made.options_.target) names.push_back(name);
    if (!made.options_.label.empty()) names.push_back(made.options_.label);
    check_different(from_string_name, std::move(names));
    return made;
  }

 private:
  enum class Kind { number, yes_no, ordinal, one_hot };
  static constexpr std::array<std::string_view, 4> kind_names = {"number", "yes_no", "ordinal", "one_hot"};
  static constexpr const char* from_string_name = "Preprocessing: from_string";
  static constexpr int version = 2;  // version of the text

  struct Column {
    std::string name;
    Kind kind = Kind::number;
    bool is_found = false;            // whether no option names it
    detail::WordList words = {};      // for ordinal and one_hot
    std::optional<double> fill = {};  // replaces a missing value, for all kinds but one_hot; none: it is an error
    UnknownWord unknown = UnknownWord::error;
    MissingWord missing_word = MissingWord::error;
    MissingNumber missing_number = MissingNumber::error;  // used by fit alone
    std::optional<std::string> constant = {};             // text as which missing values are read
    int answers = 0;                                      // the pair of words for no and yes, for yes_no
    bool has_other = false;                               // whether unknown words have a feature, for one_hot
    bool has_missing = false;                             // whether missing values have a feature, for one_hot
    Index most_frequent = -1;                             // the word that replaces missing values, for one_hot; -1: none does

    bool has_words() const { return kind == Kind::ordinal || kind == Kind::one_hot; }
    bool is_scaled() const { return kind == Kind::number || kind == Kind::ordinal; }
    Index features() const { return kind == Kind::one_hot ? words.size() + Index{has_other} + Index{has_missing} : 1; }
  };

  void check_fitted() const {
    if (!is_fitted()) detail::raise<StateError>("Preprocessing: nothing is fitted yet; call fit(table) with the training part first");
  }

  /// Throws ValueError where two names are equal.
  template <class Name>
  static void check_different(const char* who, std::vector<Name> names) {
    std::sort(names.begin(), names.end());
    if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
      detail::raise<ValueError>(who, ": column ", detail::in_quotes(*twice), " is named twice");
  }

  template <class Options>
  void check_options(const Options& options) const {
    const auto check = [](bool is_right, const auto&... parts) {
      if (!is_right) detail::raise<ValueError>("Preprocessing: ", parts...);
    };
    std::vector<std::string> names = named_columns();
    check_different("Preprocessing", std::move(names));
    for (const OrdinalColumn& ordinal : options.ordinal) {
      check(!ordinal.words.empty(), ".ordinal has no words for column ", detail::in_quotes(ordinal.name));
      detail::WordList(detail::text_of("Preprocessing: .ordinal of ", detail::in_quotes(ordinal.name)), ordinal.words);
    }
    check(options.classes.empty() || !options.label.empty(), ".classes are the names of classes of .label, but there is no .label");
    check(options.label.empty() || options.target.empty(), ".label is for class names and .target for numbers, but both are set");
    detail::WordList("Preprocessing: .classes", options.classes);
    check(options.min_count >= 1, ".min_count must be at least 1, but is ", options.min_count);
    bool have_own_category = options.unknown == UnknownWord::own_category;
    std::vector<std::string> with_policy, others = options.target;
    others.insert(others.end(), options.ignore.begin(), options.ignore.end());
    if (!options.label.empty()) others.push_back(options.label);
    for (const ColumnPolicy& policy : options.policies) {
      with_policy.push_back(policy.name);
      have_own_category = have_own_category || policy.unknown == UnknownWord::own_category;
      check(!contains(others, policy.name), ".policies are for features, but column ", detail::in_quotes(policy.name), " is none");
      check(!policy.constant || (!policy.missing_word && !policy.missing_number), ".policies of column ", detail::in_quotes(policy.name),
            " have both a .constant for missing values and another policy for them");
    }
    check_different("Preprocessing: .policies", std::move(with_policy));
    check(options.min_count == 1 || have_own_category, ".min_count is for .unknown = UnknownWord::own_category");
    check(options.max_found >= 1, ".max_found must be at least 1, but is ", options.max_found);
  }

  /// The columns that the options name.
  std::vector<std::string> named_columns() const {
    std::vector<std::string> names;
    for (const auto* list : {&options_.target, &options_.ignore, &options_.one_hot})
      for (const std::string& name : *list) names.push_back(name);
    for (const OrdinalColumn& ordinal : options_.ordinal) names.push_back(ordinal.name);
    if (!options_.label.empty()) names.push_back(options_.label);
    return names;
  }

  static bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  // Reading cells.

  /// The text of a cell as a word. A number with a decimal comma gets a point.
  template <class T>
  static std::string word_in(const T& table, Index row, Index at) {
    const std::string_view text = table.text(row, at);
    double number = 0;
    std::string scratch;
    const bool is_number = table.decimal() != '.' && detail::parse_csv_number(text, table.decimal(), number) == detail::ParseResult::number;
    return std::string(is_number ? detail::with_point(text, table.decimal(), scratch) : text);
  }

  [[noreturn]] static void refuse_missing(const Table& table, Index row, Index at, std::string_view policy) {
    detail::raise<ValueError>(table.place(row, at), ": the value is missing, ", detail::in_quotes(table.text(row, at)), "; ", policy);
  }

  [[noreturn]] static void refuse_word(const Table& table, Index row, Index at, std::string_view expected, std::string_view remedy = {}) {
    detail::raise<ValueError>(table.place(row, at), ": expected ", expected, ", but found ", detail::in_quotes(table.text(row, at)),
                              remedy);
  }

  /// Returns the number in a cell, or throws ValueError.
  template <class T>
  static double parsed(const T& table, Index row, Index at) {
    double number = 0;
    const detail::ParseResult result = detail::parse_csv_number(table.text(row, at), table.decimal(), number);
    if (result == detail::ParseResult::invalid) refuse_word(table, row, at, "a number");
    if (result == detail::ParseResult::out_of_range)
      refuse_word(table, row, at, detail::text_of("a number of at most ", (std::numeric_limits<double>::max)()));
    return number;
  }

  /// Returns the number that the value of a cell is, or nothing where it is missing or a word that is unknown.
  template <class T>
  static std::optional<double> value_in(const Column& column, const T& table, Index row, Index at) {
    // a word of the list is a value, even if it is one that mostly stands for a missing value
    if (column.kind == Kind::ordinal) return value_of(column, word_in(table, row, at));
    if (table.is_missing(row, at)) return std::nullopt;
    return column.kind == Kind::number ? parsed(table, row, at) : value_of(column, table.text(row, at));
  }

  template <class T>
  double number_in(const Column& column, const T& table, Index row, Index at) const {
    if (const std::optional<double> value = value_in(column, table, row, at)) return *value;
    const bool is_missing = table.is_missing(row, at);
    if (column.fill && (is_missing || column.unknown != UnknownWord::error)) return *column.fill;
    if (is_missing)
      refuse_missing(table, row, at,
                     ".missing_number = MissingNumber::median replaces it by the median of the training part, and drop_missing leaves out "
                     "such rows");
    const auto& pair = detail::answers[static_cast<std::size_t>(column.answers)];
    refuse_word(table, row, at,
                column.kind == Kind::yes_no ? detail::text_of("\"", pair[0], "\" or \"", pair[1], "\"")
                                            : "one of " + detail::quoted_list(column.words.names()),
                "; with .unknown = UnknownWord::zeros and a policy .missing_number it counts as missing");
  }

  /// Returns which of the column's features is 1, or -1 where none is.
  template <class T>
  Index hot_feature(const Column& column, const T& table, Index row, Index at) const {
    const bool is_missing = table.is_missing(row, at);
    if (is_missing && !column.constant) {
      if (column.missing_word == MissingWord::error)
        refuse_missing(table, row, at,
                       ".missing_word = MissingWord::own_category makes it a category of its own, and drop_missing leaves out "
                       "such rows");
      if (column.most_frequent >= 0) return column.most_frequent;
      return column.has_missing ? column.features() - 1 : -1;
    }
    if (const Index word = column.words.find(is_missing ? *column.constant : word_in(table, row, at)); word >= 0) return word;
    if (column.unknown == UnknownWord::error && is_missing)
      refuse_missing(table, row, at,
                     "the .constant of its column, " + detail::in_quotes(*column.constant) + ", is no word of the training part");
    if (column.unknown == UnknownWord::error)
      refuse_word(table, row, at, "one of the words of the training part, " + detail::quoted_list(column.words.names()),
                  "; .unknown = UnknownWord::zeros takes others");
    return column.has_other ? column.words.size() : -1;
  }

  // Fitting.

  template <class T>
  void fit_columns(const T& train) {
    if (train.size() < 1) detail::raise<ShapeError>("Preprocessing: fit needs at least one row, but ", train.file(), " has none");
    for (const std::string& name : named_columns()) static_cast<void>(train.column(name));
    for (const ColumnPolicy& policy : options_.policies) static_cast<void>(train.column(policy.name));
    table_options_ = train.options();
    std::vector<Index> at;
    for (Index j = 0; j < train.columns(); ++j) {
      const std::string& name = train.names()[static_cast<std::size_t>(j)];
      if (name == options_.label || contains(options_.target, name) || contains(options_.ignore, name)) continue;
      columns_.push_back(fitted_column(train, j));
      at.push_back(j);
    }
    if (columns_.empty()) detail::raise<ValueError>(train.file(), ": no column is left as a feature");
    if (has_scaler()) {
      Matrix<double> numbers(count_scaled(), train.size());
      for (Index row = 0; row < train.size(); ++row) {
        Index next = 0;
        for (std::size_t c = 0; c < columns_.size(); ++c)
          if (columns_[c].is_scaled()) numbers(next++, row) = number_in(columns_[c], train, row, at[c]);
      }
      is_standardized() ? standardizer_.fit(numbers) : min_max_.fit(numbers);
    }
    if (!options_.label.empty()) fit_classes(train, train.column(options_.label));
  }

  template <class T>
  Column fitted_column(const T& train, Index j) const {
    const std::string& name = train.names()[static_cast<std::size_t>(j)];
    const auto ordinal =
        std::find_if(options_.ordinal.begin(), options_.ordinal.end(), [&](const OrdinalColumn& each) { return each.name == name; });
    Column column{.name = name};
    if (ordinal != options_.ordinal.end()) {
      column.kind = Kind::ordinal;
      column.words = detail::WordList(name, ordinal->words);
    } else if (contains(options_.one_hot, name)) {
      column.kind = Kind::one_hot;
    } else {
      find_kind(column, train, j);
    }
    set_policies(column, train);
    if (column.kind == Kind::one_hot)
      fit_words(column, train, j);
    else
      fit_fill(column, train, j);
    return column;
  }

  /// Gives the column its policies. Throws ValueError for one that is for columns of another kind.
  template <class T>
  void set_policies(Column& column, const T& train) const {
    column.unknown = options_.unknown;
    column.missing_word = options_.missing_word;
    column.missing_number = options_.missing_number;
    for (const ColumnPolicy& policy : options_.policies) {
      if (policy.name != column.name) continue;
      const auto check = [&](bool is_right, const char* what) {
        if (!is_right)
          detail::raise<ValueError>(train.file(), ": ", what, " in .policies does not suit column ", detail::in_quotes(column.name),
                                    ", which holds ", name_of(column.kind));
      };
      check(!policy.unknown || column.kind != Kind::number, ".unknown");
      check(!policy.missing_word || column.kind == Kind::one_hot, ".missing_word");
      check(!policy.missing_number || column.kind != Kind::one_hot, ".missing_number");
      column.unknown = policy.unknown.value_or(column.unknown);
      column.missing_word = policy.missing_word.value_or(column.missing_word);
      column.missing_number = policy.missing_number.value_or(column.missing_number);
      column.constant = policy.constant;
      if (!column.constant || column.kind == Kind::one_hot) continue;
      column.fill = value_of(column, *column.constant);
      check(column.fill.has_value(), detail::text_of(".constant = ", detail::in_quotes(*column.constant)).c_str());
    }
  }

  /// Returns the number that a text stands for in a column that is not one-hot, or nothing where it stands for none.
  static std::optional<double> value_of(const Column& column, std::string_view text) {
    double number = 0;
    if (column.kind == Kind::number)
      return detail::parse_number(text, number) == detail::ParseResult::number ? std::optional<double>(number) : std::nullopt;
    if (column.kind == Kind::ordinal) {
      const Index word = column.words.find(text);
      return word < 0 ? std::nullopt : std::optional<double>(static_cast<double>(word));
    }
    const detail::Answer answer = detail::answer_of(text);
    return answer.pair == column.answers ? std::optional<double>(answer.is_yes ? 1 : 0) : std::nullopt;
  }

  [[noreturn]] static void refuse_empty(const Column& column, const Table& train) {
    detail::raise<ValueError>(train.file(), ": column ", detail::in_quotes(column.name), " has no value in the ", train.size(),
                              " rows of the training part; put it into .ignore");
  }

  /// Finds out what a column is that no option names.
  template <class T>
  static void find_kind(Column& column, const T& train, Index j) {
    column.is_found = true;
    Index values = 0, numbers = 0, answers = 0, first_text = -1;
    for (Index row = 0; row < train.size(); ++row) {
      if (train.is_missing(row, j)) continue;
      ++values;
      double number = 0;
      if (detail::parse_csv_number(train.text(row, j), train.decimal(), number) != detail::ParseResult::invalid) {
        ++numbers;
        continue;
      }
      const int pair = detail::answer_of(train.text(row, j)).pair;
      if (first_text < 0) {
        first_text = row;
        column.answers = pair;
      }
      answers += pair >= 0 && pair == column.answers ? 1 : 0;
    }
    if (values == 0) refuse_empty(column, train);
    if (numbers > 0 && numbers < values)
      refuse_word(train, first_text, j, detail::text_of("a number, as in ", numbers, " of the ", values, " rows with a value"),
                  "; read the table with .also_missing where this text stands for a missing value, or name the column in .one_hot, "
                  ".ordinal or .ignore");
    column.kind = numbers > 0 ? Kind::number : answers == values ? Kind::yes_no : Kind::one_hot;
    column.answers = column.kind == Kind::yes_no ? column.answers : 0;
  }

  /// Collects the words of a one-hot column.
  template <class T>
  void fit_words(Column& column, const T& train, Index j) const {
    std::map<std::string, Index, std::less<>> counts;
    Index first_missing = -1;
    Index missing = 0;
    for (Index row = 0; row < train.size(); ++row) {
      if (!train.is_missing(row, j)) {
        ++counts[word_in(train, row, j)];
        continue;
      }
      ++missing;
      if (first_missing < 0) first_missing = row;
    }
    if (counts.empty()) refuse_empty(column, train);
    if (column.constant && missing > 0) counts[*column.constant] += missing;
    const bool has_missing = missing > 0 && !column.constant;
    const Index min_count = column.unknown == UnknownWord::own_category ? options_.min_count : 1;
    if (has_missing && column.missing_word == MissingWord::error) hot_feature(column, train, first_missing, j);  // throws
    if (column.is_found && static_cast<Index>(counts.size()) > options_.max_found)
      detail::raise<ValueError>(train.file(), ": column ", detail::in_quotes(column.name), " has ", counts.size(),
                                " different words, more than .max_found = ", options_.max_found,
                                "; put it into .ignore where they are no features, such as names, or into .one_hot");
    std::vector<std::string> words;
    for (const auto& each : counts) words.push_back(each.first);
    const detail::WordList all = detail::WordList::sorted(std::move(words));
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
      detail::raise<ValueError>(train.file(), ": each word of column ", detail::in_quotes(column.name),
                                " is in fewer than .min_count = ", options_.min_count, " rows of the training part; put it into .ignore");
    column.words = detail::WordList(column.name, std::move(kept), all.by_value());
    column.has_missing = has_missing && column.missing_word == MissingWord::own_category;
  }

  /// Computes what replaces missing values of a column of numbers.
  template <class T>
  void fit_fill(Column& column, const T& train, Index j) const {
    std::vector<double> values;
    for (Index row = 0; row < train.size(); ++row) {
      if (const std::optional<double> value = value_in(column, train, row, j))
        values.push_back(*value);
      else if (!train.is_missing(row, j))
        refuse_word(train, row, j, "one of " + detail::quoted_list(column.words.names()),
                    ", and in the training part there can be no other word");
      else if (column.missing_number == MissingNumber::error && !column.fill)
        number_in(column, train, row, j);  // throws
    }
    if (values.empty()) refuse_empty(column, train);
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

  template <class T>
  void fit_classes(const T& train, Index j) {
    if (!options_.classes.empty()) {
      classes_ = detail::WordList("Preprocessing: .classes", options_.classes);
    } else {
      std::set<std::string> words;
      for (Index row = 0; row < train.size(); ++row) {
        if (train.is_missing(row, j)) refuse_missing(train, row, j, "drop_missing leaves out rows without a label");
        words.insert(word_in(train, row, j));
      }
      const std::vector<std::string> names(words.begin(), words.end());
      if (detail::are_fractions(names))
        detail::raise<ValueError>(train.file(), ": expected class names in column ", detail::in_quotes(options_.label),
                                  ", but it holds numbers that are not whole; learn numbers with .target");
      classes_ = detail::WordList::sorted(names);
    }
    labels_of_rows(train);  // throws where one is no known class
  }

  // Transforming.

  /// Returns for each column its place in the table.
  template <class T>
  std::vector<Index> places_in(const T& table) const {
    check_fitted();
    std::map<std::string_view, Index> places;
    for (Index j = 0; j < table.columns(); ++j) places.emplace(table.names()[static_cast<std::size_t>(j)], j);
    std::vector<Index> at;
    for (const Column& column : columns_) {
      const auto found = places.find(column.name);
      if (found == places.end())
        detail::raise<ValueError>(table.file(), ": there is no column ", detail::in_quotes(column.name),
                                  ", which the preprocessing was fitted to; there are ", detail::quoted_list(table.names()));
      at.push_back(found->second);
    }
    return at;
  }

  template <class T>
  std::vector<int> labels_of_rows(const T& table) const {
    check_fitted();
    if (options_.label.empty()) detail::raise<ValueError>("Preprocessing: labels are in the column .label, but the options name none");
    const Index at = table.column(options_.label);
    std::vector<int> labels;
    for (Index row = 0; row < table.size(); ++row) {
      const Index label = classes_.find(word_in(table, row, at));
      if (label < 0 && table.is_missing(row, at)) refuse_missing(table, row, at, "drop_missing leaves out rows without a label");
      if (label < 0) refuse_word(table, row, at, "one of the classes " + detail::quoted_list(class_names()));
      labels.push_back(static_cast<int>(label));
    }
    return labels;
  }

  template <class Scalar>
  static Scalar target_in(const Table& table, Index row, Index at) {
    if (table.is_missing(row, at)) refuse_missing(table, row, at, "drop_missing leaves out rows without a target");
    return rounded<Scalar>(parsed(table, row, at), table, row, at);
  }

  /// Converts a number to Scalar. Throws ValueError where it is too large for it.
  template <class Scalar>
  static Scalar rounded(double number, const Table& table, Index row, Index at) {
    if (!(std::abs(number) <= static_cast<double>((std::numeric_limits<Scalar>::max)())))
      refuse_word(table, row, at, "a number that can be scaled and held");
    return static_cast<Scalar>(number);
  }

  Index count_scaled() const {
    return std::count_if(columns_.begin(), columns_.end(), [](const Column& column) { return column.is_scaled(); });
  }
  bool is_standardized() const { return options_.scale == FeatureScale::standardize; }
  bool has_scaler() const { return options_.scale != FeatureScale::none && count_scaled() > 0; }

  template <class Numbers>
  void scale(Numbers& numbers) const {
    if (!has_scaler()) return;
    is_standardized() ? standardizer_.transform_in_place(numbers) : min_max_.transform_in_place(numbers);
  }

  // Reports and files.

  static const char* name_of(Kind kind) {
    return kind == Kind::number ? "numbers" : kind == Kind::yes_no ? "no and yes" : kind == Kind::ordinal ? "ordered words" : "words";
  }

  std::string line_of(const Column& column) const {
    std::string line =
        detail::text_of(detail::excerpt(column.name), ": ", name_of(column.kind), column.is_found ? ", found by itself" : "");
    if (column.kind == Kind::one_hot) detail::append(line, detail::text_of(", ", column.features(), " features"));
    if (column.fill) detail::append(line, detail::text_of(", missing ones become ", *column.fill));
    if (column.kind == Kind::one_hot && column.constant)
      detail::append(line, detail::text_of(", missing ones become ", detail::in_quotes(*column.constant)));
    if (column.most_frequent >= 0)
      detail::append(line, detail::text_of(", missing ones become ",
                                           detail::in_quotes(column.words.names()[static_cast<std::size_t>(column.most_frequent)])));
    return line;
  }

  static void add_list(detail::TokenWriter& line, const detail::WordList& list) {
    line.add_number(int{list.by_value()});
    line.add_number(list.size());
    for (const std::string& name : list.names()) line.add_text(name);
  }

  static int take_int(detail::TokenReader& line, int max) {
    const double number = line.take_number<double>();
    if (!(number >= 0 && number <= max && number == std::floor(number)))
      detail::raise<ValueError>(from_string_name, " expected a whole number from 0 to ", max, ", but found ", number);
    return static_cast<int>(number);
  }

  template <class Line>
  static detail::WordList take_list(Line& line) {
    const bool by_value = take_int(line, 1) == 1;
    std::vector<std::string> names;
    const Index count = line.take_count("words", 0);
    for (Index i = 0; i < count; ++i) names.push_back(line.take_text());
    return detail::WordList(from_string_name, std::move(names), by_value);
  }

  template <class Line>
  static Column take_column(Line& line) {
    const std::string_view kind = line.take_any_word();
    const auto known = std::find(kind_names.begin(), kind_names.end(), kind);
    if (known == kind_names.end())
      detail::raise<ValueError>(from_string_name, " expected number, yes_no, ordinal or one_hot, but found ", detail::in_quotes(kind));
    Column column{.name = line.take_text(), .kind = static_cast<Kind>(known - kind_names.begin())};
    column.is_found = take_int(line, 1) == 1;
    column.unknown = static_cast<UnknownWord>(take_int(line, 2));
    if (column.kind == Kind::one_hot) {
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
    if (column.kind == Kind::yes_no) column.answers = take_int(line, static_cast<int>(detail::answers.size()) - 1);
    if (column.has_words()) column.words = take_list(line);
    if (column.has_words() && (column.words.size() == 0 || column.most_frequent >= column.words.size()))
      detail::raise<ValueError>(from_string_name, " expected more than ", (std::max)(column.most_frequent, Index{0}), " words of column ",
                                detail::in_quotes(column.name), ", but found ", column.words.size());
    return column;
  }

  void add_table_options(detail::TokenWriter& line) const {
    line.add_word("table");
    line.add_number(int{table_options_.header});
    line.add_number(int{table_options_.keep_index});
    line.add_number(table_options_.skip_lines);
    line.add_text(std::string(1, table_options_.separator));
    line.add_text(std::string(1, table_options_.decimal));
    for (const auto* texts : {&table_options_.names, &table_options_.missing_words, &table_options_.also_missing}) {
      line.add_number(texts->size());
      for (const std::string& text : *texts) line.add_text(text);
    }
  }

  void take_table_options(detail::TokenReader& line) {
    line.take_word("table");
    table_options_.header = take_int(line, 1) == 1;
    table_options_.keep_index = take_int(line, 1) == 1;
    table_options_.skip_lines = take_int(line, (std::numeric_limits<int>::max)());
    for (char* const character : {&table_options_.separator, &table_options_.decimal}) {
      const std::string text = line.take_text();
      if (text.size() != 1) detail::raise<ValueError>(from_string_name, " expected one character, but found ", detail::in_quotes(text));
      *character = text[0];
    }
    detail::check_layout(from_string_name, table_options_.separator, table_options_.decimal, table_options_.skip_lines);
    for (auto* const texts : {&table_options_.names, &table_options_.missing_words, &table_options_.also_missing}) {
      texts->resize(static_cast<std::size_t>(line.take_count("texts", 0)));
      for (std::string& text : *texts) text = line.take_text();
    }
  }

  void take_scaler(const std::string& text) {
    if (!has_scaler()) {
      if (!text.empty()) detail::raise<ValueError>(from_string_name, " expected no scaler, but found ", detail::in_quotes(text));
      return;
    }
    if (is_standardized())
      standardizer_ = Standardizer<double>::from_string(text);
    else
      min_max_ = MinMaxScaler<double>::from_string(text);
    const Index found = is_standardized() ? standardizer_.scale().size() : min_max_.scale().size();
    if (found != count_scaled())
      detail::raise<ValueError>(from_string_name, " expected a scaler of ", count_scaled(), " columns, but found one of ", found);
  }

  PreprocessingOptions options_;
  bool is_read_ = false;              // whether it is from from_string, which restores not all options
  TableOptions table_options_ = {};   // the layout of the training table
  std::vector<Column> columns_ = {};  // the features, in the order of the training table
  Standardizer<double> standardizer_{};
  MinMaxScaler<double> min_max_{};
  detail::WordList classes_ = {};
};

}  // namespace chainrule
