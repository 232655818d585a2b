#pragma once

#include <chainrule/initializers/xavier.hpp>
#include <string_view>

namespace chainrule {

/// The logistic function sigma(z) = 1/(1 + e^-z), between 0 and 1.
struct Sigmoid {
  static constexpr std::string_view name = "Sigmoid";

  XavierUniform default_initializer() const { return {}; }

  // sigma(z) = 1/(1 + e^-z) = e^z/(1 + e^z): for each sign of z the form whose exponential cannot overflow
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    const Chunk e = (-z.abs()).exp();
    return (z < 0).select(e, Chunk::Ones()) / (1 + e);
  }

  // sigma'(z) = sigma(z) (1 - sigma(z)) = a (1 - a) <= 1/4, which is why deep sigmoid nets have vanishing gradients
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return a * (1 - a);
  }
};

}  // namespace chainrule
