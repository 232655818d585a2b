#pragma once
// Random numbers that are the same bits with every compiler and standard library; those of std::*_distribution differ.
// All operations here are on integers, or are floating-point operations that IEEE 754 rounds exactly (+ - * / sqrt fma).

#include <algorithm>
#include <chainrule/core/detail/require_cpp20.hpp>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>

namespace chainrule {

/// The start of a sequence of random numbers: `Network net{Seed{42}}`. What takes a seed draws numbers of its own from it, so that a
/// network, a split and a Random of yours may have the same one.
struct Seed {
  std::uint64_t value = 0;  ///< any number; each starts a different sequence
};

namespace detail {

/// ln s for a normal number s > 0. With s = m 2^e and f = (m - 1)/(m + 1):  ln s = e ln 2 + 2 (f + f^3/3 + f^5/5 + ...).
/// The last bit of std::log differs between libraries. All sums are written as fma, so that no compiler can fuse them differently.
inline double exact_log(double s) {
  int e = 0;
  double m = std::frexp(s, &e);  // m in [1/2, 1)
  if (m < 0.70710678118654752) {
    m = 2 * m;
    e -= 1;
  }
  const double f = (m - 1) / (m + 1);  // |f| <= 0.1716, so 12 terms reach 2^-53
  const double f2 = f * f;
  double series = 0;
  for (int k = 23; k >= 1; k -= 2) series = std::fma(series, f2, 1.0 / k);
  return std::fma(static_cast<double>(e), 0.69314718055994531, 2 * f * series);
}

}  // namespace detail

/// A random number generator: SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", figure 15), with
/// conversions to uniform and normal numbers. It satisfies std::uniform_random_bit_generator.
class Random {
 public:
  using result_type = std::uint64_t;  ///< 64 random bits

  /// Starts the sequence of this seed.
  constexpr explicit Random(Seed seed) : state_{seed.value} {}

  static constexpr result_type(min)() { return 0; }                                          ///< the smallest number it gives
  static constexpr result_type(max)() { return (std::numeric_limits<result_type>::max)(); }  ///< the largest number it gives

  /// The next 64 bits.
  constexpr result_type operator()() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t bits = state_;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
  }

  /// Uniform in [0, 1): the upper 53 bits times 2^-53, exact.
  constexpr double uniform() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

  /// Uniform in {0, ..., n - 1} without bias, by rejection. Precondition: n > 0.
  constexpr std::uint64_t below(std::uint64_t n) {
    const std::uint64_t leftover = ((max)() % n + 1) % n;  // 2^64 mod n
    std::uint64_t bits = (*this)();
    while (bits > (max)() - leftover) bits = (*this)();
    return bits % n;
  }

  /// Standard normal, mean 0 and variance 1, by Marsaglia's polar method (Marsaglia and Bray 1964).
  double normal() {
    double u = 0;
    double s = 0;
    do {
      u = 2 * uniform() - 1;  // exact: multiples of 2^-52
      const double v = 2 * uniform() - 1;
      s = std::fma(u, u, v * v);
    } while (s >= 1 || s == 0);
    return u * std::sqrt(-2 * detail::exact_log(s) / s);
  }

 private:
  std::uint64_t state_;
};

/// The seed of an independent sequence, number `stream` of those that belong to `seed`. Each can be computed without the ones before it:
/// the dropout mask of step 1000 does not need those of the steps before.
constexpr Seed derived_seed(Seed seed, std::uint64_t stream) { return Seed{Random{Seed{Random{seed}() ^ stream}}()}; }

namespace detail {

/// The streams of derived_seed from which the library draws, one for each purpose. A network, a split and a Random with the same seed
/// therefore draw different numbers. They are far above the numbers of epochs, steps and samples, which are streams too.
enum Stream : std::uint64_t {
  weights_stream = 0x8000'0000'0000'0001u,  ///< the initial weights of a network
  split_stream = 0x8000'0000'0000'0002u,    ///< the order of the samples in split
  folds_stream = 0x8000'0000'0000'0003u     ///< the order of the samples in k_fold
};

}  // namespace detail

/// Shuffles a range, with every order equally likely (Fisher and Yates). Unlike std::shuffle it gives the same order with every standard
/// library.
template <std::random_access_iterator Iterator>
constexpr void shuffle(Iterator first, Iterator last, Random& random) {
  for (auto n = last - first; n > 1; --n) {
    const auto other = static_cast<std::iter_difference_t<Iterator>>(random.below(static_cast<std::uint64_t>(n)));
    std::iter_swap(first + (n - 1), first + other);
  }
}

}  // namespace chainrule
