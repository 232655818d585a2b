#pragma once
// Common parts of the steps of all rules: checks of all arguments before anything is written, then a loop over pieces of theta, each with
// one weight decay.

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/overlap.hpp>
#include <chainrule/core/hyperparameter.hpp>
#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/kernels/map.hpp>
#include <chainrule/kernels/partition.hpp>
#include <chainrule/optimizers/detail/flat_vector.hpp>
#include <cmath>
#include <limits>

namespace chainrule::detail {

/// Throws ShapeError unless the state has the size of theta and the number of moments of the rule; StateError for a state that was moved
/// from.
inline void check_state(std::string_view rule, Index size, Index state_size, Index moments, Index state_moments) {
  if (state_size != size && state_size == 0)
    raise<StateError>(rule, ": the state is empty: it was moved to another object, or made for no parameters; make_state(net) makes one");
  if (state_size != size)
    raise<ShapeError>(rule, ": the state was made for ", state_size, " parameters, but theta has ", size,
                      "; make_state(net) makes one that fits");
  if (state_moments != moments)
    raise<ShapeError>(rule, ": the state has ", state_moments, " moments, but this rule remembers ", moments,
                      "; make_state(net) makes one that fits");
}

/// theta and dJ/dtheta of one step as plain memory. Both have `size` numbers.
template <class Scalar>
struct StepArguments {
  Index size;
  const Scalar* gradient;
  Scalar* theta;
  bool shared;  // whether threads shared the backward pass
};

/// Checks theta, the gradient and the learning rate, and returns theta and the gradient as plain memory.
template <class Scalar, class Rule, class Theta, class Gradient>
StepArguments<Scalar> step_arguments(const Rule& rule, Theta& theta, const Gradient& gradient) {
  VectorView<Scalar> t = mutable_flat<Scalar>(Rule::name, "theta", theta);
  const ConstVectorView<Scalar> g = const_flat<Scalar>(Rule::name, "the gradient", gradient);
  check_same_size(Rule::name, t.size(), g.size());
  // a gradient that is theta itself, that of |theta|^2/2, gives the right step
  if (overlap(memory_of(g.data(), g.size()), memory_of(t.data(), t.size())) && g.data() != t.data())
    lies_in_output(Rule::name, "the gradient", "theta");
  check_not_negative<Scalar>(Rule::name, "learning_rate", rule.learning_rate);
  bool shared = false;
  if constexpr (requires { gradient.is_shared(); }) shared = gradient.is_shared();
  return {t.size(), g.data(), t.data(), shared};
}

/// Throws StateError unless the state freezes the same parameters as the network, or as its last backward pass.
template <class State>
void check_follows(std::string_view rule, const std::shared_ptr<const FrozenParameters>& frozen, const State& state) {
  if (!same_frozen(frozen, state.frozen()))
    raise<StateError>(rule, ": the network was frozen or unfrozen after this state was made; call state.follow(net) before the step");
}

/// Checks the state and the weight decay of a step of `size` parameters.
template <class Scalar, class Rule, Index... Fixed>
void check_state_and_decay(const Rule& rule, Index size, const OptimizerState<Scalar, Fixed...>& state) {
  check_state(Rule::name, size, state.size(), rule.moments(), state.moments());
  state.team.get();  // throws where the team was destroyed
  if (state.has_groups() && !state.selects())
    raise<StateError>(Rule::name, ": the state is for groups of parameters with learning rates of their own; make the step with the ",
                      "ParameterGroups that has made it");
  if constexpr (requires { rule.weight_decay; }) check_not_negative<Scalar>(Rule::name, "weight_decay", rule.weight_decay);
}

/// Checks theta, the gradient, the learning rate, the state and the weight decay. A rule checks its other hyperparameters before.
template <class Scalar, class Rule, class Theta, class Gradient, Index... Fixed>
StepArguments<Scalar> step_arguments(const Rule& rule, Theta& theta, const Gradient& gradient,
                                     const OptimizerState<Scalar, Fixed...>& state) {
  const StepArguments<Scalar> arguments = step_arguments<Scalar>(rule, theta, gradient);
  check_state_and_decay(rule, arguments.size, state);
  if constexpr (requires { gradient.frozen(); }) check_follows(Rule::name, gradient.frozen(), state);
  if (state.moments() > 0) {
    const Memory moments = memory_of(state.flat().data(), state.flat().size());
    check_no_overlap(Rule::name, "the gradient", memory_of(arguments.gradient, arguments.size), "the state", moments);
    check_no_overlap(Rule::name, "theta", memory_of(arguments.theta, arguments.size), "the state", moments);
  }
  return arguments;
}

/// Checks the arguments of a step and counts the step in the state.
template <class Scalar, class Rule, class Theta, class Gradient, Index... Fixed>
StepArguments<Scalar> begin_step(const Rule& rule, Theta& theta, const Gradient& gradient, OptimizerState<Scalar, Fixed...>& state) {
  const StepArguments<Scalar> arguments = step_arguments<Scalar>(rule, theta, gradient, state);
  ++state.steps;
  return arguments;
}

/// A piece of theta with one weight decay, with its gradient and moments.
template <class Scalar>
struct Piece {
  Index size;
  double decay;
  const Scalar* gradient;
  Scalar* theta;
  Scalar* moments;
  Index stride;
  /// Returns the piece's numbers of moment k.
  Scalar* moment(Index k) const { return moments + k * stride; }
};

/// Moment K as a step with this formula stores it. A running mean of squares, which a formula names by is_square(K), is only multiplied by
/// its decay factor and put under a root, so it may be smaller than other moments.
template <class Formula, int K, class V>
CHAINRULE_FORMULA inline V flush_moment(const V& moment) {
  if constexpr (requires { requires Formula::is_square(K); })
    return flush_nearly_subnormal(moment);
  else
    return flush_tiny(moment);
}

/// Steps one piece with the formula f(dJ, theta, moment 0, moment 1, ...), which reads dJ and changes the other arguments. Before the
/// formula numbers of dJ, and after it those of theta and the moments, become 0 by flush_tiny or flush_moment. So what shrinks in each step
/// ends at 0, and products with hyperparameters of at least 2^-15 are not subnormal unless terms cancel; processors take some 50 times as
/// long to compute with subnormal numbers.
template <int Moments, class Scalar, class Formula>
void update(const Piece<Scalar>& piece, const Formula& f) {
  [&]<int... K>(std::integer_sequence<int, K...>) {
    const auto flushed = [f](const auto& dJ, auto& theta, auto&... moments) CHAINRULE_FORMULA {
      f(flush_tiny(dJ), theta, moments...);
      theta = flush_tiny(theta);
      ((moments = flush_moment<Formula, K>(moments)), ...);
    };
    kernels::update(piece.size, flushed, piece.gradient, piece.theta, piece.moment(K)...);
  }
  (std::make_integer_sequence<int, Moments>{});
}

///     g = dJ/dtheta + decay theta
template <class V>
CHAINRULE_FORMULA inline V with_decay(const V& dJ, const V& theta, typename V::Scalar decay) {
  return fma(decay, theta, dJ);
}

/// The running mean of some numbers x,
///
///     mean <- beta mean + (1 - beta) x
template <class Scalar>
class RunningMean {
 public:
  explicit RunningMean(double beta) : beta_{static_cast<Scalar>(beta)}, one_minus_beta_{static_cast<Scalar>(1 - beta)} {}
  template <class V>
  CHAINRULE_FORMULA V operator()(const V& mean, const V& x) const {
    return fma(beta_, mean, one_minus_beta_ * x);
  }

 private:
  Scalar beta_, one_minus_beta_;
};

/// The running mean of the squares of some numbers x, without the last term where it is below the smallest normal number:
///
///     mean <- beta mean + (1 - beta) x^2
template <class Scalar>
class RunningMeanSquare {
 public:
  explicit RunningMeanSquare(double beta)
      : beta_{static_cast<Scalar>(beta)},
        one_minus_beta_{static_cast<Scalar>(1 - beta)},
        smallest_{std::sqrt((std::numeric_limits<Scalar>::min)() / one_minus_beta_)} {}
  template <class V>
  CHAINRULE_FORMULA V operator()(const V& mean, const V& x) const {
    const V normal = select(abs(x) < smallest_, 0, x);
    return fma(beta_, mean, one_minus_beta_ * normal * normal);
  }

 private:
  Scalar beta_, one_minus_beta_;
  Scalar smallest_;  // (1 - beta) x^2 is a normal number for |x| from here on
};

/// Returns into how many pieces a team splits each tensor, or 1 if sharing the work does not pay. Each parameter counts as 64 operations,
/// because a step is limited by memory bandwidth.
template <class Scalar>
Index pieces_per_tensor(const StepArguments<Scalar>& arguments, const Team* team) {
  const double operations = 64.0 * static_cast<double>(arguments.size);
  if (!arguments.shared && !kernels::worth_sharing(operations, team)) return 1;
  return kernels::partition(arguments.size, 1, operations, team).count();
}

/// Calls update(piece) for pieces that together are theta: one piece if all of it has the same weight decay and one thread does the work,
/// else pieces of tensors, without those that are frozen. A team splits each tensor in the same order as backward, so that a thread steps
/// where it wrote the gradient.
template <class Scalar, class Rule, class Update, Index... Fixed>
void for_pieces(const Rule& rule, const StepArguments<Scalar>& arguments, OptimizerState<Scalar, Fixed...>& state, const Update& update) {
  Scalar* moments = state.moments() == 0 ? nullptr : state.flat().data();
  const auto update_range = [&](Index begin, Index end, double decay) {
    Scalar* piece_moments = moments == nullptr ? nullptr : moments + begin;
    if (begin < end)
      update(Piece<Scalar>{end - begin, decay, arguments.gradient + begin, arguments.theta + begin, piece_moments, state.size()});
  };
  double decay = 0;
  bool same_decay = true;
  if constexpr (requires { rule.weight_decay; }) {
    decay = rule.weight_decay;
    same_decay = decay == 0 || rule.decay_biases;
  }
  const Index pieces = pieces_per_tensor(arguments, state.team.get());
  if (same_decay && pieces == 1 && state.steps_in_all()) return update_range(0, arguments.size, decay);

  const Index tensors = static_cast<Index>(state.segments().size());
  for_items(pieces == 1 ? nullptr : state.team.get(), pieces * tensors, [&](Index item) {
    const Segment& tensor = state.segments()[static_cast<std::size_t>(item % tensors)];
    if (!state.steps_in(tensor)) return;
    const auto begin_of = [&](Index piece) {  // begin of a piece, at a multiple of 16 parameters (a cache line of floats)
      const Index from = tensor.begin + (tensor.end - tensor.begin) * piece / pieces;
      return piece == pieces ? tensor.end : (std::max)(tensor.begin, from / 16 * 16);
    };
    update_range(begin_of(item / tensors), begin_of(item / tensors + 1), same_decay || tensor.decays ? decay : 0);
  });
}

}  // namespace chainrule::detail
