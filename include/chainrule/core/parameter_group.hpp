#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>
#include <string>

namespace chainrule {

/// A part of a network's parameters that has a learning rate and a weight decay of its own, as factors on those of the optimizer, so that
/// schedules still work. See ParameterGroups.
struct ParameterGroup {
  /// A layer, "0", or one inside a Residual, "2.0"; a tensor, "0.weight"; or the tensors of one kind in all layers, "bias".
  std::string name;
  double rate = 1;                                         ///< factor on the optimizer's learning_rate, at least 0
  double decay = 1;                                        ///< factor on the optimizer's weight_decay, at least 0, where it applies
  bool operator==(const ParameterGroup&) const = default;  ///< whether both say the same
};

}  // namespace chainrule
