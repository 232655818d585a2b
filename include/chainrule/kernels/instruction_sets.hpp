#pragma once
// Run-time choice of the instruction set: every kernel is compiled up to three times into one program, for the program's own flags
// (baseline), for AVX2 and for AVX-512, and the best version that the processor supports is called. So a plain -O2 program, which itself
// contains SSE2 alone, is fast and still runs on processors without AVX. README.md in this folder describes the whole scheme.
//
// This file names the instruction sets, their tags and their lanes, and has dispatch(). Below it: lanes/ (one register per instruction
// set). Above it: for_each_instruction_set.inc, which compiles a kernel for each set.
//
// Results: with fused multiply-adds (AVX2, AVX-512, NEON) all sets give the same bits; SSE2 has none and rounds products before it adds
// them. Users may define CHAINRULE_BASELINE_ONLY to compile kernels for the program's flags alone.

#include <chainrule/kernels/lanes/eigen.hpp>
#include <type_traits>

// CHAINRULE_DISPATCH is the number of instruction sets that are compiled in addition to the program's flags: 2 (AVX2 and AVX-512), 1
// (AVX-512, where the flags enable AVX2 already) or 0 (the flags enable AVX-512, or the target is not x86-64).
// CHAINRULE_LANES and CHAINRULE_HALF_LANES are the lanes for the program's flags.
#if defined(__GNUC__) && defined(__x86_64__) && defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && \
    defined(__AVX512VL__)
#define CHAINRULE_LANES avx512::Lanes
#define CHAINRULE_HALF_LANES avx512::HalfLanes
#define CHAINRULE_DISPATCH 0
#elif defined(__GNUC__) && defined(__x86_64__) && defined(__AVX2__) && defined(__FMA__)
#define CHAINRULE_LANES avx2::Lanes
#define CHAINRULE_HALF_LANES avx2::Lanes
#define CHAINRULE_DISPATCH 1
#else
#define CHAINRULE_LANES EigenLanes
#define CHAINRULE_HALF_LANES EigenLanes
#if defined(__GNUC__) && defined(__x86_64__)
#define CHAINRULE_DISPATCH 2
#else
#define CHAINRULE_DISPATCH 0
#endif
#endif
#if defined(CHAINRULE_BASELINE_ONLY)
#undef CHAINRULE_DISPATCH
#define CHAINRULE_DISPATCH 0
#endif

#include <chainrule/kernels/lanes/avx2.hpp>
#include <chainrule/kernels/lanes/avx512.hpp>

namespace chainrule::kernels {

enum class InstructionSet { baseline, avx2, avx512 };

/// Kernels and lanes for the program's own flags.
namespace baseline {
inline namespace CHAINRULE_BASELINE {

struct Tag {};  ///< chooses the kernels of this namespace by overload resolution

/// The lanes for the program's flags: intrinsics for float and double where the flags enable AVX2 or AVX-512, else Eigen's packets.
template <class Scalar>
struct Choice {
  using Lanes = EigenLanes<Scalar>;
  using Half = Lanes;
};
template <>
struct Choice<float> {
  using Lanes = CHAINRULE_LANES<float>;
  using Half = CHAINRULE_HALF_LANES<float>;
};
template <>
struct Choice<double> {
  using Lanes = CHAINRULE_LANES<double>;
  using Half = CHAINRULE_HALF_LANES<double>;
};
/// One vector register of this namespace's instruction set: its type V, its width and the operations on it. Kernels are written in terms
/// of Lanes<Scalar>, so the same text compiles to 4, 8 or 16 floats per instruction.
template <class Scalar>
using Lanes = typename Choice<Scalar>::Lanes;
/// A register of half the width where the instruction set has one (AVX-512 has AVX2's registers), else Lanes<Scalar> again. Used for
/// remainders and small layers, where a full register would be more than half empty.
template <class Scalar>
using HalfLanes = typename Choice<Scalar>::Half;

}  // namespace CHAINRULE_BASELINE
}  // namespace baseline
namespace avx2 {
struct Tag {};
template <class Scalar>
struct Lanes;  // declared on all targets because avx2::HalfLanes names it; defined on x86-64 only
template <class Scalar>
using HalfLanes = Lanes<Scalar>;
}  // namespace avx2
namespace avx512 {
struct Tag {};
}  // namespace avx512

#undef CHAINRULE_LANES
#undef CHAINRULE_HALF_LANES

/// Whether kernels for this scalar are compiled for wider instruction sets than the program's flags: float and double on x86-64.
template <class Scalar>
concept HasWiderLanes = CHAINRULE_DISPATCH >= 1 && (std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>);

/// The widest instruction set that is both compiled into this program and supported by this processor.
inline InstructionSet best_instruction_set() {
#if CHAINRULE_DISPATCH >= 1
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return InstructionSet::avx512;
  if (CHAINRULE_DISPATCH >= 2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return InstructionSet::avx2;
#endif
  return InstructionSet::baseline;
}

/// Whether a multiplication in a register of half the size may take half the time: on AMD's processors, since the multipliers of the first
/// ones with AVX-512 have 256 bits. Intel's join two of them for 512 bits, or have some of this size.
inline bool half_registers_are_faster() {
#if defined(__GNUC__) && defined(__x86_64__)
  return __builtin_cpu_is("amd") != 0;
#else
  return false;
#endif
}

/// Calls call(tag) with the tag of the best instruction set for this scalar. Kernels take a tag as their first argument, which selects the
/// version by overload resolution. Each call tests which instruction sets the processor has; this is cheap, because the compiler's runtime
/// stores them in a static variable at program start. Example:
///     dispatch<Scalar>([&](auto set) { product(set, a, b, c); });
template <class Scalar, class Call>
decltype(auto) dispatch(const Call& call) {
#if CHAINRULE_DISPATCH >= 1
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return call(avx512::Tag{});
#if CHAINRULE_DISPATCH >= 2
    if (set == InstructionSet::avx2) return call(avx2::Tag{});
#endif
  }
#endif
  return call(baseline::Tag{});
}

}  // namespace chainrule::kernels
