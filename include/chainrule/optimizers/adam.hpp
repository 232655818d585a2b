#pragma once

#include <chainrule/optimizers/detail/update.hpp>
#include <cmath>

namespace chainrule {
namespace detail {

/// Whether weight decay is a part of the gradient, or shrinks theta beside the step.
enum class Decay { in_gradient, decoupled };

/// The step that Adam and AdamW share.
template <class Rule, class Theta, class Gradient, class Scalar>
void adam_step(const Rule& rule, Decay kind, Theta& theta, const Gradient& gradient, OptimizerState<Scalar>& state) {
  check_fraction(Rule::name, "beta1", rule.beta1);
  check_fraction(Rule::name, "beta2", rule.beta2);
  check_not_negative<Scalar>(Rule::name, "epsilon", rule.epsilon);
  const auto arguments = begin_step(rule, theta, gradient, state);
  const double t = static_cast<double>(state.steps);
  const double step_size = rule.learning_rate / (1 - std::pow(rule.beta1, t)), root_scale = 1 / std::sqrt(1 - std::pow(rule.beta2, t));
  for_pieces(rule, arguments, state, [&](const Piece<Scalar>& piece) {
    const double pull = kind == Decay::in_gradient ? piece.decay : 0;
    const double keep = kind == Decay::decoupled ? 1 - rule.learning_rate * piece.decay : 1;
    const auto descend = [&](auto moments) {
      update<kernels::AdamRule, moments.value>(piece, pull, keep, rule.beta1, 1 - rule.beta1, rule.beta2, 1 - rule.beta2, rule.epsilon,
                                               step_size, root_scale);
    };
    rule.amsgrad ? descend(std::integral_constant<int, 3>{}) : descend(std::integral_constant<int, 2>{});
  });
}

}  // namespace detail

/// Adam (Kingma and Ba 2015, algorithm 1) as PyTorch has it: running means m of the gradient and v of its square, both corrected
/// for their start at 0; with amsgrad (Reddi, Kale and Kumar 2018) the largest v so far. Errors as in SGD.
///     g = dJ/dtheta + weight_decay theta
///     m <- beta1 m + (1 - beta1) g
///     v <- beta2 v + (1 - beta2) g^2
///     theta <- theta - learning_rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)    in step t
struct Adam {
  static constexpr std::string_view name = "Adam";
  double learning_rate = 1e-3;
  double beta1 = 0.9;         ///< how much of m is kept, in [0, 1)
  double beta2 = 0.999;       ///< how much of v is kept, in [0, 1)
  double epsilon = 1e-8;      ///< keeps the divisor from 0; at least 0
  double weight_decay = 0;    ///< L2, added to the gradient; AdamW decays without that detour
  bool decay_biases = false;  ///< decay pulls at biases too
  bool amsgrad = false;       ///< the largest v so far stands for v

  Index moments() const { return amsgrad ? 3 : 2; }
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
    detail::adam_step(*this, detail::Decay::in_gradient, theta, gradient, state);
  }
};

}  // namespace chainrule
