#pragma once

#include <chainrule/kernels/map.hpp>

namespace chainrule {
namespace detail {

/// Whether F says f'(z) as a formula with a = f(z) alone.
template <class F, class Scalar>
concept HasFormulaFromOutput = requires(const F& f, const kernels::baseline::Simd<Scalar>& a) {
  f.f_prime_from_output(a);
};

}  // namespace detail

/// Base of activations that are written as formulas over Simd, such as all of this library's. F says f(z), and f'(z) by one of
///     f_prime_from_output(a)    where f' can be written with a = f(z) alone, so that z need not be kept
///     f_prime(z)                otherwise
/// and gets from here what layers call: f and f' of whole arrays with the widest vectors of the machine, whatever the flags of the program,
/// and of a Chunk. As in
///     struct Swish : ElementwiseActivation<Swish> {
///       static constexpr std::string_view name{"Swish"};
///       HeNormal default_initializer() const { return {}; }
///       template <class V>
///       CHAINRULE_FORMULA V f(V z) const { return z * sigmoid(z); }
///       template <class V>
///       CHAINRULE_FORMULA V f_prime(V z) const { return sigmoid(z) * (1 + z * sigmoid(-z)); }
///     };
/// kernels/simd.hpp lists the functions of numbers that a formula may call. What derives from F itself must say its own formulas to change
/// them; declare F final where nobody should.
template <class F>
struct ElementwiseActivation {
  /// a[i] = f(z[i]) for all i < size; a may be z.
  template <class Scalar>
  void values(Index size, const Scalar* z, Scalar* a) const {
    kernels::map(
        size, [f = self()](auto z_i) CHAINRULE_FORMULA { return f.f(z_i); }, a, z);
  }

  /// delta[i] <- delta[i] f'(z[i]) for all i < size. kept: a = f(z) where f' is written with it, else z.
  template <class Scalar>
  void times_derivative(Index size, const Scalar* kept, Scalar* delta) const {
    kernels::map(
        size, [f = self()](auto delta_i, auto kept_i) CHAINRULE_FORMULA { return delta_i * derivative_of(f, kept_i); }, delta,
        static_cast<const Scalar*>(delta), kept);
  }

  /// f(z) of a Chunk.
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    Chunk a;
    values(z.size(), z.data(), a.data());
    return a;
  }

  /// f'(z) of a Chunk, from a = f(z).
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const requires detail::HasFormulaFromOutput<F, typename Chunk::Scalar> {
    return derivative_of_chunk(a);
  }
  /// f'(z) of a Chunk.
  template <class Chunk>
  Chunk derivative(const Chunk& z) const requires(!detail::HasFormulaFromOutput<F, typename Chunk::Scalar>) {
    return derivative_of_chunk(z);
  }

  /// f'(z) of a number, from a = f(z) or from z.
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
