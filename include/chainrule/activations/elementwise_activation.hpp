#pragma once

#include <chainrule/kernels/map.hpp>

namespace chainrule {
namespace detail {

/// Satisfied if F computes f'(z) from a = f(z) alone, with f_prime_from_output(a).
template <class F, class Scalar>
concept HasFormulaFromOutput = requires(const F& f, const kernels::baseline::Simd<Scalar>& a) {
  f.f_prime_from_output(a);
};

}  // namespace detail

/// Base class of activations whose f and f' are formulas over Simd numbers; all activations of this library derive from it. F defines f(z)
/// and one of two functions for f'(z):
///
///     f_prime_from_output(a)    if f' can be written with a = f(z) alone, so that a layer need not keep z
///     f_prime(z)                otherwise
///
/// The base class adds the functions that layers call: f and f' of whole arrays and of a Chunk. They use the widest vectors of the machine,
/// whatever the compiler flags of the program. Example:
/// @code{.cpp}
/// struct Swish : ElementwiseActivation<Swish> {
///   static constexpr std::string_view name{"Swish"};
///   HeNormal default_initializer() const { return {}; }
///   template <class V>
///   CHAINRULE_FORMULA V f(V z) const { return z * sigmoid(z); }
///   template <class V>
///   CHAINRULE_FORMULA V f_prime(V z) const { return sigmoid(z) * (1 + z * sigmoid(-z)); }
/// };
/// @endcode
/// kernels/simd.hpp lists the functions that a formula may call. A class derived from F keeps F's formulas even if it defines its own,
/// because the base class knows only F; declare F final to rule that out.
template <class F>
struct ElementwiseActivation {
  /// Whether small layers whose extents are run-time values are compiled with this activation inside, like those with fixed extents. It
  /// saves some nanoseconds per pass and takes about a second to compile; other activations are applied in a second pass over the layer's
  /// output.
  static constexpr bool worth_fusing = false;

  /// a[i] = f(z[i]) for all i < size; a may be z.
  template <class Scalar>
  void values(Index size, const Scalar* z, Scalar* a) const {
    kernels::map(
        size, [f = self()](auto z_i) CHAINRULE_FORMULA { return f.f(z_i); }, a, z);
  }

  /// delta[i] <- delta[i] f'(z[i]) for all i < size. `kept` holds a = f(z) if F has f_prime_from_output, else z.
  template <class Scalar>
  void times_derivative(Index size, const Scalar* kept, Scalar* delta) const {
    kernels::map(
        size, [f = self()](auto delta_i, auto kept_i) CHAINRULE_FORMULA { return delta_i * derivative_of(f, kept_i); }, delta,
        static_cast<const Scalar*>(delta), kept);
  }

  /// Multiplies each column of delta by f'(z). `kept`, as long as a column, holds a = f(z) if F has f_prime_from_output, else z.
  template <class Scalar>
  void columns_times_derivative(const Scalar* kept, MatrixView<Scalar> delta) const {
    kernels::map_columns([f = self()](auto& product, const auto& delta_i, const auto& kept_i)
                             CHAINRULE_FORMULA { product = delta_i * derivative_of(f, kept_i); },
                         std::array{kernels::columns(delta)}, delta.rows(), delta.cols(), kernels::columns(detail::as_const(delta)),
                         kernels::one_column(kept));
  }

  /// f(z) for each number of a Chunk.
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    Chunk a;
    values(z.size(), z.data(), a.data());
    return a;
  }

  /// f'(z) for each number of a Chunk, computed from a = f(z).
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const requires detail::HasFormulaFromOutput<F, typename Chunk::Scalar> {
    return derivative_of_chunk(a);
  }
  /// f'(z) for each number of a Chunk.
  template <class Chunk>
  Chunk derivative(const Chunk& z) const requires(!detail::HasFormulaFromOutput<F, typename Chunk::Scalar>) {
    return derivative_of_chunk(z);
  }

  /// f'(z) for one Simd number. `kept` is a = f(z) if F has f_prime_from_output, else z.
  template <class V>
  static CHAINRULE_FORMULA V derivative_of(const F& f, const V& kept) {
    if constexpr (requires { f.f_prime_from_output(kept); })
      return f.f_prime_from_output(kept);
    else
      return f.f_prime(kept);
  }

 private:
  const F& self() const { return static_cast<const F&>(*this); }

  template <class Chunk>
  Chunk derivative_of_chunk(const Chunk& kept) const {
    Chunk d = Chunk::Ones();
    times_derivative(kept.size(), kept.data(), d.data());
    return d;
  }
};

}  // namespace chainrule
