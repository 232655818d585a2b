#pragma once
// A kernel is compiled several times into one program, for the flags of the program and for the wider vectors that the machine
// may have when it runs, and chosen then: so a plain -O2 binary is fast, and runs where there is no AVX.
//
//   A kernel is written once, in terms of Lanes<Scalar> (and HalfLanes<Scalar>, half as wide if there are such), in a file K.inc (without
//   lambdas, which GCC 12 compiles for the flags). A header defines CHAINRULE_KERNEL as that file and includes
//   for_each_instruction_set.inc: then namespaces baseline, avx2 and avx512 have it, and best_instruction_set() says which to call.
//
// With FMA (AVX2, AVX-512, NEON) all give the same bits; SSE2 rounds products before it adds them. CHAINRULE_BASELINE_ONLY, which users may
// define, leaves only what the flags say.

#include <chainrule/kernels/lanes/eigen.hpp>
#include <type_traits>

// The lanes for the program's flags, and how many instruction sets there are beyond: 2 with AVX2, 1 with AVX-512 alone.
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

namespace baseline {

struct Tag {};  ///< chooses the kernels of this namespace by overload resolution

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
template <class Scalar>
using Lanes = typename Choice<Scalar>::Lanes;
template <class Scalar>
using HalfLanes = typename Choice<Scalar>::Half;

}  // namespace baseline
namespace avx2 {
struct Tag {};
template <class Scalar>
struct Lanes;  // other machines have none, and need the name
template <class Scalar>
using HalfLanes = Lanes<Scalar>;
}  // namespace avx2
namespace avx512 {
struct Tag {};
}  // namespace avx512

#undef CHAINRULE_LANES
#undef CHAINRULE_HALF_LANES

/// Whether there are kernels for it beyond those for the program's flags.
template <class Scalar>
concept HasWiderLanes = CHAINRULE_DISPATCH >= 1 && (std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>);

/// What to call on this machine where there are such kernels.
inline InstructionSet best_instruction_set() {
#if CHAINRULE_DISPATCH >= 1
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return InstructionSet::avx512;
  if (CHAINRULE_DISPATCH >= 2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return InstructionSet::avx2;
#endif
  return InstructionSet::baseline;
}

/// Calls call(tag) with the tag of the best instruction set for this scalar: kernels take a tag as their first argument.
///     dispatch<Scalar>([&](auto set) { product(set, a, b, c); });
template <class Scalar, class Call>
decltype(auto) dispatch(const Call& call) {
#if CHAINRULE_DISPATCH >= 1
  if constexpr (HasWiderLanes<Scalar>) {
    const InstructionSet set = best_instruction_set();
    if (set == InstructionSet::avx512) return call(avx512::Tag{});
    if (CHAINRULE_DISPATCH >= 2 && set == InstructionSet::avx2) return call(avx2::Tag{});
  }
#endif
  return call(baseline::Tag{});
}

}  // namespace chainrule::kernels
