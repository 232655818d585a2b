#pragma once
// Ends a compilation that is not in C++20 mode at its first line: an include that cannot be found is the only error after which g++ and
// clang stop at once. Every header includes this one, directly or through another header, before its own code.

#if !defined(__cpp_concepts) || __cpp_concepts < 201907L
#include <chainrule is written in C++20: add -std=c++20 (or /std:c++20) to the compiler's flags>
#endif
