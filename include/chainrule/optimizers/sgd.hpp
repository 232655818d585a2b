#pragma once

#include <chainrule/core/chunks.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/views.hpp>
#include <limits>

namespace chainrule {

/// Stochastic gradient descent, theta <- theta - learning_rate dJ/dtheta: step 4 of the five.
struct SGD {
  double learning_rate = 0.01;

  /// One step downhill. theta: `net.parameters()` or any vector; gradient: `net.make_gradients()`'s, or a vector of the same
  /// size; each in one piece. Throws ShapeError if they are not, ValueError for a learning rate that is negative or not finite.
  template <class Theta, class Gradient>
  void step(Theta&& theta, const Gradient& gradient) const {
    if constexpr (requires { gradient.flat(); }) {
      step(theta, gradient.flat());
    } else {
      using Scalar = typename std::remove_cvref_t<Theta>::Scalar;
      const auto g = detail::const_view<Scalar>(gradient);
      auto w = detail::mutable_view<Scalar>(theta);
      if (w.size() != g.size()) detail::raise<ShapeError>("SGD: theta has ", w.size(), " parameters, but the gradient has ", g.size());
      if ((w.cols() > 1 && w.outerStride() != w.rows()) || (g.cols() > 1 && g.outerStride() != g.rows()))
        detail::raise<ShapeError>(
            "SGD: theta and the gradient must each lie in memory in one piece; copy the one that does not with .eval()");
      constexpr double largest =
          sizeof(Scalar) < sizeof(double) ? static_cast<double>(std::numeric_limits<Scalar>::max()) : std::numeric_limits<double>::max();
      if (!(learning_rate >= 0 && learning_rate <= largest))
        detail::raise<ValueError>("SGD: the learning rate must be at least 0 and finite, got ", learning_rate);
      descend(w.size(), static_cast<Scalar>(learning_rate), g.data(), w.data());
    }
  }

 private:
  // theta <- theta - learning_rate dJ/dtheta
  template <class Scalar>
  [[gnu::noinline]] static void descend(Index size, Scalar rate, const Scalar* gradient, Scalar* theta) {
    const auto update = [rate](const Chunk<Scalar>& t, const Chunk<Scalar>& g) -> Chunk<Scalar> { return t - rate * g; };
    detail::for_chunks(size, update, theta, static_cast<const Scalar*>(theta), gradient);
  }
};

}  // namespace chainrule
