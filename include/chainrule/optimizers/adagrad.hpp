#pragma once

#include <chainrule/optimizers/detail/update.hpp>

namespace chainrule {

namespace detail {

/// The formula of a step of Adagrad for some parameters.
template <class Scalar>
struct AdagradFormula {
  Scalar decay;
  Scalar rate;         // learning_rate / (1 + (t - 1) learning_rate_decay)
  Scalar initial_sum;  // in the first step, then 0
  Scalar epsilon;

  template <class V>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& s) const {
    const V g = with_decay(dJ, theta, decay);
    s = fma(g, g, s + initial_sum);
    theta = theta - rate * g / (sqrt(s) + epsilon);
  }
};

}  // namespace detail

/// Adagrad (Duchi, Hazan and Singer 2011) as PyTorch has it: every parameter's step is divided by the root of the sum of all its
/// squared gradients so far. Errors as in SGD.
///     g = dJ/dtheta + weight_decay theta
///     s <- s + g^2
///     theta <- theta - learning_rate / (1 + (t - 1) learning_rate_decay) g / (sqrt(s) + epsilon)    in step t
struct Adagrad {
  static constexpr std::string_view name = "Adagrad";  ///< the name in descriptions, files and messages
  double learning_rate = 0.01;                         ///< the size of a step, at least 0
  double learning_rate_decay = 0;                      ///< the rate falls as 1 / (1 + (t - 1) learning_rate_decay)
  double initial_sum = 0;                              ///< what the sum of squares starts from; initial_accumulator_value in PyTorch
  double epsilon = 1e-10;                              ///< keeps the divisor from 0; at least 0
  double weight_decay = 0;                             ///< L2, added to the gradient
  bool decay_biases = false;                           ///< decay pulls at biases too

  Index moments() const { return 1; }  ///< the number of moments: how many numbers the rule keeps for each parameter
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
    detail::check_not_negative<Scalar>(name, "learning_rate_decay", learning_rate_decay);
    detail::check_not_negative<Scalar>(name, "initial_sum", initial_sum);
    detail::check_not_negative<Scalar>(name, "epsilon", epsilon);
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    const double before = static_cast<double>(state.steps - 1);
    detail::for_pieces(*this, arguments, state, [&](const detail::Piece<Scalar>& piece) {
      detail::update<1>(piece, detail::AdagradFormula<Scalar>{
                                   .decay = static_cast<Scalar>(piece.decay),
                                   .rate = static_cast<Scalar>(learning_rate / (1 + before * learning_rate_decay)),
                                   .initial_sum = static_cast<Scalar>(before == 0 ? initial_sum : 0),
                                   .epsilon = static_cast<Scalar>(epsilon),
                               });
    });
  }
};

}  // namespace chainrule
