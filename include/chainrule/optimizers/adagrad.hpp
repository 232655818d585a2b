#pragma once

#include <chainrule/optimizers/detail/update.hpp>

namespace chainrule {

namespace detail {

/// The formula of a step of Adagrad, for one Simd number of each argument.
template <class Scalar>
struct AdagradFormula {
  Scalar decay;
  Scalar rate;         // learning_rate / (1 + (t - 1) learning_rate_decay)
  Scalar initial_sum;  // Adagrad::initial_sum in the first step, then 0
  Scalar epsilon;

  static constexpr bool is_square(int) { return true; }  // the moment is a sum of squares

  template <class V>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& s) const {
    const V g = with_decay(dJ, theta, decay);
    s = fma(g, g, s + initial_sum);
    theta = theta - rate * g / (sqrt(s) + epsilon);
  }
};

}  // namespace detail

/// Adagrad (Duchi, Hazan and Singer 2011), as in PyTorch. The step of each parameter is divided by the root of the sum of all its squared
/// gradients so far. In step t:
///
///     g = dJ/dtheta + weight_decay theta
///     s <- s + g^2
///     theta <- theta - learning_rate / (1 + (t - 1) learning_rate_decay) g / (sqrt(s) + epsilon)
struct Adagrad {
  static constexpr std::string_view name = "Adagrad";  ///< the name in descriptions, files and messages

  double learning_rate = 0.01;     ///< the size of a step, at least 0
  double learning_rate_decay = 0;  ///< the learning rate of step t is divided by 1 + (t - 1) learning_rate_decay; at least 0
  double initial_sum = 0;          ///< initial value of s, at least 0; initial_accumulator_value in PyTorch
  double epsilon = 1e-10;          ///< added to the divisor so that it is not 0; at least 0
  double weight_decay = 0;         ///< weight_decay theta is added to the gradient (L2); at least 0
  bool decay_biases = false;       ///< whether weight decay also applies to biases

  /// The hyperparameters by name; a checkpoint compares them.
  auto hyperparameters() const {
    return std::tuple{Hyperparameter{"learning_rate", learning_rate}, Hyperparameter{"learning_rate_decay", learning_rate_decay},
                      Hyperparameter{"initial_sum", initial_sum},     Hyperparameter{"epsilon", epsilon},
                      Hyperparameter{"weight_decay", weight_decay},   Hyperparameter{"decay_biases", decay_biases}};
  }
  Index moments() const { return 1; }  ///< the number of moments, numbers that the rule keeps for each parameter
  /// Makes the state for a network: all moments are 0, and biases are marked so that weight decay can leave them out. It needs no heap for
  /// a small network of fixed extents.
  template <HasParameters Net>
  auto make_state(const Net& net) const {
    return make_optimizer_state<1>(net, moments());
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
    detail::check_not_negative<Scalar>(name, "learning_rate_decay", learning_rate_decay);
    detail::check_not_negative<Scalar>(name, "initial_sum", initial_sum);
    detail::check_not_negative<Scalar>(name, "epsilon", epsilon);
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    const double previous_steps = static_cast<double>(state.steps - 1);
    detail::for_pieces(*this, arguments, state, [&](const detail::Piece<Scalar>& piece) {
      detail::update<1>(piece, detail::AdagradFormula<Scalar>{
                                   .decay = static_cast<Scalar>(piece.decay),
                                   .rate = static_cast<Scalar>(learning_rate / (1 + previous_steps * learning_rate_decay)),
                                   .initial_sum = static_cast<Scalar>(previous_steps == 0 ? initial_sum : 0),
                                   .epsilon = static_cast<Scalar>(epsilon),
                               });
    });
  }
};

}  // namespace chainrule
