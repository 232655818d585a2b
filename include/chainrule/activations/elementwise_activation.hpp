#pragma once

#include <array>
#include <chainrule/kernels/map.hpp>

namespace chainrule {
namespace detail {

/// Satisfied if F computes f'(z) from a = f(z) alone, with f_prime_from_output(a).
template <class F, class Scalar>
concept HasFormulaFromOutput = requires(const F& f, const kernels::baseline::Simd<Scalar>& a) {
  f.f_prime_from_output(a);
};

/// The highest derivative of which F has a formula: 1 for f' alone, 2 for f' and f'', 3 for f', f'' and f'''. Formulas of f'' and f'''
/// count only if they have the same argument, z or a, as that of f'.
template <class F, class Scalar>
constexpr int highest_formula_order() {
  using V = kernels::baseline::Simd<Scalar>;
  if constexpr (HasFormulaFromOutput<F, Scalar>) {
    if constexpr (!requires(const F& f, const V& a) { f.f_double_prime_from_output(a); }) return 1;
    return requires(const F& f, const V& a) { f.f_triple_prime_from_output(a); }
    ? 3 : 2;
  } else {
    if constexpr (!requires(const F& f, const V& z) { f.f_double_prime(z); }) return 1;
    return requires(const F& f, const V& z) { f.f_triple_prime(z); }
    ? 3 : 2;
  }
}

/// Satisfied if F has a formula of f'' (order 2) or of f'' and f''' (order 3), computed from a = f(z) if `from_output`, else from z.
template <class F, class Scalar, int order, bool from_output>
concept HasFormulaOfOrder = HasFormulaFromOutput<F, Scalar>
== from_output&& highest_formula_order<F, Scalar>() >= order;

}  // namespace detail

/// Base class of activations whose f and f' are formulas over Simd numbers; all activations of this library derive from it. F defines f(z)
/// and one of two functions for f'(z):
///
///     f_prime_from_output(a)    if f' can be written with a = f(z) alone, so that a layer need not keep z
///     f_prime(z)                otherwise
///
/// For derivatives of a network by its input, F may also define f''(z) and f'''(z), both with the argument of its f':
///
///     f_double_prime_from_output(a), f_triple_prime_from_output(a)    beside f_prime_from_output(a)
///     f_double_prime(z), f_triple_prime(z)                            beside f_prime(z)
///
/// The base class adds the functions that layers call: f and its derivatives of whole arrays and of a Chunk. They use the widest vectors of
/// the machine, whatever the compiler flags of the program. Example:
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

  /// first[i] = f'(z[i]), second[i] = f''(z[i]), third[i] = f'''(z[i]) for all i < size, in one pass. Skips null arrays, and the orders of
  /// which F has no formula. `kept` is as for times_derivative; no array may overlap it.
  template <class Scalar>
  void derivatives(Index size, const Scalar* kept, Scalar* first, Scalar* second, Scalar* third) const {
    constexpr int orders = detail::highest_formula_order<F, Scalar>();
    std::array<Scalar*, std::size_t{orders}> out{first};
    if constexpr (orders >= 2) out[1] = second;
    if constexpr (orders >= 3) out[2] = third;
    kernels::map_several(
        size,
        [f = self()](auto kept_i, auto k) CHAINRULE_FORMULA { return derivative_of<static_cast<int>(decltype(k)::value) + 1>(f, kept_i); },
        kept, out);
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
    return derivative_of_chunk<1>(a);
  }
  /// f'(z) for each number of a Chunk.
  template <class Chunk>
  Chunk derivative(const Chunk& z) const requires(!detail::HasFormulaFromOutput<F, typename Chunk::Scalar>) {
    return derivative_of_chunk<1>(z);
  }
  /// f''(z) for each number of a Chunk, computed from a = f(z), if F has f_double_prime_from_output.
  template <class Chunk>
  Chunk second_derivative_from_output(const Chunk& a) const requires(detail::HasFormulaOfOrder<F, typename Chunk::Scalar, 2, true>) {
    return derivative_of_chunk<2>(a);
  }
  /// f''(z) for each number of a Chunk, if F has f_double_prime.
  template <class Chunk>
  Chunk second_derivative(const Chunk& z) const requires(detail::HasFormulaOfOrder<F, typename Chunk::Scalar, 2, false>) {
    return derivative_of_chunk<2>(z);
  }
  /// f'''(z) for each number of a Chunk, computed from a = f(z), if F has f_triple_prime_from_output.
  template <class Chunk>
  Chunk third_derivative_from_output(const Chunk& a) const requires(detail::HasFormulaOfOrder<F, typename Chunk::Scalar, 3, true>) {
    return derivative_of_chunk<3>(a);
  }
  /// f'''(z) for each number of a Chunk, if F has f_triple_prime.
  template <class Chunk>
  Chunk third_derivative(const Chunk& z) const requires(detail::HasFormulaOfOrder<F, typename Chunk::Scalar, 3, false>) {
    return derivative_of_chunk<3>(z);
  }

  /// f', f'' or f''' (order 1, 2 or 3) of one Simd number. `kept` is a = f(z) if F has f_prime_from_output, else z.
  template <int order = 1, class V>
  static CHAINRULE_FORMULA V derivative_of(const F& f, const V& kept) {
    if constexpr (requires { f.f_prime_from_output(kept); }) {
      if constexpr (order == 1)
        return f.f_prime_from_output(kept);
      else if constexpr (order == 2)
        return f.f_double_prime_from_output(kept);
      else
        return f.f_triple_prime_from_output(kept);
    } else {
      if constexpr (order == 1)
        return f.f_prime(kept);
      else if constexpr (order == 2)
        return f.f_double_prime(kept);
      else
        return f.f_triple_prime(kept);
    }
  }

 private:
  const F& self() const { return static_cast<const F&>(*this); }

  template <int order, class Chunk>
  Chunk derivative_of_chunk(const Chunk& kept) const {
    Chunk d;
    if constexpr (order == 1) {
      d.setOnes();
      times_derivative(kept.size(), kept.data(), d.data());
    } else {
      typename Chunk::Scalar* const none = nullptr;
      derivatives(kept.size(), kept.data(), none, order == 2 ? d.data() : none, order == 3 ? d.data() : none);
    }
    return d;
  }
};

}  // namespace chainrule
