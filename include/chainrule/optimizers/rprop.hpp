#pragma once

#include <chainrule/optimizers/detail/update.hpp>

namespace chainrule {

namespace detail {

/// The formula of a step of Rprop for some parameters.
template <class Scalar>
struct RpropFormula {
  Scalar first_size;  // learning_rate in the first step, then 0
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

/// Resilient backpropagation (Riedmiller and Braun 1993) as PyTorch has it: of the gradient only signs count. Each parameter has a
/// step size of its own, which grows while the sign stays and shrinks when it turns; then the parameter waits for one step. For
/// whole-batch training: gradients of small batches turn by chance. Errors as in SGD.
///     turn = sign(dJ/dtheta) last
///     size <- size * (eta_plus, 1 or eta_minus for a turn of 1, 0 or -1), within [min_step, max_step]
///     last <- sign(dJ/dtheta), or 0 where it has turned
///     theta <- theta - size last
struct Rprop {
  static constexpr std::string_view name = "Rprop";  ///< the name in descriptions, files and messages
  double learning_rate = 0.01;                       ///< the first step size of every parameter; without effect on later steps
  double eta_minus = 0.5;                            ///< by which a step size shrinks, in (0, 1)
  double eta_plus = 1.2;                             ///< by which a step size grows, above 1
  double min_step = 1e-6;                            ///< no step size falls below it
  double max_step = 50;                              ///< or rises above it

  Index moments() const { return 2; }  ///< the number of moments: how many numbers the rule keeps for each parameter
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
    if (!(eta_minus > 0 && eta_minus < 1)) detail::raise<ValueError>("Rprop: eta_minus must be above 0 and below 1, got ", eta_minus);
    if (!(eta_plus > 1)) detail::raise<ValueError>("Rprop: eta_plus must be above 1, got ", eta_plus);
    detail::check_not_negative<Scalar>(name, "eta_plus", eta_plus);
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
