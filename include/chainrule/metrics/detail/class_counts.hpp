#pragma once
// Predictions and targets as metrics see them: checked before a number is made of them, and read as classes.

#include <algorithm>
#include <chainrule/core/targets.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <string_view>
#include <utility>

namespace chainrule::detail {

/// A matrix of floating-point numbers, outputs x samples.
template <class T>
concept Numbers = EigenDense<T> && std::floating_point<typename std::remove_cvref_t<T>::Scalar>;

/// What says which class each sample belongs to: labels; or probabilities, classes x samples, or one row of those of "yes".
template <class T>
concept Classes = Numbers<T> || LabelVector<T>;

/// Labels or ConstMatrixView, of the integer or scalar that T has.
template <Classes T>
auto metric_view(const T& m) {
  if constexpr (LabelVector<T>)
    return target_view<float>(m);  // whose scalar is that of matrices
  else
    return const_view<typename T::Scalar>(m);
}

/// The class with the largest probability, the first of them where several are; of one row: 1 ("yes") from 1/2 on, else 0.
template <class Scalar>
Index class_of(const ConstMatrixView<Scalar>& probabilities, Index sample) {
  const Scalar* p = probabilities.data() + sample * probabilities.outerStride();
  if (probabilities.rows() == 1) return *p >= Scalar(0.5) ? 1 : 0;
  return std::max_element(p, p + probabilities.rows()) - p;
}
template <class Label>
Index class_of(std::span<const Label> labels, Index sample) {
  return static_cast<Index>(labels[static_cast<std::size_t>(sample)]);
}

/// One row is two classes, "no" and "yes".
template <class Scalar>
Index class_count(const ConstMatrixView<Scalar>& probabilities) {
  return probabilities.rows() == 1 ? 2 : probabilities.rows();
}

template <class Scalar>
[[gnu::noinline]] void check_numbers(std::string_view who, const char* name, const ConstMatrixView<Scalar>& m) {
  if (m.rows() < 1) raise<ShapeError>(who, ": ", name, " has no rows");
  for (Index j = 0; j < m.cols(); ++j) {
    const Scalar* column = m.data() + j * m.outerStride();
    if (all_finite(column, m.rows())) continue;
    Index i = 0;
    while (all_finite(column + i, 1)) ++i;
    raise<ValueError>(who, ": ", name, "(", i, ", ", j, ") is ", column[i], " (output ", i, " of sample ", j,
                      "), but a metric is a number only of finite numbers");
  }
}

template <class Scalar>
[[gnu::noinline]] void check_probabilities(std::string_view who, const char* name, const ConstMatrixView<Scalar>& m) {
  check_numbers(who, name, m);
  for (Index j = 0; j < m.cols(); ++j)
    for (Index i = 0; i < m.rows(); ++i)
      if (!(m(i, j) >= 0 && m(i, j) <= 1))
        raise<ValueError>(who, ": ", name, "(", i, ", ", j, ") is ", m(i, j), ", but it must be a probability, from 0 to 1");
}

/// Throws unless all labels are in [0, classes). Gives the largest + 1.
template <class Label>
[[gnu::noinline]] Index check_labels(std::string_view who, const char* name, std::span<const Label> labels, Index classes) {
  Index seen = 0;
  for (std::size_t j = 0; j < labels.size(); ++j) {
    using Wide = std::conditional_t<std::is_signed_v<Label>, long long, unsigned long long>;
    const Wide label = static_cast<Wide>(labels[j]);
    if (std::cmp_less(label, 0) || std::cmp_greater_equal(label, classes))
      raise<ValueError>(who, ": the label of sample ", j, " in ", name, " is ", label, ", but labels must be 0 to ", classes - 1);
    seen = std::max(seen, static_cast<Index>(label) + 1);
  }
  return seen;
}

template <class Predictions, class Targets>
[[gnu::noinline]] void check_same_samples(std::string_view who, const Predictions& y_hat, const Targets& y) {
  const Index samples = samples_of(y_hat);
  if (samples != samples_of(y))
    raise<ShapeError>(who, ": y_hat has ", samples, " samples, but y has ", samples_of(y), " (one column is one sample)");
  if (samples < 1) raise<ShapeError>(who, ": there are no samples; a metric needs at least one");
}

[[gnu::noinline]] inline void check_same_rows(std::string_view who, Index y_hat, Index y) {
  if (y_hat != y) raise<ShapeError>(who, ": y_hat has ", y_hat, " rows, but y has ", y, " (one column is one sample)");
}

/// Labels that meet only labels count their classes themselves; one beyond this is taken for something else than a class.
inline constexpr Index most_classes = 1'000'000;

/// Throws where views of predictions and targets are not those of the same samples and classes. Gives the number of classes:
/// what the rows say, or the largest label + 1 where there are only labels.
template <class Predictions, class Targets>
Index checked_classes(std::string_view who, const Predictions& y_hat, const Targets& y, Index classes = most_classes) {
  constexpr bool rows_in_y_hat = Numbers<Predictions>;
  constexpr bool rows_in_y = Numbers<Targets>;
  check_same_samples(who, y_hat, y);
  if constexpr (rows_in_y_hat && rows_in_y) check_same_rows(who, y_hat.rows(), y.rows());
  if constexpr (rows_in_y_hat) {
    check_numbers(who, "y_hat", y_hat);
    classes = class_count(y_hat);
  }
  if constexpr (rows_in_y) {
    check_probabilities(who, "y", y);
    classes = class_count(y);
  }
  Index seen = 0;
  if constexpr (!rows_in_y_hat) seen = std::max(seen, check_labels(who, "y_hat", y_hat, classes));
  if constexpr (!rows_in_y) seen = std::max(seen, check_labels(who, "y", y, classes));
  return rows_in_y_hat || rows_in_y ? classes : seen;
}

}  // namespace chainrule::detail
