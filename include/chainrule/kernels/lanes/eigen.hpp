#pragma once
// A register full of numbers, as Eigen's packets give it: for every scalar and every processor that Eigen knows, fixed when
// a program is compiled.

#include <algorithm>
#include <array>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of __m128 and its kin as a template argument
#endif

namespace chainrule::kernels {

/// The square root as IEEE 754 rounds it. Eigen's psqrt multiplies floats by an estimate of 1/sqrt(x) instead, whose bits differ between
/// processors of AMD, Intel and ARM.
template <class Packet>
Packet correctly_rounded_sqrt(const Packet& x) {
  using std::sqrt;
  using Scalar = typename Eigen::internal::unpacket_traits<Packet>::type;
  constexpr int width = Eigen::internal::unpacket_traits<Packet>::size;
  if constexpr (width == 1) {
    return sqrt(x);
  } else {
    alignas(64) Scalar numbers[width];
    Eigen::internal::pstoreu(numbers, x);
    for (Scalar& number : numbers) number = sqrt(number);
    return Eigen::internal::ploadu<Packet>(numbers);
  }
}
#if defined(EIGEN_VECTORIZE_SSE2)
inline __m128 correctly_rounded_sqrt(const __m128& x) { return _mm_sqrt_ps(x); }
inline __m128d correctly_rounded_sqrt(const __m128d& x) { return _mm_sqrt_pd(x); }
#endif
#if defined(EIGEN_VECTORIZE_AVX)
inline __m256 correctly_rounded_sqrt(const __m256& x) { return _mm256_sqrt_ps(x); }
inline __m256d correctly_rounded_sqrt(const __m256d& x) { return _mm256_sqrt_pd(x); }
#endif
#if defined(EIGEN_VECTORIZE_NEON) && defined(__aarch64__)
inline float32x4_t correctly_rounded_sqrt(const float32x4_t& x) { return vsqrtq_f32(x); }
inline float64x2_t correctly_rounded_sqrt(const float64x2_t& x) { return vsqrtq_f64(x); }
#endif

/// What kernels are written in: V, `width` numbers; Mask, how many of them where a vector is not full.
template <class Scalar>
struct EigenLanes {
  using V = typename Eigen::internal::packet_traits<Scalar>::type;
  using Mask = Index;
  static constexpr int width = Eigen::internal::unpacket_traits<V>::size;
  static constexpr int registers = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS;
  static constexpr bool masks_are_cheap = false, masks_are_free = false;  // those of masked_load

  static V load(const Scalar* p) { return Eigen::internal::ploadu<V>(p); }
  static void store(Scalar* p, const V& v) { Eigen::internal::pstoreu(p, v); }
  static V broadcast(Scalar x) { return Eigen::internal::pset1<V>(x); }
  static V fma(const V& a, const V& b, const V& c) { return Eigen::internal::pmadd(a, b, c); }

  static V add(const V& a, const V& b) { return Eigen::internal::padd(a, b); }
  static V subtract(const V& a, const V& b) { return Eigen::internal::psub(a, b); }
  static V multiply(const V& a, const V& b) { return Eigen::internal::pmul(a, b); }
  static V divide(const V& a, const V& b) { return Eigen::internal::pdiv(a, b); }
  static V sqrt(const V& x) { return correctly_rounded_sqrt(x); }
  static V fnmadd(const V& a, const V& b, const V& c) { return fma(Eigen::internal::pnegate(a), b, c); }  // c - a b

  /// x, but not above or below the bound; NaN stays.
  static V min(const V& x, const V& bound) { return Eigen::internal::pselect(Eigen::internal::pcmp_lt(bound, x), bound, x); }
  static V max(const V& x, const V& bound) { return Eigen::internal::pselect(Eigen::internal::pcmp_lt(x, bound), bound, x); }
  /// yes where a > b, no elsewhere and where a or b is NaN.
  static V select_greater(const V& a, const V& b, const V& yes, const V& no) {
    return Eigen::internal::pselect(Eigen::internal::pcmp_lt(b, a), yes, no);
  }
  static V abs(const V& x) { return Eigen::internal::pabs(x); }
  /// v >= +0, with the sign of x.
  static V with_sign_of(const V& x, const V& v) { return Eigen::internal::por(v, Eigen::internal::pand(broadcast(-Scalar{0}), x)); }
  /// 2^n for integers n that are exponents of normal numbers: n + bias lands in the last bits, whence it is shifted to the exponent.
  /// For float and double.
  static V power_of_2(const V& n) {
    using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
    constexpr int mantissa_bits = std::numeric_limits<Scalar>::digits - 1;
    constexpr Scalar unit_in_last_place_1 = Scalar{3} * static_cast<Scalar>(Bits{1} << (mantissa_bits - 1));
    const V biased = add(n, broadcast(unit_in_last_place_1 + static_cast<Scalar>(std::numeric_limits<Scalar>::max_exponent - 1)));
    auto bits = detail::bit_cast<std::array<Bits, width>>(biased);
    for (Bits& b : bits) b <<= mantissa_bits;
    return detail::bit_cast<V>(bits);
  }
  /// v 2^n for any integer n of that size, twice that too: in two steps, of which the first is exact.
  static V scale_by_power_of_2(const V& v, const V& n) {
    const V round = broadcast(Scalar{3} * static_cast<Scalar>(std::uint64_t{1} << (std::numeric_limits<Scalar>::digits - 2)));
    const V half = subtract(fma(n, broadcast(Scalar{0.5}), round), round);
    return multiply(multiply(v, power_of_2(half)), power_of_2(subtract(n, half)));
  }

  /// All numbers, added in pairs: i and i + width/2, and so on.
  static Scalar sum(const V& v) {
    alignas(64) Scalar numbers[width];
    store(numbers, v);
    for (int half = width / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) numbers[i] += numbers[half + i];
    return numbers[0];
  }

  static bool all_finite(const V& v) {
    alignas(64) Scalar numbers[width];
    store(numbers, v);
    bool all = true;
    for (const Scalar x : numbers) all = all && detail::is_finite(x);
    return all;
  }

  static Mask mask(Index count) { return count; }
  // not inline, as there are so many places that nothing else would be left of a kernel
  [[gnu::noinline]] static V masked_load(const Scalar* p, Mask count) {
    alignas(64) Scalar numbers[width] = {};
    std::copy_n(p, count, numbers);
    return load(numbers);
  }
  [[gnu::noinline]] static void masked_store(Scalar* p, const V& v, Mask count) {
    alignas(64) Scalar numbers[width];
    store(numbers, v);
    std::copy_n(numbers, count, p);
  }

  /// columns[c][r] = rows[r * distance + c] for r < width, c < transposed_columns
  static constexpr int transposed_columns = width;
  static void transpose(const Scalar* rows, Index distance, V* columns) {
    Eigen::internal::PacketBlock<V, width> block;
    for (int r = 0; r < width; ++r) block.packet[r] = load(rows + r * distance);
    if constexpr (width > 1) Eigen::internal::ptranspose(block);
    for (int c = 0; c < width; ++c) columns[c] = block.packet[c];
  }
};

}  // namespace chainrule::kernels

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
