#pragma once
// A fuzz target X_fuzz.cpp defines read(): what a reader makes of any bytes. They may be refused with a chainrule::Error; whatever else
// happens, another exception, a sanitizer's alarm, too much memory or time, is a fault. Seeds for it lie in corpus/X.

#include <chainrule/core/error.hpp>
#include <cstdlib>
#include <string_view>

namespace chainrule_fuzz {

void read(std::string_view bytes);

/// Calls f, which may refuse what it gets; what is done next does not depend on it.
template <class F>
void attempt(const F& f) {
  try {
    f();
  } catch (const chainrule::Error&) {
  }
}

/// For what must be so of everything that was read.
inline void require(bool is_so) {
  if (!is_so) std::abort();
}

}  // namespace chainrule_fuzz
