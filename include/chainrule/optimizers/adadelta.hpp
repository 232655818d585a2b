#pragma once

#include <chainrule/optimizers/detail/update.hpp>

namespace chainrule {

namespace detail {

/// The formula of a step of Adadelta, for one Simd number of each argument.
template <class Scalar>
struct AdadeltaFormula {
  Scalar decay;
  Scalar rate;
  RunningMeanSquare<Scalar> running_mean_square;
  Scalar epsilon;

  static constexpr bool is_square(int) { return true; }  // both moments are running means of squares

  template <class V>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& v, V& u) const {
    const V g = with_decay(dJ, theta, decay);
    v = running_mean_square(v, g);
    const V step = sqrt(u + epsilon) / sqrt(v + epsilon) * g;
    u = running_mean_square(u, step);
    theta = fnmadd(rate, step, theta);
  }
};

}  // namespace detail

/// Adadelta (Zeiler 2012), as in PyTorch. The step size of each parameter is the root mean square of its past steps divided by that of its
/// past gradients, so the learning rate is an additional factor that is usually 1.
///
///     g = dJ/dtheta + weight_decay theta
///     v <- rho v + (1 - rho) g^2
///     step = sqrt(u + epsilon) / sqrt(v + epsilon) g
///     u <- rho u + (1 - rho) step^2
///     theta <- theta - learning_rate step
struct Adadelta {
  static constexpr std::string_view name = "Adadelta";  ///< the name in descriptions, files and messages

  double learning_rate = 1;   ///< the size of a step, at least 0
  double rho = 0.9;           ///< decay factor of both running means, in [0, 1)
  double epsilon = 1e-6;      ///< added to both means before the roots are taken; at least 0
  double weight_decay = 0;    ///< weight_decay theta is added to the gradient (L2); at least 0
  bool decay_biases = false;  ///< whether weight decay also applies to biases

  /// The hyperparameters by name; a checkpoint compares them.
  auto hyperparameters() const {
    return std::tuple{Hyperparameter{"learning_rate", learning_rate}, Hyperparameter{"rho", rho}, Hyperparameter{"epsilon", epsilon},
                      Hyperparameter{"weight_decay", weight_decay}, Hyperparameter{"decay_biases", decay_biases}};
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
    detail::check_fraction<Scalar>(name, "rho", rho);
    detail::check_not_negative<Scalar>(name, "epsilon", epsilon);
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    detail::for_pieces(*this, arguments, state, [&](const detail::Piece<Scalar>& piece) {
      detail::update<2>(piece, detail::AdadeltaFormula<Scalar>{
                                   .decay = static_cast<Scalar>(piece.decay),
                                   .rate = static_cast<Scalar>(learning_rate),
                                   .running_mean_square = detail::RunningMeanSquare<Scalar>(rho),
                                   .epsilon = static_cast<Scalar>(epsilon),
                               });
    });
  }
};

}  // namespace chainrule
