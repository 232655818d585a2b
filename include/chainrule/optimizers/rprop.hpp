#pragma once

#include <chainrule/optimizers/detail/update.hpp>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule {

namespace detail {

/// The formula of a step of Rprop, for one Simd number of each argument.
template <class Scalar>
struct RpropFormula {
  Scalar first_size;  // Rprop::learning_rate in the first step, then 0
  Scalar eta_minus, eta_plus;
  Scalar min_step, max_step;

  template <class V>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& last, V& size) const {
    const V direction = sign(dJ), turn = direction * last;
    size = min(max((size + first_size) * select(turn > 0, eta_plus, select(turn < 0, eta_minus, 1)), min_step), max_step);
    last = select(turn < 0, 0, direction);
    theta = fnmadd(size, last, theta);
  }
};

}  // namespace detail

/// Resilient backpropagation (Riedmiller and Braun 1993), as in PyTorch, which uses only the signs of the gradient. Each parameter has its
/// own step size, which grows while the sign stays the same and shrinks when the sign changes; after a change the parameter skips one step.
/// It is for batches of all samples, because gradients of small batches change their signs by chance.
///
///     turn = sign(dJ/dtheta) last
///     size <- size times eta_plus if turn = 1, eta_minus if turn = -1, limited to [min_step, max_step]
///     last <- sign(dJ/dtheta), or 0 if turn = -1
///     theta <- theta - size last
struct Rprop {
  static constexpr std::string_view name = "Rprop";  ///< the name in descriptions, files and messages

  double learning_rate = 0.01;  ///< initial step size of every parameter, at least 0; not used after the first step
  double eta_minus = 0.5;       ///< factor by which a step size shrinks, in (0, 1)
  double eta_plus = 1.2;        ///< factor by which a step size grows, above 1
  double min_step = 1e-6;       ///< the smallest step size, at least 0
  double max_step = 50;         ///< the largest step size, at least min_step

  /// The hyperparameters by name; a checkpoint compares them.
  auto hyperparameters() const {
    return std::tuple{Hyperparameter{"learning_rate", learning_rate}, Hyperparameter{"eta_minus", eta_minus},
                      Hyperparameter{"eta_plus", eta_plus}, Hyperparameter{"min_step", min_step}, Hyperparameter{"max_step", max_step}};
  }
  Index moments() const { return 2; }  ///< the number of moments, numbers that the rule keeps for each parameter
  /// Makes the state for a network: all moments are 0, and biases are marked so that weight decay can leave them out. It needs no heap for
  /// a small network of fixed extents.
  template <HasParameters Net>
  auto make_state(const Net& net) const {
    return make_optimizer_state<2>(net, moments());
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
    detail::check_positive<Scalar>(name, "eta_minus", eta_minus);
    detail::check_fraction<Scalar>(name, "eta_minus", eta_minus);
    detail::check_positive<Scalar>(name, "eta_plus", eta_plus);
    if (!(static_cast<Scalar>(eta_plus) > 1)) detail::raise<ValueError>("Rprop: eta_plus must be above 1, got ", eta_plus);
    detail::check_not_negative<Scalar>(name, "min_step", min_step);
    detail::check_not_negative<Scalar>(name, "max_step", max_step);
    if (min_step > max_step) detail::raise<ValueError>("Rprop: min_step is ", min_step, ", above max_step, which is ", max_step);
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    detail::for_pieces(*this, arguments, state, [&](const detail::Piece<Scalar>& piece) {
      detail::update<2>(piece, detail::RpropFormula<Scalar>{
                                   .first_size = static_cast<Scalar>(state.steps == 1 ? learning_rate : 0),
                                   .eta_minus = static_cast<Scalar>(eta_minus),
                                   .eta_plus = static_cast<Scalar>(eta_plus),
                                   .min_step = static_cast<Scalar>(min_step),
                                   .max_step = static_cast<Scalar>(max_step),
                               });
    });
  }
};

}  // namespace chainrule

#include <chainrule/core/detail/restore_min_max.inc>
