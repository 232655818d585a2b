#pragma once

#include <chainrule/optimizers/step.hpp>

namespace chainrule {

/// Adagrad (Duchi, Hazan and Singer 2011) as PyTorch has it: every parameter's step is divided by the root of the sum of all its
/// squared gradients so far. Errors as in SGD.
///     g = dJ/dtheta + weight_decay theta
///     s <- s + g^2
///     theta <- theta - learning_rate / (1 + (t - 1) learning_rate_decay) g / (sqrt(s) + epsilon)    in step t
struct Adagrad {
  static constexpr std::string_view name = "Adagrad";
  double learning_rate = 0.01;
  double learning_rate_decay = 0;  ///< the rate falls as 1 / (1 + (t - 1) learning_rate_decay)
  double initial_sum = 0;          ///< what the sum of squares starts from; initial_accumulator_value in PyTorch
  double epsilon = 1e-10;          ///< keeps the divisor from 0; at least 0
  double weight_decay = 0;         ///< L2, added to the gradient
  bool decay_biases = false;       ///< decay pulls at biases too

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
    detail::check_not_negative<Scalar>(name, "learning_rate_decay", learning_rate_decay);
    detail::check_not_negative<Scalar>(name, "initial_sum", initial_sum);
    detail::check_not_negative<Scalar>(name, "epsilon", epsilon);
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    const double before = static_cast<double>(state.steps - 1);
    const Factors<Scalar> factors{static_cast<Scalar>(learning_rate / (1 + before * learning_rate_decay)),
                                  static_cast<Scalar>(before == 0 ? initial_sum : 0), static_cast<Scalar>(epsilon)};
    detail::for_pieces(*this, arguments, state, [&](const detail::Piece<Scalar>& piece) { descend(factors, piece); });
  }

 private:
  template <class Scalar>
  struct Factors {
    Scalar rate, initial_sum, epsilon;
  };

  // g <- dJ/dtheta + weight_decay theta
  // s <- s + g^2,  theta <- theta - rate g / (sqrt(s) + epsilon)
  template <class Scalar>
  [[gnu::noinline]] static void descend(const Factors<Scalar>& factors, const detail::Piece<Scalar>& piece) {
    using C = Chunk<Scalar>;
    const auto update = [k = factors, decay = static_cast<Scalar>(piece.decay)](const C& dJ, C& theta, C& s) {
      const C g = dJ + decay * theta;
      s = (s + k.initial_sum) + g * g;
      theta -= k.rate * g / (s.sqrt() + k.epsilon);
    };
    detail::update_chunks(piece.size, update, piece.gradient, piece.theta, piece.moment(0));
  }
};

}  // namespace chainrule
