#pragma once
// Data sets as tables of comma-separated values, which read_csv reads back to the same bits.

#include <chainrule/bytes/file.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/data/detail/csv_columns.hpp>
#include <chainrule/kernels/all_finite.hpp>

namespace chainrule {

namespace detail {

/// As a cell: in quotes where it would be taken for something else without them.
inline std::string csv_cell(std::string_view text, char separator) {
  const char special[] = {separator, '"', '\r', '\n'};
  const bool is_plain = !text.empty() && !is_blank(text.front()) && !is_blank(text.back()) && !text.starts_with(utf8_mark);
  if (is_plain && text.find_first_of(std::string_view(special, sizeof special)) == std::string_view::npos) return std::string(text);
  std::string cell = "\"";
  for (const char c : text) cell.append(c == '"' ? 2 : 1, c);
  return cell + '"';
}

/// The numbers of one sample, each the shortest decimal that is read back as the same number.
template <class Scalar>
void append_numbers(std::string& text, ConstMatrixView<Scalar> m, Index sample, char separator) {
  for (Index i = 0; i < m.rows(); ++i) {
    if (i > 0) text += separator;
    append_shortest(text, m(i, sample));
  }
}

inline void check_one_each(const char* what, Index count, const char* of, Index expected) {
  if (count != expected) raise<ShapeError>("write_csv: the data set has ", count, " ", what, " for ", expected, " ", of);
}

/// Adds a column name for each row of m: the given ones, or x0, x1, ...
template <class Scalar>
void add_names(std::vector<std::string>& header, const std::vector<std::string>& names, ConstMatrixView<Scalar> m, const char* letter) {
  if (!names.empty()) check_one_each("names", static_cast<Index>(names.size()), "rows", m.rows());
  for (Index i = 0; i < m.rows(); ++i) header.push_back(names.empty() ? letter + std::to_string(i) : names[static_cast<std::size_t>(i)]);
}

/// The table of these features; append_target(text, sample) adds a sample's other cells.
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
    check_unique({.file = "write_csv", .columns = std::move(header)}, 1);
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
  check_one_each("targets", targets, "samples", data.size());
  if (data.weights.size() > 0)
    raise<ValueError>("write_csv: the data set has weights, which would be lost in a file without a column for them; clear them first");
}

}  // namespace detail

/// A table as text: a row for each sample, with its features, then its target. `options` say whether there is a header, what is
/// between values, and, where .target is a name, what the column of labels is called ("label" otherwise); labels are written as
/// target_names. Throws ShapeError where names or targets are not as many as what they belong to, ValueError for numbers that are not
/// finite, labels without a name, names used twice and weights, for which there is no column.
template <class Scalar>
std::string to_csv(const Dataset<Scalar>& data, const CsvOptions& options = {}) {
  detail::check_writable(data, static_cast<Index>(data.targets.size()));
  const auto features = detail::const_view<Scalar>(data.features);
  const Index classes = static_cast<Index>(data.target_names.size());
  std::vector<std::string> header;
  detail::add_names(header, data.feature_names, features, "x");
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

/// The same with targets that are numbers; their columns are called target_names, or y0, y1, ...
template <class Scalar>
std::string to_csv(const RegressionDataset<Scalar>& data, const CsvOptions& options = {}) {
  detail::check_writable(data, data.targets.cols());
  const auto features = detail::const_view<Scalar>(data.features);
  const auto targets = detail::const_view<Scalar>(data.targets);
  detail::check_finite("write_csv", "targets", targets);
  std::vector<std::string> header;
  detail::add_names(header, data.feature_names, features, "x");
  detail::add_names(header, data.target_names, targets, "y");
  return detail::csv_text(std::move(header), features, options, [&](std::string& text, Index sample) {
    text += options.separator;
    detail::append_numbers(text, targets, sample, options.separator);
  });
}

/// The same of a matrix alone, a row of text for each column; the columns of text are called x0, x1, ...
template <class Scalar>
std::string to_csv(const Matrix<Scalar>& features, const CsvOptions& options = {}) {
  const auto view = detail::const_view<Scalar>(features);
  std::vector<std::string> header;
  detail::add_names(header, {}, view, "x");
  return detail::csv_text(std::move(header), view, options, [](std::string&, Index) {});
}

/// Writes to_csv(data, options) into a file. One that is there already is replaced when the new one is whole, and stays as it is
/// where that fails. Throws ValueError with the system's reason where it cannot be written.
template <class Data>
void write_csv(const std::string& path, const Data& data, const CsvOptions& options = {}) {
  detail::write_file("write_csv", path, to_csv(data, options));
}

}  // namespace chainrule
