#pragma once

#include <chainrule/kernels/vectors.hpp>
#include <chainrule/optimizers/detail/update.hpp>

namespace chainrule {

namespace detail {

/// The formula of a step of SGD for some parameters, with or without a moment b.
template <class Scalar, bool nesterov>
struct SGDFormula {
  Scalar decay;
  Scalar rate;
  Scalar momentum;

  template <class V>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta) const {
    theta = fnmadd(rate, with_decay(dJ, theta, decay), theta);
  }
  template <class V>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& b) const {
    const V g = with_decay(dJ, theta, decay);
    b = fma(momentum, b, g);
    if constexpr (nesterov)
      theta = fnmadd(rate, g + momentum * b, theta);
    else
      theta = fnmadd(rate, b, theta);
  }
};

}  // namespace detail

/// Stochastic gradient descent, theta <- theta - learning_rate dJ/dtheta: step 4 of the five. With momentum (Polyak 1964) the
/// steps of the past carry on, with nesterov (1983) as PyTorch and Sutskever et al. 2013 write it. Weight decay is L2: it adds
/// weight_decay theta to the gradient. What throws has changed nothing: ShapeError for sizes that do not fit and what does not lie
/// in memory in one piece, ValueError for a hyperparameter out of its range.
///     g = dJ/dtheta + weight_decay theta
///     theta <- theta - learning_rate g                                    without momentum
///     b <- momentum b + g,  theta <- theta - learning_rate b              with momentum
///     b <- momentum b + g,  theta <- theta - learning_rate (g + momentum b)    with nesterov
struct SGD {
  static constexpr std::string_view name = "SGD";  ///< the name in descriptions, files and messages
  double learning_rate = 0.01;                     ///< the size of a step, at least 0
  double momentum = 0;                             ///< in [0, 1)
  bool nesterov = false;                           ///< needs momentum
  double weight_decay = 0;                         ///< at least 0
  bool decay_biases = false;                       ///< decay pulls at biases too

  Index moments() const { return momentum != 0 ? 1 : 0; }  ///< the number of moments: how many numbers the rule keeps for each parameter
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

  /// One step downhill. theta: `net.parameters()` or any vector; gradient: `net.make_gradients()`'s, or a vector of the same
  /// size; each in one piece.
  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state) const {
    detail::check_fraction(name, "momentum", momentum);
    if (nesterov && momentum == 0) detail::raise<ValueError>("SGD: nesterov needs a momentum above 0");
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    detail::for_pieces(*this, arguments, state, [this](const detail::Piece<Scalar>& piece) {
      momentum == 0 && piece.decay == 0 ? descend_plainly(piece) : descend(piece);
    });
  }

  /// The same for a rule that remembers nothing: no momentum and no weight decay, which could not tell weights from biases here.
  /// Throws StateError if there is one of them.
  template <class Theta, class Gradient>
  void step(Theta&& theta, const Gradient& gradient) const {
    if (momentum != 0 || weight_decay != 0)
      detail::raise<StateError>("SGD: a step with ", momentum != 0 ? "momentum" : "weight_decay",
                                " needs a state: auto state = sgd.make_state(net); sgd.step(theta, gradient, state)");
    const auto arguments = detail::step_arguments<detail::ScalarOf<Theta>>(*this, theta, gradient);
    descend_plainly(detail::Piece<detail::ScalarOf<Theta>>{arguments.size, 0, arguments.gradient, arguments.theta, nullptr, 0});
  }

 private:
  // theta <- theta - learning_rate dJ/dtheta
  template <class Scalar>
  void descend_plainly(const detail::Piece<Scalar>& piece) const {
    kernels::add_multiple(piece.size, static_cast<Scalar>(-learning_rate), piece.gradient, piece.theta);
  }

  template <class Scalar>
  void descend(const detail::Piece<Scalar>& piece) const {
    const auto decay = static_cast<Scalar>(piece.decay), rate = static_cast<Scalar>(learning_rate), mu = static_cast<Scalar>(momentum);
    if (momentum == 0)
      detail::update<0>(piece, detail::SGDFormula<Scalar, false>{.decay = decay, .rate = rate, .momentum = mu});
    else if (nesterov)
      detail::update<1>(piece, detail::SGDFormula<Scalar, true>{.decay = decay, .rate = rate, .momentum = mu});
    else
      detail::update<1>(piece, detail::SGDFormula<Scalar, false>{.decay = decay, .rate = rate, .momentum = mu});
  }
};

}  // namespace chainrule
