#pragma once

#include <chainrule/core/types.hpp>

namespace chainrule::kernels {

/// Up to this many inputs and outputs a product is over so soon that it is built for just these extents where they are types. To the
/// same bits in any case.
inline constexpr Index small_layer = 16;
constexpr bool is_small_layer(int outputs, int inputs) {
  return outputs != Dynamic && inputs != Dynamic && outputs <= small_layer && inputs <= small_layer;
}
/// Extents that are values may turn out to be few.
constexpr bool may_be_small(int outputs, int inputs) {
  return (outputs == Dynamic || outputs <= small_layer) && (inputs == Dynamic || inputs <= small_layer);
}

/// What both passes of a small layer read. Columns of x are x_step apart, those of a and delta follow one another. (GCC copies numbers that
/// are neighbours here and in a view with one load, which waits until the stores of both are over; so none are.)
template <class Scalar>
struct SmallLayerPass {
  const Scalar* w;
  Index samples;
  const Scalar* x;
  Index x_step;
};

}  // namespace chainrule::kernels
