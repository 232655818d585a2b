#pragma once
// The inputs of metrics: which types y_hat and y may have, their checks, and how a class is read from labels or probabilities.

#include <algorithm>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <string_view>
#include <utility>

namespace chainrule::detail {

/// A matrix of floating-point numbers, outputs x samples.
template <class T>
concept NumberMatrix = EigenDense<T> && std::floating_point<typename std::remove_cvref_t<T>::Scalar>;

/// Anything that assigns a class to each sample: a vector of integer labels; probabilities, classes x samples; or one row with the
/// probabilities of class 1 ("yes").
template <class T>
concept LabelsOrProbabilities = NumberMatrix<T> || LabelVector<T>;

/// Targets with a weight for each sample: weighted(y, w).
template <class T>
inline constexpr bool is_weighted_targets = false;
template <class Scalar, class View>
inline constexpr bool is_weighted_targets<WeightedTargets<Scalar, View>> = LabelsOrProbabilities<View>;

/// Targets of a metric for numbers: a matrix, outputs x samples, with or without weights of the samples.
template <class T>
concept NumberTargets = NumberMatrix<T> ||(is_weighted_targets<T>&& requires(const T& y) { y.targets.rows(); });
/// Targets of a metric for classes: labels or probabilities, with or without weights of the samples.
template <class T>
concept ClassTargets = LabelsOrProbabilities<T> || is_weighted_targets<T>;

/// Stands for a metric that was given labels where its predictions belong, and does not compile. `Given`: the type of an argument.
template <class Given>
double labels_first() {
  static_assert(!std::is_same_v<Given, Given>,
                "chainrule: metrics take the predictions first and then the targets, unlike scikit-learn: roc_auc(y_hat, y)");
  return no_result<double>();
}

/// Returns a view of y_hat or y: Labels of T's integer type, or a ConstMatrixView of T's scalar type.
template <LabelsOrProbabilities T>
auto metric_view(const T& m) {
  if constexpr (LabelVector<T>)
    return target_view<float>(m);  // the scalar type matters for matrices only
  else
    return const_view<typename T::Scalar>(m);
}

template <class Scalar, class View>
View metric_view(const WeightedTargets<Scalar, View>& y) {
  return y.targets;
}

/// The weights of samples that all count the same.
struct UnitWeights {
  constexpr double operator()(Index) const { return 1; }
  double total(std::string_view, Index samples) const { return static_cast<double>(samples); }
};
/// The weights of the samples of weighted(y, w).
template <class Scalar>
struct SampleWeights {
  ConstVectorView<Scalar> weights;
  double operator()(Index j) const { return static_cast<double>(weights[j]); }
  /// The sum of all weights. Throws ValueError where it is 0, or not finite.
  double total(std::string_view who, Index samples) const {
    const double sum = pairwise_sum<double>(samples, *this);
    if (!(sum > 0 && is_finite(sum)))
      raise<ValueError>(who, ": the weights of the samples sum to ", sum, ", but the sum must be finite and above 0");
    return sum;
  }
};

/// The weights of the samples of y, which the metric is computed with as if there were copies of a sample (scikit-learn's sample_weight).
/// Throws ShapeError unless there is one for each sample, ValueError unless each is finite and at least 0.
template <class Y>
UnitWeights metric_weights(const Y&) {
  return {};
}
template <class Scalar, class View>
SampleWeights<Scalar> metric_weights(const WeightedTargets<Scalar, View>& y) {
  check_weights(y);
  if (y.weights.size() != samples_of(y.targets))
    raise<ShapeError>("target: there are ", y.weights.size(), " weights for ", samples_of(y.targets), " samples");
  return {y.weights};
}

/// Returns the class of a sample: the one with the largest probability, the first among equals. For a single row it is 1 ("yes") for a
/// probability of at least 1/2, else 0.
template <class Scalar>
Index class_of(const ConstMatrixView<Scalar>& probabilities, Index sample) {
  const Scalar* p = probabilities.data() + sample * probabilities.outerStride();
  if (probabilities.rows() == 1) return *p >= Scalar(0.5) ? 1 : 0;
  return std::max_element(p, p + probabilities.rows()) - p;
}
/// Returns the class of a sample, which is its label.
template <class Label>
Index class_of(std::span<const Label> labels, Index sample) {
  return static_cast<Index>(labels[static_cast<std::size_t>(sample)]);
}

/// Returns the number of classes; a single row stands for two, "no" and "yes".
template <class Scalar>
Index class_count(const ConstMatrixView<Scalar>& probabilities) {
  return probabilities.rows() == 1 ? 2 : probabilities.rows();
}

/// Throws ShapeError where m has no rows, ValueError where it has NaN or infinity. `who` is the metric and `name` the matrix, for error
/// messages.
template <class Scalar>
[[gnu::noinline]] void check_numbers(std::string_view who, const char* name, const ConstMatrixView<Scalar>& m) {
  if (m.rows() < 1) raise<ShapeError>(who, ": ", name, " has no rows");
  for (Index j = 0; j < m.cols(); ++j) {
    const Scalar* column = m.data() + j * m.outerStride();
    if (kernels::all_finite(m.rows(), column)) continue;
    Index i = 0;
    while (is_finite(column[i])) ++i;
    raise<ValueError>(who, ": ", name, "(", i, ", ", j, ") is ", column[i], " (output ", i, " of sample ", j,
                      "), but a metric needs finite numbers");
  }
}

/// Throws as check_numbers does, and ValueError for a number outside [0, 1].
template <class Scalar>
[[gnu::noinline]] void check_probabilities(std::string_view who, const char* name, const ConstMatrixView<Scalar>& m) {
  check_numbers(who, name, m);
  for (Index j = 0; j < m.cols(); ++j)
    for (Index i = 0; i < m.rows(); ++i)
      if (!(m(i, j) >= 0 && m(i, j) <= 1))
        raise<ValueError>(who, ": ", name, "(", i, ", ", j, ") is ", m(i, j), ", but it must be a probability, from 0 to 1");
}

/// Throws ValueError unless all labels are in [0, classes). Returns the largest label + 1.
template <class Label>
[[gnu::noinline]] Index check_labels(std::string_view who, const char* name, std::span<const Label> labels, Index classes) {
  Index seen = 0;
  for (std::size_t j = 0; j < labels.size(); ++j) {
    using Wide = std::conditional_t<std::is_signed_v<Label>, long long, unsigned long long>;
    const Wide label = static_cast<Wide>(labels[j]);
    if (std::cmp_less(label, 0) || std::cmp_greater_equal(label, classes))
      raise<ValueError>(who, ": the label of sample ", j, " in ", name, " is ", label, ", but labels must be 0 to ", classes - 1);
    seen = (std::max)(seen, static_cast<Index>(label) + 1);
  }
  return seen;
}

/// Throws ShapeError unless y_hat and y have the same number of samples, at least one.
template <class Predictions, class Targets>
[[gnu::noinline]] void check_same_samples(std::string_view who, const Predictions& y_hat, const Targets& y) {
  const Index samples = samples_of(y_hat);
  if (samples != samples_of(y))
    raise<ShapeError>(who, ": y_hat has ", samples, " samples, but y has ", samples_of(y), " (one column is one sample)");
  if (samples < 1) raise<ShapeError>(who, ": there are no samples; a metric needs at least one");
}

/// Throws ShapeError unless both numbers of rows are equal.
[[gnu::noinline]] inline void check_same_rows(std::string_view who, Index y_hat, Index y) {
  if (y_hat != y) raise<ShapeError>(who, ": y_hat has ", y_hat, " rows, but y has ", y, " (one column is one sample)");
}

/// The limit for labels where no matrix tells the number of classes. A larger label is most likely not a class label.
inline constexpr Index max_classes = 1'000'000;

/// Checks views of y_hat and y, and returns the number of classes: the number that their rows stand for, or, where both are labels, the
/// largest label + 1. Throws ShapeError where samples or rows differ or there are none; ValueError for NaN and infinity, a label outside
/// [0, classes), and a y outside [0, 1]. `classes` is the limit for labels where both are labels.
template <class Predictions, class Targets>
Index checked_classes(std::string_view who, const Predictions& y_hat, const Targets& y, Index classes = max_classes) {
  constexpr bool rows_in_y_hat = NumberMatrix<Predictions>;
  constexpr bool rows_in_y = NumberMatrix<Targets>;
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
  if constexpr (!rows_in_y_hat) seen = (std::max)(seen, check_labels(who, "y_hat", y_hat, classes));
  if constexpr (!rows_in_y) seen = (std::max)(seen, check_labels(who, "y", y, classes));
  return rows_in_y_hat || rows_in_y ? classes : seen;
}

}  // namespace chainrule::detail
