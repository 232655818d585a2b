#pragma once

#include <chainrule/optimizers/detail/update.hpp>
#include <cmath>

namespace chainrule {

namespace detail {

/// The formula of a step of NAdam, for one Simd number of each argument.
template <class Scalar>
struct NAdamFormula {
  Scalar decay;
  RunningMean<Scalar> mean;               // with beta1
  RunningMeanSquare<Scalar> mean_square;  // with beta2
  Scalar rate_of_g;                       // learning_rate (1 - mu(t)) / (1 - mu(1)...mu(t))
  Scalar rate_of_m;                       // learning_rate mu(t+1) / (1 - mu(1)...mu(t+1))
  Scalar v_factor;                        // 1 / sqrt(1 - beta2^t)
  Scalar epsilon;

  static constexpr bool is_square(int moment) { return moment == 1; }  // whether it is a running mean of squares

  template <class V>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& m, V& v) const {
    const V g = with_decay(dJ, theta, decay);
    m = mean(m, g);
    v = mean_square(v, g);
    theta = theta - fma(rate_of_g, g, rate_of_m * m) / fma(v_factor, sqrt(v), epsilon);
  }
};

}  // namespace detail

/// Adam with Nesterov's momentum (Dozat 2016), as in PyTorch since 2.0; the single-tensor loop of PyTorch 1.x multiplied the product of the
/// mu(t) by mu(t) twice. In step t:
///
///     mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2)
///     m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2
///     m_hat = (1 - mu(t)) g / (1 - mu(1)...mu(t)) + mu(t+1) m / (1 - mu(1)...mu(t+1))
///     theta <- theta - learning_rate m_hat / (sqrt(v / (1 - beta2^t)) + epsilon)
struct NAdam {
  static constexpr std::string_view name = "NAdam";  ///< the name in descriptions, files and messages

  double learning_rate = 2e-3;   ///< the size of a step, at least 0
  double beta1 = 0.9;            ///< decay factor of m, in [0, 1)
  double beta2 = 0.999;          ///< decay factor of v, in [0, 1)
  double epsilon = 1e-8;         ///< added to the divisor so that it is not 0; at least 0
  double momentum_decay = 4e-3;  ///< speed at which mu(t) rises to beta1, at least 0
  double weight_decay = 0;       ///< weight_decay theta is added to the gradient (L2); at least 0
  bool decay_biases = false;     ///< whether weight decay also applies to biases

  /// The hyperparameters by name; a checkpoint compares them.
  auto hyperparameters() const {
    return std::tuple{Hyperparameter{"learning_rate", learning_rate},
                      Hyperparameter{"beta1", beta1},
                      Hyperparameter{"beta2", beta2},
                      Hyperparameter{"epsilon", epsilon},
                      Hyperparameter{"momentum_decay", momentum_decay},
                      Hyperparameter{"weight_decay", weight_decay},
                      Hyperparameter{"decay_biases", decay_biases}};
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
    detail::check_fraction<Scalar>(name, "beta1", beta1);
    detail::check_fraction<Scalar>(name, "beta2", beta2);
    detail::check_not_negative<Scalar>(name, "epsilon", epsilon);
    detail::check_not_negative<Scalar>(name, "momentum_decay", momentum_decay);
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    const double t = static_cast<double>(state.steps), product = mu_product(t);
    detail::for_pieces(*this, arguments, state, [&](const detail::Piece<Scalar>& piece) {
      detail::update<2>(piece, detail::NAdamFormula<Scalar>{
                                   .decay = static_cast<Scalar>(piece.decay),
                                   .mean = detail::RunningMean<Scalar>(beta1),
                                   .mean_square = detail::RunningMeanSquare<Scalar>(beta2),
                                   .rate_of_g = static_cast<Scalar>(learning_rate * (1 - mu(t)) / (1 - product)),
                                   .rate_of_m = static_cast<Scalar>(learning_rate * mu(t + 1) / (1 - product * mu(t + 1))),
                                   .v_factor = static_cast<Scalar>(1 / std::sqrt(1 - std::pow(beta2, t))),
                                   .epsilon = static_cast<Scalar>(epsilon),
                               });
    });
  }

 private:
  // mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2)
  double mu(double t) const { return beta1 * (1 - 0.5 * std::pow(0.96, t * momentum_decay)); }

  // Returns mu(1) mu(2) ... mu(t), computed from t alone so that the state consists of moments only. The loop ends when 1 - product rounds
  // to 1 anyway: after 53 factors with the default hyperparameters.
  double mu_product(double t) const {
    double product = 1;
    for (double i = 1; i <= t && product > 0x1p-60; ++i) product *= mu(i);
    return product;
  }
};

}  // namespace chainrule
