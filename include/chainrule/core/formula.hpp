#pragma once

/// Marks a formula: a template over the numbers that it is called with, or a generic lambda. Kernels are compiled for several instruction
/// sets in one program, and a formula is put into each of them; without the mark it gives the same numbers, but slowly. Examples:
///
///     template <class V>
///     CHAINRULE_FORMULA V f(V z) const { return z * sigmoid(z); }
///     [rate](auto dJ, auto& theta) CHAINRULE_FORMULA { theta = fnmadd(rate, dJ, theta); }
#if defined(__GNUC__)
#define CHAINRULE_FORMULA __attribute__((always_inline))
#else
#define CHAINRULE_FORMULA
#endif
