#pragma once

#include <chainrule/core/checks.hpp>
#include <chainrule/core/targets.hpp>
#include <string>
#include <vector>

namespace chainrule {

/// Samples with what is to be learned about them: a class label each (targets: std::vector<int>), or outputs x samples
/// numbers (targets: Matrix<Scalar>). One column of `features` is one sample. A plain aggregate that owns its memory.
template <class Scalar, class Targets = std::vector<int>>
struct Dataset {
  using ScalarType = Scalar;
  using TargetsType = Targets;

  Matrix<Scalar> features;                      ///< inputs x samples
  Targets targets;                              ///< a label for each sample, from 0; or outputs x samples
  Vector<Scalar> weights = {};                  ///< how much each sample counts; empty: all the same
  std::vector<std::string> feature_names = {};  ///< a name for each input, or empty
  std::vector<std::string> target_names = {};   ///< what label 0, 1, ... means, or a name for each output; or empty

  Index size() const { return features.cols(); }
};

template <class Scalar>
using RegressionDataset = Dataset<Scalar, Matrix<Scalar>>;

}  // namespace chainrule
