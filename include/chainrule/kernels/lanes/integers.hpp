#pragma once
// Lanes for layers of integers: sums of int8 weights times int8 or int16 numbers, and the arithmetic of int32 that follows them. A layer is
// computed 16 rows at a time. Its weights are packed for that: the first 4 weights of row 0, of row 1, ..., of row 15, then the next 4 of
// each. AVX2 and AVX-512 multiply pairs of int16, to which weights and numbers of int8 are widened; VNNI multiplies fours of int8.
//
// AVX2's own instruction for int8, vpmaddubsw, is not used: it saturates its sums at the ends of int16, so it would give other integers.

#if defined(__GNUC__) && defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <chainrule/core/types.hpp>
#include <cstdint>
#include <cstring>

#include <chainrule/kernels/lanes/begin_avx2.inc>

namespace chainrule::kernels::avx2 {

struct IntegerPairs {
  using V = __m256i;                   // 8 numbers of int32, or 16 of int16
  using Prepared = std::int16_t;       // the type in which add_products takes numbers
  static constexpr int width = 8;      // numbers of int32 in a register
  static constexpr int registers = 4;  // registers of sums for 16 rows
  // Sums of this many blocks of 16 rows for this many samples are in registers at once: 8 registers of 16 here.
  static constexpr int blocks = 1;
  static constexpr int samples = 2;
  static constexpr std::int32_t offset = 0;  // prepared numbers are larger by this than the given ones

  static V load(const std::int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static V broadcast(std::int32_t x) { return _mm256_set1_epi32(x); }
  static V add(V a, V b) { return _mm256_add_epi32(a, b); }
  static V subtract(V a, V b) { return _mm256_sub_epi32(a, b); }
  static V bit_and(V a, V b) { return _mm256_and_si256(a, b); }
  static V(min)(V a, V b) { return _mm256_min_epi32(a, b); }
  static V(max)(V a, V b) { return _mm256_max_epi32(a, b); }
  static V shift_left(V x, V bits) { return _mm256_sllv_epi32(x, bits); }
  static V shift_right(V x, V bits) { return _mm256_srav_epi32(x, bits); }
  static V one_where_greater(V a, V b) { return _mm256_srli_epi32(_mm256_cmpgt_epi32(a, b), 31); }
  static V select_negative(V x, V yes, V no) { return _mm256_blendv_epi8(no, yes, _mm256_srai_epi32(x, 31)); }
  /// floor((a b + 2^30) 2^-31)
  static V rounding_doubling_high_product(V a, V b) {
    const V half = _mm256_set1_epi64x(std::int64_t{1} << 30);
    const V even = _mm256_add_epi64(_mm256_mul_epi32(a, b), half);
    const V odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32)), half);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
  }

  /// Weights of 4 columns for rows 4 r to 4 r + 3 of the 16.
  static V load_weights(const std::int8_t* p, int r) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + r));
  }
  static V broadcast_four(const std::int16_t* q) {
    std::int64_t four = 0;
    std::memcpy(&four, q, sizeof(four));
    return _mm256_set1_epi64x(four);
  }
  static V add_products(V sums, V weights, V q) { return _mm256_add_epi32(sums, _mm256_madd_epi16(weights, q)); }
  /// The sums of 16 rows in their order, each of which lies in two neighbouring parts of `sums`.
  static void totals(const V* sums, V* totals) {
    for (int i = 0; i < 2; ++i) totals[i] = _mm256_permute4x64_epi64(_mm256_hadd_epi32(sums[2 * i], sums[2 * i + 1]), 0xd8);
  }
  static void prepare(Index size, const std::int16_t* q, std::int16_t* prepared) {
    std::memcpy(prepared, q, static_cast<std::size_t>(size) * sizeof(*q));
  }
  static void prepare(Index size, const std::int8_t* q, std::int16_t* prepared) {
    Index k = 0;
    for (; k + 16 <= size; k += 16)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(prepared + k),
                          _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(q + k))));
    for (; k < size; ++k) prepared[k] = q[k];
  }
  /// Stores 16 numbers that are in the range of int16.
  static void store(std::int16_t* a, const V* z) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(a), _mm256_permute4x64_epi64(_mm256_packs_epi32(z[0], z[1]), 0xd8));
  }
  /// Stores 16 numbers that are in the range of int8.
  static void store(std::int8_t* a, const V* z) {
    const V words = _mm256_permute4x64_epi64(_mm256_packs_epi32(z[0], z[1]), 0xd8);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(a), _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
  }

  /// Loads 8 numbers.
  static V load_widened(const std::int8_t* q) { return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(q))); }
  static V load_widened(const std::int16_t* q) { return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(q))); }

  using Floats = __m256;
  static Floats load(const float* p) { return _mm256_loadu_ps(p); }
  static Floats broadcast(float x) { return _mm256_set1_ps(x); }
  static Floats subtract(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
  static Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static Floats divide(Floats a, Floats b) { return _mm256_div_ps(a, b); }
  static void store(float* p, Floats v) { _mm256_storeu_ps(p, v); }
  static Floats as_floats(V x) { return _mm256_cvtepi32_ps(x); }
  /// x from low to high; low for NaN.
  static Floats limited(Floats x, Floats low, Floats high) { return _mm256_min_ps(_mm256_max_ps(x, low), high); }
  static Floats nearest(Floats x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  /// The nearest integers, for halves the even ones.
  static V rounded(Floats x) { return _mm256_cvttps_epi32(nearest(x)); }
  /// Whether any x is at most `error` away from an integer and a half.
  static bool any_is_close_to_half(Floats x, Floats error) {
    const Floats distance = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_sub_ps(x, nearest(x)));
    return _mm256_movemask_ps(_mm256_cmp_ps(distance, _mm256_sub_ps(_mm256_set1_ps(0.5f), error), _CMP_GE_OQ)) != 0;
  }
};

template <class Q>
struct IntegerLanes : IntegerPairs {};

}  // namespace chainrule::kernels::avx2

#include <chainrule/kernels/lanes/end.inc>

#include <chainrule/kernels/lanes/begin_avx512.inc>

// Masks are all ones where GCC 12's unmasked intrinsics warn of uninitialized operands.
namespace chainrule::kernels::avx512 {

struct IntegerPairs {
  using V = __m512i;
  using Prepared = std::int16_t;
  static constexpr int width = 16;
  static constexpr int registers = 2;
  static constexpr int blocks = 2;  // 20 of 32 registers for sums
  static constexpr int samples = 5;
  static constexpr std::int32_t offset = 0;

  static V load(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static V broadcast(std::int32_t x) { return _mm512_set1_epi32(x); }
  static V add(V a, V b) { return _mm512_add_epi32(a, b); }
  static V subtract(V a, V b) { return _mm512_sub_epi32(a, b); }
  static V bit_and(V a, V b) { return _mm512_and_si512(a, b); }
  static V(min)(V a, V b) { return _mm512_maskz_min_epi32(0xffff, a, b); }
  static V(max)(V a, V b) { return _mm512_maskz_max_epi32(0xffff, a, b); }
  static V shift_left(V x, V bits) { return _mm512_maskz_sllv_epi32(0xffff, x, bits); }
  static V shift_right(V x, V bits) { return _mm512_maskz_srav_epi32(0xffff, x, bits); }
  static V one_where_greater(V a, V b) { return _mm512_maskz_set1_epi32(_mm512_cmpgt_epi32_mask(a, b), 1); }
  static V select_negative(V x, V yes, V no) { return _mm512_mask_mov_epi32(no, _mm512_movepi32_mask(x), yes); }
  static V rounding_doubling_high_product(V a, V b) {
    const V half = _mm512_set1_epi64(std::int64_t{1} << 30);
    const V even = _mm512_add_epi64(_mm512_maskz_mul_epi32(0xff, a, b), half);
    const V odd =
        _mm512_add_epi64(_mm512_maskz_mul_epi32(0xff, _mm512_maskz_srli_epi64(0xff, a, 32), _mm512_maskz_srli_epi64(0xff, b, 32)), half);
    return _mm512_mask_mov_epi32(_mm512_maskz_srli_epi64(0xff, even, 31), 0xaaaa, _mm512_maskz_slli_epi64(0xff, odd, 1));
  }

  static V load_weights(const std::int8_t* p, int r) {
    return _mm512_maskz_cvtepi8_epi16(0xffffffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p) + r));
  }
  static V broadcast_four(const std::int16_t* q) {
    std::int64_t four = 0;
    std::memcpy(&four, q, sizeof(four));
    return _mm512_set1_epi64(four);
  }
  static V add_products(V sums, V weights, V q) { return _mm512_add_epi32(sums, _mm512_maskz_madd_epi16(0xffff, weights, q)); }
  static void totals(const V* sums, V* totals) {
    const V even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const V odd = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    totals[0] = _mm512_add_epi32(_mm512_permutex2var_epi32(sums[0], even, sums[1]), _mm512_permutex2var_epi32(sums[0], odd, sums[1]));
  }
  static void prepare(Index size, const std::int16_t* q, std::int16_t* prepared) {
    std::memcpy(prepared, q, static_cast<std::size_t>(size) * sizeof(*q));
  }
  static void prepare(Index size, const std::int8_t* q, std::int16_t* prepared) {
    for (Index k = 0; k < size; k += 32) {
      const auto mask = static_cast<__mmask32>(size - k >= 32 ? ~0u : (1u << (size - k)) - 1);
      _mm512_mask_storeu_epi16(prepared + k, mask, _mm512_maskz_cvtepi8_epi16(mask, _mm256_maskz_loadu_epi8(mask, q + k)));
    }
  }
  static void store(std::int16_t* a, const V* z) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(a), _mm512_maskz_cvtepi32_epi16(0xffff, z[0]));
  }
  static void store(std::int8_t* a, const V* z) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(a), _mm512_maskz_cvtepi32_epi8(0xffff, z[0]));
  }

  static V load_widened(const std::int8_t* q) {
    return _mm512_maskz_cvtepi8_epi32(0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i*>(q)));
  }
  static V load_widened(const std::int16_t* q) {
    return _mm512_maskz_cvtepi16_epi32(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q)));
  }

  using Floats = __m512;
  static Floats load(const float* p) { return _mm512_loadu_ps(p); }
  static Floats broadcast(float x) { return _mm512_set1_ps(x); }
  static Floats subtract(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
  static Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats divide(Floats a, Floats b) { return _mm512_div_ps(a, b); }
  static void store(float* p, Floats v) { _mm512_storeu_ps(p, v); }
  static Floats as_floats(V x) { return _mm512_maskz_cvtepi32_ps(0xffff, x); }
  static Floats limited(Floats x, Floats low, Floats high) {
    return _mm512_maskz_min_ps(0xffff, _mm512_maskz_max_ps(0xffff, x, low), high);
  }
  static V rounded(Floats x) { return _mm512_maskz_cvt_roundps_epi32(__mmask16{0xffff}, x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static bool any_is_close_to_half(Floats x, Floats error) {
    const Floats nearest = _mm512_maskz_roundscale_ps(__mmask16{0xffff}, x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const Floats distance = _mm512_maskz_andnot_ps(0xffff, broadcast(-0.0f), _mm512_sub_ps(x, nearest));
    return _mm512_cmp_ps_mask(distance, _mm512_sub_ps(broadcast(0.5f), error), _CMP_GE_OQ) != 0;
  }
};

template <class Q>
struct IntegerLanes : IntegerPairs {};

}  // namespace chainrule::kernels::avx512

#include <chainrule/kernels/lanes/end.inc>

#include <chainrule/kernels/lanes/begin_avx512_vnni.inc>

namespace chainrule::kernels::avx512_vnni {

struct Tag {};  ///< chooses the kernels of this namespace by overload resolution

/// Sums of four products of int8 at once. vpdpbusd takes one factor as an unsigned number, so 128 is added to the inputs, and the layer
/// subtracts 128 times the sum of its weights. A sum may overflow meanwhile: it is computed modulo 2^32, so the result is right again.
struct IntegerFours : avx512::IntegerPairs {
  using Prepared = std::uint8_t;
  static constexpr int registers = 1;
  static constexpr int blocks = 4;
  static constexpr std::int32_t offset = 128;

  static V load_weights(const std::int8_t* p, int) { return _mm512_loadu_si512(p); }
  static V broadcast_four(const std::uint8_t* q) {
    std::int32_t four = 0;
    std::memcpy(&four, q, sizeof(four));
    return _mm512_set1_epi32(four);
  }
  static V add_products(V sums, V weights, V q) { return _mm512_dpbusd_epi32(sums, q, weights); }
  static void totals(const V* sums, V* totals) { totals[0] = sums[0]; }
  static void prepare(Index size, const std::int8_t* q, std::uint8_t* prepared) {
    const V sign = _mm512_set1_epi8(-128);
    for (Index k = 0; k < size; k += 64) {
      const auto mask = static_cast<__mmask64>(size - k >= 64 ? ~0ull : (1ull << (size - k)) - 1);
      _mm512_mask_storeu_epi8(prepared + k, mask, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, q + k), sign));
    }
  }
};

/// AVX-512's pairs, whose products VNNI multiplies and adds in one instruction.
struct IntegerPairs : avx512::IntegerPairs {
  static V add_products(V sums, V weights, V q) { return _mm512_dpwssd_epi32(sums, weights, q); }
};

template <class Q>
struct IntegerLanes : IntegerPairs {};
template <>
struct IntegerLanes<std::int8_t> : IntegerFours {};

}  // namespace chainrule::kernels::avx512_vnni

#include <chainrule/kernels/lanes/end.inc>

#endif
