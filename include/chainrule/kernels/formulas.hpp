#pragma once
// Activations for whole arrays, with the widest vectors of this machine: a = f(z), and delta = dJ/da * f'(z). (Sigma, tanh and ReLU are in
// vector_math.hpp, vectors.hpp and derivatives.hpp.)

#include <array>
#include <chainrule/kernels/pack.hpp>
#include <limits>

namespace chainrule::kernels {

/// Which one; what p and q are to it stands beside it.
enum class Formula {
  leaky_relu,    // p: the slope for z < 0
  elu,           // p z for z > 0, else q (e^z - 1)
  softplus,      // p: beta
  silu,          //
  gelu,          //
  gelu_tanh,     //
  mish,          //
  softsign,      //
  hard_tanh,     // p: low, q: high
  hard_sigmoid,  //
};

/// Phi(-x) = e^(-x^2/2) P(x)/(sqrt(2 pi) x P(x) + R(x)) for x >= 0. Coefficients are positive, as the continued fraction's are, so nothing
/// cancels, but for the errors of P. They are those of the smallest relative error that was found (least squares, weights of Lawson 1961)
/// up to `last`, from where on Phi is 0. So that x^2 has no error, x is cut to a multiple of 1/grid.
template <class Scalar>
struct NormalTail;
template <>
struct NormalTail<float> {
  static constexpr float last = 15, grid = 256;
  static constexpr std::array p{0.5f, 0.543690741f, 0.283839345f, 0.085793741f, 0.0150181465f, 0.00125840202f};  // 7.04e-10
  static constexpr std::array r{1.0f, 0.631951869f, 0.209073558f, 0.0376300141f, 0.00315463846f};
};
template <>
struct NormalTail<double> {
  static constexpr double last = 39, grid = 1048576;
  static constexpr std::array p{0.5,
                                0.84707668583669049,
                                0.70978790716738926,
                                0.3808357196445924,
                                0.14366458498338569,
                                0.039655111190636722,
                                0.0081040855735060244,
                                0.0012129403540190272,
                                0.00012781906285906877,
                                8.6335876714520747e-06,
                                2.8796921341627382e-07};  // 4.01e-18
  static constexpr std::array r{1.0,
                                1.2387237951607468,
                                0.78462803409366899,
                                0.32263552227199849,
                                0.093536297724841649,
                                0.019680356890969461,
                                0.0029971082453893981,
                                0.00031895121251842526,
                                2.1641194979657174e-05,
                                7.2183177251530263e-07};
};

/// GELUTanh is z sigma(2u) with 2u = gelu_root (z + gelu_cubic z^3), gelu_root = 2 sqrt(2/pi).
template <class Scalar>
inline constexpr Scalar gelu_root = Scalar(1.595769121605730711759784239737527474L);
template <class Scalar>
inline constexpr Scalar gelu_cubic = Scalar(0.044715L);

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/formulas.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// a[i] = f(z[i]) for all i < size; a may be z.
template <Formula f, class Scalar>
[[gnu::noinline]] void values(Index size, const Scalar* z, Scalar* a, Scalar p = 0, Scalar q = 0) {
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return avx512::values<f>(size, z, a, p, q);
    if (set == InstructionSet::avx2) return avx2::values<f>(size, z, a, p, q);
  }
  baseline::values<f>(size, z, a, p, q);
}

/// delta[i] <- delta[i] f'(z[i]) for all i < size. kept: a = f(z), or z for silu, gelu, gelu_tanh and mish.
template <Formula f, class Scalar>
[[gnu::noinline]] void times_derivative(Index size, const Scalar* kept, Scalar* delta, Scalar p = 0, Scalar q = 0) {
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return avx512::times_derivative<f>(size, kept, delta, p, q);
    if (set == InstructionSet::avx2) return avx2::times_derivative<f>(size, kept, delta, p, q);
  }
  baseline::times_derivative<f>(size, kept, delta, p, q);
}

}  // namespace chainrule::kernels
