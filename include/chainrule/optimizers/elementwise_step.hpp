#pragma once
// What a rule of your own needs for its step, where it does the same to each number of theta.

#include <chainrule/optimizers/detail/update.hpp>
#include <utility>

namespace chainrule {

/// A whole step of a rule with Moments moments, from its formula for a few numbers side by side:
///     elementwise_step<1>(*this, theta, gradient, state, [beta](const auto& g, auto& theta, auto& m) {
///       m = beta * m + g;
///       theta -= learning_rate * m;
///     });
/// g, theta and m are Eigen arrays of a few numbers (Chunk<Scalar>); g is dJ/dtheta, with weight_decay theta added where the rule has a
/// weight_decay and theta decays. Numbers in the formula should be Scalars, not doubles. Arguments and errors are as in SGD: all is
/// checked, then the step is counted, then theta goes through `update`, to the same bits in any split and with any state.team.
template <int Moments, class Rule, class Theta, class Gradient, class Scalar, class Update>
void elementwise_step(const Rule& rule, Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state, const Update& update) {
  if (rule.moments() != Moments)
    detail::raise<StateError>(Rule::name, ": moments() says ", rule.moments(), ", but its step takes ", Moments);
  const auto arguments = detail::begin_step(rule, theta, gradient, state);
  detail::for_pieces(rule, arguments, state, [&update](const detail::Piece<Scalar>& piece) {
    const auto call = [&update, decay = static_cast<Scalar>(piece.decay)](const Chunk<Scalar>& dJ, Chunk<Scalar>& t, auto&... moments) {
      const Chunk<Scalar> g = decay == 0 ? dJ : Chunk<Scalar>(dJ + decay * t);
      update(g, t, moments...);
    };
    [&]<int... K>(std::integer_sequence<int, K...>) {
      detail::update_chunks(piece.size, call, piece.gradient, piece.theta, piece.moment(K)...);
    }
    (std::make_integer_sequence<int, Moments>{});
  });
}

}  // namespace chainrule
