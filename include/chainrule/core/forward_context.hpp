#pragma once

#include <chainrule/core/frozen_parameters.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/core/types.hpp>

namespace chainrule {

class Team;  // in threads/team.hpp
template <class Scalar>
class DenseProducts;  // in core/product_precision.hpp
template <class Scalar>
class SampleGradients;  // in layers/sample_gradients.hpp
template <class Scalar>
class ShardReduction;  // in core/shard_reduction.hpp

/// Whether a forward pass is part of a training step (`net.forward`) or a prediction (`net.predict`, `net.evaluate`). Dropout and
/// BatchNorm compute different things in the two.
enum class Mode { train, predict };

/// The arguments of a layer's forward pass beside theta and x.
template <class Scalar>
struct ForwardContext {
  Mode mode = Mode::predict;        ///< training or prediction
  const Scalar* buffers = nullptr;  ///< the layer's slice of the network's buffers
  Seed seed = {};                   ///< seed for this layer in this step: start of its random numbers (Dropout's mask)
  Index first_sample = 0;           ///< the number of column 0 in the whole batch, where several workspaces share a batch
  Team* team = nullptr;             ///< threads that share the work, or nullptr; a layer that needs it in backward keeps it in its cache
  detail::FrozenSlice frozen = {};  ///< the frozen parameters of the network
  /// Merges numbers over all shards of the batch, where a layer with statistics shall take them from all; else nullptr.
  ShardReduction<Scalar>* shards = nullptr;
  /// Computes the matrix products of dense layers in another precision, forward and backward; nullptr for products in Scalar.
  DenseProducts<Scalar>* products = nullptr;

  /// The context of layer i of a sequence that has this one: its buffers begin at buffer_offset, its parameters at parameter_offset, and
  /// its seed is derived_seed(seed, i).
  ForwardContext of_layer(std::size_t i, Index buffer_offset, Index parameter_offset) const {
    return {mode,
            buffers == nullptr ? nullptr : buffers + buffer_offset,
            derived_seed(seed, i),
            first_sample,
            team,
            {frozen.all, frozen.first + parameter_offset},
            shards,
            products};
  }
};

}  // namespace chainrule
