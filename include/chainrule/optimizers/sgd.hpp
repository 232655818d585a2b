#pragma once

#include <chainrule/kernels/vectors.hpp>
#include <chainrule/optimizers/detail/update.hpp>

namespace chainrule {

namespace detail {

/// The formula of a step of SGD, for one Simd number of each argument, with or without a moment b.
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

/// Stochastic gradient descent, step 4 of the five, with momentum (Polyak 1964) or Nesterov's momentum (Nesterov 1983, in the form of
/// PyTorch and Sutskever et al. 2013). Weight decay is L2: it adds weight_decay theta to the gradient.
///
///     g = dJ/dtheta + weight_decay theta
///     theta <- theta - learning_rate g                                       without momentum
///     b <- momentum b + g,  theta <- theta - learning_rate b                 with momentum
///     b <- momentum b + g,  theta <- theta - learning_rate (g + momentum b)  with nesterov
struct SGD {
  static constexpr std::string_view name = "SGD";  ///< the name in descriptions, files and messages

  double learning_rate = 0.01;  ///< the size of a step, at least 0
  double momentum = 0;          ///< decay factor of b, in [0, 1); without effect if 0
  bool nesterov = false;        ///< whether to use Nesterov's momentum; requires momentum above 0
  double weight_decay = 0;      ///< weight_decay theta is added to the gradient (L2); at least 0
  bool decay_biases = false;    ///< whether weight decay also applies to biases

  /// The hyperparameters by name; a checkpoint compares them.
  auto hyperparameters() const {
    return std::tuple{Hyperparameter{"learning_rate", learning_rate}, Hyperparameter{"momentum", momentum},
                      Hyperparameter{"nesterov", nesterov}, Hyperparameter{"weight_decay", weight_decay},
                      Hyperparameter{"decay_biases", decay_biases}};
  }
  Index moments() const { return momentum != 0 ? 1 : 0; }  ///< the number of moments, numbers that the rule keeps for each parameter
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

  /// Makes one step. `theta` is net.parameters() or any vector, `gradient` an object from net.make_gradients() or a vector of the same
  /// size, both contiguous in memory; `state` comes from make_state. Throws ShapeError for sizes that do not match and for vectors that are
  /// not contiguous, ValueError for a hyperparameter out of its range. A call that throws changes nothing.
  template <class Theta, class Gradient, class Scalar, Index... Fixed>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar, Fixed...>& state) const {
    detail::check_fraction<Scalar>(name, "momentum", momentum);
    if (nesterov && momentum == 0) detail::raise<ValueError>("SGD: nesterov needs a momentum above 0");
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    detail::for_pieces(*this, arguments, state, [this](const detail::Piece<Scalar>& piece) {
      momentum == 0 && piece.decay == 0 ? plain_step(piece) : general_step(piece);
    });
  }

  /// Makes one step without a state, with arguments and errors as for the other overload. Throws StateError with momentum, which needs a
  /// state, and with weight decay, which needs the state to tell weights from biases.
  template <class Theta, class Gradient>
  void step(Theta&& theta, const Gradient& gradient) const {
    if (momentum != 0 || weight_decay != 0)
      detail::raise<StateError>("SGD: a step with ", momentum != 0 ? "momentum" : "weight_decay",
                                " needs a state: auto state = sgd.make_state(net); sgd.step(theta, gradient, state)");
    const auto arguments = detail::step_arguments<detail::ScalarOf<Theta>>(*this, theta, gradient);
    plain_step(detail::Piece<detail::ScalarOf<Theta>>{arguments.size, 0, arguments.gradient, arguments.theta, nullptr, 0});
  }

 private:
  // theta <- theta - learning_rate dJ/dtheta
  template <class Scalar>
  void plain_step(const detail::Piece<Scalar>& piece) const {
    kernels::add_multiple(piece.size, static_cast<Scalar>(-learning_rate), piece.gradient, piece.theta);
  }

  template <class Scalar>
  void general_step(const detail::Piece<Scalar>& piece) const {
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
