#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>
#include <concepts>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace chainrule {

/// Refers to a column of a table by its name in the header, or by its number, counted from 0. Negative numbers count from the end: -1 is
/// the last column.
class CsvColumn {
 public:
  CsvColumn(const char* name) : name_{name}, is_name_{true} {}             ///< refers to a column by its name
  CsvColumn(std::string name) : name_{std::move(name)}, is_name_{true} {}  ///< refers to a column by its name
  CsvColumn(int number) : number_{number} {}                               ///< refers to a column by its number

  bool is_name() const { return is_name_; }          ///< whether it refers to the column by its name
  const std::string& name() const { return name_; }  ///< the name; empty where it refers to the column by its number
  int number() const { return number_; }             ///< the number; 0 where it refers to the column by its name

 private:
  std::string name_;
  int number_ = 0;
  bool is_name_ = false;
};

/// A list of columns: {.target = "species"}, {.target = -1}, {.target = {"height", "weight"}}. The order is kept: it is the order of the
/// outputs of a RegressionDataset.
class CsvColumns : public std::vector<CsvColumn> {
 public:
  CsvColumns() = default;                                                    ///< no column
  CsvColumns(std::initializer_list<CsvColumn> columns) : vector(columns) {}  ///< several columns, in this order
  template <std::convertible_to<CsvColumn> Column>
  CsvColumns(const Column& column) : vector{CsvColumn(column)} {}  ///< one column
};

/// Policy of the CSV reader for missing values.
enum class Missing {
  error,     ///< throw ValueError
  drop_row,  ///< leave out the whole row
  nan,       ///< read NaN, which a MeanImputer can replace; for features only: a missing target is an error
};

/// The texts that stand for a missing value unless other ones are given: those of pandas.read_csv, and "?".
inline std::vector<std::string> usual_missing_words() {
  return {"",        "?",    "#N/A", "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND",
          "1.#QNAN", "<NA>", "N/A",  "NA",       "NULL", "NaN",     "None",     "n/a",  "nan",  "null"};
}

/// The layout of a CSV file, and which columns are targets or ignored. All other columns are features.
struct CsvOptions {
  bool header = true;      ///< whether the first row holds the names of the columns
  char separator = ',';    ///< the character between the values of a row; ' ' stands for any number of blanks and tabs
  char decimal = '.';      ///< the decimal point of numbers: '.' or ','
  int skip_lines = 0;      ///< how many lines before the header, or before the first row, are left out
  CsvColumns target = {};  ///< the columns to learn: one column of class labels, or columns of numbers
  CsvColumns ignore = {};  ///< columns that are neither features nor targets
  std::vector<std::string> classes =
      {};                            ///< names of classes 0, 1, ... where they are fixed before, as by train.target_names; never missing
  Missing missing = Missing::error;  ///< policy for missing values
  std::vector<std::string> missing_words = usual_missing_words();  ///< texts that stand for a missing value
  std::vector<std::string> also_missing = {};                      ///< more such texts, beside missing_words
};

}  // namespace chainrule
