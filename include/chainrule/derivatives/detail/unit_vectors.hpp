#pragma once

#include <chainrule/core/types.hpp>

namespace chainrule::detail {

/// Sets v to unit vectors, each for a whole batch: column k batch + j to that of entry first + k, for all k < count and j < batch. What
/// else v holds becomes 0.
template <class Scalar>
void set_unit_vectors(Index first, Index count, Index batch, MatrixView<Scalar> v) {
  v.setZero();
  for (Index k = 0; k < count; ++k) v.row(first + k).segment(k * batch, batch).setOnes();
}

}  // namespace chainrule::detail
