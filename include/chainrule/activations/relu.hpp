#pragma once

#include <chainrule/initializers/he.hpp>
#include <chainrule/kernels/derivatives.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <string_view>

namespace chainrule {

/// The rectified linear unit: its derivative is 1 wherever it is active, so gradients do not vanish there.
struct ReLU {
  static constexpr std::string_view name = "ReLU";
  static constexpr kernels::Known<ReLU> known{kernels::Function::relu};

  HeNormal default_initializer() const { return {}; }

  ///     ReLU(z) = max(0, z); NaN stays NaN
  template <class Scalar>
  void values(Index size, const Scalar* z, Scalar* a) const {
    kernels::rectify(size, z, a);
  }
  /// The same for a few numbers.
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return (z < 0).select(Chunk::Zero(), z);
  }

  ///     ReLU'(z) = 1 for z > 0 and 0 for z < 0; at 0 it is taken as 0, as PyTorch does
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return (a > 0).select(Chunk::Ones(), Chunk::Zero());
  }
  template <class Scalar>
  void times_derivative(Index size, const Scalar* a, Scalar* delta) const {
    kernels::times_derivative<kernels::Function::relu>(size, a, delta);
  }
};

}  // namespace chainrule
