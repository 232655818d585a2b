#pragma once

#include <chainrule/optimizers/detail/update.hpp>

namespace chainrule {

/// Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms", algorithm 2): every parameter takes a step of the same
/// length, whose sign a mean of gradients gives. So it wants a learning rate 3 to 10 times smaller than Adam's, and a weight decay as
/// much larger; the decay is decoupled as in AdamW. Errors as in SGD.
///     c = beta1 m + (1 - beta1) dJ/dtheta
///     theta <- (1 - learning_rate weight_decay) theta - learning_rate sign(c)
///     m <- beta2 m + (1 - beta2) dJ/dtheta
struct Lion {
  static constexpr std::string_view name = "Lion";
  double learning_rate = 1e-4;
  double beta1 = 0.9;         ///< share of m in the sign, in [0, 1)
  double beta2 = 0.99;        ///< how much of m is kept, in [0, 1)
  double weight_decay = 0;    ///< decoupled; lambda in the paper
  bool decay_biases = false;  ///< decay pulls at biases too

  Index moments() const { return 1; }
  template <HasParameters Net>
  auto make_state(const Net& net) const {
    return OptimizerState(net, moments());
  }
  template <class Scalar>
  OptimizerState<Scalar> make_state(Index size) const {
    return {size, moments()};
  }

  /// One step downhill, with arguments as in SGD.
  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state) const {
    detail::check_fraction(name, "beta1", beta1);
    detail::check_fraction(name, "beta2", beta2);
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    detail::for_pieces(*this, arguments, state, [&](const detail::Piece<Scalar>& piece) {
      detail::update<kernels::LionRule, 1>(piece, 1 - learning_rate * piece.decay, learning_rate, beta1, 1 - beta1, beta2, 1 - beta2);
    });
  }
};

}  // namespace chainrule
