#pragma once
// The elementwise halves of a layer: a = f(z) and delta = dJ/da * f'(z). One copy of each loop for each activation and
// scalar, whatever the layer's shape; that is one reason why fixed and dynamic nets give the same bits.

#include <chainrule/core/concepts.hpp>

namespace chainrule::kernels {

template <class Scalar, Activation F>
[[gnu::noinline]] void activate_chunks(const F& f, Index size, const Scalar* z, Scalar* a) {
  detail::for_chunks(
      size, [&f](const Chunk<Scalar>& z_chunk) -> Chunk<Scalar> { return f.value(z_chunk); }, a, z);
}

/// a = f(z), elementwise; z and a may be the same memory. Through f.values(size, z, a) where f has it, else chunk by chunk.
template <class Scalar, Activation F>
void activate(const F& f, Index size, const Scalar* z, Scalar* a) {
  if constexpr (requires { f.values(size, z, a); })
    f.values(size, z, a);
  else
    activate_chunks(f, size, z, a);
}

/// The same for matrices whose columns may lie apart.
template <class Scalar, Activation F>
void activate(const F& f, ConstMatrixView<Scalar> z, MatrixView<Scalar> a) {
  if (z.outerStride() == z.rows() && a.outerStride() == a.rows()) return activate(f, z.size(), z.data(), a.data());
  for (Index j = 0; j < z.cols(); ++j) activate(f, z.rows(), z.data() + j * z.outerStride(), a.data() + j * a.outerStride());
}

template <class Scalar, Activation F>
[[gnu::noinline]] void multiply_chunks_by_derivative(const F& f, Index size, const Scalar* kept, Scalar* delta) {
  const auto multiply = [&f](const Chunk<Scalar>& gradient, const Chunk<Scalar>& value) -> Chunk<Scalar> {
    if constexpr (DerivativeFromOutput<F>) {
      return gradient * f.derivative_from_output(value);
    } else {
      return gradient * f.derivative(value);
    }
  };
  detail::for_chunks(size, multiply, delta, static_cast<const Scalar*>(delta), kept);
}

/// delta = dJ/da * f'(z), elementwise and in place. `kept` is a = f(z), or z where f' needs it. Through f.times_derivative where f has it.
template <class Scalar, Activation F>
void multiply_by_derivative(const F& f, Index size, const Scalar* kept, Scalar* delta) {
  if constexpr (requires { f.times_derivative(size, kept, delta); })
    f.times_derivative(size, kept, delta);
  else
    multiply_chunks_by_derivative(f, size, kept, delta);
}

/// The same for matrices whose columns may lie apart.
template <class Scalar, Activation F>
void multiply_by_derivative(const F& f, ConstMatrixView<Scalar> kept, MatrixView<Scalar> delta) {
  if (kept.outerStride() == kept.rows() && delta.outerStride() == delta.rows())
    return multiply_by_derivative(f, delta.size(), kept.data(), delta.data());
  for (Index j = 0; j < delta.cols(); ++j)
    multiply_by_derivative(f, delta.rows(), kept.data() + j * kept.outerStride(), delta.data() + j * delta.outerStride());
}

}  // namespace chainrule::kernels
