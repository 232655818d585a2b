#pragma once

#include <chainrule/data/dataset.hpp>
#include <vector>

namespace chainrule {

/// These samples, in this order, as a data set of their own; a sample may come several times. Throws ValueError for a number that no
/// sample has, ShapeError where the data set has other numbers of targets or weights than of samples.
template <class Scalar, class Targets>
Dataset<Scalar, Targets> select(const Dataset<Scalar, Targets>& data, const std::vector<Index>& samples) {
  const DataView view(data);
  for (const Index i : samples)
    if (i < 0 || i >= view.size())
      detail::raise<ValueError>("select: there is no sample ", i, "; the ", view.size(), " samples are counted from 0");

  const Index count = static_cast<Index>(samples.size());
  Dataset<Scalar, Targets> selected;
  selected.features.resize(view.features.rows(), count);
  if constexpr (detail::LabelVector<Targets>)
    selected.targets.resize(samples.size());
  else
    selected.targets.resize(view.targets.rows(), count);
  selected.weights.resize(view.weights.size() == 0 ? 0 : count);
  for (Index k = 0; k < count; ++k) {
    const Index i = samples[static_cast<std::size_t>(k)];
    selected.features.col(k) = view.features.col(i);
    if constexpr (detail::LabelVector<Targets>)
      selected.targets[static_cast<std::size_t>(k)] = view.targets[static_cast<std::size_t>(i)];
    else
      selected.targets.col(k) = view.targets.col(i);
    if (view.weights.size() != 0) selected.weights[k] = view.weights[i];
  }
  selected.feature_names = data.feature_names;
  selected.target_names = data.target_names;
  return selected;
}

}  // namespace chainrule
