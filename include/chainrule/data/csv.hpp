#pragma once
// Reads data sets from comma-separated values (CSV). A row of the file is a sample; a column is a feature or a target.
//
// @code{.cpp}
// auto iris = read_csv<Dataset<float>>("iris.csv", {.target = "species"});                          // labels
// auto house = read_csv<RegressionDataset<float>>("house.csv", {.separator = ';', .target = -1});  // numbers
// auto x = read_csv<Matrix<float>>("new.csv", {.ignore = "id"});                                    // features alone
// auto part = read_csv<Dataset<float>>("big.csv", {.target = -1}, DataPart{0, 4});                  // the first quarter of the rows
// @endcode
//
// The work is divided into three internal headers: detail/csv_scanner.hpp cuts the text into rows of cells (quotes, separators, line
// ends); detail/csv_columns.hpp decides what each column is (feature, target or ignored), which cells are missing values, and which class
// name has which label; detail/csv_reader.hpp goes through the rows with both and collects the numbers and labels. This header turns what
// was collected into the requested type. csv_options.hpp holds the options, write_csv.hpp the opposite direction.

#include <chainrule/data/dataset.hpp>
#include <chainrule/data/detail/csv_reader.hpp>
#include <istream>

namespace chainrule {

namespace detail {

/// Makes a Result from CSV text; specialized for each type that a table can be read as.
template <class Result>
struct CsvResult {
  static constexpr bool is_supported = false;
};

template <class Scalar>
struct CsvResult<Dataset<Scalar>> {
  static constexpr bool is_supported = true;
  static Dataset<Scalar> from(std::string_view text, const CsvOptions& options, const std::string& name, const DataPart& part) {
    const CsvReader<Scalar> table(text, options, name, CsvTargetKind::labels, part);
    return {table.features(), table.labels(), {}, table.names(CsvRole::feature), table.class_names()};
  }
};

template <class Scalar>
struct CsvResult<RegressionDataset<Scalar>> {
  static constexpr bool is_supported = true;
  static RegressionDataset<Scalar> from(std::string_view text, const CsvOptions& options, const std::string& name, const DataPart& part) {
    const CsvReader<Scalar> table(text, options, name, CsvTargetKind::numbers, part);
    return {table.features(), table.targets(), {}, table.names(CsvRole::feature), table.names(CsvRole::target)};
  }
};

template <class Scalar>
struct CsvResult<Matrix<Scalar>> {
  static constexpr bool is_supported = true;
  static Matrix<Scalar> from(std::string_view text, const CsvOptions& options, const std::string& name, const DataPart& part) {
    return CsvReader<Scalar>(text, options, name, CsvTargetKind::none, part).features();
  }
};

}  // namespace detail

/// Reads a table from CSV text. `name` stands for the text in error messages. The type of the result decides how targets are read:
/// - `Dataset<Scalar>`: the target column holds class names. target_names are the distinct names, sorted (whole numbers by value, No before
///   Yes); targets are their positions in it.
/// - `RegressionDataset<Scalar>`: one or several target columns hold numbers.
/// - `Matrix<Scalar>`: there is no target; the result is the features, features x samples.
///
/// Numbers are decimal with a point, or a comma where .decimal says so, in every locale. Columns without a name and a value at the ends of
/// the lines are left out. A first column without a name that numbers the rows is an error, because it is no feature. For features that are
/// words there are read_table and Preprocessing.
///
/// A column of no and yes, false and true, n and y, f and t or off and on, in letters of either case, is read as the numbers 0 and 1; as
/// targets, these are what BinaryCrossEntropy takes.
///
/// Throws ValueError, with line and column, for whatever cannot be read. Takes time in proportion to the size of the text (n log n for n
/// different class names), and memory of two to four times the text for usual numbers, and of at most 42 times for any.
template <class Result>
Result parse_csv(std::string_view text, const CsvOptions& options, const std::string& name = "the text") {
  static_assert(detail::CsvResult<Result>::is_supported,
                "chainrule: a table is read as a Dataset<float> (labels), a RegressionDataset<float> (numbers) or a Matrix<float> "
                "(features alone): read_csv<Dataset<float>>(path, {.target = \"species\"})");
  if constexpr (detail::CsvResult<Result>::is_supported) return detail::CsvResult<Result>::from(text, options, name, DataPart{});
}

/// Reads a table from a stream, up to its end, as parse_csv of a text does.
template <class Result>
Result parse_csv(std::istream& stream, const CsvOptions& options, const std::string& name = "the stream") {
  std::string text;
  for (char chunk[4096]; stream.read(chunk, sizeof chunk) || stream.gcount() > 0;)
    text.append(chunk, static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) detail::raise<ValueError>("parse_csv: cannot read ", name, " to its end");
  return parse_csv<Result>(std::string_view(text), options, name);
}

/// Reads a part of the rows of a table from CSV text: those samples of what parse_csv of the whole table gives, with its labels and names.
/// All rows are cut into cells, but only those of the part are read as numbers and stored. So a cell outside the part that holds no number
/// is not seen. Where there are fewer rows than parts, some parts are empty.
template <class Result>
Result parse_csv(std::string_view text, const CsvOptions& options, const DataPart& part, const std::string& name = "the text") {
  static_assert(
      detail::CsvResult<Result>::is_supported,
      "chainrule: a part of a table is read as a Dataset<float> (labels), a RegressionDataset<float> (numbers) or a Matrix<float> "
      "(features alone): read_csv<Dataset<float>>(path, {.target = \"species\"}, part)");
  if constexpr (detail::CsvResult<Result>::is_supported) return detail::CsvResult<Result>::from(text, options, name, part);
}

/// Reads a table from a file, as parse_csv does.
template <class Result>
Result read_csv(const std::string& path, const CsvOptions& options) {
  return parse_csv<Result>(detail::read_file("read_csv", path), options, path);
}

/// Reads a part of the rows of a table from a file, as parse_csv does: read_csv<Dataset<float>>(path, {.target = -1}, mpi.part()).
template <class Result>
Result read_csv(const std::string& path, const CsvOptions& options, const DataPart& part) {
  return parse_csv<Result>(detail::read_file("read_csv", path), options, part, path);
}

}  // namespace chainrule
