#pragma once

#include <chainrule/optimizers/detail/update.hpp>
#include <cmath>

namespace chainrule {

namespace detail {

/// The formula of a step of NAdam for some parameters.
template <class Scalar>
struct NAdamFormula {
  Scalar decay;
  Scalar beta1, fresh1;  // fresh = 1 - beta
  Scalar beta2, fresh2;
  Scalar rate_of_g;     // learning_rate (1 - mu(t)) / (1 - mu(1)...mu(t))
  Scalar rate_of_m;     // learning_rate mu(t+1) / (1 - mu(1)...mu(t+1))
  Scalar inverse_root;  // 1 / sqrt(1 - beta2^t)
  Scalar epsilon;

  template <class V>
  CHAINRULE_FORMULA void operator()(const V& dJ, V& theta, V& m, V& v) const {
    const V g = with_decay(dJ, theta, decay);
    m = running_mean(m, g, beta1, fresh1);
    v = running_mean_square(v, g, beta2, fresh2);
    theta = theta - fma(rate_of_g, g, rate_of_m * m) / fma(inverse_root, sqrt(v), epsilon);
  }
};

}  // namespace detail

/// Adam with Nesterov's momentum (Dozat 2016) as PyTorch has it (from 2.0; the loop over single tensors in 1.x multiplied the
/// product below by mu(t) twice). Errors as in SGD.
///     mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2)
///     m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2
///     m_hat = (1 - mu(t)) g / (1 - mu(1)...mu(t)) + mu(t+1) m / (1 - mu(1)...mu(t+1))
///     theta <- theta - learning_rate m_hat / (sqrt(v / (1 - beta2^t)) + epsilon)    in step t
struct NAdam {
  static constexpr std::string_view name = "NAdam";  ///< the name in descriptions, files and messages
  double learning_rate = 2e-3;                       ///< the size of a step, at least 0
  double beta1 = 0.9;                                ///< how much of m is kept, in [0, 1)
  double beta2 = 0.999;                              ///< how much of v is kept, in [0, 1)
  double epsilon = 1e-8;                             ///< keeps the divisor from 0; at least 0
  double momentum_decay = 4e-3;                      ///< how fast mu(t) rises to beta1, at least 0
  double weight_decay = 0;                           ///< L2, added to the gradient
  bool decay_biases = false;                         ///< decay pulls at biases too

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
    detail::check_fraction(name, "beta1", beta1);
    detail::check_fraction(name, "beta2", beta2);
    detail::check_not_negative<Scalar>(name, "epsilon", epsilon);
    detail::check_not_negative<Scalar>(name, "momentum_decay", momentum_decay);
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    const double t = static_cast<double>(state.steps), product = mu_product(t);
    detail::for_pieces(*this, arguments, state, [&](const detail::Piece<Scalar>& piece) {
      detail::update<2>(piece, detail::NAdamFormula<Scalar>{
                                   .decay = static_cast<Scalar>(piece.decay),
                                   .beta1 = static_cast<Scalar>(beta1),
                                   .fresh1 = static_cast<Scalar>(1 - beta1),
                                   .beta2 = static_cast<Scalar>(beta2),
                                   .fresh2 = static_cast<Scalar>(1 - beta2),
                                   .rate_of_g = static_cast<Scalar>(learning_rate * (1 - mu(t)) / (1 - product)),
                                   .rate_of_m = static_cast<Scalar>(learning_rate * mu(t + 1) / (1 - product * mu(t + 1))),
                                   .inverse_root = static_cast<Scalar>(1 / std::sqrt(1 - std::pow(beta2, t))),
                                   .epsilon = static_cast<Scalar>(epsilon),
                               });
    });
  }

 private:
  // mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2)
  double mu(double t) const { return beta1 * (1 - 0.5 * std::pow(0.96, t * momentum_decay)); }

  // mu(1) mu(2) ... mu(t), from t alone, so that nothing but moments need be remembered. Only 1 - product is asked for, which is
  // 1 once the product is small: after some 60 factors as a rule.
  double mu_product(double t) const {
    double product = 1;
    for (double i = 1; i <= t && product > 0x1p-60; ++i) product *= mu(i);
    return product;
  }
};

}  // namespace chainrule
