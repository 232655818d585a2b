#pragma once

#include <chainrule/core/types.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <chainrule/kernels/derivatives.hpp>
#include <chainrule/kernels/vector_math.hpp>
#include <string_view>

namespace chainrule {

/// The logistic function sigma(z) = 1/(1 + e^-z), between 0 and 1.
struct Sigmoid {
  static constexpr std::string_view name = "Sigmoid";
  static constexpr kernels::Known<Sigmoid> known{kernels::Function::sigmoid};

  XavierUniform default_initializer() const { return {}; }

  ///     sigma(z) = 1/(1 + e^-z)
  template <class Scalar>
  void values(Index size, const Scalar* z, Scalar* a) const {
    kernels::sigmoids(size, z, a);
  }
  /// The same for a few numbers.
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    Chunk a;
    values(z.size(), z.data(), a.data());
    return a;
  }

  ///     sigma'(z) = sigma(z) (1 - sigma(z)) = a (1 - a) <= 1/4, which is why deep sigmoid nets have vanishing gradients
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return a * (1 - a);
  }
  template <class Scalar>
  void times_derivative(Index size, const Scalar* a, Scalar* delta) const {
    kernels::times_derivative<kernels::Function::sigmoid>(size, a, delta);
  }
};

}  // namespace chainrule
