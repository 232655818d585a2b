#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>

namespace chainrule::kernels {

/// The four numbers with which a processor of Intel's or AMD's kind answers its instruction cpuid.
struct CpuidAnswer {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

#if defined(__GNUC__) && defined(__x86_64__)
/// The answer of this processor. (By the instruction, because cpuid.h adds its macros to every program.)
inline CpuidAnswer cpuid(unsigned leaf, unsigned subleaf) {
  CpuidAnswer answer{leaf, 0, subleaf, 0};
  asm volatile("cpuid" : "+a"(answer.eax), "=b"(answer.ebx), "+c"(answer.ecx), "=d"(answer.edx));
  return answer;
}
#endif

}  // namespace chainrule::kernels
