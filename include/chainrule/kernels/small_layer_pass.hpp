#pragma once

#include <chainrule/core/types.hpp>

namespace chainrule::kernels {

/// Up to this many inputs and outputs a product is over so soon that it is built for just these extents where they are types. To the
/// same bits in any case.
inline constexpr Index small_layer = 16;
constexpr bool is_small_layer(int outputs, int inputs) {
  return outputs != Dynamic && inputs != Dynamic && outputs <= small_layer && inputs <= small_layer;
}

/// What both passes of a small layer read. Columns of x are x_step apart, those of a and delta follow one another.
template <class Scalar>
struct SmallLayerPass {
  const Scalar *w, *x;
  Index x_step, samples;
};

}  // namespace chainrule::kernels
