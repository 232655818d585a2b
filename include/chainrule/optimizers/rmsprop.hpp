#pragma once

#include <chainrule/optimizers/step.hpp>

namespace chainrule {

/// RMSprop (Tieleman and Hinton 2012, lecture 6e) as PyTorch has it: every parameter's step is divided by the root of a running
/// mean of its squared gradients; if centered, of their variance (Graves 2013). Errors as in SGD.
///     g = dJ/dtheta + weight_decay theta
///     v <- rho v + (1 - rho) g^2
///     theta <- theta - learning_rate g / (sqrt(v) + epsilon)
struct RMSprop {
  static constexpr std::string_view name = "RMSprop";
  double learning_rate = 0.01;
  double rho = 0.99;          ///< how much of the running means is kept, in [0, 1); alpha in PyTorch
  double epsilon = 1e-8;      ///< keeps the divisor from 0; at least 0
  double momentum = 0;        ///< in [0, 1)
  bool centered = false;      ///< divides by the root of the variance instead of the mean square
  double weight_decay = 0;    ///< L2, added to the gradient
  bool decay_biases = false;  ///< decay pulls at biases too

  Index moments() const { return 1 + (centered ? 1 : 0) + (momentum != 0 ? 1 : 0); }
  template <HasParameters Net>
  auto make_state(const Net& net) const {
    return OptimizerState(net, moments());
  }
  template <class Scalar>
  OptimizerState<Scalar> make_state(Index size) const {
    return {size, moments()};
  }

  /// One step downhill, with arguments as in SGD.
  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state) const {
    detail::check_fraction(name, "rho", rho);
    detail::check_not_negative<Scalar>(name, "epsilon", epsilon);
    detail::check_fraction(name, "momentum", momentum);
    const auto arguments = detail::begin_step(*this, theta, gradient, state);
    const Factors<Scalar> factors{static_cast<Scalar>(learning_rate), static_cast<Scalar>(rho), static_cast<Scalar>(1 - rho),
                                  static_cast<Scalar>(epsilon), static_cast<Scalar>(momentum)};
    detail::for_pieces(*this, arguments, state, [&](const detail::Piece<Scalar>& piece) {
      if (centered)
        descend(factors, piece, piece.moment(0), piece.moment(1));
      else
        descend(factors, piece, piece.moment(0));
    });
  }

 private:
  template <class Scalar>
  struct Factors {
    Scalar rate, kept, fresh, epsilon, momentum;
  };

  // v <- rho v + (1 - rho) g^2,  divisor = sqrt(v) + epsilon
  template <class C, class Scalar>
  static C divisor(const Factors<Scalar>& k, const C& g, C& v) {
    v = k.kept * v + k.fresh * g * g;
    return v.sqrt() + k.epsilon;
  }

  // and mean <- rho mean + (1 - rho) g,  divisor = sqrt(v - mean^2) + epsilon
  // The difference is a variance, but where g hardly changes rounding can make it negative; PyTorch's root is NaN there.
  template <class C, class Scalar>
  static C divisor(const Factors<Scalar>& k, const C& g, C& v, C& mean) {
    v = k.kept * v + k.fresh * g * g;
    mean = k.kept * mean + k.fresh * g;
    const C variance = (v - mean * mean).max(Scalar{0});
    return variance.sqrt() + k.epsilon;
  }

  // g <- dJ/dtheta + weight_decay theta
  // theta <- theta - learning_rate g / divisor                                   without momentum, else
  // b <- momentum b + g / divisor,  theta <- theta - learning_rate b
  template <class Scalar, class... Averages>
  [[gnu::noinline]] static void descend(const Factors<Scalar>& factors, const detail::Piece<Scalar>& piece, Averages*... averages) {
    using C = Chunk<Scalar>;
    const auto decay = static_cast<Scalar>(piece.decay);
    if (factors.momentum == 0) {
      const auto plain = [k = factors, decay](const C& dJ, C& theta, auto&... means) {
        const C g = dJ + decay * theta;
        theta -= k.rate * g / divisor(k, g, means...);
      };
      return detail::update_chunks(piece.size, plain, piece.gradient, piece.theta, averages...);
    }
    const auto carried_on = [k = factors, decay](const C& dJ, C& theta, C& b, auto&... means) {
      const C g = dJ + decay * theta;
      b = k.momentum * b + g / divisor(k, g, means...);
      theta -= k.rate * b;
    };
    detail::update_chunks(piece.size, carried_on, piece.gradient, piece.theta, piece.moment(sizeof...(averages)), averages...);
  }
};

}  // namespace chainrule
