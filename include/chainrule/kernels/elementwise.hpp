#pragma once
// The elementwise parts of a layer's passes: a = f(z) forward and delta = dJ/da * f'(z) backward, for any activation. There is one loop per
// activation and scalar type, whatever the shape of the layer, so networks of fixed and of run-time shapes give the same bits. Classes that
// derive from ElementwiseActivation (activations/elementwise_activation.hpp) have vectorized loops of their own, which use map.hpp and are
// called here; for other activations the loops here go through the array in chunks of 64 bytes.

#include <chainrule/core/concepts.hpp>
#include <cstddef>
#include <type_traits>

namespace chainrule::kernels {

/// a[i] = f(z[i]) for all i < size, by f.value on chunks of 64 bytes.
template <class Scalar, Activation F>
[[gnu::noinline]] void activate_chunks(const F& f, Index size, const Scalar* z, Scalar* a) {
  detail::for_chunks(
      size, [&f](const Chunk<Scalar>& z_chunk) -> Chunk<Scalar> { return f.value(z_chunk); }, a, z);
}

/// a[i] = f(z[i]) for all i < size; a may be z. Calls f.values(size, z, a) if f has it, else f.value on chunks of 64 bytes.
template <class Scalar, Activation F>
void activate(const F& f, Index size, const Scalar* z, Scalar* a) {
  if constexpr (requires { f.values(size, z, a); })
    f.values(size, z, a);
  else
    activate_chunks(f, size, z, a);
}

/// a = f(z), elementwise, for matrices of one shape with any column stride; a may be z.
template <class Scalar, Activation F>
void activate(const F& f, ConstMatrixView<Scalar> z, MatrixView<Scalar> a) {
  if (z.outerStride() == z.rows() && a.outerStride() == a.rows()) return activate(f, z.size(), z.data(), a.data());
  for (Index j = 0; j < z.cols(); ++j) activate(f, z.rows(), z.data() + j * z.outerStride(), a.data() + j * a.outerStride());
}

/// f', f'' or f''' (order 1, 2 or 3) of a Chunk; `kept` is a = f(z) if f has derivative_from_output, else z.
template <int order, class F, class C>
C derivative_of_chunk(const F& f, const C& kept) {
  if constexpr (DerivativeFromOutput<F>) {
    if constexpr (order == 1)
      return f.derivative_from_output(kept);
    else if constexpr (order == 2)
      return f.second_derivative_from_output(kept);
    else
      return f.third_derivative_from_output(kept);
  } else {
    if constexpr (order == 1)
      return f.derivative(kept);
    else if constexpr (order == 2)
      return f.second_derivative(kept);
    else
      return f.third_derivative(kept);
  }
}

/// delta[i] <- delta[i] f'(z[i]) for all i < size, by f.derivative or f.derivative_from_output on chunks of 64 bytes.
template <class Scalar, Activation F>
[[gnu::noinline]] void multiply_chunks_by_derivative(const F& f, Index size, const Scalar* kept, Scalar* delta) {
  using C = Chunk<Scalar>;
  detail::for_chunks(
      size, [&f](const C& gradient, const C& value) -> C { return gradient * derivative_of_chunk<1>(f, value); }, delta,
      static_cast<const Scalar*>(delta), kept);
}

/// delta[i] <- delta[i] f'(z[i]) for all i < size, which turns dJ/da into dJ/dz. `kept` is a = f(z) if f has derivative_from_output, else
/// z. Calls f.times_derivative(size, kept, delta) if f has it, else works on chunks of 64 bytes.
template <class Scalar, Activation F>
void multiply_by_derivative(const F& f, Index size, const Scalar* kept, Scalar* delta) {
  if constexpr (requires { f.times_derivative(size, kept, delta); })
    f.times_derivative(size, kept, delta);
  else
    multiply_chunks_by_derivative(f, size, kept, delta);
}

/// Whether f'' of this activation can be computed. For most activations the type tells; an AnyActivation is asked at run time.
template <Activation F>
bool has_second_derivative(const F& f) {
  if constexpr (requires { f.has_second_derivative(); })
    return f.has_second_derivative();
  else
    return HasSecondDerivative<F>;
}
/// Whether f'' and f''' of this activation can be computed.
template <Activation F>
bool has_third_derivative(const F& f) {
  if constexpr (requires { f.has_third_derivative(); })
    return f.has_third_derivative();
  else
    return HasThirdDerivative<F>;
}

/// Writes f', f'' and f''' to the arrays that are not null, by the activation's functions of a Chunk, on chunks of 64 bytes.
template <class Scalar, Activation F>
[[gnu::noinline]] void derivatives_of_chunks(const F& f, Index size, const Scalar* kept, Scalar* first, Scalar* second, Scalar* third) {
  using C = Chunk<Scalar>;
  if (first != nullptr)
    detail::for_chunks(
        size, [&f](const C& value) { return derivative_of_chunk<1>(f, value); }, first, kept);
  if constexpr (HasSecondDerivative<F>)
    if (second != nullptr)
      detail::for_chunks(
          size, [&f](const C& value) { return derivative_of_chunk<2>(f, value); }, second, kept);
  if constexpr (HasThirdDerivative<F>)
    if (third != nullptr)
      detail::for_chunks(
          size, [&f](const C& value) { return derivative_of_chunk<3>(f, value); }, third, kept);
}

/// first[i] = f'(z[i]), second[i] = f''(z[i]) and third[i] = f'''(z[i]) for all i < size. A null array is skipped; the literal nullptr for
/// `second` or `third` also compiles for an activation that has no f'' or f'''. `kept` is as for multiply_by_derivative; no array may
/// overlap it. Calls f.derivatives(size, kept, first, second, third) if f has it, else works on chunks of 64 bytes.
template <class Scalar, Activation F, class First, class Second, class Third>
void derivatives(const F& f, Index size, const Scalar* kept, First first, Second second, Third third) {
  static_assert(std::is_same_v<Second, std::nullptr_t> || HasSecondDerivative<F>,
                "chainrule: this needs f'' of an activation that does not define it; define f_double_prime_from_output(a) beside "
                "f_prime_from_output(a), or f_double_prime(z) beside f_prime(z); an activation of functions of a Chunk defines "
                "second_derivative_from_output(a) or second_derivative(z)");
  static_assert(std::is_same_v<Third, std::nullptr_t> || HasThirdDerivative<F>,
                "chainrule: this needs f''' of an activation that does not define it; define f_triple_prime_from_output(a) beside "
                "f_double_prime_from_output(a), or f_triple_prime(z) beside f_double_prime(z); an activation of functions of a Chunk "
                "defines third_derivative_from_output(a) or third_derivative(z)");
  Scalar *const to_first = first, *const to_second = second, *const to_third = third;
  if constexpr (requires { f.derivatives(size, kept, to_first, to_second, to_third); })
    f.derivatives(size, kept, to_first, to_second, to_third);
  else
    derivatives_of_chunks(f, size, kept, to_first, to_second, to_third);
}

/// delta <- delta * f'(z), elementwise, for matrices of one shape with any column stride; `kept` is a = f(z) if f has
/// derivative_from_output, else z.
template <class Scalar, Activation F>
void multiply_by_derivative(const F& f, ConstMatrixView<Scalar> kept, MatrixView<Scalar> delta) {
  if (kept.outerStride() == kept.rows() && delta.outerStride() == delta.rows())
    return multiply_by_derivative(f, delta.size(), kept.data(), delta.data());
  for (Index j = 0; j < delta.cols(); ++j)
    multiply_by_derivative(f, delta.rows(), kept.data() + j * kept.outerStride(), delta.data() + j * delta.outerStride());
}

/// Multiplies each column of delta by f'(z), elementwise. `kept` has as many numbers as a column: a = f(z) if f has
/// derivative_from_output, else z. Calls f.columns_times_derivative(kept, delta) if f has it.
template <class Scalar, Activation F>
void multiply_columns_by_derivative(const F& f, const Scalar* kept, MatrixView<Scalar> delta) {
  if constexpr (requires { f.columns_times_derivative(kept, delta); })
    f.columns_times_derivative(kept, delta);
  else
    for (Index j = 0; j < delta.cols(); ++j) multiply_by_derivative(f, delta.rows(), kept, delta.data() + j * delta.outerStride());
}

/// Multiplies the derivatives along several directions by f'(z), elementwise. Column k batch + j of `directions` belongs to column j of
/// `kept`, which is units x batch: a = f(z) if f has derivative_from_output, else z.
template <class Scalar, Activation F>
void multiply_directions_by_derivative(const F& f, const ConstMatrixView<Scalar>& kept, MatrixView<Scalar> directions) {
  const Index units = kept.rows(), batch = kept.cols(), count = directions.cols() / batch;
  if (kept.outerStride() == units && directions.outerStride() == units)
    return multiply_columns_by_derivative(f, kept.data(), detail::matrix_view(directions.data(), units * batch, count));
  for (Index j = 0; j < batch; ++j)
    multiply_columns_by_derivative(f, kept.data() + j * kept.outerStride(),
                                   MatrixView<Scalar>(directions.data() + j * directions.outerStride(), units, count,
                                                      Eigen::OuterStride<>(batch * directions.outerStride())));
}

}  // namespace chainrule::kernels
