#pragma once
// Layers of int8 weights and int8 or int16 numbers for many samples: sums in int32, multiplied by a fixed-point factor for each output and
// clipped to the range of the output. All of it is integer arithmetic, so every instruction set gives the same integers. On processors
// without AVX2 there are no kernels, and callers use their plain loop. VNNI is chosen here, and nowhere else, because no other kernel
// multiplies int8.

#include <algorithm>
#include <chainrule/kernels/instruction_sets.hpp>
#include <chainrule/kernels/lanes/integers.hpp>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

namespace chainrule::kernels {

/// The most samples for one call of integer_layer: so many stay in the L1 cache beside a block of weights. Callers divide larger batches.
inline constexpr Index integer_samples = 60;

/// Factors multiplier 2^(left - right - 31), one of left and right being 0, for each output.
struct IntegerFactors {
  std::vector<std::int32_t> multiplier, left, right;
};

/// Pointers to what kernels read of an IntegerLayer.
struct IntegerRows {
  Index inputs, outputs, bytes_of_block;
  const std::int8_t* weight;
  const std::int32_t *start, *start_of_unsigned, *multiplier, *left, *right;
  const std::int32_t *multiplier_below_0, *left_below_0, *right_below_0;  // null where there are no such factors
  std::int32_t low, high, zero_point;
  bool shifts_left;
};

/// One layer, prepared for the kernels. Vectors of outputs have a multiple of 16 numbers, the last ones 0.
///
///     sum(i) = start(i) + sum over k of weight(i, k) q(k)
///     a(i)   = zero_point + sum(i) times factor(i), or factor_below_0(i) where sum(i) < 0, from low to high
struct IntegerLayer {
  Index inputs = 0, outputs = 0;
  std::vector<std::int8_t> weight;              // packed as lanes/integers.hpp says
  std::vector<std::int32_t> start;              // |start(i)| + sum over k of |weight(i, k) q(k)| < 2^31
  std::vector<std::int32_t> start_of_unsigned;  // start(i) - 128 sum over k of weight(i, k), modulo 2^32
  IntegerFactors factor, factor_below_0;
  bool has_factor_below_0 = false, shifts_left = false;  // whether any `left` is not 0
  std::int32_t low = 0, high = 0, zero_point = 0;

  IntegerLayer() = default;
  /// Packs weights, which are outputs x inputs, row by row.
  IntegerLayer(Index in, Index out, const std::int8_t* weights, const std::int32_t* starts) : inputs{in}, outputs{out} {
    const Index blocks = (out + 15) / 16;
    weight.assign(static_cast<std::size_t>(blocks * bytes_of_block()), 0);
    start.assign(static_cast<std::size_t>(blocks * 16), 0);
    std::copy(starts, starts + out, start.begin());
    start_of_unsigned = start;
    for (Index i = 0; i < out; ++i) {
      std::uint32_t sum = 0;
      for (Index k = 0; k < in; ++k) {
        const std::int8_t w = weights[i * in + k];
        weight[static_cast<std::size_t>(i / 16 * bytes_of_block() + k / 4 * 64 + i % 16 * 4 + k % 4)] = w;
        sum += static_cast<std::uint32_t>(w);
      }
      auto& unsigned_start = start_of_unsigned[static_cast<std::size_t>(i)];
      unsigned_start = static_cast<std::int32_t>(static_cast<std::uint32_t>(unsigned_start) - 128 * sum);
    }
  }

  IntegerRows rows() const {
    const auto below_0 = [&](const std::vector<std::int32_t>& of) { return has_factor_below_0 ? of.data() : nullptr; };
    return {inputs,
            outputs,
            bytes_of_block(),
            weight.data(),
            start.data(),
            start_of_unsigned.data(),
            factor.multiplier.data(),
            factor.left.data(),
            factor.right.data(),
            below_0(factor_below_0.multiplier),
            below_0(factor_below_0.left),
            below_0(factor_below_0.right),
            low,
            high,
            zero_point,
            shifts_left};
  }
  Index padded_inputs() const { return (inputs + 3) / 4 * 4; }
  Index bytes_of_block() const { return padded_inputs() * 16; }  // a block is the weights of 16 rows
};

/// How numbers become integers: x / scale, rounded to the nearest integer (halves to even), plus zero_point, clipped to [lowest, highest].
struct InputQuantization {
  float scale = 1;
  std::int32_t zero_point = 0, lowest = 0, highest = 0;
  float inverse_scale = 1;  // 1 / scale, rounded
  float error = 1;          // x inverse_scale and x / scale differ by less than this, where they are in the range; 1: unknown

  InputQuantization(float step, std::int32_t zero, std::int32_t low, std::int32_t high)
      : scale{step}, zero_point{zero}, lowest{low}, highest{high}, inverse_scale{1 / step} {
    // The product has a relative error of 2^-23, the quotient one of 2^-24, and both are at most 2^17. An inverse that is subnormal has
    // fewer bits.
    if (inverse_scale >= (std::numeric_limits<float>::min)()) error = static_cast<float>(high - low) * 0x1p-21f;
  }
};

}  // namespace chainrule::kernels

// Kernels for the program's own flags, where these enable AVX2.
namespace chainrule::kernels {
namespace baseline {
inline namespace CHAINRULE_BASELINE {

#if !defined(__GNUC__) || !defined(__x86_64__) || !defined(__AVX2__) || !defined(__FMA__)
template <class Q>
struct IntegerLanes;
inline constexpr bool has_integer_lanes = false;
#else
#if !defined(__AVX512F__) || !defined(__AVX512BW__) || !defined(__AVX512DQ__) || !defined(__AVX512VL__)
using avx2::IntegerLanes;
#elif !defined(__AVX512VNNI__)
using avx512::IntegerLanes;
#else
using avx512_vnni::IntegerLanes;
#endif
inline constexpr bool has_integer_lanes = true;
#endif

}  // namespace CHAINRULE_BASELINE
}  // namespace baseline
}  // namespace chainrule::kernels

#define CHAINRULE_KERNEL <chainrule/kernels/integer_layer.inc>
#include <chainrule/kernels/for_each_instruction_set.inc>

// Kernels for VNNI, where the program's flags do not enable it.
#if defined(__GNUC__) && defined(__x86_64__) && !defined(__AVX512VNNI__) && !defined(CHAINRULE_BASELINE_ONLY)
#define CHAINRULE_DISPATCHES_VNNI
namespace chainrule::kernels::avx512_vnni {
#include <chainrule/kernels/lanes/begin_avx512_vnni.inc>

#include <chainrule/kernels/integer_layer.inc>

#include <chainrule/kernels/lanes/end.inc>
}  // namespace chainrule::kernels::avx512_vnni
#endif

namespace chainrule::kernels {

/// Calls call(tag) with the tag of the best instruction set for layers of integers, or not at all where there is none.
template <class Call>
void dispatch_integers(const Call& call) {
#if defined(CHAINRULE_DISPATCHES_VNNI)
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return call(avx512_vnni::Tag{});
#endif
  dispatch<float>([&](auto set) {
    if constexpr (baseline::has_integer_lanes || !std::is_same_v<decltype(set), baseline::Tag>) call(set);
  });
}

/// Whether this processor runs layers of integers at its full width.
inline bool has_integer_kernels() {
  bool has = false;
  dispatch_integers([&](auto) { has = true; });
  return has;
}

/// Bytes of scratch memory for integer_layer.
inline Index integer_scratch_bytes(Index inputs, Index samples) { return 2 * (inputs + 3) * samples; }

/// a = layer(q), a sample in each column: columns of q begin q_step numbers apart, those of a a_step numbers. Call it only where
/// has_integer_kernels().
template <class Q>
[[gnu::noinline]] void integer_layer(const IntegerLayer& layer, Index samples, const Q* q, Index q_step, Q* a, Index a_step,
                                     void* scratch) {
  dispatch_integers([&](auto set) { integer_layer(set, layer, samples, q, q_step, a, a_step, scratch); });
}

/// q = x as integers, or (x - shift) * scale where there are shifts and scales, for samples of `size` numbers each. Samples begin x_step
/// numbers apart in x and q_step apart in q. Call it only where has_integer_kernels().
template <class Q>
[[gnu::noinline]] void quantize_inputs(const InputQuantization& to, Index size, Index samples, const float* x, Index x_step,
                                       const float* shift, const float* scale, Q* q, Index q_step) {
  dispatch_integers([&](auto set) { quantize_inputs(set, to, size, samples, x, x_step, shift, scale, q, q_step); });
}

/// y = scale (q - zero_point). Call it only where has_integer_kernels().
template <class Q>
[[gnu::noinline]] void dequantize(Index size, const Q* q, float scale, std::int32_t zero_point, float* y) {
  dispatch_integers([&](auto set) { dequantize(set, size, q, scale, zero_point, y); });
}

}  // namespace chainrule::kernels
