#pragma once

#include <chainrule/optimizers/detail/update.hpp>
#include <cmath>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {
namespace detail {

/// Tells whether weight decay is added to the gradient (Adam) or shrinks theta independently of the gradient (AdamW).
enum class Decay { in_gradient, decoupled };

/// The formula of a step of Adam or AdamW, for one Simd number of each argument. With largest_v, for AMSGrad, it divides by the largest v
/// so far.
template <class Scalar>
struct AdamFormula {
  Scalar decay_in_gradient;               // weight_decay for Adam, 0 for AdamW
  Scalar theta_factor;                    // 1 - learning_rate weight_decay for AdamW, 1 for Adam
  RunningMean<Scalar> mean;               // with beta1
  RunningMeanSquare<Scalar> mean_square;  // with beta2
  Scalar step_size;                       // learning_rate / (1 - beta1^t)
  Scalar v_factor;                        // 1 / sqrt(1 - beta2^t)
  Scalar epsilon;

  static constexpr bool is_square(int moment) { return moment > 0; }  // whether it is a running mean of squares

  template <class V>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& m, V& v) const {
    move_means(dJ, theta, m, v);
    descend(theta, m, v);
  }
  template <class V>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& m, V& v, V& largest_v) const {
    move_means(dJ, theta, m, v);
    largest_v = max(largest_v, v);
    descend(theta, m, largest_v);
  }

 private:
  template <class V>
  CHAINRULE_FORMULA void move_means(const V& dJ, const V& theta, V& m, V& v) const {
    const V g = with_decay(dJ, theta, decay_in_gradient);
    m = mean(m, g);
    v = mean_square(v, g);
  }
  // theta <- theta_factor theta - step_size m / (v_factor sqrt(v) + epsilon)
  template <class V>
  CHAINRULE_FORMULA void descend(V& theta, const V& m, const V& v) const {
    theta = fma(theta_factor, theta, -(step_size * m / fma(v_factor, sqrt(v), epsilon)));
  }
};

/// The hyperparameters of Adam or AdamW by name.
template <class Rule>
auto adam_hyperparameters(const Rule& rule) {
  return std::tuple{Hyperparameter{"learning_rate", rule.learning_rate},
                    Hyperparameter{"beta1", rule.beta1},
                    Hyperparameter{"beta2", rule.beta2},
                    Hyperparameter{"epsilon", rule.epsilon},
                    Hyperparameter{"weight_decay", rule.weight_decay},
                    Hyperparameter{"decay_biases", rule.decay_biases},
                    Hyperparameter{"amsgrad", rule.amsgrad}};
}

/// Makes a step of Adam or AdamW: checks the hyperparameters and arguments, then updates theta and the moments.
template <class Rule, class Theta, class Gradient, class Scalar, Index... Fixed>
void adam_step(const Rule& rule, Decay kind, Theta& theta, const Gradient& gradient, OptimizerState<Scalar, Fixed...>& state) {
  check_fraction<Scalar>(Rule::name, "beta1", rule.beta1);
  check_fraction<Scalar>(Rule::name, "beta2", rule.beta2);
  check_not_negative<Scalar>(Rule::name, "epsilon", rule.epsilon);
  const auto arguments = begin_step(rule, theta, gradient, state);
  const double t = static_cast<double>(state.steps);
  for_pieces(rule, arguments, state, [&](const Piece<Scalar>& piece) {
    const AdamFormula<Scalar> formula{
        .decay_in_gradient = static_cast<Scalar>(kind == Decay::in_gradient ? piece.decay : 0),
        .theta_factor = static_cast<Scalar>(kind == Decay::decoupled ? 1 - rule.learning_rate * piece.decay : 1),
        .mean = RunningMean<Scalar>(rule.beta1),
        .mean_square = RunningMeanSquare<Scalar>(rule.beta2),
        .step_size = static_cast<Scalar>(rule.learning_rate / (1 - std::pow(rule.beta1, t))),
        .v_factor = static_cast<Scalar>(1 / std::sqrt(1 - std::pow(rule.beta2, t))),
        .epsilon = static_cast<Scalar>(rule.epsilon),
    };
    rule.amsgrad ? update<3>(piece, formula) : update<2>(piece, formula);
  });
}

}  // namespace detail

/// Adam (Kingma and Ba 2015, algorithm 1), as in PyTorch, with running means m of the gradient and v of its square, both corrected for
/// their start at 0. With amsgrad (Reddi, Kale and Kumar 2018) the last line uses the largest v so far instead of v. In step t:
///
///     g = dJ/dtheta + weight_decay theta
///     m <- beta1 m + (1 - beta1) g
///     v <- beta2 v + (1 - beta2) g^2
///     theta <- theta - learning_rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
struct Adam {
  static constexpr std::string_view name = "Adam";  ///< the name in descriptions, files and messages

  double learning_rate = 1e-3;  ///< the size of a step, at least 0
  double beta1 = 0.9;           ///< decay factor of m, in [0, 1)
  double beta2 = 0.999;         ///< decay factor of v, in [0, 1)
  double epsilon = 1e-8;        ///< added to the divisor so that it is not 0; at least 0
  double weight_decay = 0;      ///< weight_decay theta is added to the gradient (L2); at least 0
  bool decay_biases = false;    ///< whether weight decay also applies to biases
  bool amsgrad = false;         ///< whether the largest v so far replaces v

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
    detail::adam_step(*this, detail::Decay::in_gradient, theta, gradient, state);
  }
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
