#pragma once
// Conversion between class labels and one-hot columns.

#include <chainrule/core/targets.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <chainrule/metrics/detail/metric_inputs.hpp>
#include <utility>
#include <vector>

namespace chainrule {

/// Converts class labels to one-hot columns, classes x samples: y(k, j) = 1 where k is the label of sample j, else 0. `labels` is any
/// contiguous vector of integers. Throws ValueError for a label outside [0, classes), ShapeError for classes < 1 and
/// where memory cannot hold the result.
template <class Scalar, detail::LabelVector LabelsType>
Matrix<Scalar> one_hot(const LabelsType& labels, Index classes) {
  const auto view = detail::target_view<Scalar>(labels);
  if (classes < 1) detail::raise<ShapeError>("one_hot: there must be at least 1 class, got ", classes);
  for (std::size_t j = 0; j < view.size(); ++j)
    if (std::cmp_less(+view[j], 0) || std::cmp_greater_equal(+view[j], classes))
      detail::raise<ValueError>("one_hot: the label of sample ", j, " is ", view[j], ", but with ", classes, " classes labels are 0 to ",
                                classes - 1);
  const Index samples = detail::samples_of(view);
  Matrix<Scalar> y;
  detail::allocate_or_refuse("one_hot", classes, samples, [&] { y.setZero(classes, samples); });
  for (std::size_t j = 0; j < view.size(); ++j) y(static_cast<Index>(view[j]), static_cast<Index>(j)) = 1;
  return y;
}

/// Returns the class label of each column of y, classes x samples: the row of its largest entry, the first one among equals. A matrix with
/// one row holds the probabilities of class 1, so its labels are 1 for at least 1/2, else 0. Throws ShapeError where there are no rows,
/// ValueError for NaN and infinity.
template <class Derived>
std::vector<int> labels_of(const Eigen::DenseBase<Derived>& y) {
  const auto view = detail::const_view<typename Derived::Scalar>(y);
  if (view.rows() < 1) detail::raise<ShapeError>("labels_of: y has no rows; it needs one for each class");
  detail::check_finite("labels_of", "y", view);
  std::vector<int> labels;
  labels.reserve(static_cast<std::size_t>(view.cols()));
  for (Index j = 0; j < view.cols(); ++j) labels.push_back(static_cast<int>(detail::class_of(view, j)));
  return labels;
}

}  // namespace chainrule
