// The peak floating-point rate of one core, measured with fused multiply-adds on registers, in the widest vectors of this processor.

#include "problem.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bench {
namespace {

constexpr int chains = 12;  // independent sums; 2 FMA units x 4 cycles latency need at least 8
constexpr int rounds = 20000;

// Volatile, so that the compiler can neither compute the result in advance nor remove the loop.
volatile Scalar factor = Scalar(0.999), addend = Scalar(0.001), start = 2, sink;

#if defined(__x86_64__)
using V64 = Scalar __attribute__((vector_size(64)));
using V32 = Scalar __attribute__((vector_size(32)));

[[gnu::noinline, gnu::target("avx512f,fma")]] void avx512() {
  V64 c[chains];
  for (int i = 0; i < chains; ++i) c[i] = V64{} + (start + Scalar(i));
  const V64 m = V64{} + factor, s = V64{} + addend;
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < chains; ++i) c[i] = c[i] * m + s;
  V64 sum = c[0];
  for (int i = 1; i < chains; ++i) sum += c[i];
  sink = sum[0];
}

[[gnu::noinline, gnu::target("avx2,fma")]] void avx2() {
  V32 c[chains];
  for (int i = 0; i < chains; ++i) c[i] = V32{} + (start + Scalar(i));
  const V32 m = V32{} + factor, s = V32{} + addend;
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < chains; ++i) c[i] = c[i] * m + s;
  V32 sum = c[0];
  for (int i = 1; i < chains; ++i) sum += c[i];
  sink = sum[0];
}
#endif

using V16 = Scalar __attribute__((vector_size(16)));
[[gnu::noinline]] void plain() {
  V16 c[chains];
  for (int i = 0; i < chains; ++i) c[i] = V16{} + (start + Scalar(i));
  const V16 m = V16{} + factor, s = V16{} + addend;
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < chains; ++i) c[i] = c[i] * m + s;
  V16 sum = c[0];
  for (int i = 1; i < chains; ++i) sum += c[i];
  sink = sum[0];
}

struct Kernel {
  const char* name;
  void (*run)();
  int bytes;
};
Kernel best_instruction_set() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {"AVX-512", avx512, 64};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {"AVX2 and FMA", avx2, 32};
#endif
  return {"vectors of 16 bytes", plain, 16};
}

}  // namespace

double run_peak() {
  static const Kernel kernel = best_instruction_set();
  kernel.run();
  return 2.0 * rounds * chains * (kernel.bytes / static_cast<int>(sizeof(Scalar)));
}
const char* peak_name() { return best_instruction_set().name; }

}  // namespace bench
