#pragma once
// Lanes for AVX2 and FMA: 8 floats or 4 doubles per register, 16 registers, available whatever the flags of the program.
// lanes/avx512.hpp and lanes/eigen.hpp have the same interface.

#if defined(__GNUC__) && defined(__x86_64__)

#include <immintrin.h>

#include <chainrule/core/types.hpp>

#include <chainrule/kernels/lanes/begin_avx2.inc>

namespace chainrule::kernels::avx2 {

template <class Scalar>
struct Lanes;

template <>
struct Lanes<float> {
  using V = __m256;
  using Mask = __m256i;
  static constexpr int width = 8;
  static constexpr int registers = 16;
  static constexpr bool masks_are_cheap = true;  // masked_load and masked_store are instructions
  static constexpr bool masks_are_free = false;  // masked_store is slower than store

  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  static V broadcast(float x) { return _mm256_set1_ps(x); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }

  static V add(V a, V b) { return _mm256_add_ps(a, b); }
  static V subtract(V a, V b) { return _mm256_sub_ps(a, b); }
  static V multiply(V a, V b) { return _mm256_mul_ps(a, b); }
  static V divide(V a, V b) { return _mm256_div_ps(a, b); }
  static V sqrt(V x) { return _mm256_sqrt_ps(x); }
  static V fnmadd(V a, V b, V c) { return _mm256_fnmadd_ps(a, b, c); }  // c - a b, rounded once

  /// The smaller (min) or larger (max) of x and the bound; NaN if x is NaN, because the instructions return their second operand then.
  static V(min)(V x, V bound) { return _mm256_min_ps(bound, x); }
  static V(max)(V x, V bound) { return _mm256_max_ps(bound, x); }
  /// `yes` where a > b, else `no`, also where a or b is NaN.
  static V select_greater(V a, V b, V yes, V no) { return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_GT_OQ)); }
  static V abs(V x) { return _mm256_andnot_ps(broadcast(-0.0f), x); }
  /// |v| with the sign of x, for v >= +0.
  static V with_sign_of(V x, V v) { return _mm256_or_ps(v, _mm256_and_ps(broadcast(-0.0f), x)); }
  /// 2^n for integers n in the exponent range of normal numbers. Adding 1.5 x 2^23 + bias leaves n + bias in the lowest mantissa bits; a
  /// shift moves it to the exponent's place.
  static V power_of_2(V n) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(add(n, broadcast(12582912 + 127))), 23)); }
  /// v 2^n for integers n up to twice the exponent range, in two multiplications by about 2^(n/2). The first is exact, so the result is
  /// rounded once.
  static V scale_by_power_of_2(V v, V n) {
    const V half = subtract(fma(n, broadcast(0.5f), broadcast(12582912)), broadcast(12582912));
    return multiply(multiply(v, power_of_2(half)), power_of_2(subtract(n, half)));
  }

  /// The sum of all numbers, added in pairs: i and i + width/2, then i and i + width/4, and so on.
  static float sum(V v) {
    const __m128 fours = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 twos = _mm_add_ps(fours, _mm_movehl_ps(fours, fours));
    return _mm_cvtss_f32(_mm_add_ss(twos, _mm_movehdup_ps(twos)));
  }

  /// Whether all numbers are finite, by their exponent bits: comparisons with infinity would be removed by -ffast-math.
  static bool all_finite(V v) {
    const __m256i exponent = _mm256_set1_epi32(0x7f800000);
    const __m256i is_largest = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_castps_si256(v), exponent), exponent);
    return _mm256_testz_si256(is_largest, is_largest) != 0;
  }

  static Mask mask(Index count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static V masked_load(const float* p, Mask count) { return _mm256_maskload_ps(p, count); }
  static void masked_store(float* p, V v, Mask count) { _mm256_maskstore_ps(p, count, v); }

  /// Loads `width` rows of transposed_columns numbers, transposed: columns[c][r] = rows[r * distance + c].
  static constexpr int transposed_columns = 4;
  static void transpose(const float* rows, Index distance, V* columns) {
    const V r0 = every_fourth(rows, distance), r1 = every_fourth(rows + distance, distance);
    const V r2 = every_fourth(rows + 2 * distance, distance), r3 = every_fourth(rows + 3 * distance, distance);
    const __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(r0, r1)), high01 = _mm256_castps_pd(_mm256_unpackhi_ps(r0, r1));
    const __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(r2, r3)), high23 = _mm256_castps_pd(_mm256_unpackhi_ps(r2, r3));
    columns[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23));
    columns[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23));
    columns[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23));
    columns[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high01, high23));
  }

 private:
  // Loads four numbers of each of the rows 0 and 4.
  static V every_fourth(const float* rows, Index distance) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows)), _mm_loadu_ps(rows + 4 * distance), 1);
  }
};

template <>
struct Lanes<double> {
  using V = __m256d;
  using Mask = __m256i;
  static constexpr int width = 4;
  static constexpr int registers = 16;
  static constexpr bool masks_are_cheap = true;  // masked_load and masked_store are instructions
  static constexpr bool masks_are_free = false;  // masked_store is slower than store

  static V load(const double* p) { return _mm256_loadu_pd(p); }
  static void store(double* p, V v) { _mm256_storeu_pd(p, v); }
  static V broadcast(double x) { return _mm256_set1_pd(x); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }

  static V add(V a, V b) { return _mm256_add_pd(a, b); }
  static V subtract(V a, V b) { return _mm256_sub_pd(a, b); }
  static V multiply(V a, V b) { return _mm256_mul_pd(a, b); }
  static V divide(V a, V b) { return _mm256_div_pd(a, b); }
  static V sqrt(V x) { return _mm256_sqrt_pd(x); }
  static V fnmadd(V a, V b, V c) { return _mm256_fnmadd_pd(a, b, c); }

  static V(min)(V x, V bound) { return _mm256_min_pd(bound, x); }
  static V(max)(V x, V bound) { return _mm256_max_pd(bound, x); }
  static V select_greater(V a, V b, V yes, V no) { return _mm256_blendv_pd(no, yes, _mm256_cmp_pd(a, b, _CMP_GT_OQ)); }
  static V abs(V x) { return _mm256_andnot_pd(broadcast(-0.0), x); }
  static V with_sign_of(V x, V v) { return _mm256_or_pd(v, _mm256_and_pd(broadcast(-0.0), x)); }
  static V power_of_2(V n) {
    return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(add(n, broadcast(6755399441055744 + 1023))), 52));
  }
  static V scale_by_power_of_2(V v, V n) {
    const V half = subtract(fma(n, broadcast(0.5), broadcast(6755399441055744)), broadcast(6755399441055744));
    return multiply(multiply(v, power_of_2(half)), power_of_2(subtract(n, half)));
  }

  static double sum(V v) {
    const __m128d twos = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_add_sd(twos, _mm_unpackhi_pd(twos, twos)));
  }

  static bool all_finite(V v) {
    const __m256i exponent = _mm256_set1_epi64x(0x7ff0000000000000);
    const __m256i is_largest = _mm256_cmpeq_epi64(_mm256_and_si256(_mm256_castpd_si256(v), exponent), exponent);
    return _mm256_testz_si256(is_largest, is_largest) != 0;
  }

  static Mask mask(Index count) { return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3)); }
  static V masked_load(const double* p, Mask count) { return _mm256_maskload_pd(p, count); }
  static void masked_store(double* p, V v, Mask count) { _mm256_maskstore_pd(p, count, v); }

  static constexpr int transposed_columns = 2;
  static void transpose(const double* rows, Index distance, V* columns) {
    const V even = every_second(rows, distance), odd = every_second(rows + distance, distance);
    columns[0] = _mm256_unpacklo_pd(even, odd);
    columns[1] = _mm256_unpackhi_pd(even, odd);
  }

 private:
  // Loads two numbers of each of the rows 0 and 2.
  static V every_second(const double* rows, Index distance) {
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(rows)), _mm_loadu_pd(rows + 2 * distance), 1);
  }
};

}  // namespace chainrule::kernels::avx2

#include <chainrule/kernels/lanes/end.inc>

#endif
