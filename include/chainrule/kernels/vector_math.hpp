#pragma once
// Vectorized e^x, tanh x, sigma(x), sin x and cos x for float and double; Simd's exp, tanh, sigmoid, sin and cos (simd.hpp) call them.
// Errors are at most 1.1 (e^x), 2.1 (tanh), 2.5 (sigma, sin and cos) units in the last place, subnormal results included; but sigma is 0
// where it would be subnormal, because products with subnormal numbers take some 50 times as long.
// tanh and sigma never decrease, and every machine with fused multiply-adds gives the same bits. For |x| above SineConstants::largest, sin
// and cos are those of <cmath>, one number at a time; they are NaN for infinite x.

#include <array>
#include <bit>
#include <chainrule/kernels/instruction_sets.hpp>
#include <cmath>
#include <cstddef>
#include <limits>

namespace chainrule::kernels {

/// Constants of e^x = 2^n e^s with x = n ln 2 + s and |s| <= ln 2 / 2 (Cody and Waite 1980). ln 2 is split into ln2_high + ln2_low, so that
/// n ln2_high is exact. p are the coefficients of P in e^s - 1 = s + s^2 P(s), minimax in the relative error (Remez' algorithm), rounded.
template <class Scalar>
struct ExponentialConstants;

template <>
struct ExponentialConstants<float> {
  static constexpr float log2_e = 1.44269504f, ln2 = 0.693147182f, ln2_high = 0.693145752f, ln2_low = 1.42860677e-6f;
  static constexpr float round = 0x1.8p23f;  // adding and subtracting it rounds to an integer
  static constexpr std::array p{0.5f,           0.166666657f,   0.0416663587f,
                                0.00833338965f, 0.00139406684f, 0.000198458627f};  // relative error 2.3e-9
  static constexpr float overflow = 89, underflow = -105;                          // above, e^x is infinite; below, 0
  static constexpr float normal = -0x1.5d589ep6f;                                  // the smallest x whose e^x is a normal number
  static constexpr float tanh_is_1 = 10, sigmoid_is_1 = 40;                        // from here on the function rounds to 1
  static constexpr float tiny = 0x1p-64f, tiny_exponent = 64;                      // tiny = 2^-tiny_exponent, a scale of sigmoid's quotient
};

template <>
struct ExponentialConstants<double> {
  static constexpr double log2_e = 1.4426950408889634, ln2 = 0.69314718055994531;
  static constexpr double ln2_high = 0.69314718036912382, ln2_low = 1.9082149292705877e-10;
  static constexpr double round = 0x1.8p52;
  static constexpr std::array p{0.50000000000000056,   0.16666666666666588,    0.041666666666576473,  0.008333333333389743,
                                0.0013888888931667255, 0.00019841269718701488, 2.4801505142141737e-5, 2.7557407689485319e-6,
                                2.7626093124280454e-7, 2.5053775502764656e-8};  // relative error 3.3e-17
  static constexpr double overflow = 710, underflow = -747, normal = -0x1.6232bdd7abcd2p+9;
  static constexpr double tanh_is_1 = 20, sigmoid_is_1 = 40;
  static constexpr double tiny = 0x1p-512, tiny_exponent = 512;
};

/// Constants of sin x = +-sin r with r = x - n pi, |r| <= pi/2. pi is split into a sum, so that n times each part but the last is exact for
/// |x| <= largest, also where n is an integer + 1/2, as in cos x = sin(x + pi/2). p are the coefficients of P in sin r = r + r^3 P(r^2),
/// minimax in the relative error (Remez' algorithm), rounded.
template <class Scalar>
struct SineConstants;

template <>
struct SineConstants<float> {
  static constexpr float inverse_pi = 0.318309873f, largest = 8192;
  static constexpr std::array pi{3.140625f, 0.0009675025939941406f, 1.5099067240953445e-7f, 5.126688136514179e-12f};
  static constexpr std::array p{-0.166666597f, 0.00833306648f, -0.000198095891f, 2.6057503e-6f};  // relative error 8.6e-9
};

template <>
struct SineConstants<double> {
  static constexpr double inverse_pi = 0.3183098861837907, largest = 4194304;  // 2^22
  static constexpr std::array pi{3.1415926534682512, 1.2154201018028943e-10, -5.016557612685289e-20, 1.69568553207378e-31};
  static constexpr std::array p{-0.16666666666666666,   0.008333333333333194,   -0.00019841269841209145, 2.7557319211124324e-6,
                                -2.5052106871586757e-8, 1.6058939643324823e-10, -7.642989823900913e-13,  2.7211570518878605e-15};
  // relative error 3.7e-18
};

/// The coefficient of s^I in P(s) for Sign 1, or in -P(-s) for Sign -1, where 1 - e^-s = s - s^2 P(-s).
template <int Sign, class Scalar, std::size_t I>
inline constexpr Scalar coefficient = (I % 2 == 0 ? Sign : 1) * ExponentialConstants<Scalar>::p[I];

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/vector_math.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>
