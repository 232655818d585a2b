#pragma once
// Fused multiply-adds of floats for WebAssembly, which has none. playground.cpp gives them to Eigen, so that a net trained in the browser
// has the bits of one trained on a processor with AVX2, AVX-512 or NEON. Four at a time are computed with the intrinsics of SSE2, which
// Emscripten translates.

#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace playground {

/// Returns a b + c, rounded once. The product of two floats is exact in double; its sum with c is rounded to double, and then to float. Two
/// roundings differ from one only if the first ended exactly between two floats; then its error tells to which side the sum belongs.
inline float fused_multiply_add(float a, float b, float c) {
  const double product = static_cast<double>(a) * static_cast<double>(b), added = static_cast<double>(c);
  double sum = product + added;
  // The exact error of the sum (Knuth 1969): product + added = sum + error. NaN where the sum is not finite.
  const double rest = sum - product, error = (product - (sum - rest)) + (added - rest);
  if (error > 0 || error < 0) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &sum, sizeof bits);
    if (bits % 2 == 0) bits += (error > 0) == (sum > 0) ? std::uint64_t{1} : ~std::uint64_t{0};  // away from 0, or towards it
    std::memcpy(&sum, &bits, sizeof bits);
  }
  return static_cast<float>(sum);
}

#if defined(__SSE2__)
/// Whether one of two sums in double may lie exactly between two floats: its last 28 binary digits are 0.
inline bool may_be_between_floats(__m128d sum) {
  const __m128i last = _mm_and_si128(_mm_castpd_si128(sum), _mm_set1_epi64x(0x0fff'ffff));
  return (_mm_movemask_epi8(_mm_cmpeq_epi32(last, _mm_setzero_si128())) & 0x0f0f) != 0;
}

/// Whether two sums in double are rounded.
inline bool is_rounded(__m128d sum, __m128d product, __m128d added) {
  const __m128d rest = _mm_sub_pd(sum, product);
  const __m128d error = _mm_add_pd(_mm_sub_pd(product, _mm_sub_pd(sum, rest)), _mm_sub_pd(added, rest));
  return _mm_movemask_pd(_mm_cmpneq_pd(error, _mm_setzero_pd())) != 0;
}

/// The terms a b and c in double, for the lower or the upper two of four floats.
struct Operands {
  __m128d product, added;
};
inline Operands lower_operands(__m128 a, __m128 b, __m128 c) { return {_mm_mul_pd(_mm_cvtps_pd(a), _mm_cvtps_pd(b)), _mm_cvtps_pd(c)}; }
inline Operands upper_operands(__m128 a, __m128 b, __m128 c) {
  return lower_operands(_mm_movehl_ps(a, a), _mm_movehl_ps(b, b), _mm_movehl_ps(c, c));
}

/// Returns four times a b + c, where a sum may lie between two floats. Not inlined, because a kernel has hundreds of multiply-adds.
[[gnu::noinline]] inline __m128 fused_multiply_add_with_care(__m128 a, __m128 b, __m128 c) {
  const Operands low = lower_operands(a, b, c), high = upper_operands(a, b, c);
  const __m128d low_sum = _mm_add_pd(low.product, low.added), high_sum = _mm_add_pd(high.product, high.added);
  if (!is_rounded(low_sum, low.product, low.added) && !is_rounded(high_sum, high.product, high.added))
    return _mm_movelh_ps(_mm_cvtpd_ps(low_sum), _mm_cvtpd_ps(high_sum));
  float x[4], y[4], z[4];
  _mm_storeu_ps(x, a);
  _mm_storeu_ps(y, b);
  _mm_storeu_ps(z, c);
  for (int i = 0; i < 4; ++i) z[i] = fused_multiply_add(x[i], y[i], z[i]);
  return _mm_loadu_ps(z);
}

/// Returns four times a b + c, each rounded once.
inline __m128 fused_multiply_add(__m128 a, __m128 b, __m128 c) {
  const Operands low = lower_operands(a, b, c), high = upper_operands(a, b, c);
  const __m128d low_sum = _mm_add_pd(low.product, low.added), high_sum = _mm_add_pd(high.product, high.added);
  if (may_be_between_floats(low_sum) || may_be_between_floats(high_sum)) return fused_multiply_add_with_care(a, b, c);
  return _mm_movelh_ps(_mm_cvtpd_ps(low_sum), _mm_cvtpd_ps(high_sum));
}
#endif

}  // namespace playground
