#pragma once
// Writes data sets as comma-separated values (CSV). read_csv reads the same bits and names, or write_csv says what stands in the way.

#include <chainrule/bytes/file.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/data/detail/csv_columns.hpp>
#include <chainrule/kernels/all_finite.hpp>

namespace chainrule {

namespace detail {

/// Returns `text` as a cell of a table, in quotes where it would not be read back as the same text without them.
inline std::string csv_cell(std::string_view text, char separator) {
  const char special[] = {separator, '"', '\r', '\n', separator == ' ' ? '\t' : separator};
  bool is_plain = !text.empty() && !is_blank(text.front()) && !is_blank(text.back()) &&
                  text.find_first_of(std::string_view(special, sizeof special)) == std::string_view::npos;
  for (const std::string_view start : {utf8_byte_order_mark, std::string_view("\xff\xfe"), std::string_view("\xfe\xff"), gzip_magic})
    is_plain = is_plain && !text.starts_with(start);  // at the start of a file they stand for its encoding
  if (is_plain) return std::string(text);
  std::string cell = "\"";
  for (const char c : text) cell.append(c == '"' ? 2 : 1, c);
  return cell + '"';
}

/// Appends the numbers of one sample, each as the shortest decimal that is read back as the same number. Throws ValueError where that is a
/// text that stands for a missing value.
template <class Scalar>
void append_numbers(std::string& text, ConstMatrixView<Scalar> m, Index sample, char separator, const MissingWords& missing_words) {
  for (Index i = 0; i < m.rows(); ++i) {
    if (i > 0) text += separator;
    const std::size_t begin = text.size();
    append_shortest(text, m(i, sample));
    if (missing_words(std::string_view(text).substr(begin)))
      raise<ValueError>("write_csv: the number ", m(i, sample), " of sample ", sample,
                        " is one of .missing_words, so it would be read as missing");
  }
}

inline void check_count(const char* what, Index count, const char* owners, Index expected) {
  if (count != expected) raise<ShapeError>("write_csv: the data set has ", count, " ", what, " for ", expected, " ", owners);
}

inline void check_not_empty(Index features, Index samples) {
  if (features < 1 || samples < 1)
    raise<ShapeError>("write_csv: expected at least one feature and one sample, but features is ", features, " x ", samples);
}

/// Appends a column name to `header` for each row of m: `names`, or the letter with a number where there are none (x0, x1, ...).
template <class Scalar>
void append_names(std::vector<std::string>& header, const std::vector<std::string>& names, ConstMatrixView<Scalar> m, const char* letter) {
  if (!names.empty()) check_count("names", static_cast<Index>(names.size()), "rows", m.rows());
  for (Index i = 0; i < m.rows(); ++i) header.push_back(names.empty() ? letter + std::to_string(i) : names[static_cast<std::size_t>(i)]);
}

/// Writes the table with these features; append_target(text, sample) appends the target cells of a sample. The last `targets` columns are
/// targets. Throws ValueError where .target refers to other columns.
template <class Scalar, class AppendTarget>
std::string csv_text(std::vector<std::string> header, std::size_t targets, ConstMatrixView<Scalar> features, const CsvOptions& options,
                     const AppendTarget& append_target) {
  check_separator("write_csv", options.separator);
  if (options.decimal != '.' || options.skip_lines != 0)
    raise<ValueError>(
        "write_csv: numbers are written with a decimal point, and no lines before the header; leave .decimal and .skip_lines ",
        "as they are");
  check_finite("write_csv", "features", features);
  std::string text;
  for (std::size_t i = 0; options.header && i < header.size(); ++i) {
    text += csv_cell(header[i], options.separator);
    text += i + 1 < header.size() ? options.separator : '\n';
  }
  const std::size_t columns = header.size();
  const CsvLocator table{.file = "write_csv", .columns = options.header ? std::move(header) : std::vector<std::string>{}};
  check_unique_names(table.line(1), table.columns.size(), [&](std::size_t i) { return std::string_view(table.columns[i]); });
  for (std::size_t i = 0; i < options.target.size(); ++i)
    if (options.target.size() != targets || find_column(table, columns, options.target[i]) != columns - targets + i)
      raise<ValueError>("write_csv: .target refers to other columns than the last ", targets, ", which hold the targets");

  const MissingWords missing_words(options.missing_words, options.also_missing);
  for (Index sample = 0; sample < features.cols(); ++sample) {
    append_numbers(text, features, sample, options.separator, missing_words);
    append_target(text, sample);
    text += '\n';
  }
  return text;
}

template <class Data>
void check_writable(const Data& data, Index targets) {
  check_not_empty(data.features.rows(), data.features.cols());
  check_count("targets", targets, "samples", data.size());
  if (data.weights.size() > 0) raise<ValueError>("write_csv: the data set has weights, which the file has no column for; clear them first");
}

/// Returns the name of each class, target_names or else the labels as numbers. Throws ValueError for a label without a name, and where
/// read_csv with these options would give the samples other labels.
template <class Scalar>
std::vector<std::string> written_classes(const Dataset<Scalar>& data, const CsvOptions& options) {
  std::vector<std::string> names = data.target_names;
  if (names.empty())  // without names all labels from 0 on must occur, or .classes must hold them
    for (std::size_t label = 0; label < (std::max)(data.targets.size(), options.classes.size()); ++label)
      names.push_back(std::to_string(label));
  bool come_back = true;
  for (std::size_t sample = 0; sample < data.targets.size(); ++sample) {
    const int label = data.targets[sample];
    if (label >= 0 && static_cast<std::size_t>(label) < names.size()) continue;
    if (label < 0 || !data.target_names.empty())
      raise<ValueError>(
          "write_csv: the label of sample ", sample, " is ", label, ", but ",
          data.target_names.empty() ? "labels are counted from 0" : text_of("target_names has names for 0 to ", names.size() - 1));
    come_back = false;
  }

  if (options.classes.empty()) {
    CsvClassNames<int> classes("write_csv", {});
    const CsvLocator table{.file = "write_csv"};
    const MissingWords missing_words(options.missing_words, options.also_missing);
    std::vector<int> labels;
    for (std::size_t sample = 0; come_back && sample < data.targets.size(); ++sample) {
      const std::string& name = names[static_cast<std::size_t>(data.targets[sample])];
      come_back = !missing_words(name);
      labels.push_back(classes.label(table, 0, {name, 0}));
    }
    come_back = come_back && !classes.are_fractions();
    if (come_back) classes.sort(table, 0, labels);
    come_back = come_back && labels == data.targets && (data.target_names.empty() || classes.names() == names);
  } else {
    const CsvClassNames<int> refuses_a_name_that_occurs_twice("write_csv", options.classes);
    const bool are_names =
        data.target_names.empty() ? std::equal(options.classes.begin(), options.classes.end(), names.begin()) : options.classes == names;
    const int largest = *std::max_element(data.targets.begin(), data.targets.end());
    come_back = come_back && are_names && largest < static_cast<int>(options.classes.size());
  }
  if (!come_back)
    raise<ValueError>(
        "write_csv: read_csv would give other labels, because it sorts the names of the classes that occur and leaves out missing ones; "
        "set "
        ".classes to the names of classes 0, 1, ... (data.target_names), here and for read_csv");
  return names;
}

}  // namespace detail

/// Writes a data set with class labels as CSV text: one row per sample, the features first, then the label. parse_csv with the same
/// options, and .target = -1 or its name, reads the same numbers, labels and names.
///
/// Uses header, separator, classes, missing_words and also_missing of `options`; a name in .target names the column of labels, which is
/// "label" otherwise. Labels are written as their names in target_names, or as numbers where there are none. Throws ShapeError where there
/// is no feature or no sample, or where the number of names or targets does not fit the features; ValueError for NaN and infinity, labels
/// without a name, names that parse_csv would give other labels, numbers that are missing_words, column names used twice, and weights,
/// which the table has no column for.
template <class Scalar>
std::string to_csv(const Dataset<Scalar>& data, const CsvOptions& options = {}) {
  detail::check_writable(data, static_cast<Index>(data.targets.size()));
  const auto features = detail::const_view<Scalar>(data.features);
  const std::vector<std::string> classes = detail::written_classes(data, options);
  std::vector<std::string> header;
  detail::append_names(header, data.feature_names, features, "x");
  header.push_back(options.target.size() == 1 && options.target[0].is_name() ? options.target[0].name() : std::string("label"));
  return detail::csv_text(std::move(header), 1, features, options, [&](std::string& text, Index sample) {
    text += options.separator;
    text += detail::csv_cell(classes[static_cast<std::size_t>(data.targets[static_cast<std::size_t>(sample)])], options.separator);
  });
}

/// Writes a data set with targets that are numbers as CSV text: one row per sample, the features first, then the targets. The target
/// columns are named by target_names, or y0, y1, ... parse_csv reads the same numbers and names. Throws as to_csv of a data set with class
/// labels does.
template <class Scalar>
std::string to_csv(const RegressionDataset<Scalar>& data, const CsvOptions& options = {}) {
  detail::check_writable(data, data.targets.cols());
  const auto features = detail::const_view<Scalar>(data.features);
  const auto targets = detail::const_view<Scalar>(data.targets);
  detail::check_finite("write_csv", "targets", targets);
  const detail::MissingWords missing_words(options.missing_words, options.also_missing);
  std::vector<std::string> header;
  detail::append_names(header, data.feature_names, features, "x");
  detail::append_names(header, data.target_names, targets, "y");
  return detail::csv_text(std::move(header), static_cast<std::size_t>(targets.rows()), features, options,
                          [&](std::string& text, Index sample) {
                            text += options.separator;
                            detail::append_numbers(text, targets, sample, options.separator, missing_words);
                          });
}

/// Writes a matrix, features x samples, as CSV text: one row per sample. The columns are named x0, x1, ... Throws ShapeError for an empty
/// matrix, ValueError for NaN, infinity and numbers that are missing_words.
template <class Scalar>
std::string to_csv(const Matrix<Scalar>& features, const CsvOptions& options = {}) {
  const auto view = detail::const_view<Scalar>(features);
  detail::check_not_empty(view.rows(), view.cols());
  std::vector<std::string> header;
  detail::append_names(header, {}, view, "x");
  return detail::csv_text(std::move(header), 0, view, options, [](std::string&, Index) {});
}

/// Writes to_csv(data, options) to a file. An existing file is replaced only when the new one is complete, and stays where that fails.
/// Throws ValueError with the system's reason where the file cannot be written.
template <class Data>
void write_csv(const std::string& path, const Data& data, const CsvOptions& options = {}) {
  detail::write_file("write_csv", path, to_csv(data, options));
}

}  // namespace chainrule
