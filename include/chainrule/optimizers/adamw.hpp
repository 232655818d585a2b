#pragma once

#include <chainrule/optimizers/adam.hpp>

namespace chainrule {

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), as in PyTorch: a step of Adam without weight decay, whose theta is first
/// multiplied by 1 - learning_rate weight_decay. In step t:
///
///     m <- beta1 m + (1 - beta1) dJ/dtheta
///     v <- beta2 v + (1 - beta2) (dJ/dtheta)^2
///     theta <- (1 - learning_rate weight_decay) theta - learning_rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
struct AdamW {
  static constexpr std::string_view name = "AdamW";  ///< the name in descriptions, files and messages

  double learning_rate = 1e-3;  ///< the size of a step, at least 0
  double beta1 = 0.9;           ///< decay factor of m, in [0, 1)
  double beta2 = 0.999;         ///< decay factor of v, in [0, 1)
  double epsilon = 1e-8;        ///< added to the divisor so that it is not 0; at least 0
  double weight_decay = 0.01;   ///< theta is multiplied by 1 - learning_rate weight_decay; at least 0
  bool decay_biases = false;    ///< whether weight decay also applies to biases
  bool amsgrad = false;         ///< whether the largest v so far replaces v, as in Adam

  /// The hyperparameters by name; a checkpoint compares them.
  auto hyperparameters() const { return detail::adam_hyperparameters(*this); }
  Index moments() const { return amsgrad ? 3 : 2; }  ///< the number of moments, numbers that the rule keeps for each parameter
  /// Makes the state for a network: all moments are 0, and biases are marked so that weight decay can leave them out. It needs no heap for
  /// a small network of fixed extents.
  template <HasParameters Net>
  auto make_state(const Net& net) const {
    return make_optimizer_state<3>(net, moments());
  }
  /// Makes the state for a vector of `size` numbers of type Scalar that belongs to no network, as in make_state<float>(theta.size()). All
  /// of them count as weights.
  template <class Scalar>
  OptimizerState<Scalar> make_state(Index size) const {
    return {size, moments()};
  }

  /// Makes one step. The arguments and errors are those of SGD::step.
  template <class Theta, class Gradient, class Scalar, Index... Fixed>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar, Fixed...>& state) const {
    detail::adam_step(*this, detail::Decay::decoupled, theta, gradient, state);
  }
};

}  // namespace chainrule
