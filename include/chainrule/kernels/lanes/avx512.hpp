#pragma once
// Lanes for AVX-512: 16 floats or 8 doubles per register, 32 registers, available whatever the flags of the program. HalfLanes are AVX2's
// registers with the mask registers of AVX-512, because a masked store of AVX2 (vmaskmovps) takes dozens of micro-operations on some
// AMD processors, one of AVX-512 only a few. lanes/avx2.hpp and lanes/eigen.hpp have the same interface.

#if defined(__GNUC__) && defined(__x86_64__)

#include <immintrin.h>

#include <chainrule/core/types.hpp>
#include <chainrule/kernels/lanes/avx2.hpp>

#include <chainrule/kernels/lanes/begin_avx512.inc>

namespace chainrule::kernels::avx512 {

template <class Scalar>
struct Lanes;

template <>
struct Lanes<float> {
  using V = __m512;
  using Mask = __mmask16;
  static constexpr int width = 16;
  static constexpr int registers = 32;
  static constexpr bool masks_are_cheap = true;  // masked_load and masked_store are instructions
  static constexpr bool masks_are_free = true;   // masked_load and masked_store cost no more than load and store

  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  static V broadcast(float x) { return _mm512_set1_ps(x); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }

  static V add(V a, V b) { return _mm512_add_ps(a, b); }
  static V subtract(V a, V b) { return _mm512_sub_ps(a, b); }
  static V multiply(V a, V b) { return _mm512_mul_ps(a, b); }
  static V divide(V a, V b) { return _mm512_div_ps(a, b); }
  static V sqrt(V x) { return _mm512_maskz_sqrt_ps(0xffff, x); }
  static V fnmadd(V a, V b, V c) { return _mm512_fnmadd_ps(a, b, c); }  // c - a b, rounded once

  /// The smaller (min) or larger (max) of x and the bound; NaN if x is NaN, because the instructions return their second operand then.
  static V(min)(V x, V bound) { return _mm512_maskz_min_ps(0xffff, bound, x); }
  static V(max)(V x, V bound) { return _mm512_maskz_max_ps(0xffff, bound, x); }
  /// `yes` where a > b, else `no`, also where a or b is NaN.
  static V select_greater(V a, V b, V yes, V no) { return _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), yes); }
  static V abs(V x) { return _mm512_maskz_andnot_ps(0xffff, broadcast(-0.0f), x); }
  /// x, or +0 where all bits of x that are 1 in `bits` are 0.
  static V zero_unless(V x, std::int32_t bits) {
    return _mm512_maskz_mov_ps(_mm512_test_epi32_mask(_mm512_castps_si512(x), _mm512_set1_epi32(bits)), x);
  }
  /// |v| with the sign of x, for v >= +0.
  static V with_sign_of(V x, V v) { return _mm512_maskz_or_ps(0xffff, v, _mm512_maskz_and_ps(0xffff, broadcast(-0.0f), x)); }
  /// 2^n for integers n in the exponent range of normal numbers. Adding 1.5 x 2^23 + bias leaves n + bias in the lowest mantissa bits; a
  /// shift moves it to the exponent's place.
  static V power_of_2(V n) {
    return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xffff, _mm512_castps_si512(add(n, broadcast(12582912 + 127))), 23));
  }
  /// v 2^n for any integer n, rounded once also where the result is subnormal.
  static V scale_by_power_of_2(V v, V n) { return _mm512_maskz_scalef_ps(0xffff, v, n); }

  /// The sum of all numbers, added in pairs: i and i + width/2, then i and i + width/4, and so on. (All masks are ones: GCC 12's unmasked
  /// intrinsics warn of uninitialized operands.)
  static float sum(V v) {
    return avx2::Lanes<float>::sum(_mm256_add_ps(_mm512_maskz_extractf32x8_ps(0xff, v, 0), _mm512_maskz_extractf32x8_ps(0xff, v, 1)));
  }

  /// Whether all numbers are finite, by their exponent bits: comparisons with infinity would be removed by -ffast-math.
  static bool all_finite(V v) {
    const __m512i exponent = _mm512_set1_epi32(0x7f800000);
    return _mm512_cmpeq_epi32_mask(_mm512_and_epi32(_mm512_castps_si512(v), exponent), exponent) == 0;
  }

  static Mask mask(Index count) { return static_cast<Mask>((1u << count) - 1); }
  static V masked_load(const float* p, Mask count) { return _mm512_maskz_loadu_ps(count, p); }
  static void masked_store(float* p, V v, Mask count) { _mm512_mask_storeu_ps(p, count, v); }

  /// Loads `width` rows of transposed_columns numbers, transposed: columns[c][r] = rows[r * distance + c].
  static constexpr int transposed_columns = 4;
  static void transpose(const float* rows, Index distance, V* columns) {
    const V r0 = every_fourth(rows, distance), r1 = every_fourth(rows + distance, distance);
    const V r2 = every_fourth(rows + 2 * distance, distance), r3 = every_fourth(rows + 3 * distance, distance);
    const __m512d low01 = low_singles(r0, r1), high01 = high_singles(r0, r1);
    const __m512d low23 = low_singles(r2, r3), high23 = high_singles(r2, r3);
    columns[0] = _mm512_castpd_ps(_mm512_maskz_unpacklo_pd(0xff, low01, low23));
    columns[1] = _mm512_castpd_ps(_mm512_maskz_unpackhi_pd(0xff, low01, low23));
    columns[2] = _mm512_castpd_ps(_mm512_maskz_unpacklo_pd(0xff, high01, high23));
    columns[3] = _mm512_castpd_ps(_mm512_maskz_unpackhi_pd(0xff, high01, high23));
  }

 private:
  // Loads four numbers of each of the rows 0, 4, 8 and 12.
  static V every_fourth(const float* rows, Index distance) {
    V v = _mm512_castps128_ps512(_mm_loadu_ps(rows));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(rows + 4 * distance), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(rows + 8 * distance), 2);
    return _mm512_insertf32x4(v, _mm_loadu_ps(rows + 12 * distance), 3);
  }
  // Unpacks with masks of ones, because GCC 12's unmasked intrinsics warn of uninitialized operands.
  static __m512d low_singles(V a, V b) { return _mm512_castps_pd(_mm512_maskz_unpacklo_ps(0xffff, a, b)); }
  static __m512d high_singles(V a, V b) { return _mm512_castps_pd(_mm512_maskz_unpackhi_ps(0xffff, a, b)); }
};

template <>
struct Lanes<double> {
  using V = __m512d;
  using Mask = __mmask8;
  static constexpr int width = 8;
  static constexpr int registers = 32;
  static constexpr bool masks_are_cheap = true;  // masked_load and masked_store are instructions
  static constexpr bool masks_are_free = true;   // masked_load and masked_store cost no more than load and store

  static V load(const double* p) { return _mm512_loadu_pd(p); }
  static void store(double* p, V v) { _mm512_storeu_pd(p, v); }
  static V broadcast(double x) { return _mm512_set1_pd(x); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_pd(a, b, c); }

  static V add(V a, V b) { return _mm512_add_pd(a, b); }
  static V subtract(V a, V b) { return _mm512_sub_pd(a, b); }
  static V multiply(V a, V b) { return _mm512_mul_pd(a, b); }
  static V divide(V a, V b) { return _mm512_div_pd(a, b); }
  static V sqrt(V x) { return _mm512_maskz_sqrt_pd(0xff, x); }
  static V fnmadd(V a, V b, V c) { return _mm512_fnmadd_pd(a, b, c); }

  static V(min)(V x, V bound) { return _mm512_maskz_min_pd(0xff, bound, x); }
  static V(max)(V x, V bound) { return _mm512_maskz_max_pd(0xff, bound, x); }
  static V select_greater(V a, V b, V yes, V no) { return _mm512_mask_mov_pd(no, _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ), yes); }
  static V abs(V x) { return _mm512_maskz_andnot_pd(0xff, broadcast(-0.0), x); }
  static V zero_unless(V x, std::int64_t bits) {
    return _mm512_maskz_mov_pd(_mm512_test_epi64_mask(_mm512_castpd_si512(x), _mm512_set1_epi64(bits)), x);
  }
  static V with_sign_of(V x, V v) { return _mm512_maskz_or_pd(0xff, v, _mm512_maskz_and_pd(0xff, broadcast(-0.0), x)); }
  static V power_of_2(V n) {
    return _mm512_castsi512_pd(_mm512_maskz_slli_epi64(0xff, _mm512_castpd_si512(add(n, broadcast(6755399441055744 + 1023))), 52));
  }
  static V scale_by_power_of_2(V v, V n) { return _mm512_maskz_scalef_pd(0xff, v, n); }

  static double sum(V v) {
    return avx2::Lanes<double>::sum(_mm256_add_pd(_mm512_maskz_extractf64x4_pd(0xff, v, 0), _mm512_maskz_extractf64x4_pd(0xff, v, 1)));
  }

  static bool all_finite(V v) {
    const __m512i exponent = _mm512_set1_epi64(0x7ff0000000000000);
    return _mm512_cmpeq_epi64_mask(_mm512_and_epi64(_mm512_castpd_si512(v), exponent), exponent) == 0;
  }

  static Mask mask(Index count) { return static_cast<Mask>((1u << count) - 1); }
  static V masked_load(const double* p, Mask count) { return _mm512_maskz_loadu_pd(count, p); }
  static void masked_store(double* p, V v, Mask count) { _mm512_mask_storeu_pd(p, count, v); }

  static constexpr int transposed_columns = 2;
  static void transpose(const double* rows, Index distance, V* columns) {
    const V even = every_second(rows, distance), odd = every_second(rows + distance, distance);
    columns[0] = _mm512_maskz_unpacklo_pd(0xff, even, odd);
    columns[1] = _mm512_maskz_unpackhi_pd(0xff, even, odd);
  }

 private:
  // Loads two numbers of each of the rows 0, 2, 4 and 6.
  static V every_second(const double* rows, Index distance) {
    V v = _mm512_castpd128_pd512(_mm_loadu_pd(rows));
    v = _mm512_insertf64x2(v, _mm_loadu_pd(rows + 2 * distance), 1);
    v = _mm512_insertf64x2(v, _mm_loadu_pd(rows + 4 * distance), 2);
    return _mm512_insertf64x2(v, _mm_loadu_pd(rows + 6 * distance), 3);
  }
};

/// A register of AVX2 (8 floats or 4 doubles) whose masked loads and stores use the mask registers of AVX-512.
template <class Scalar>
struct HalfLanes : avx2::Lanes<Scalar> {
  using V = typename avx2::Lanes<Scalar>::V;
  using Mask = __mmask8;
  static constexpr bool masks_are_free = true;

  static Mask mask(Index count) { return static_cast<Mask>((1u << count) - 1); }
  static V masked_load(const Scalar* p, Mask count) {
    if constexpr (sizeof(Scalar) == sizeof(float))
      return _mm256_maskz_loadu_ps(count, p);
    else
      return _mm256_maskz_loadu_pd(count, p);
  }
  static void masked_store(Scalar* p, V v, Mask count) {
    if constexpr (sizeof(Scalar) == sizeof(float))
      _mm256_mask_storeu_ps(p, count, v);
    else
      _mm256_mask_storeu_pd(p, count, v);
  }
};

}  // namespace chainrule::kernels::avx512

#include <chainrule/kernels/lanes/end.inc>

#endif
