#pragma once

#include <chainrule/core/detail/overlap.hpp>
#include <chainrule/workspace.hpp>

namespace chainrule {

/// The memory in which the derivatives of a network's outputs by its inputs are computed. Made by `net.make_derivative_workspace(samples)`,
/// which allocates; the functions that use it do not. It is also a Workspace for all other passes.
///
/// A function works on as many directions at once as there is room for: max_batch() = samples x directions columns.
template <class Scalar, class Sequence>
class DerivativeWorkspace : public Workspace<Scalar, Dynamic, Sequence> {
 public:
  /// Allocates for `samples` samples with `directions` directions at once. Throws ShapeError where one of them is below 1, and where memory
  /// cannot hold them.
  DerivativeWorkspace(const Sequence& sequence, Index samples, Index directions)
      : Workspace<Scalar, Dynamic, Sequence>(sequence, columns(samples, directions)),
        by_x_(sequence.inputs(), this->max_batch()),
        prediction_(sequence.outputs(), this->max_batch()) {}

 private:
  friend struct detail::NetworkAccess;

  static Index columns(Index samples, Index directions) {
    if (samples < 1 || directions < 1)
      detail::raise<ShapeError>("make_derivative_workspace: samples and directions must be at least 1, got ", samples, " and ", directions);
    return detail::extent_product(samples, directions);
  }

  bool holds(detail::Memory memory) const { return detail::overlap(memory, detail::memory_of(prediction_.first(this->max_batch()))); }

  BatchStorage<Scalar, Dynamic, Dynamic> by_x_;        // a direction of x, or a gradient by x, in each column
  BatchStorage<Scalar, Dynamic, Dynamic> prediction_;  // F(x) after the loss's link, for of_prediction()
};

}  // namespace chainrule
