#pragma once
// Tables of comma-separated values as data sets: a row of the file is a sample, a column of it a feature or a target.
//
// @code{.cpp}
// auto iris = read_csv<Dataset<float>>("iris.csv", {.target = "species"});                          // labels
// auto house = read_csv<RegressionDataset<float>>("house.csv", {.separator = ';', .target = -1});  // numbers
// auto x = read_csv<Matrix<float>>("new.csv", {.ignore = "id"});                                    // features alone
// @endcode

#include <chainrule/data/dataset.hpp>
#include <chainrule/data/detail/csv_reader.hpp>
#include <istream>

namespace chainrule {

namespace detail {

template <class Result>
struct ReadCsv {
  static constexpr bool exists = false;
};

template <class Scalar>
struct ReadCsv<Dataset<Scalar>> {
  static constexpr bool exists = true;
  static Dataset<Scalar> from(std::string_view text, const CsvOptions& options, const std::string& name) {
    const CsvReader<Scalar> table(text, options, name, CsvTargets::labels);
    return {table.features(), table.labels(), {}, table.names(CsvRole::feature), table.classes()};
  }
};

template <class Scalar>
struct ReadCsv<RegressionDataset<Scalar>> {
  static constexpr bool exists = true;
  static RegressionDataset<Scalar> from(std::string_view text, const CsvOptions& options, const std::string& name) {
    const CsvReader<Scalar> table(text, options, name, CsvTargets::numbers);
    return {table.features(), table.targets(), {}, table.names(CsvRole::feature), table.names(CsvRole::target)};
  }
};

template <class Scalar>
struct ReadCsv<Matrix<Scalar>> {
  static constexpr bool exists = true;
  static Matrix<Scalar> from(std::string_view text, const CsvOptions& options, const std::string& name) {
    return CsvReader<Scalar>(text, options, name, CsvTargets::none).features();
  }
};

}  // namespace detail

/// Reads a table from a text; errors call it `name`. What it is read as says what the target is:
/// - `Dataset<Scalar>`: class labels: the names in the target column, sorted (whole numbers by value), are target_names
/// - `RegressionDataset<Scalar>`: numbers, from one target column or several
/// - `Matrix<Scalar>`: there is none
///
/// Numbers are decimal, with a point, in every locale. Throws ValueError with line and column for whatever cannot be read.
template <class Result>
Result parse_csv(std::string_view text, const CsvOptions& options, const std::string& name = "the text") {
  static_assert(detail::ReadCsv<Result>::exists,
                "chainrule: a table is read as a Dataset<float> (labels), a RegressionDataset<float> (numbers) or a Matrix<float> "
                "(features alone): read_csv<Dataset<float>>(path, {.target = \"species\"})");
  if constexpr (detail::ReadCsv<Result>::exists) return detail::ReadCsv<Result>::from(text, options, name);
}

/// The same from a stream, read to its end.
template <class Result>
Result parse_csv(std::istream& stream, const CsvOptions& options, const std::string& name = "the stream") {
  std::string text;
  for (char piece[4096]; stream.read(piece, sizeof piece) || stream.gcount() > 0;)
    text.append(piece, static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) detail::raise<ValueError>("parse_csv: cannot read ", name, " to its end");
  return parse_csv<Result>(std::string_view(text), options, name);
}

/// The same from a file.
template <class Result>
Result read_csv(const std::string& path, const CsvOptions& options) {
  return parse_csv<Result>(detail::read_file("read_csv", path), options, path);
}

}  // namespace chainrule
