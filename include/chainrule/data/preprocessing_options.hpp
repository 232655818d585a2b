#pragma once
// Options of Preprocessing: which columns of a table are targets, words or ignored, and what becomes of unknown words and missing values.

#include <chainrule/core/types.hpp>
#include <optional>
#include <string>
#include <vector>

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

}  // namespace chainrule
