#pragma once
// Writes data sets as comma-separated values (CSV). read_csv reads them back to the same bits.

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
  const char special[] = {separator, '"', '\r', '\n'};
  const bool is_plain = !text.empty() && !is_blank(text.front()) && !is_blank(text.back()) && !text.starts_with(utf8_byte_order_mark);
  if (is_plain && text.find_first_of(std::string_view(special, sizeof special)) == std::string_view::npos) return std::string(text);
  std::string cell = "\"";
  for (const char c : text) cell.append(c == '"' ? 2 : 1, c);
  return cell + '"';
}

/// Appends the numbers of one sample, each as the shortest decimal that is read back as the same number.
template <class Scalar>
void append_numbers(std::string& text, ConstMatrixView<Scalar> m, Index sample, char separator) {
  for (Index i = 0; i < m.rows(); ++i) {
    if (i > 0) text += separator;
    append_shortest(text, m(i, sample));
  }
}

inline void check_count(const char* what, Index count, const char* owners, Index expected) {
  if (count != expected) raise<ShapeError>("write_csv: the data set has ", count, " ", what, " for ", expected, " ", owners);
}

/// Appends a column name to `header` for each row of m: `names`, or the letter with a number where there are none (x0, x1, ...).
template <class Scalar>
void append_names(std::vector<std::string>& header, const std::vector<std::string>& names, ConstMatrixView<Scalar> m, const char* letter) {
  if (!names.empty()) check_count("names", static_cast<Index>(names.size()), "rows", m.rows());
  for (Index i = 0; i < m.rows(); ++i) header.push_back(names.empty() ? letter + std::to_string(i) : names[static_cast<std::size_t>(i)]);
}

/// Writes the table with these features; append_target(text, sample) appends the target cells of a sample.
template <class Scalar, class AppendTarget>
std::string csv_text(std::vector<std::string> header, ConstMatrixView<Scalar> features, const CsvOptions& options,
                     const AppendTarget& append_target) {
  check_separator("write_csv", options.separator);
  check_finite("write_csv", "features", features);
  std::string text;
  if (options.header) {
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (i > 0) text += options.separator;
      text += csv_cell(header[i], options.separator);
    }
    text += '\n';
    check_unique_names({.file = "write_csv", .columns = std::move(header)}, 1);
  }
  for (Index sample = 0; sample < features.cols(); ++sample) {
    append_numbers(text, features, sample, options.separator);
    append_target(text, sample);
    text += '\n';
  }
  return text;
}

template <class Data>
void check_writable(const Data& data, Index targets) {
  check_count("targets", targets, "samples", data.size());
  if (data.weights.size() > 0) raise<ValueError>("write_csv: the data set has weights, which the file has no column for; clear them first");
}

}  // namespace detail

/// Writes a data set with class labels as CSV text: one row per sample, the features first, then the label. Of `options`, header and
/// separator apply, and a name in .target names the column of labels ("label" otherwise). Labels are written as their names in
/// target_names, where there are any. Throws ShapeError where the number of names or targets does not fit the features, ValueError for
/// NaN and infinity, labels without a name, column names used twice, and weights, which the table has no column for.
template <class Scalar>
std::string to_csv(const Dataset<Scalar>& data, const CsvOptions& options = {}) {
  detail::check_writable(data, static_cast<Index>(data.targets.size()));
  const auto features = detail::const_view<Scalar>(data.features);
  const Index classes = static_cast<Index>(data.target_names.size());
  std::vector<std::string> header;
  detail::append_names(header, data.feature_names, features, "x");
  header.push_back(options.target.size() == 1 && options.target[0].is_name() ? options.target[0].name() : std::string("label"));
  return detail::csv_text(std::move(header), features, options, [&](std::string& text, Index sample) {
    const int label = data.targets[static_cast<std::size_t>(sample)];
    if (classes > 0 && (label < 0 || label >= classes))
      detail::raise<ValueError>("write_csv: the label of sample ", sample, " is ", label, ", but target_names has names for 0 to ",
                                classes - 1);
    text += options.separator;
    text += classes == 0 ? std::to_string(label) : detail::csv_cell(data.target_names[static_cast<std::size_t>(label)], options.separator);
  });
}

/// Writes a data set with targets that are numbers as CSV text: one row per sample, the features first, then the targets. The target
/// columns are named by target_names, or y0, y1, ... Throws as to_csv of a data set with class labels does.
template <class Scalar>
std::string to_csv(const RegressionDataset<Scalar>& data, const CsvOptions& options = {}) {
  detail::check_writable(data, data.targets.cols());
  const auto features = detail::const_view<Scalar>(data.features);
  const auto targets = detail::const_view<Scalar>(data.targets);
  detail::check_finite("write_csv", "targets", targets);
  std::vector<std::string> header;
  detail::append_names(header, data.feature_names, features, "x");
  detail::append_names(header, data.target_names, targets, "y");
  return detail::csv_text(std::move(header), features, options, [&](std::string& text, Index sample) {
    text += options.separator;
    detail::append_numbers(text, targets, sample, options.separator);
  });
}

/// Writes a matrix, features x samples, as CSV text: one row per sample. The columns are named x0, x1, ... Throws ValueError for NaN
/// and infinity.
template <class Scalar>
std::string to_csv(const Matrix<Scalar>& features, const CsvOptions& options = {}) {
  const auto view = detail::const_view<Scalar>(features);
  std::vector<std::string> header;
  detail::append_names(header, {}, view, "x");
  return detail::csv_text(std::move(header), view, options, [](std::string&, Index) {});
}

/// Writes to_csv(data, options) to a file. An existing file is replaced only when the new one is complete, and stays where that fails.
/// Throws ValueError with the system's reason where the file cannot be written.
template <class Data>
void write_csv(const std::string& path, const Data& data, const CsvOptions& options = {}) {
  detail::write_file("write_csv", path, to_csv(data, options));
}

}  // namespace chainrule
