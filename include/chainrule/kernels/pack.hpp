#pragma once
// What formulas of kernels are written in: a register full of numbers that looks like one number. With e^x and its kin, where vectors have
// none for a scalar, from <cmath>.

#include <chainrule/kernels/vector_math.hpp>

namespace chainrule::kernels {

/// ln(1 + t) = 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...) with s = t/(2 + t) <= 1/3 for 0 <= t <= 1: as many terms as a scalar needs.
template <class Scalar>
inline constexpr int log1p_terms = std::is_same_v<Scalar, float> ? 8 : 17;

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/pack.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>
