#pragma once
// z and delta = dJ/dz of one layer, for layer_values.

#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>

namespace chainrule::detail {

/// Computes z of a layer after a forward pass on x, and turns `delta` from dJ/da into dJ/dz. On entry z is a, and stays so for a layer
/// without an activation inside. Throws ValueError for a layer of the user's that has an activation but no z_and_delta.
template <class L, class Scalar, class Cache>
void z_and_delta_of(const L& layer, const Scalar* theta, ConstMatrixView<Scalar> x, const Cache& cache, MatrixView<Scalar> z,
                    MatrixView<Scalar> delta) {
  if constexpr (requires { layer.z_and_delta(theta, x, cache, z, delta); })
    layer.z_and_delta(theta, x, cache, z, delta);
  else if (!layer.activation_name().empty())
    raise<ValueError>("layer_values: the layer ", L::name, " has the activation ", layer.activation_name(),
                      ", but does not say what its z is; give it a function z_and_delta(theta, x, cache, z, delta) as Dense has");
}

}  // namespace chainrule::detail
