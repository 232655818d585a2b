#pragma once
// Lanes made of Eigen's packets, for the instruction set of the program's flags: SSE2, NEON and others, and one number per register for
// scalars without vectors (long double) or processors without them. lanes/avx2.hpp and lanes/avx512.hpp have the same interface for
// instruction sets that are chosen at run time.

#include <algorithm>
#include <array>
#include <chainrule/core/detail/checks.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/types.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

// CHAINRULE_BASELINE names the instruction set of the program's flags. It is a namespace around all that depends on these flags, so that
// such functions have different names in files that are compiled with different flags and linked into one program.
#if defined(EIGEN_VECTORIZE_AVX512)
#define CHAINRULE_BASELINE flags_with_avx512
#elif defined(EIGEN_VECTORIZE_AVX) && defined(EIGEN_VECTORIZE_FMA)
#define CHAINRULE_BASELINE flags_with_avx_and_fma
#elif defined(EIGEN_VECTORIZE_AVX)
#define CHAINRULE_BASELINE flags_with_avx
#elif defined(EIGEN_VECTORIZE)
#define CHAINRULE_BASELINE flags_with_vectors
#else
#define CHAINRULE_BASELINE flags_without_vectors
#endif

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // caused by __m128 and similar types as template arguments
#endif

namespace chainrule::kernels {
inline namespace CHAINRULE_BASELINE {

/// The correctly rounded square root of IEEE 754. Eigen's psqrt is not used: by default it multiplies floats by an estimate of
/// 1/sqrt(x) whose bits differ between processors of AMD, Intel and ARM.
template <class Packet>
Packet correctly_rounded_sqrt(const Packet& x) {
  using std::sqrt;
  using Scalar = typename Eigen::internal::unpacket_traits<Packet>::type;
  constexpr int width = Eigen::internal::unpacket_traits<Packet>::size;
  if constexpr (width == 1) {
    return sqrt(x);
  } else {
    alignas(64) Scalar numbers[std::size_t{width}];
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

/// A register as Eigen's packet: V holds `width` numbers; Mask says how many of the first ones a partial load or store touches.
template <class Scalar>
struct EigenLanes {
  using V = typename Eigen::internal::packet_traits<Scalar>::type;
  using Mask = Index;
  static constexpr int width = Eigen::internal::unpacket_traits<V>::size;
  static constexpr int registers = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS;
  static constexpr bool masks_are_cheap = false;  // masked_load and masked_store copy through memory
  static constexpr bool masks_are_free = false;   // copies are slower than load and store

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

  /// The smaller (min) or larger (max) of x and the bound; NaN if x is NaN.
  static V(min)(const V& x, const V& bound) { return select_greater(x, bound, bound, x); }
  static V(max)(const V& x, const V& bound) { return select_greater(bound, x, bound, x); }
  /// `yes` where a > b, else `no`, also where a or b is NaN.
  static V select_greater(const V& a, const V& b, const V& yes, const V& no) {
    if constexpr (width == 1)
      return a > b ? yes : no;  // Eigen's mask of a single number is NaN, which -ffast-math takes for 0
    else
      return Eigen::internal::pselect(Eigen::internal::pcmp_lt(b, a), yes, no);
  }
  static V abs(const V& x) { return Eigen::internal::pabs(x); }
  /// |v| with the sign of x, for v >= +0.
  static V with_sign_of(const V& x, const V& v) { return Eigen::internal::por(v, Eigen::internal::pand(broadcast(-Scalar{0}), x)); }
  /// 2^n for integers n in the exponent range of normal numbers, for float and double. Adding 1.5 x 2^23 (double: 2^52) + bias leaves
  /// n + bias in the lowest mantissa bits; a shift moves it to the exponent's place.
  static V power_of_2(const V& n) {
    using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
    constexpr int mantissa_bits = std::numeric_limits<Scalar>::digits - 1;
    constexpr Scalar unit_in_last_place_1 = Scalar{3} * static_cast<Scalar>(Bits{1} << (mantissa_bits - 1));
    const V biased = add(n, broadcast(unit_in_last_place_1 + static_cast<Scalar>(std::numeric_limits<Scalar>::max_exponent - 1)));
    auto bits = detail::bit_cast<std::array<Bits, std::size_t{width}>>(biased);
    for (Bits& b : bits) b <<= mantissa_bits;
    return detail::bit_cast<V>(bits);
  }
  /// v 2^n for integers n up to twice the exponent range, in two multiplications by about 2^(n/2). The first is exact, so the result is
  /// rounded once.
  static V scale_by_power_of_2(const V& v, const V& n) {
    const V round = broadcast(Scalar{3} * static_cast<Scalar>(std::uint64_t{1} << (std::numeric_limits<Scalar>::digits - 2)));
    const V half = subtract(fma(n, broadcast(Scalar{0.5}), round), round);
    return multiply(multiply(v, power_of_2(half)), power_of_2(subtract(n, half)));
  }

  /// The sum of all numbers, added in pairs: i and i + width/2, then i and i + width/4, and so on.
  static Scalar sum(const V& v) {
    alignas(64) Scalar numbers[std::size_t{width}];
    store(numbers, v);
    for (int half = width / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) numbers[i] += numbers[half + i];
    return numbers[0];
  }

  static bool all_finite(const V& v) {
    alignas(64) Scalar numbers[std::size_t{width}];
    store(numbers, v);
    bool all = true;
    for (const Scalar x : numbers) all = all && detail::is_finite(x);
    return all;
  }

  static Mask mask(Index count) { return count; }
  // Never inlined: kernels contain dozens of masked loads and stores, and the copies would make up most of their code.
  [[gnu::noinline]] static V masked_load(const Scalar* p, Mask count) {
    alignas(64) Scalar numbers[std::size_t{width}] = {};
    std::copy_n(p, count, numbers);
    return load(numbers);
  }
  [[gnu::noinline]] static void masked_store(Scalar* p, const V& v, Mask count) {
    alignas(64) Scalar numbers[std::size_t{width}];
    store(numbers, v);
    std::copy_n(numbers, count, p);
  }

  /// Loads `width` rows of transposed_columns numbers, transposed: columns[c][r] = rows[r * distance + c].
  static constexpr int transposed_columns = width;
  static void transpose(const Scalar* rows, Index distance, V* columns) {
    Eigen::internal::PacketBlock<V, width> block;
    for (int r = 0; r < width; ++r) block.packet[r] = load(rows + r * distance);
    if constexpr (width > 1) Eigen::internal::ptranspose(block);
    for (int c = 0; c < width; ++c) columns[c] = block.packet[c];
  }
};

}  // namespace CHAINRULE_BASELINE
}  // namespace chainrule::kernels

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
