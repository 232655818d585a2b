#pragma once

#include <chainrule/network.hpp>

namespace chainrule {

/// A network whose layers' types need not be written down: make_network<float, SoftmaxCrossEntropy>(Seed{42}, layers...),
/// or with a loss that has parameters, make_network<float>(Seed{42}, Huber{.delta = 2}, layers...).
template <class Scalar, class LossType, class... Layers>
Network<Scalar, LossType, Layers...> make_network(Seed seed, Layers... layers) {
  return Network<Scalar, LossType, Layers...>(seed, layers...);
}
template <class Scalar, Loss LossType, class... Layers>
Network<Scalar, LossType, Layers...> make_network(Seed seed, LossType loss, Layers... layers) {
  return Network<Scalar, LossType, Layers...>(seed, loss, layers...);
}

}  // namespace chainrule
