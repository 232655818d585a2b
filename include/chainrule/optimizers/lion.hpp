#pragma once

#include <chainrule/optimizers/detail/update.hpp>

namespace chainrule {

namespace detail {

/// The formula of a step of Lion, for one Simd number of each argument.
template <class Scalar>
struct LionFormula {
  Scalar theta_factor;  // 1 - learning_rate weight_decay
  Scalar rate;
  RunningMean<Scalar> direction_mean;  // with beta1
  RunningMean<Scalar> mean;            // with beta2

  template <class V>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& m) const {
    const V c = direction_mean(m, dJ);
    theta = fma(theta_factor, theta, -(rate * sign(c)));
    m = mean(m, dJ);
  }
};

}  // namespace detail

/// Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms", algorithm 2). All parameters make steps of the same size, with
/// the sign of a running mean of gradients. The learning rate should be 3 to 10 times smaller than Adam's and the weight decay larger by
/// the same factor. Weight decay is decoupled as in AdamW.
///
///     c = beta1 m + (1 - beta1) dJ/dtheta
///     theta <- (1 - learning_rate weight_decay) theta - learning_rate sign(c)
///     m <- beta2 m + (1 - beta2) dJ/dtheta
struct Lion {
  static constexpr std::string_view name = "Lion";  ///< the name in descriptions, files and messages

  double learning_rate = 1e-4;  ///< the size of a step, at least 0
  double beta1 = 0.9;           ///< share of m in c, whose sign is the direction, in [0, 1)
  double beta2 = 0.99;          ///< decay factor of m, in [0, 1)
  double weight_decay = 0;      ///< theta is multiplied by 1 - learning_rate weight_decay; at least 0; lambda in the paper
  bool decay_biases = false;    ///< whether weight decay also applies to biases

  /// The hyperparameters by name; a checkpoint compares them.
  auto hyperparameters() const {
    return std::tuple{Hyperparameter{"learning_rate", learning_rate}, Hyperparameter{"beta1", beta1}, Hyperparameter{"beta2", beta2},
                      Hyperparameter{"weight_decay", weight_decay}, Hyperparameter{"decay_biases", decay_biases}};
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
    detail::check_fraction<Scalar>(name, "beta1", beta1);
    detail::check_fraction<Scalar>(name, "beta2", beta2);
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    detail::for_pieces(*this, arguments, state, [&](const detail::Piece<Scalar>& piece) {
      detail::update<1>(piece, detail::LionFormula<Scalar>{
                                   .theta_factor = static_cast<Scalar>(1 - learning_rate * piece.decay),
                                   .rate = static_cast<Scalar>(learning_rate),
                                   .direction_mean = detail::RunningMean<Scalar>(beta1),
                                   .mean = detail::RunningMean<Scalar>(beta2),
                               });
    });
  }
};

}  // namespace chainrule
