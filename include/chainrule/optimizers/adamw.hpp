#pragma once

#include <chainrule/optimizers/adam.hpp>

namespace chainrule {

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019) as PyTorch has it: theta <- (1 - learning_rate weight_decay) theta
/// beside a step of Adam that knows of no decay. Errors as in SGD.
struct AdamW {
  static constexpr std::string_view name = "AdamW";  ///< the name in descriptions, files and messages
  double learning_rate = 1e-3;                       ///< the size of a step, at least 0
  double beta1 = 0.9;                                ///< how much of m is kept, in [0, 1)
  double beta2 = 0.999;                              ///< how much of v is kept, in [0, 1)
  double epsilon = 1e-8;                             ///< keeps the divisor from 0; at least 0
  double weight_decay = 0.01;                        ///< decoupled
  bool decay_biases = false;                         ///< decay pulls at biases too
  bool amsgrad = false;                              ///< as in Adam

  Index moments() const { return amsgrad ? 3 : 2; }  ///< the number of moments: how many numbers the rule keeps for each parameter
  /// Makes the state for a network: all moments 0, with weights told from biases for weight decay.
  template <HasParameters Net>
  auto make_state(const Net& net) const {
    return OptimizerState(net, moments());
  }
  /// Makes the state for a vector of `size` parameters of type Scalar, all of which count as weights.
  template <class Scalar>
  OptimizerState<Scalar> make_state(Index size) const {
    return {size, moments()};
  }

  /// One step downhill, with arguments as in SGD.
  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state) const {
    detail::adam_step(*this, detail::Decay::decoupled, theta, gradient, state);
  }
};

}  // namespace chainrule
