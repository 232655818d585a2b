#pragma once
// How the step of every rule begins: it checks all that comes in before anything is written, and then goes over theta in pieces
// that decay alike.

#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/kernels/map.hpp>
#include <chainrule/kernels/partition.hpp>
#include <chainrule/optimizers/detail/flat_vector.hpp>
#include <chainrule/optimizers/detail/hyperparameter_checks.hpp>

namespace chainrule::detail {

inline void check_state(std::string_view rule, Index size, Index state_size, Index moments, Index state_moments) {
  if (state_size != size)
    raise<ShapeError>(rule, ": the state was made for ", state_size, " parameters, but theta has ", size,
                      "; make_state(net) makes one that fits");
  if (state_moments != moments)
    raise<ShapeError>(rule, ": the state has ", state_moments, " moments, but this rule remembers ", moments,
                      "; make_state(net) makes one that fits");
}

/// theta and dJ/dtheta of one step as plain memory of one size.
template <class Scalar>
struct StepArguments {
  Index size;
  const Scalar* gradient;
  Scalar* theta;
  bool shared;  // the backward pass was
};

/// Checks theta, the gradient and the learning rate.
template <class Scalar, class Rule, class Theta, class Gradient>
StepArguments<Scalar> step_arguments(const Rule& rule, Theta& theta, const Gradient& gradient) {
  VectorView<Scalar> t = mutable_flat<Scalar>(Rule::name, "theta", theta);
  const ConstVectorView<Scalar> g = const_flat<Scalar>(Rule::name, "the gradient", gradient);
  check_same_size(Rule::name, t.size(), g.size());
  check_not_negative<Scalar>(Rule::name, "learning_rate", rule.learning_rate);
  bool shared = false;
  if constexpr (requires { gradient.is_shared(); }) shared = gradient.is_shared();
  return {t.size(), g.data(), t.data(), shared};
}

/// Checks these and the state. A rule checks its other hyperparameters before.
template <class Scalar, class Rule, class Theta, class Gradient>
StepArguments<Scalar> step_arguments(const Rule& rule, Theta& theta, const Gradient& gradient, const OptimizerState<Scalar>& state) {
  const StepArguments<Scalar> arguments = step_arguments<Scalar>(rule, theta, gradient);
  check_state(Rule::name, arguments.size, state.size(), rule.moments(), state.moments());
  if constexpr (requires { rule.weight_decay; }) check_not_negative<Scalar>(Rule::name, "weight_decay", rule.weight_decay);
  return arguments;
}

/// The same, and counts the step.
template <class Scalar, class Rule, class Theta, class Gradient>
StepArguments<Scalar> begin_step(const Rule& rule, Theta& theta, const Gradient& gradient, OptimizerState<Scalar>& state) {
  const StepArguments<Scalar> arguments = step_arguments<Scalar>(rule, theta, gradient, state);
  ++state.steps;
  return arguments;
}

/// A piece of theta that decays alike, with its gradient and moments.
template <class Scalar>
struct Piece {
  Index size;
  double decay;
  const Scalar* gradient;
  Scalar* theta;
  Scalar* moments;
  Index stride;
  Scalar* moment(Index k) const { return moments + k * stride; }
};

/// A step of one piece by a formula f(dJ, theta, moment 0, moment 1, ...), which reads dJ and changes the others.
template <int Moments, class Scalar, class Formula>
void update(const Piece<Scalar>& piece, const Formula& f) {
  [&]<int... K>(std::integer_sequence<int, K...>) { kernels::update(piece.size, f, piece.gradient, piece.theta, piece.moment(K)...); }
  (std::make_integer_sequence<int, Moments>{});
}

/// Formulas that several rules share.
/// g = dJ/dtheta + decay theta
template <class V>
CHAINRULE_FORMULA inline V with_decay(const V& dJ, const V& theta, typename V::Scalar decay) {
  return fma(decay, theta, dJ);
}
/// The running mean beta mean + (1 - beta) x, with `fresh` = 1 - beta.
template <class V>
CHAINRULE_FORMULA inline V running_mean(const V& mean, const V& x, typename V::Scalar beta, typename V::Scalar fresh) {
  return fma(beta, mean, fresh * x);
}
/// The running mean of squares beta mean + (1 - beta) x^2.
template <class V>
CHAINRULE_FORMULA inline V running_mean_square(const V& mean, const V& x, typename V::Scalar beta, typename V::Scalar fresh) {
  return fma(beta, mean, fresh * x * x);
}

/// How many pieces of each tensor a team should share; 1: the work is not worth it. Each number counts as many operations, for it comes
/// from memory.
template <class Scalar>
Index pieces_of_tensors(const StepArguments<Scalar>& arguments, const Team* team) {
  const double operations = 64.0 * static_cast<double>(arguments.size);
  if (!arguments.shared && !kernels::worth_sharing(operations, team)) return 1;
  return kernels::partition(arguments.size, 1, operations, team).count();
}

/// Calls update(piece) for all of theta: at once where all of it decays alike and nobody shares the work. A team shares each tensor,
/// first pieces first, as backward does: so a thread steps where it has written the gradient.
template <class Scalar, class Rule, class Update>
void for_pieces(const Rule& rule, const StepArguments<Scalar>& arguments, OptimizerState<Scalar>& state, const Update& update) {
  Scalar* moments = state.moments() == 0 ? nullptr : state.flat().data();
  const auto call = [&](Index begin, Index end, double decay) {
    Scalar* own = moments == nullptr ? nullptr : moments + begin;
    if (begin < end) update(Piece<Scalar>{end - begin, decay, arguments.gradient + begin, arguments.theta + begin, own, state.size()});
  };
  double decay = 0;
  bool alike = true;
  if constexpr (requires { rule.weight_decay; }) {
    decay = rule.weight_decay;
    alike = decay == 0 || rule.decay_biases;
  }
  const Index pieces = pieces_of_tensors(arguments, state.team);
  if (alike && pieces == 1) return call(0, arguments.size, decay);

  const Index tensors = static_cast<Index>(state.segments().size());
  for_items(pieces == 1 ? nullptr : state.team, pieces * tensors, [&](Index item) {
    const Segment& tensor = state.segments()[static_cast<std::size_t>(item % tensors)];
    const auto place = [&](Index piece) {  // where it begins: after as many whole cache lines as the others
      const Index from = tensor.begin + (tensor.end - tensor.begin) * piece / pieces;
      return piece == pieces ? tensor.end : std::max(tensor.begin, from / 16 * 16);
    };
    call(place(item / tensors), place(item / tensors + 1), alike || tensor.decays ? decay : 0);
  });
}

}  // namespace chainrule::detail
