#pragma once

#include <chainrule/optimizers/detail/update.hpp>

namespace chainrule {

namespace detail {

/// The formula of a step of RMSprop for some parameters. Moments: v; the mean of g, if centered; b, with momentum.
template <class Scalar, bool centered, bool has_momentum>
struct RMSpropFormula {
  Scalar decay;
  Scalar rate;
  Scalar rho, fresh;  // fresh = 1 - rho
  Scalar epsilon;
  Scalar momentum;

  template <class V, class... Moments>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& v, Moments&... moments) const {
    const V g = with_decay(dJ, theta, decay);
    v = running_mean_square(v, g, rho, fresh);
    if constexpr (centered)
      descend_centered(g, theta, v, moments...);
    else
      descend(g, sqrt(v) + epsilon, theta, moments...);
  }

 private:
  // divides by the root of the variance v - mean^2, a difference that rounding can make negative where g hardly changes
  template <class V, class... B>
  CHAINRULE_FORMULA void descend_centered(const V& g, V& theta, const V& v, V& mean, B&... b) const {
    mean = running_mean(mean, g, rho, fresh);
    descend(g, sqrt(max(fnmadd(mean, mean, v), 0)) + epsilon, theta, b...);
  }
  // theta <- theta - learning_rate g / divisor
  template <class V>
  CHAINRULE_FORMULA void descend(const V& g, const V& divisor, V& theta) const {
    theta = theta - rate * g / divisor;
  }
  // b <- momentum b + g / divisor,  theta <- theta - learning_rate b
  template <class V>
  CHAINRULE_FORMULA void descend(const V& g, const V& divisor, V& theta, V& b) const {
    b = fma(momentum, b, g / divisor);
    theta = fnmadd(rate, b, theta);
  }
};

}  // namespace detail

/// RMSprop (Tieleman and Hinton 2012, lecture 6e) as PyTorch has it: every parameter's step is divided by the root of a running
/// mean of its squared gradients; if centered, of their variance (Graves 2013). Errors as in SGD.
///     g = dJ/dtheta + weight_decay theta
///     v <- rho v + (1 - rho) g^2
///     theta <- theta - learning_rate g / (sqrt(v) + epsilon)
struct RMSprop {
  static constexpr std::string_view name = "RMSprop";  ///< the name in descriptions, files and messages
  double learning_rate = 0.01;                         ///< the size of a step, at least 0
  double rho = 0.99;                                   ///< how much of the running means is kept, in [0, 1); alpha in PyTorch
  double epsilon = 1e-8;                               ///< keeps the divisor from 0; at least 0
  double momentum = 0;                                 ///< in [0, 1)
  bool centered = false;                               ///< divides by the root of the variance instead of the mean square
  double weight_decay = 0;                             ///< L2, added to the gradient
  bool decay_biases = false;                           ///< decay pulls at biases too

  /// The number of moments: how many numbers the rule keeps for each parameter.
  Index moments() const { return 1 + (centered ? 1 : 0) + (momentum != 0 ? 1 : 0); }
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
    detail::update<1 + is_centered + has_momentum>(piece, detail::RMSpropFormula<Scalar, is_centered, has_momentum>{
                                                              .decay = static_cast<Scalar>(piece.decay),
                                                              .rate = static_cast<Scalar>(learning_rate),
                                                              .rho = static_cast<Scalar>(rho),
                                                              .fresh = static_cast<Scalar>(1 - rho),
                                                              .epsilon = static_cast<Scalar>(epsilon),
                                                              .momentum = static_cast<Scalar>(momentum),
                                                          });
  }
};

}  // namespace chainrule
