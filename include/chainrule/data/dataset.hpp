#pragma once

#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/targets.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <string>
#include <vector>

namespace chainrule {

/// Samples with what is to be learned about them: a class label each (targets: std::vector<int>), or outputs x samples
/// numbers (targets: Matrix<Scalar>). One column of `features` is one sample. A plain aggregate that owns its memory.
template <class Scalar, class Targets = std::vector<int>>
struct Dataset {
  using ScalarType = Scalar;
  using TargetsType = Targets;  ///< std::vector<int> or Matrix<Scalar>

  Matrix<Scalar> features;                      ///< inputs x samples
  Targets targets;                              ///< a label for each sample, from 0; or outputs x samples
  Vector<Scalar> weights = {};                  ///< how much each sample counts; empty: all the same
  std::vector<std::string> feature_names = {};  ///< a name for each input, or empty
  std::vector<std::string> target_names = {};   ///< what label 0, 1, ... means, or a name for each output; or empty

  Index size() const { return features.cols(); }  ///< how many samples there are
};

/// Targets that are numbers, outputs x samples.
template <class Scalar>
using RegressionDataset = Dataset<Scalar, Matrix<Scalar>>;

/// A dataset in somebody else's memory, which is not copied: a Dataset, or any matrices, maps and label vectors of the user's:
/// @code{.cpp}
/// DataView{Eigen::Map<const Eigen::MatrixXf>(pixels, 784, n), labels};
/// @endcode
/// Throws ShapeError unless there is a target, and a weight if there are any, for each sample.
template <class Scalar, class Targets>
class DataView {
 public:
  using ScalarType = Scalar;
  using TargetsView = Targets;  ///< Labels<...> or ConstMatrixView<Scalar>

  /// Of a Dataset, with its weights.
  template <class OwnedTargets>
  DataView(const Dataset<Scalar, OwnedTargets>& data) : DataView(data.features, data.targets, data.weights) {}

  /// Of features, inputs x samples, and targets.
  template <class X, class Y>
  DataView(const X& x, const Y& y) : DataView(x, y, Vector<Scalar>{}) {}

  /// The same with a weight for each sample.
  template <class X, class Y, class W>
  DataView(const X& x, const Y& y, const W& w)
      : features{detail::const_view<Scalar>(x)},
        targets{detail::target_view<Scalar>(y)},
        weights{w.size() == 0 ? nullptr : w.data(), static_cast<Index>(w.size())} {
    if (detail::samples_of(targets) != size())
      detail::raise<ShapeError>("dataset: there are ", size(), " samples, but targets for ", detail::samples_of(targets),
                                " (one column is one sample)");
    if (weights.size() != 0 && weights.size() != size())
      detail::raise<ShapeError>("dataset: there are ", size(), " samples, but ", weights.size(), " weights");
  }

  ConstMatrixView<Scalar> features;  ///< inputs x samples
  Targets targets;                   ///< a label for each sample, or outputs x samples
  ConstVectorView<Scalar> weights;   ///< empty: all samples count the same

  Index size() const { return features.cols(); }  ///< how many samples there are
};

namespace detail {

/// The weights of samples first, ..., first + count - 1, or none where all count the same.
template <class Scalar, class Targets>
ConstVectorView<Scalar> weights_of(const DataView<Scalar, Targets>& data, Index first, Index count) {
  if (data.weights.size() == 0) return {nullptr, 0};
  return {data.weights.data() + first, count};
}

template <class Scalar, class Y>
using TargetsViewOf = decltype(target_view<Scalar>(std::declval<const Y&>()));

}  // namespace detail

template <class Scalar, class Targets>
DataView(const Dataset<Scalar, Targets>&) -> DataView<Scalar, detail::TargetsViewOf<Scalar, Targets>>;
template <class X, class Y>
DataView(const X&, const Y&) -> DataView<typename X::Scalar, detail::TargetsViewOf<typename X::Scalar, Y>>;
template <class X, class Y, class W>
DataView(const X&, const Y&, const W&) -> DataView<typename X::Scalar, detail::TargetsViewOf<typename X::Scalar, Y>>;

}  // namespace chainrule
