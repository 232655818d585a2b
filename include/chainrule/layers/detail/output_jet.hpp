#pragma once

#include <chainrule/core/jet.hpp>

namespace chainrule::detail {

/// The JetCache of a layer that keeps nothing but the jet of its output.
template <class Scalar>
struct OutputJet {
  /// Allocates for jets of up to max_columns columns.
  template <class L>
  OutputJet(const L& layer, Index, Index max_columns) : output(layer.outputs(), max_columns) {}
  BatchStorage<Scalar, Dynamic, Dynamic> output;  ///< the jet of the output, outputs x columns
};

}  // namespace chainrule::detail
