#pragma once

#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>

namespace chainrule {

class Team;  // in threads/team.hpp

/// What a forward pass is for. `net.forward` trains; `net.predict` and `net.evaluate` predict. Dropout and BatchNorm differ.
enum class Mode { train, predict };

/// What a forward pass tells a layer beside theta and x.
template <class Scalar>
struct ForwardContext {
  Mode mode = Mode::predict;        ///< Dropout and BatchNorm ask
  const Scalar* buffers = nullptr;  ///< the layer's slice of the network's buffers
  Seed seed = {};                   ///< this layer's own in this step, for what is random in it
  Index first_sample = 0;           ///< which sample of the whole batch column 0 is, where several workspaces share one
  Team* team = nullptr;             ///< threads to share the work among; a layer's backward pass finds them in its cache

  /// The same for layer i of several, whose buffers begin at `offset`.
  ForwardContext of_layer(std::size_t i, Index offset) const {
    return {mode, buffers == nullptr ? nullptr : buffers + offset, derived_seed(seed, i), first_sample, team};
  }
};

}  // namespace chainrule
