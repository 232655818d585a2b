#pragma once
// A dense layer of at most 16 inputs and outputs, built for just these extents. Its sums, and their order, are those of LayerProducts, so
// the bits are too.
//
//     forward    z = W x + b,  a = f(z)
//     backward   delta = dJ/da f'(z),  dJ/dx = W^T delta,  dJ/dW = delta x^T,  dJ/db = row sums of delta

#include <chainrule/kernels/register_layer.hpp>
#include <chainrule/kernels/scalar_layer.hpp>

namespace chainrule::kernels {

/// Whether such a layer is worth being built for its extents.
template <class Scalar, int Out, int In>
concept IsSmallLayer = is_small_layer(Out, In) && !HasWiderLanes<Scalar>;

template <class Scalar, int Out, int In>
using SmallLayer = std::conditional_t<HasVectors<Scalar>, RegisterLayer<Scalar, Out, In>, ScalarLayer<Scalar, Out, In>>;

}  // namespace chainrule::kernels
