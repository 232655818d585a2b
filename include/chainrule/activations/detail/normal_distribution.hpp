#pragma once
// The distribution function and density of a standard normal number, for GELU.

#include <array>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/kernels/simd.hpp>
#include <cmath>

#include <chainrule/core/detail/undefine_min_max.inc>

namespace chainrule::detail {

/// Coefficients of the polynomials P and R for the tail of the normal distribution,
///
///     Phi(-x) = e^(-x^2/2) P(x)/(sqrt(2 pi) x P(x) + R(x)) for x >= 0
///
/// where Phi(z) is the probability that a standard normal number is below z. All coefficients are positive, like those of the continued
/// fraction for Phi, so nothing cancels. They were fitted by iteratively reweighted least squares (Lawson 1961) for the smallest relative
/// error, given beside P, for x up to `last`; beyond it Phi(-x) rounds to 0. x is split at multiples of 1/grid, so that the squares of both
/// parts are exact.
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

/// The distribution function Phi(z), z times the density phi(z) = e^(-z^2/2)/sqrt(2 pi), phi(z), and |z| limited to a number beyond which
/// phi rounds to 0.
template <class V>
struct Normal {
  V distribution, z_density, density, limited_abs_z;
};

/// Normal of vectors of float or double, with the polynomials of NormalTail.
template <class V>
CHAINRULE_FORMULA inline Normal<V> normal_of_vector(const V& z) {
  using Scalar = typename V::Scalar;
  using Tail = NormalTail<Scalar>;
  constexpr Scalar inverse_sqrt_2pi = Scalar(0.398942280401432677939946059934381868L);  // 1/sqrt(2 pi)
  constexpr Scalar shift = kernels::ExponentialConstants<Scalar>::round / Tail::grid;
  const V x = min(abs(z), Tail::last);
  const V coarse = (x + shift) - shift, fine = x - coarse;  // x^2 = coarse^2 + fine (x + coarse)
  const V e = exp_of_sum(Scalar{-0.5f} * (coarse * coarse), Scalar{-0.5f} * (fine * (x + coarse)));
  const V p = polynomial(x, Tail::p), tail = e * (p / fma(Scalar{1} / inverse_sqrt_2pi * x, p, polynomial(x, Tail::r)));
  const V z_density = inverse_sqrt_2pi * x * e;
  return {select(z > 0, 1 - tail, tail), select(z > 0, z_density, -z_density), inverse_sqrt_2pi * e, x};
}

/// Normal of a single number of any scalar type, with erfc and exp of <cmath>. The squares in the exponents are rounded; the
/// factors with rounding_error and with fma(x, x, -(x * x)) correct the results to first order.
template <class V>
CHAINRULE_FORMULA inline Normal<V> normal_of_number(const V& z) {
  using Scalar = typename V::Scalar;
  using std::erfc, std::exp, std::fma;
  constexpr Scalar inverse_sqrt_2pi = Scalar(0.398942280401432677939946059934381868L);
  constexpr Scalar last = 200;  // beyond +-200, Phi is 0 or 1 in every scalar type
  const Scalar x = min(max(z, -last), last).v, y = -x / sqrt2<Scalar>, square = 2 * y * y;
  const Scalar rounding_error = fma(x, x, -square) - fma(2 * y, y, -square);  // x^2 - 2 y^2
  const Scalar e = exp(-x * x / 2) * (1 - fma(x, x, -(x * x)) / 2);
  return {erfc(y) / 2 * (x > -1 ? 1 : 1 - rounding_error / 2), inverse_sqrt_2pi * x * e, inverse_sqrt_2pi * e, std::abs(x)};
}

/// Phi(z), z phi(z) and phi(z): with polynomials for vectors of float and double, with <cmath> for single numbers such as long double.
template <class V>
CHAINRULE_FORMULA inline Normal<V> normal(const V& z) {
  if constexpr (V::L::width > 1)
    return normal_of_vector(z);
  else
    return normal_of_number(z);
}

}  // namespace chainrule::detail

#include <chainrule/core/detail/restore_min_max.inc>
