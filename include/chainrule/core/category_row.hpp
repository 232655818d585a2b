#pragma once
// Rows of x whose numbers are categories: 0, 1, 2, ... instead of quantities.

#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <span>

namespace chainrule {

/// A row of x whose numbers are categories, and the number of entries that an Embedding has for each of them.
struct CategoryRow {
  Index row = 0;         ///< the row of x, from 0
  Index categories = 0;  ///< how many categories there are; their numbers are 0, 1, ..., categories - 1
  Index size = 0;        ///< how many numbers stand for each category in the output of the Embedding

  bool operator==(const CategoryRow&) const = default;  ///< whether all three are equal
};

namespace detail {

/// The largest number of categories: all numbers below are exact in float.
inline constexpr Index max_categories = Index{1} << 24;

/// The rows of x that are categories to a layer; none for a layer that has no member `category_rows`.
template <class L>
std::span<const CategoryRow> category_rows_of(const L& layer) {
  if constexpr (requires { layer.category_rows(); })
    return layer.category_rows();
  else
    return {};
}

/// Whether x is one of the numbers 0, 1, ..., categories - 1.
template <class Scalar>
bool is_category(Scalar x, Index categories) {
  return is_finite(x) && x >= 0 && x < static_cast<Scalar>(categories) && static_cast<Scalar>(static_cast<Index>(x)) == x;
}

/// Throws ValueError, which names the row, the sample and the number, where a number in a row of categories is none of them.
template <class Scalar>
void check_categories(const char* who, std::span<const CategoryRow> rows, const ConstMatrixView<Scalar>& x) {
  for (const CategoryRow& of : rows)
    for (Index j = 0; j < x.cols(); ++j)
      if (const Scalar number = x(of.row, j); !is_category(number, of.categories))
        raise<ValueError>(who, ": x(", of.row, ", ", j, ") is ", number, ", but row ", of.row, " of x has categories, so sample ", j,
                          " must have a whole number from 0 to ", of.categories - 1, " there");
}

}  // namespace detail
}  // namespace chainrule
