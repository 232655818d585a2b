#pragma once

#include <chainrule/optimizers/detail/update.hpp>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

namespace detail {

/// The formula of a step of RMSprop, for one Simd number of each argument. The moments are v, then the running mean of g if centered, then
/// b if there is momentum.
template <class Scalar, bool centered, bool has_momentum>
struct RMSpropFormula {
  Scalar decay;
  Scalar rate;
  RunningMean<Scalar> running_mean;
  RunningMeanSquare<Scalar> running_mean_square;
  Scalar epsilon;
  Scalar momentum;

  static constexpr bool is_square(int moment) { return moment == 0; }  // whether it is a running mean of squares

  template <class V, class... Moments>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& v, Moments&... moments) const {
    const V g = with_decay(dJ, theta, decay);
    v = running_mean_square(v, g);
    if constexpr (centered)
      descend_centered(g, theta, v, moments...);
    else
      descend(g, sqrt(v) + epsilon, theta, moments...);
  }

 private:
  // Divides by the root of the variance v - mean^2. Rounding can make the difference negative if g hardly changes, so it is limited to 0.
  template <class V, class... B>
  CHAINRULE_FORMULA void descend_centered(const V& g, V& theta, const V& v, V& mean, B&... b) const {
    mean = running_mean(mean, g);
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

/// RMSprop (Tieleman and Hinton 2012, lecture 6e), as in PyTorch. The step of each parameter is divided by the root of a running mean of
/// its squared gradients or, if centered, of their variance (Graves 2013). With momentum the steps are accumulated in b.
///
///     g = dJ/dtheta + weight_decay theta
///     v <- rho v + (1 - rho) g^2
///     step = g / (sqrt(v) + epsilon)
///     m <- rho m + (1 - rho) g,  step = g / (sqrt(v - m^2) + epsilon)        if centered
///     theta <- theta - learning_rate step                                    without momentum
///     b <- momentum b + step,  theta <- theta - learning_rate b              with momentum
struct RMSprop {
  static constexpr std::string_view name = "RMSprop";  ///< the name in descriptions, files and messages

  double learning_rate = 0.01;  ///< the size of a step, at least 0
  double rho = 0.99;            ///< decay factor of the running means, in [0, 1); alpha in PyTorch
  double epsilon = 1e-8;        ///< added to the divisor so that it is not 0; at least 0
  double momentum = 0;          ///< decay factor of b, in [0, 1); without effect if 0
  bool centered = false;        ///< whether to divide by the root of the variance instead of the mean square
  double weight_decay = 0;      ///< weight_decay theta is added to the gradient (L2); at least 0
  bool decay_biases = false;    ///< whether weight decay also applies to biases

  /// The hyperparameters by name; a checkpoint compares them.
  auto hyperparameters() const {
    return std::tuple{
        Hyperparameter{"learning_rate", learning_rate}, Hyperparameter{"rho", rho},           Hyperparameter{"epsilon", epsilon},
        Hyperparameter{"momentum", momentum},           Hyperparameter{"centered", centered}, Hyperparameter{"weight_decay", weight_decay},
        Hyperparameter{"decay_biases", decay_biases}};
  }
  /// The number of moments, numbers that the rule keeps for each parameter.
  Index moments() const { return 1 + (centered ? 1 : 0) + (momentum != 0 ? 1 : 0); }
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
    detail::check_fraction<Scalar>(name, "rho", rho);
    detail::check_not_negative<Scalar>(name, "epsilon", epsilon);
    detail::check_fraction<Scalar>(name, "momentum", momentum);
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
                                                              .running_mean = detail::RunningMean<Scalar>(rho),
                                                              .running_mean_square = detail::RunningMeanSquare<Scalar>(rho),
                                                              .epsilon = static_cast<Scalar>(epsilon),
                                                              .momentum = static_cast<Scalar>(momentum),
                                                          });
  }
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
