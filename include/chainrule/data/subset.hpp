#pragma once

#include <chainrule/data/dataset.hpp>
#include <chainrule/data/detail/gather_samples.hpp>
#include <vector>

namespace chainrule {

/// Copies the samples with these indices, in this order, to a data set of their own; an index may occur several times. Throws ValueError
/// for an index outside [0, data.size()), ShapeError where the data set has another number of targets or weights than of samples.
template <class Scalar, class Targets>
Dataset<Scalar, Targets> subset(const Dataset<Scalar, Targets>& data, const std::vector<Index>& indices) {
  const DataView view(data);
  for (const Index i : indices)
    if (i < 0 || i >= view.size())
      detail::raise<ValueError>("subset: there is no sample ", i, "; the ", view.size(), " samples are counted from 0");

  const Index count = static_cast<Index>(indices.size());
  Dataset<Scalar, Targets> samples;
  samples.features.resize(view.features.rows(), count);
  if constexpr (detail::LabelVector<Targets>)
    samples.targets.resize(indices.size());
  else
    samples.targets.resize(view.targets.rows(), count);
  samples.weights.resize(view.weights.size() == 0 ? 0 : count);
  detail::gather_samples(view, indices, samples.features, samples.targets, samples.weights);
  samples.feature_names = data.feature_names;
  samples.target_names = data.target_names;
  return samples;
}

}  // namespace chainrule
