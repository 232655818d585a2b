#pragma once

#include <algorithm>
#include <chainrule/data/dataset.hpp>
#include <span>

namespace chainrule::detail {

/// Copies the given samples of `data` into the first columns of `features` and the first entries of `targets`, and their weights into
/// `weights` where the data has weights. The destinations must be large enough already; allocates nothing.
template <class Scalar, class TargetsView, class Targets>
void gather_samples(const DataView<Scalar, TargetsView>& data, std::span<const Index> samples, Matrix<Scalar>& features, Targets& targets,
                    Vector<Scalar>& weights) {
  const bool has_weights = data.weights.size() != 0;
  for (std::size_t to = 0; to < samples.size(); ++to) {
    const Index from = samples[to];
    const Index column = static_cast<Index>(to);
    std::copy_n(data.features.data() + from * data.features.outerStride(), features.rows(), features.data() + column * features.rows());
    if constexpr (LabelVector<Targets>)
      targets[to] = data.targets[static_cast<std::size_t>(from)];
    else
      targets.col(column) = data.targets.col(from);
    if (has_weights) weights[column] = data.weights[from];
  }
}

}  // namespace chainrule::detail
