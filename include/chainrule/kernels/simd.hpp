#pragma once
// Simd<Scalar>: a register full of numbers that is written like one number. Formulas of activations, losses and optimizers are templates
// over it, so one formula serves for every instruction set:
//
//     template <class V>
//     [[gnu::always_inline]] V f(V z) const {
//       return select(z > 0, z, 0.1 * z);
//     }
//
// A formula must be [[gnu::always_inline]]: only then the compiler may put it into a kernel for AVX-512 or AVX2 (map.hpp) while the program
// itself is built for less. A formula that is not is right too, but slow. Simd has a copy constructor of its own, so it is passed in memory
// wherever it is not inlined; that looks the same to functions for all instruction sets.
//
// Functions of numbers: + - * /, fma, fnmadd, abs, sqrt, min, max, select, copysign, exp, expm1_nonpositive, log1p_unit, tanh, sigmoid,
// polynomial. A product is rounded before anything is added to it; where one rounding is wanted, fma says so. Hence all compilers give the
// same bits.

#include <chainrule/core/formula.hpp>
#include <chainrule/kernels/vector_math.hpp>
#include <tuple>
#include <type_traits>

namespace chainrule::kernels {

/// ln(1 + t) = 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...) with s = t/(2 + t) <= 1/3 for 0 <= t <= 1: this many terms give all bits of a
/// scalar.
template <class Scalar>
inline constexpr int log1p_terms = std::is_same_v<Scalar, float> ? 8 : 17;

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/simd.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>
