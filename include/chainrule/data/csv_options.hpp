#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace chainrule {

/// A column of a table: its name in the header, or its number, counted from 0; -1 is the last one, -2 the one before.
class CsvColumn {
 public:
  CsvColumn(const char* name) : name_{name}, is_name_{true} {}             ///< by its name
  CsvColumn(std::string name) : name_{std::move(name)}, is_name_{true} {}  ///< by its name
  CsvColumn(int number) : number_{number} {}                               ///< by its number

  bool is_name() const { return is_name_; }          ///< whether it is said by its name
  const std::string& name() const { return name_; }  ///< empty where it is said by its number
  int number() const { return number_; }             ///< 0 where it is said by its name

 private:
  std::string name_;
  int number_ = 0;
  bool is_name_ = false;
};

/// Columns in an order of their own: {.target = "species"}, {.target = -1}, {.target = {"height", "weight"}}.
class CsvColumns : public std::vector<CsvColumn> {
 public:
  CsvColumns() = default;                                                    ///< none
  CsvColumns(std::initializer_list<CsvColumn> columns) : vector(columns) {}  ///< several, in this order
  template <std::convertible_to<CsvColumn> Column>
  CsvColumns(const Column& column) : vector{CsvColumn(column)} {}  ///< one
};

/// What to do where a value is missing.
enum class Missing {
  error,     ///< throw
  drop_row,  ///< leave the whole row out
  mean,      ///< put the mean of the column's other values; of features only: a missing target is an error
};

/// How a table lies in a text file of comma-separated values, and what its columns are.
struct CsvOptions {
  bool header = true;                     ///< whether the first row holds the columns' names
  char separator = ',';                   ///< between the values of a row
  CsvColumns target = {};                 ///< what is to be learned: the column of labels, or the columns of numbers
  CsvColumns ignore = {};                 ///< neither features nor targets
  std::vector<std::string> classes = {};  ///< the names of label 0, 1, ... where they are known: train.target_names
  Missing missing = Missing::error;       ///< what to do where a value is missing
  std::vector<std::string> missing_words = {"", "?", "NA", "N/A", "NaN", "nan", "null"};  ///< what says that it is
};

}  // namespace chainrule
