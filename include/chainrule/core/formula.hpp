#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>

/// Marks a formula, so that it is always inlined. A formula is a function template or generic lambda that kernels call with vector
/// registers which compute like single numbers (Simd, kernels/simd.hpp). A kernel is compiled once per instruction set, and a formula
/// inlined into it is compiled for that instruction set too. Without the mark the results are the same, but slow to compute. Examples:
///
///     template <class V>
///     CHAINRULE_FORMULA V f(V z) const { return z * sigmoid(z); }
///     [rate](auto dJ, auto& theta) CHAINRULE_FORMULA { theta = fnmadd(rate, dJ, theta); }
#if defined(__GNUC__)
#define CHAINRULE_FORMULA __attribute__((always_inline))
#else
#define CHAINRULE_FORMULA
#endif
