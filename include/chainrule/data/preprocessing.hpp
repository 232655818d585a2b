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

#include <chainrule/data/dataset.hpp>
#include <chainrule/data/detail/column_fitter.hpp>
#include <chainrule/data/detail/preprocessing_text.hpp>
#include <chainrule/data/min_max_scaler.hpp>
#include <chainrule/data/standardizer.hpp>
#include <concepts>
#include <map>

namespace chainrule {

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
  // This function and others are templates, so that only programs that call them compile them.
  /// Creates a preprocessing that is not fitted yet. Throws ValueError where the options name a column or a class twice.
  template <std::derived_from<PreprocessingOptions> Options = PreprocessingOptions>
  explicit Preprocessing(Options options = {}) : options_{std::move(options)} {
    check_options(options_);
  }

  bool is_fitted() const { return !columns_.empty(); }  ///< whether fit was called or the preprocessing was read by from_string

  /// Fits to the training part: finds out what the columns are, collects the words, computes what replaces missing values, and then the
  /// scales. Throws ValueError, with line and column, for a column that .one_hot or another option names and the table lacks, a column of
  /// numbers and other texts, a column without any value, more than max_found different words in a column that is not named in .one_hot,
  /// and whatever the policies call an error; StateError where it was read by from_string. After an error the previous fit stays.
  template <std::derived_from<Table> T>  // a template, as what it calls is, so that only programs that call it compile it
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
      if (column.kind != detail::ColumnKind::one_hot) {
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
    for (const Column& column : columns_) text += column.line() + '\n';
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
          scaled(next_scaled++, row) = column.number_in(table, row, at[c]);
        else if (column.kind == detail::ColumnKind::yes_no)
          x(feature, row) = detail::narrowed<Scalar>(column.number_in(table, row, at[c]), table, row, at[c]);
        else if (const Index hot = column.hot_feature(table, row, at[c]); hot >= 0)
          x(feature + hot, row) = Scalar{1};
        feature += column.features();
      }
    }
    scale(scaled);
    for (Index row = 0; row < table.size(); ++row) {
      Index feature = 0, next_scaled = 0;
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        if (columns_[c].is_scaled()) x(feature, row) = detail::narrowed<Scalar>(scaled(next_scaled++, row), table, row, at[c]);
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
    for (const Column& column : columns_) detail::add_column(line, column);
    line.add_word("scaler");
    line.add_text(!has_scaler() ? std::string() : is_standardized() ? standardizer_.to_string() : min_max_.to_string());
    line.add_word("label");
    line.add_text(options_.label);
    detail::add_list(line, classes_);
    line.add_word("target");
    line.add_number(options_.target.size());
    for (const std::string& name : options_.target) line.add_text(name);
    detail::add_table_options(line, table_options_);
    return line.text();
  }

  /// Reads a preprocessing from the text that to_string writes. It transforms as the one that was written, but cannot be fitted again.
  /// Throws ValueError, with what was expected and what was found, for any other text.
  template <std::convertible_to<std::string_view> Text>
  static Preprocessing from_string(const Text& text) {
    detail::TokenReader line(detail::reader_of_preprocessing, text);
    line.take_word("Preprocessing");
    if (const int found = detail::take_int(line, 1'000'000); found != version)
      detail::raise<ValueError>(detail::reader_of_preprocessing, " expected version ", version, " of the text, but found version ", found,
                                "; it is from another version of the library");
    Preprocessing made;
    made.is_read_ = true;
    made.options_.scale = static_cast<FeatureScale>(detail::take_int(line, 2));
    line.take_word("columns");
    const Index columns = line.take_count("columns");
    for (Index i = 0; i < columns; ++i) made.columns_.push_back(detail::take_column(line));
    line.take_word("scaler");
    made.take_scaler(line.take_text());
    line.take_word("label");
    made.options_.label = line.take_text();
    made.classes_ = detail::take_list(line);
    line.take_word("target");
    made.options_.target.resize(static_cast<std::size_t>(line.take_count("targets", 0)));
    for (std::string& name : made.options_.target) name = line.take_text();
    detail::take_table_options(line, made.table_options_);
    line.expect_end();
    if (made.options_.label.empty() != (made.classes_.size() == 0))
      detail::raise<ValueError>(detail::reader_of_preprocessing,
                                " expected classes where there is a label, and none where there is none, but found ", made.classes_.size(),
                                " for the label ", detail::in_quotes(made.options_.label));
    std::vector<std::string> names = made.columns();
    for (const std::string& name : made.options_.target) names.push_back(name);
    if (!made.options_.label.empty()) names.push_back(made.options_.label);
    check_different(detail::reader_of_preprocessing, std::move(names));
    return made;
  }

 private:
  using Column = detail::PreparedColumn;
  static constexpr int version = 2;  // version of the text

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
      check(!detail::contains(others, policy.name), ".policies are for features, but column ", detail::in_quotes(policy.name), " is none");
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

  template <class T>
  void fit_columns(const T& train) {
    if (train.size() < 1) detail::raise<ShapeError>("Preprocessing: fit needs at least one row, but ", train.file(), " has none");
    for (const std::string& name : named_columns()) static_cast<void>(train.column(name));
    for (const ColumnPolicy& policy : options_.policies) static_cast<void>(train.column(policy.name));
    table_options_ = train.options();
    const detail::ColumnFitter<T> fitter(options_, train);
    std::vector<Index> at;
    for (Index j = 0; j < train.columns(); ++j) {
      const std::string& name = train.names()[static_cast<std::size_t>(j)];
      if (name == options_.label || detail::contains(options_.target, name) || detail::contains(options_.ignore, name)) continue;
      columns_.push_back(fitter.column(j));
      at.push_back(j);
    }
    if (columns_.empty()) detail::raise<ValueError>(train.file(), ": no column is left as a feature");
    if (has_scaler()) {
      Matrix<double> numbers(count_scaled(), train.size());
      for (Index row = 0; row < train.size(); ++row) {
        Index next = 0;
        for (std::size_t c = 0; c < columns_.size(); ++c)
          if (columns_[c].is_scaled()) numbers(next++, row) = columns_[c].number_in(train, row, at[c]);
      }
      is_standardized() ? standardizer_.fit(numbers) : min_max_.fit(numbers);
    }
    if (!options_.label.empty()) {
      classes_ = fitter.classes(train.column(options_.label));
      labels_of_rows(train);  // throws where one is no known class
    }
  }

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
      const Index label = classes_.find(detail::word_in(table, row, at));
      if (label < 0 && table.is_missing(row, at)) detail::refuse_missing(table, row, at, "drop_missing leaves out rows without a label");
      if (label < 0) detail::refuse_word(table, row, at, "one of the classes " + detail::quoted_list(class_names()));
      labels.push_back(static_cast<int>(label));
    }
    return labels;
  }

  template <class Scalar>
  static Scalar target_in(const Table& table, Index row, Index at) {
    if (table.is_missing(row, at)) detail::refuse_missing(table, row, at, "drop_missing leaves out rows without a target");
    return detail::narrowed<Scalar>(detail::number_in_cell(table, row, at), table, row, at);
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

  void take_scaler(const std::string& text) {
    if (!has_scaler()) {
      if (!text.empty())
        detail::raise<ValueError>(detail::reader_of_preprocessing, " expected no scaler, but found ", detail::in_quotes(text));
      return;
    }
    if (is_standardized())
      standardizer_ = Standardizer<double>::from_string(text);
    else
      min_max_ = MinMaxScaler<double>::from_string(text);
    const Index found = is_standardized() ? standardizer_.scale().size() : min_max_.scale().size();
    if (found != count_scaled())
      detail::raise<ValueError>(detail::reader_of_preprocessing, " expected a scaler of ", count_scaled(), " columns, but found one of ",
                                found);
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
