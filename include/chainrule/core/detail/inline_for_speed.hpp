#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>

/// Marks a function that is always inlined, unless the program is compiled for size (-Os), as for a microcontroller. For what a pass of a
/// tiny network calls: such a pass takes some 20 ns, of which calls, and arguments that pass through memory, would take a third.
#if defined(__GNUC__) && !defined(__OPTIMIZE_SIZE__)
#define CHAINRULE_INLINE_FOR_SPEED __attribute__((always_inline))
#else
#define CHAINRULE_INLINE_FOR_SPEED
#endif
