#pragma once

#include <chainrule/optimizers/detail/update.hpp>

namespace chainrule {

/// RMSprop (Tieleman and Hinton 2012, lecture 6e) as PyTorch has it: every parameter's step is divided by the root of a running
/// mean of its squared gradients; if centered, of their variance (Graves 2013). Errors as in SGD.
///     g = dJ/dtheta + weight_decay theta
///     v <- rho v + (1 - rho) g^2
///     theta <- theta - learning_rate g / (sqrt(v) + epsilon)
struct RMSprop {
  static constexpr std::string_view name = "RMSprop";
  double learning_rate = 0.01;
  double rho = 0.99;          ///< how much of the running means is kept, in [0, 1); alpha in PyTorch
  double epsilon = 1e-8;      ///< keeps the divisor from 0; at least 0
  double momentum = 0;        ///< in [0, 1)
  bool centered = false;      ///< divides by the root of the variance instead of the mean square
  double weight_decay = 0;    ///< L2, added to the gradient
  bool decay_biases = false;  ///< decay pulls at biases too

  Index moments() const { return 1 + (centered ? 1 : 0) + (momentum != 0 ? 1 : 0); }
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
    detail::check_fraction(name, "rho", rho);
    detail::check_not_negative<Scalar>(name, "epsilon", epsilon);
    detail::check_fraction(name, "momentum", momentum);
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    detail::for_pieces(*this, arguments, state, [&](const detail::Piece<Scalar>& piece) {
      if (centered)
        momentum != 0 ? descend<true, true>(piece) : descend<true, false>(piece);
      else
        momentum != 0 ? descend<false, true>(piece) : descend<false, false>(piece);
    });
  }

 private:
  template <bool is_centered, bool has_momentum, class Scalar>
  void descend(const detail::Piece<Scalar>& piece) const {
    detail::update<kernels::RMSpropRuleOf<is_centered, has_momentum>::template Rule, 1 + is_centered + has_momentum>(
        piece, piece.decay, learning_rate, rho, 1 - rho, epsilon, momentum);
  }
};

}  // namespace chainrule
