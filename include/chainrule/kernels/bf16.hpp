#pragma once
// bfloat16, a float of 8 significant bits instead of 24, with the same exponents: the upper half of a float. Rounding to it, and which
// instructions this processor has for products of such numbers.

#include <algorithm>
#include <bit>
#include <chainrule/kernels/cpuid.hpp>
#include <chainrule/kernels/instruction_sets.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>

// Not where `long` has 32 bits, as on Windows: g++ adds a `long` to an address for an instruction of AMX, which does not assemble there.
#if defined(__GNUC__) && defined(__x86_64__) && defined(__LP64__) && !defined(CHAINRULE_BASELINE_ONLY)
#define CHAINRULE_HAS_BF16_KERNELS
#endif

namespace chainrule::kernels {

/// A bfloat16 in memory: the upper 16 bits of the float of the same value.
using Bf16 = std::uint16_t;

/// The bits of the float that is the nearest bfloat16 to the one with these bits, as Intel's conversions give it: of two equally near ones
/// the one with an even last bit, +-infinity beyond the largest one (3.39e38), +-0 for a subnormal number, NaN for NaN.
constexpr std::uint32_t rounded_to_bf16(std::uint32_t bits) {
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  const std::uint32_t nearest = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
  const std::uint32_t number = magnitude < 0x00800000u ? bits & 0x80000000u : nearest;
  return magnitude > 0x7f800000u ? (bits | 0x00400000u) & 0xffff0000u : number;
}
/// The nearest bfloat16 to x.
inline Bf16 to_bf16(float x) { return static_cast<Bf16>(rounded_to_bf16(std::bit_cast<std::uint32_t>(x)) >> 16); }
/// The value of a bfloat16, which float has exactly.
inline float from_bf16(Bf16 x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16); }

}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/round_to_bf16.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

namespace chainrule::kernels {

/// out <- from_bf16(to_bf16(numbers)) for arrays of this size, which may be the same array.
[[gnu::noinline]] inline void round_to_bf16(Index size, const float* numbers, float* out) {
  dispatch<float>([&](auto set) { round_to_bf16(set, size, numbers, out); });
}

/// The instructions that multiply bfloat16 numbers, from the slowest to the fastest.
enum class Bf16Unit {
  none,    ///< no such instructions: products are those of floats that were rounded to bfloat16
  avx512,  ///< AVX512_BF16: 16 sums of two products in an instruction (AMD from Zen 4 on)
  amx,     ///< AMX: 256 sums of 32 products in an instruction (Intel from Sapphire Rapids on)
};
/// "none", "AVX512_BF16" or "AMX".
template <class Stream>
Stream& operator<<(Stream& out, Bf16Unit unit) {
  out << (unit == Bf16Unit::amx ? "AMX" : unit == Bf16Unit::avx512 ? "AVX512_BF16" : "none");
  return out;
}

#if defined(CHAINRULE_HAS_BF16_KERNELS)
/// Whether the processor has AMX with bfloat16 and Linux lets this process use its tile registers, which a process has to ask for. (By the
/// instruction syscall, because unistd.h adds its names to every program.)
inline bool may_use_amx() {
#if defined(__linux__)
  constexpr unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
  constexpr long arch_prctl = 158, request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM and XFEATURE_XTILEDATA of Linux
  const unsigned features = cpuid(7, 0).edx;                                     // every processor with AVX-512 has this leaf
  if ((features & amx_bf16) == 0 || (features & amx_tile) == 0) return false;
  long result = arch_prctl;
  __asm__ volatile("syscall" : "+a"(result) : "D"(request_permission), "S"(tile_data) : "rcx", "r11", "memory");
  return result == 0;
#else
  return false;
#endif
}
#endif

/// Whether this program and this processor have a unit. One that has AMX has AVX512_BF16 too, by which numbers are packed.
inline bool has_bf16_unit([[maybe_unused]] Bf16Unit unit) {
  if (unit == Bf16Unit::none) return true;
#if defined(CHAINRULE_HAS_BF16_KERNELS)
  static const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                                 __builtin_cpu_supports("avx512bf16");
  static const bool has_amx = has_avx512 && may_use_amx();
  return unit == Bf16Unit::amx ? has_amx : has_avx512;
#else
  return false;
#endif
}

/// The fastest unit for products of bfloat16. Intel's processors need two cycles for an instruction of AVX512_BF16 (measured on Sapphire
/// Rapids), in which they multiply twice as many floats, so this unit is for AMD's alone.
inline Bf16Unit best_bf16_unit() {
  if (has_bf16_unit(Bf16Unit::amx)) return Bf16Unit::amx;
#if defined(CHAINRULE_HAS_BF16_KERNELS)
  if (has_bf16_unit(Bf16Unit::avx512) && __builtin_cpu_is("amd")) return Bf16Unit::avx512;
#endif
  return Bf16Unit::none;
}

}  // namespace chainrule::kernels
