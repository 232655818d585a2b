#pragma once
// Helpers for the step of a user-defined rule that does the same to each number of theta.

#include <chainrule/optimizers/detail/update.hpp>
#include <utility>

namespace chainrule {
namespace detail {

/// Checks the arguments of a step, counts the step and calls piece_step(piece) for all pieces of theta. Throws StateError if rule.moments()
/// is not Moments.
template <int Moments, class Rule, class Theta, class Gradient, class Scalar, class PieceStep, Index... Fixed>
void step_by_pieces(const Rule& rule, Theta& theta, const Gradient& gradient, OptimizerState<Scalar, Fixed...>& state,
                    const PieceStep& piece_step) {
  if (rule.moments() != Moments) raise<StateError>(Rule::name, ": moments() says ", rule.moments(), ", but its step takes ", Moments);
  const auto arguments = begin_step(rule, theta, gradient, state);
  for_pieces(rule, arguments, state, piece_step);
}

/// A user's formula with dJ/dtheta + decay theta in place of dJ/dtheta.
template <class Formula, class Scalar>
struct FormulaWithDecay {
  Formula formula;
  Scalar decay;

  static constexpr bool is_square(int moment) requires requires { Formula::is_square(0); }
  { return Formula::is_square(moment); }
  template <class V, class... Moments>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, Moments&... moments) const {
    formula(with_decay(dJ, theta, decay), theta, moments...);
  }
};

}  // namespace detail

/// Makes a step of a rule with Moments moments from its formula, with the widest vectors of the machine whatever the compiler flags:
/// @code{.cpp}
/// struct HeavyBall {
///   static constexpr std::string_view name{"HeavyBall"};
///   double learning_rate = 0.01;
///   Index moments() const { return 1; }
///   template <class Theta, class Gradient, class Scalar>
///   void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state) const {
///     const auto rate = static_cast<Scalar>(learning_rate), beta = static_cast<Scalar>(0.9);
///     formula_step<1>(*this, theta, gradient, state, [rate, beta](const auto& g, auto& theta_i, auto& m) CHAINRULE_FORMULA {
///       m = beta * m + g;
///       theta_i -= rate * m;
///     });
///   }
/// };
/// @endcode
/// g, theta_i and m are Simd numbers (kernels/simd.hpp lists what a formula may call); g is dJ/dtheta, with weight_decay theta added where
/// the rule has a weight_decay and theta_i decays. Numbers that the formula captures should be Scalars, not doubles. Arguments and errors
/// are those of SGD::step. All arguments are checked before the step is counted and theta and the moments change. What the formula writes
/// is stored as 0 where it is below 2^15 times the smallest normal number (see Optimizer). A formula that is a class may say by
/// `static constexpr bool is_square(int moment)` which moments are running means of squares: these are kept down to twice the smallest
/// normal number. The bits do not depend on the number of threads.
template <int Moments, class Rule, class Theta, class Gradient, class Scalar, class Formula, Index... Fixed>
void formula_step(const Rule& rule, Theta&& theta, const Gradient& gradient, OptimizerState<Scalar, Fixed...>& state,
                  const Formula& formula) {
  detail::step_by_pieces<Moments>(rule, theta, gradient, state, [&formula](const detail::Piece<Scalar>& piece) {
    detail::update<Moments>(piece, detail::FormulaWithDecay<Formula, Scalar>{formula, static_cast<Scalar>(piece.decay)});
  });
}

/// Makes a step of a rule like formula_step, from an update written in Eigen: g, theta and the moments are Eigen arrays of a few numbers
/// (Chunk<Scalar>), computed with the vectors that the compiler flags allow.
/// The lambda is written as for formula_step, without CHAINRULE_FORMULA.
template <int Moments, class Rule, class Theta, class Gradient, class Scalar, class Update, Index... Fixed>
void elementwise_step(const Rule& rule, Theta&& theta, const Gradient& gradient, OptimizerState<Scalar, Fixed...>& state,
                      const Update& update) {
  detail::step_by_pieces<Moments>(rule, theta, gradient, state, [&update](const detail::Piece<Scalar>& piece) {
    const auto call = [&update, decay = static_cast<Scalar>(piece.decay)](const Chunk<Scalar>& dJ, Chunk<Scalar>& t, auto&... moments) {
      const auto flush = [](Chunk<Scalar>& numbers) {  // flush_tiny, which detail::update calls, for Eigen arrays
        numbers = (numbers.abs() < kernels::flush_limit<Scalar, kernels::tiny_bits>).select(Scalar{0}, numbers);
      };
      Chunk<Scalar> g = dJ;
      flush(g);
      if (decay != 0) g += decay * t;
      update(std::as_const(g), t, moments...);
      flush(t);
      (flush(moments), ...);
    };
    [&]<int... K>(std::integer_sequence<int, K...>) {
      detail::update_chunks(piece.size, call, piece.gradient, piece.theta, piece.moment(K)...);
    }
    (std::make_integer_sequence<int, Moments>{});
  });
}

}  // namespace chainrule
