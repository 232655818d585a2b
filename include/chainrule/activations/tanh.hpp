#pragma once

#include <chainrule/core/types.hpp>
#include <chainrule/initializers/xavier.hpp>
#include <chainrule/kernels/derivatives.hpp>
#include <chainrule/kernels/vector_math.hpp>
#include <string_view>

namespace chainrule {

/// The hyperbolic tangent, between -1 and 1 and with tanh(0) = 0.
struct Tanh {
  static constexpr std::string_view name = "Tanh";
  static constexpr kernels::Known<Tanh> known{kernels::Function::tanh};

  XavierUniform default_initializer() const { return {}; }

  ///     tanh(z) = sinh z / cosh z = (e^2z - 1)/(e^2z + 1)
  template <class Scalar>
  void values(Index size, const Scalar* z, Scalar* a) const {
    kernels::tanhs(size, z, a);
  }
  /// The same for a few numbers.
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    Chunk a;
    values(z.size(), z.data(), a.data());
    return a;
  }

  ///     tanh'(z) = 1 - tanh(z)^2 = (1 - a)(1 + a), the product because it is exact to the last bits where a is near 1
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return (1 - a) * (1 + a);
  }
  template <class Scalar>
  void times_derivative(Index size, const Scalar* a, Scalar* delta) const {
    kernels::times_derivative<kernels::Function::tanh>(size, a, delta);
  }
};

}  // namespace chainrule
