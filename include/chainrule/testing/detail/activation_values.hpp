#pragma once
// An activation at many numbers, called as layers call it: so that a chunk's short end is tested too.

#include <algorithm>
#include <chainrule/core/concepts.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace chainrule::testing {

/// The distance from 1 to the next number.
template <class Scalar>
inline constexpr long double eps = std::numeric_limits<Scalar>::epsilon();

/// f(z), all at once.
template <class Scalar, class F>
std::vector<Scalar> values(const F& f, const std::vector<Scalar>& z) {
  std::vector<Scalar> a(z.size());
  kernels::activate(f, static_cast<Index>(z.size()), z.data(), a.data());
  return a;
}

/// f'(z), all at once, from f(z) or from z as the activation has it.
template <class Scalar, class F>
std::vector<Scalar> derivatives(const F& f, const std::vector<Scalar>& z) {
  const std::vector<Scalar> kept = DerivativeFromOutput<F> ? values(f, z) : z;
  std::vector<Scalar> delta(z.size(), Scalar{1});
  kernels::multiply_by_derivative(f, static_cast<Index>(z.size()), kept.data(), delta.data());
  return delta;
}

template <class Scalar, class F>
Scalar value_at(const F& f, Scalar z) {
  return values(f, std::vector<Scalar>{z})[0];
}
template <class Scalar, class F>
Scalar derivative_at(const F& f, Scalar z) {
  return derivatives(f, std::vector<Scalar>{z})[0];
}

/// `count` numbers from low to high, ascending, neither end nor 0 among them.
template <class Scalar>
std::vector<Scalar> numbers_between(double low, double high, int count) {
  std::vector<Scalar> z;
  for (int i = 0; i < count; ++i) z.push_back(static_cast<Scalar>(low + (high - low) * (i + 0.503) / count));
  return z;
}

/// Three numbers from every binade of the type, denormal ones included, both signs, both zeros and the largest: ascending.
template <class Scalar>
std::vector<Scalar> numbers_of_every_size() {
  using Limits = std::numeric_limits<Scalar>;
  std::vector<Scalar> z{-Scalar{0}, Scalar{0}};
  for (int exponent = Limits::min_exponent - Limits::digits; exponent <= Limits::max_exponent; ++exponent)
    for (const Scalar mantissa : {Scalar(0.5), Scalar(0.7071), Scalar(1) - Limits::epsilon() / 2}) {
      z.push_back(std::ldexp(mantissa, exponent));
      z.push_back(-z.back());
    }
  std::sort(z.begin(), z.end());
  return z;
}

/// Whether two numbers are the same bits, or both NaN.
template <class Scalar>
bool same(Scalar a, Scalar b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

/// The largest error in a long loop, where it was, and what came and was expected there. NaN is the worst of all.
struct Worst {
  long double error = 0;     ///< the largest so far
  long double at = 0;        ///< where it was
  long double got = 0;       ///< what came there
  long double expected = 0;  ///< and should have come

  /// Looks at one more error.
  void see(long double candidate, long double where, long double came = 0, long double wanted = 0) {
    if (candidate <= error) return;
    *this = {std::isnan(candidate) ? std::numeric_limits<long double>::infinity() : candidate, where, came, wanted};
  }
};

}  // namespace chainrule::testing
