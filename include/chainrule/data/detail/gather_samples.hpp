#pragma once

#include <chainrule/data/dataset.hpp>
#include <chainrule/kernels/map.hpp>
#include <chainrule/kernels/prefetch.hpp>
#include <limits>
#include <span>

namespace chainrule::detail {

/// Copies the given samples of `data` into the first columns of `features` and the first entries of `targets`, and their weights into
/// `weights` where the data has weights. Features below the smallest normal number are copied as 0. The destinations must be large enough
/// already; allocates nothing.
template <class Scalar, class TargetsView, class Targets>
void gather_samples(const DataView<Scalar, TargetsView>& data, std::span<const Index> samples, Matrix<Scalar>& features, Targets& targets,
                    Vector<Scalar>& weights) {
  const bool has_weights = data.weights.size() != 0;
  const Index rows = data.features.rows();
  const auto sample = [&](std::size_t i) { return data.features.data() + samples[i] * data.features.outerStride(); };
  const bool are_long = rows * Index{sizeof(Scalar)} >= 256;  // a shorter sample comes before asking for it has paid
  for (std::size_t to = 0; to < samples.size(); ++to) {
    // Shuffled samples lie anywhere in memory. All lines of the next one are asked for at once, while this one is copied.
    if (are_long && to + 1 < samples.size()) kernels::Prefetch(sample(to + 1), rows, rows, 1).next(1);
    const Index from = samples[to];
    const Index column = static_cast<Index>(to);
    kernels::map(
        rows, [](auto x) CHAINRULE_FORMULA { return flush_subnormal(x); }, features.data() + column * rows, sample(to));
    if constexpr (LabelVector<Targets>)
      targets[to] = data.targets[static_cast<std::size_t>(from)];
    else
      targets.col(column) = data.targets.col(from);
    if (has_weights) weights[column] = data.weights[from];
  }
}

/// Whether a number of m is subnormal: not 0, and below the smallest normal number.
template <class Scalar>
bool any_subnormal(const ConstMatrixView<Scalar>& m) {
  const auto count = [](auto x)
                         CHAINRULE_FORMULA { return select(abs(x) > 0, select(abs(x) < (std::numeric_limits<Scalar>::min)(), 1, 0), 0); };
  return kernels::sum_matrices<Accumulator<Scalar>>(count, m) > 0;
}

}  // namespace chainrule::detail
