#pragma once
// Each fuzz target X_fuzz.cpp defines read(), which gives arbitrary bytes to one of the library's readers. The reader may refuse them with
// a chainrule::Error; any other exception, a report of a sanitizer, and too much memory or time are faults. Seeds are in corpus/X.

#include <chainrule/core/error.hpp>
#include <cstdlib>
#include <string_view>

namespace chainrule_fuzz {

/// Reads the bytes with the reader under test.
void read(std::string_view bytes);

/// Calls f, which may throw a chainrule::Error.
template <class F>
void attempt(const F& f) {
  try {
    f();
  } catch (const chainrule::Error&) {
  }
}

/// Reports a fault unless the condition holds.
inline void require(bool is_so) {
  if (!is_so) std::abort();
}

}  // namespace chainrule_fuzz
