#pragma once
// Evaluates an activation on arrays of numbers by the functions that layers call, so that the short last chunk is tested too.

#include <algorithm>
#include <chainrule/core/concepts.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace chainrule::testing {

/// The distance from 1 to the next larger number.
template <class Scalar>
inline constexpr long double eps = std::numeric_limits<Scalar>::epsilon();

/// f(z) for an array z.
template <class Scalar, class F>
std::vector<Scalar> values(const F& f, const std::vector<Scalar>& z) {
  std::vector<Scalar> a(z.size());
  kernels::activate(f, static_cast<Index>(z.size()), z.data(), a.data());
  return a;
}

/// f'(z) for an array z, computed from f(z) or from z, as the activation requires.
template <class Scalar, class F>
std::vector<Scalar> derivatives(const F& f, const std::vector<Scalar>& z) {
  const std::vector<Scalar> kept = DerivativeFromOutput<F> ? values(f, z) : z;
  std::vector<Scalar> delta(z.size(), Scalar{1});
  kernels::multiply_by_derivative(f, static_cast<Index>(z.size()), kept.data(), delta.data());
  return delta;
}

/// f, f', f'' or f''' (order 0, 1, 2 or 3) for an array z, computed from f(z) or from z, as the activation requires.
template <int order, class Scalar, class F>
std::vector<Scalar> derivatives_of_order(const F& f, const std::vector<Scalar>& z) {
  if constexpr (order == 0) {
    return values(f, z);
  } else if constexpr (order == 1) {
    return derivatives(f, z);
  } else {
    const std::vector<Scalar> kept = DerivativeFromOutput<F> ? values(f, z) : z;
    std::vector<Scalar> results(z.size());
    if constexpr (order == 2)
      kernels::derivatives(f, static_cast<Index>(z.size()), kept.data(), nullptr, results.data(), nullptr);
    else
      kernels::derivatives(f, static_cast<Index>(z.size()), kept.data(), nullptr, nullptr, results.data());
    return results;
  }
}

template <class Scalar, class F>
Scalar value_at(const F& f, Scalar z) {
  return values(f, std::vector<Scalar>{z})[0];
}
template <int order = 1, class Scalar, class F>
Scalar derivative_at(const F& f, Scalar z) {
  return derivatives_of_order<order>(f, std::vector<Scalar>{z})[0];
}

/// `count` evenly spaced numbers between low and high, in ascending order, without low, high and 0.
template <class Scalar>
std::vector<Scalar> numbers_between(double low, double high, int count) {
  std::vector<Scalar> z;
  for (int i = 0; i < count; ++i) z.push_back(static_cast<Scalar>(low + (high - low) * (i + 0.503) / count));
  return z;
}

/// Three numbers with every binary exponent of the type, including denormal numbers and the largest, with both signs, and both zeros, in
/// ascending order.
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

/// Whether two numbers have the same bits or are both NaN.
template <class Scalar>
bool same(Scalar a, Scalar b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

/// Keeps the largest of many errors and its circumstances. An error of NaN counts as infinite.
struct Worst {
  long double error = 0;     ///< the largest error so far
  long double at = 0;        ///< the argument where it occurred
  long double got = 0;       ///< the value computed there
  long double expected = 0;  ///< the value expected there

  /// Keeps this error if it is larger than the one so far.
  void update(long double new_error, long double new_at, long double new_got = 0, long double new_expected = 0) {
    if (new_error <= error) return;
    *this = {std::isnan(new_error) ? std::numeric_limits<long double>::infinity() : new_error, new_at, new_got, new_expected};
  }
};

}  // namespace chainrule::testing
