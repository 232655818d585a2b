#pragma once

#include <algorithm>
#include <chainrule/core/targets.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <utility>
#include <vector>

namespace chainrule {

/// Class labels as probabilities, classes x samples: y(k, j) = 1 where k is the label of sample j, else 0. `labels` is any
/// contiguous vector of integers. Throws ValueError for a label that is not in [0, classes), ShapeError for classes < 1.
template <class Scalar, detail::LabelVector LabelsType>
Matrix<Scalar> one_hot(const LabelsType& labels, Index classes) {
  const auto view = detail::target_view<Scalar>(labels);
  if (classes < 1) detail::raise<ShapeError>("one_hot: there must be at least 1 class, got ", classes);
  for (std::size_t j = 0; j < view.size(); ++j)
    if (std::cmp_less(+view[j], 0) || std::cmp_greater_equal(+view[j], classes))
      detail::raise<ValueError>("one_hot: the label of sample ", j, " is ", view[j], ", but with ", classes, " classes labels are 0 to ",
                                classes - 1);
  Matrix<Scalar> y = Matrix<Scalar>::Zero(classes, detail::samples_of(view));
  for (std::size_t j = 0; j < view.size(); ++j) y(static_cast<Index>(view[j]), static_cast<Index>(j)) = 1;
  return y;
}

/// The label of each column: the place of its largest entry, the first where several are. A matrix of one row holds probabilities of
/// class 1, so that its labels are 1 from 1/2 on, else 0. Throws ShapeError where there are no rows, ValueError for NaN and infinity.
template <class Derived>
std::vector<int> labels_of(const Eigen::DenseBase<Derived>& y) {
  using Scalar = typename Derived::Scalar;
  const ConstMatrixView<Scalar> view = detail::const_view<Scalar>(y);
  if (view.rows() < 1) detail::raise<ShapeError>("labels_of: y has no rows; it needs one for each class");
  detail::check_finite("labels_of", "y", view);
  std::vector<int> labels(static_cast<std::size_t>(view.cols()));
  for (std::size_t j = 0; j < labels.size(); ++j) {
    const Scalar* column = view.data() + static_cast<Index>(j) * view.outerStride();
    const bool is_one_row = view.rows() == 1;
    labels[j] =
        is_one_row ? static_cast<int>(*column >= Scalar(0.5)) : static_cast<int>(std::max_element(column, column + view.rows()) - column);
  }
  return labels;
}

}  // namespace chainrule
