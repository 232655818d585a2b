#pragma once
// The elementwise halves of a layer: a = f(z) and delta = dJ/da * f'(z). One copy of each loop for each activation and
// scalar, whatever the layer's shape; that is one reason why fixed and dynamic nets give the same bits.

#include <chainrule/core/concepts.hpp>

namespace chainrule::kernels {

/// a = f(z), elementwise; z and a may be the same memory. Through f.values(size, z, a) where f has it, else chunk by chunk.
template <class Scalar, Activation F>
[[gnu::noinline]] void activate(const F& f, Index size, const Scalar* z, Scalar* a) {
  if constexpr (requires { f.values(size, z, a); }) {
    f.values(size, z, a);
  } else {
    detail::for_chunks(
        size, [&f](const Chunk<Scalar>& z_chunk) -> Chunk<Scalar> { return f.value(z_chunk); }, a, z);
  }
}

/// z = f(z), elementwise and in place, for a matrix whose columns may lie apart.
template <class Scalar, Activation F>
void activate(const F& f, MatrixView<Scalar> z) {
  if (z.outerStride() == z.rows()) return activate(f, z.size(), static_cast<const Scalar*>(z.data()), z.data());
  for (Index j = 0; j < z.cols(); ++j) activate(f, z.rows(), static_cast<const Scalar*>(z.col(j).data()), z.col(j).data());
}

/// delta = dJ/da * f'(z), elementwise and in place. `kept` is a = f(z), or z where f' needs it.
template <class Scalar, Activation F>
[[gnu::noinline]] void multiply_by_derivative(const F& f, Index size, const Scalar* kept, Scalar* delta) {
  const auto multiply = [&f](const Chunk<Scalar>& gradient, const Chunk<Scalar>& value) -> Chunk<Scalar> {
    if constexpr (DerivativeFromOutput<F>) {
      return gradient * f.derivative_from_output(value);
    } else {
      return gradient * f.derivative(value);
    }
  };
  detail::for_chunks(size, multiply, delta, static_cast<const Scalar*>(delta), kept);
}

}  // namespace chainrule::kernels
