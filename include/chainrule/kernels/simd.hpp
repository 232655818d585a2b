#pragma once
// Simd<Scalar>: a register full of numbers with the operators and functions of one number. Formulas of activations, losses and optimizers
// are templates over it, so one formula serves every instruction set. Below it: lanes/ (the register) and vector_math.hpp (exp, tanh,
// sigmoid). Above it: map.hpp, which applies a formula to whole arrays.
//
//     template <class V>
//     CHAINRULE_FORMULA V f(V z) const {
//       return select(z > 0, z, 0.1 * z);
//     }
//
// CHAINRULE_FORMULA means always_inline: it makes the compiler put the formula, which is a function for the program's flags, into a kernel
// for AVX2 or AVX-512. A formula without the mark gives the same numbers, but slowly: its arguments go through memory. Simd has a
// user-provided copy constructor for that case, so the ABI passes it by address and not in a register that only some callers have.
//
// Functions of numbers: + - * /, fma, fnmadd, abs, sign, sqrt, min, max, select, copysign, exp, expm1_nonpositive, log1p_unit, tanh,
// sigmoid, sin, cos, polynomial, flush_subnormal, flush_nearly_subnormal, flush_tiny. A product is rounded before anything is added to it,
// on every compiler; fma(a, b, c) asks for a single rounding.

#include <chainrule/core/formula.hpp>
#include <chainrule/kernels/vector_math.hpp>
#include <limits>
#include <tuple>
#include <type_traits>

namespace chainrule::kernels {

/// The number of terms of ln(1 + t) = 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...), s = t/(2 + t), that suffice for the precision of Scalar.
/// With 0 <= t <= 1, s <= 1/3, so each term is at most 1/9 of the one before.
template <class Scalar>
inline constexpr int log1p_terms = std::is_same_v<Scalar, float> ? 8 : 17;

/// The numbers of the lowest bits of the exponent by which flush_by_exponent tells what flush_subnormal, flush_nearly_subnormal and
/// flush_tiny replace by 0.
inline constexpr int subnormal_bits = 0, nearly_subnormal_bits = 1, tiny_bits = 4;
/// 2^(2^bits - 1) times the smallest normal number: below it, all bits of the exponent are 0 but the lowest `bits`.
template <class Scalar, int bits>
inline constexpr Scalar flush_limit = (std::numeric_limits<Scalar>::min)() * (1 << ((1 << bits) - 1));

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/simd.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>
