#pragma once

#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <string>
#include <utility>
#include <vector>

namespace chainrule {

/// Samples with their targets: one class label per sample (Targets = std::vector<int>), or numbers, outputs x samples
/// (Targets = Matrix<Scalar>). One column of `features` is one sample. A plain aggregate that owns its memory.
template <class Scalar, class Targets = std::vector<int>>
struct Dataset {
  using ScalarType = Scalar;    ///< the type of the numbers
  using TargetsType = Targets;  ///< std::vector<int> or Matrix<Scalar>

  Matrix<Scalar> features;                      ///< inputs x samples
  Targets targets;                              ///< a class label for each sample, counted from 0; or numbers, outputs x samples
  Vector<Scalar> weights = {};                  ///< how much each sample counts in the loss; empty: all count the same
  std::vector<std::string> feature_names = {};  ///< a name for each input, or empty
  std::vector<std::string> target_names = {};   ///< a name for each class or for each output, or empty

  Index size() const { return features.cols(); }  ///< number of samples
};

/// A data set whose targets are numbers, outputs x samples.
template <class Scalar>
using RegressionDataset = Dataset<Scalar, Matrix<Scalar>>;

/// A view of samples and targets in memory owned by someone else: a Dataset, or any matrices, maps and label vectors:
/// @code{.cpp}
/// DataView{Eigen::Map<const Eigen::MatrixXf>(pixels, 784, n), labels};
/// @endcode
/// Copies nothing; the memory must outlive the view, so a temporary that owns its numbers does not compile: give it a name first. The
/// constructors throw ShapeError unless there is one target per sample and, where there are weights, one weight per sample.
template <class Scalar, class Targets>
class DataView {
 public:
  using ScalarType = Scalar;    ///< the type of the numbers
  using TargetsView = Targets;  ///< Labels<...> or ConstMatrixView<Scalar>

  /// Views a Dataset, with its weights.
  template <class OwnedTargets>
  DataView(const Dataset<Scalar, OwnedTargets>& data) : DataView(data.features, data.targets, data.weights) {}
  /// Does not compile, because a temporary Dataset is gone when the view is used.
  template <class OwnedTargets>
  DataView(const Dataset<Scalar, OwnedTargets>&& data) : DataView(data.features, data.targets, data.weights) {
    static_assert(!std::is_same_v<OwnedTargets, OwnedTargets>,
                  "chainrule: a view of this Dataset would outlive it, because it is a temporary; give it a name first: "
                  "const auto validation = subset(data, indices);");
  }

  /// Views features, inputs x samples, and targets: a vector of labels, or a matrix, outputs x samples.
  template <class X, class Y>
  DataView(X&& x, Y&& y) : DataView(std::forward<X>(x), std::forward<Y>(y), ConstVectorView<Scalar>{nullptr, 0}) {
    static_cast<void>(detail::checked_dense<std::remove_cvref_t<X>>() && detail::checked_targets<std::remove_cvref_t<Y>>());
  }

  /// Views features, targets and a weight for each sample.
  template <class X, class Y, class W>
  DataView(X&& x, Y&& y, W&& w)
      : features{detail::const_view<Scalar>(x)},
        targets{detail::target_view<Scalar>(y)},
        weights{w.size() == 0 ? nullptr : w.data(), static_cast<Index>(w.size())} {
    static_assert(detail::may_be_viewed<X>() && detail::may_be_viewed<Y>() && detail::may_be_viewed<W>(),
                  "chainrule: a DataView keeps views of its arguments, so none of them can be a temporary that owns its numbers; give it a "
                  "name first: const Eigen::MatrixXf x = make_features();");
    if (detail::samples_of(targets) != size())
      detail::raise<ShapeError>("dataset: there are ", size(), " samples, but targets for ", detail::samples_of(targets),
                                " (one column is one sample)");
    if (weights.size() != 0 && weights.size() != size())
      detail::raise<ShapeError>("dataset: there are ", size(), " samples, but ", weights.size(), " weights");
  }

  ConstMatrixView<Scalar> features;  ///< inputs x samples
  Targets targets;                   ///< a class label for each sample, or numbers, outputs x samples
  ConstVectorView<Scalar> weights;   ///< how much each sample counts in the loss; empty: all count the same

  Index size() const { return features.cols(); }  ///< number of samples
};

namespace detail {

/// Returns the weights of samples first, ..., first + count - 1; empty where the data has no weights.
template <class Scalar, class Targets>
ConstVectorView<Scalar> weights_of(const DataView<Scalar, Targets>& data, Index first, Index count) {
  if (data.weights.size() == 0) return {nullptr, 0};
  return {data.weights.data() + first, count};
}

/// The type of the numbers of features; any type where X is no matrix, which the constructor of DataView says in a sentence.
template <class X>
using FeatureScalar = typename std::conditional_t<EigenDense<X>, X, Matrix<float>>::Scalar;

template <class Scalar, class Y>
using TargetsViewOf = decltype(target_view<Scalar>(std::declval<const Y&>()));

}  // namespace detail

/// Deduces the template arguments from the constructor's arguments.
template <class Scalar, class Targets>
DataView(const Dataset<Scalar, Targets>&) -> DataView<Scalar, detail::TargetsViewOf<Scalar, Targets>>;
/// Deduces the template arguments from the constructor's arguments.
template <class X, class Y>
DataView(const X&, const Y&) -> DataView<detail::FeatureScalar<X>, detail::TargetsViewOf<detail::FeatureScalar<X>, Y>>;
/// Deduces the template arguments from the constructor's arguments.
template <class X, class Y, class W>
DataView(const X&, const Y&, const W&) -> DataView<detail::FeatureScalar<X>, detail::TargetsViewOf<detail::FeatureScalar<X>, Y>>;

}  // namespace chainrule
