#pragma once

#include <chainrule/core/types.hpp>

namespace chainrule::detail {

/// Sets column k batch + j of v to the unit vector of entry first + k, for all k < count and j < batch, so that each unit vector is there
/// for a whole batch. Further columns become 0.
template <class Scalar>
void set_unit_vectors(Index first, Index count, Index batch, MatrixView<Scalar> v) {
  v.setZero();
  for (Index k = 0; k < count; ++k) v.row(first + k).segment(k * batch, batch).setOnes();
}

}  // namespace chainrule::detail
