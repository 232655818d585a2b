#pragma once
// What every activation must keep, ours or yours: check_activation<float>(MyActivation{}, {.at_infinity = 1}).
// Everything goes through the kernels that the layers use, so that a chunk's short end is tested too.

#include <algorithm>
#include <bit>
#include <chainrule/core/concepts.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "support/catch.hpp"

namespace chainrule_test {

/// What is different from activation to activation. `eps` is the distance from 1 to the next number of the scalar type.
struct ActivationFacts {
  std::optional<double> at_minus_infinity = {};  ///< the limits, where they exist and are to be reached
  std::optional<double> at_infinity = {};
  std::vector<double> kinks = {};  ///< where it has no derivative
  bool nondecreasing = true;
  double wobble = 0;              ///< a nondecreasing one may fall by this many eps of its value, for the rounding of its exponential
  double derivative_rounding = 8; /**< f' may be off by this many eps, of itself or of f where that is larger (but at most of 1): what is
                                       computed from a rounded f near 1 cannot be better */
  double lowest = -30;            ///< from here f' must be as exact as that; below it f may be all but 0 and less exact
  double steepest = 1;            ///< f may be infinite where z times this is
};

/// The largest error in a long loop and where it was, so that the loop ends in one CHECK. NaN is the worst of all.
struct Worst {
  long double error = 0;
  long double at = 0;

  void see(long double candidate, long double where) {
    if (candidate <= error) return;
    error = std::isnan(candidate) ? std::numeric_limits<long double>::infinity() : candidate;
    at = where;
  }
};

template <class Scalar>
inline constexpr long double eps = std::numeric_limits<Scalar>::epsilon();

/// f(z), all at once.
template <class Scalar, class F>
std::vector<Scalar> values(const F& f, const std::vector<Scalar>& z) {
  std::vector<Scalar> a(z.size());
  chainrule::kernels::activate(f, static_cast<chainrule::Index>(z.size()), z.data(), a.data());
  return a;
}

/// f'(z), all at once, from f(z) or from z as the activation has it.
template <class Scalar, class F>
std::vector<Scalar> derivatives(const F& f, const std::vector<Scalar>& z) {
  const std::vector<Scalar> kept = chainrule::DerivativeFromOutput<F> ? values(f, z) : z;
  std::vector<Scalar> delta(z.size(), Scalar{1});
  chainrule::kernels::multiply_by_derivative(f, static_cast<chainrule::Index>(z.size()), kept.data(), delta.data());
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
#if defined(CHAINRULE_SMALL_GRID)
  if (count >= 1024) count /= 16;  // under sanitizers, which are slow
#endif
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

template <class Scalar>
bool same(Scalar a, Scalar b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

/// f'(z) ~ (f(z + h) - f(z - h)) / 2h, the right side in long double and extrapolated to h = 0, so that f's curvature drops out;
/// from `lowest` to 30 and for very large |z|.
template <class Scalar, class F>
void check_derivative(const F& f, const ActivationFacts& facts) {
  constexpr long double largest = std::numeric_limits<Scalar>::max();
  std::vector<Scalar> z = numbers_between<Scalar>(facts.lowest, 30, 4096);
  for (const long double far : {100.0L, 1e4L, 1e30L, std::min(largest, std::numeric_limits<long double>::max() / 2)})
    for (const long double sign : {-1.0L, 1.0L}) z.push_back(static_cast<Scalar>(sign * far));

  const long double step = 0x1p-16L;
  const auto width = [&](long double at) { return std::abs(at) < 1e6L ? step : std::abs(at) * step; };
  const auto shifted = [&](long double steps) {
    std::vector<long double> there;
    for (const long double at : z) there.push_back(at + steps * width(at));
    return values(f, there);
  };
  const std::vector<long double> f_above = shifted(1), f_half_above = shifted(0.5L), f_half_below = shifted(-0.5L), f_below = shifted(-1);
  const std::vector<Scalar> computed = derivatives(f, z);

  Worst worst;  // in units of what is allowed
  for (std::size_t i = 0; i < z.size(); ++i) {
    const long double at = z[i];
    const auto near = [&](double kink) { return std::abs(at - static_cast<long double>(kink)) < 2 * step; };
    if (std::any_of(facts.kinks.begin(), facts.kinks.end(), near)) continue;
    const long double difference = (8 * (f_half_above[i] - f_half_below[i]) - (f_above[i] - f_below[i])) / (6 * width(at));
    const long double size = std::max(std::abs(difference), std::min(1.0L, std::abs(f_above[i])));
    const long double error_of_difference = 16 * eps<long double> * std::abs(f_above[i]) / width(at);
    const long double allowed = static_cast<long double>(facts.derivative_rounding) * eps<Scalar> * size + error_of_difference +
                                8 * static_cast<long double>(std::numeric_limits<Scalar>::min());  // e^z vanishes below this
    worst.see(std::abs(static_cast<long double>(computed[i]) - difference) / allowed, at);
  }
  INFO("f'(z) against a central difference; worst at z = " << worst.at);
  CHECK(worst.error <= 1);
}

/// No NaN and no infinity for any finite z, neither in f nor in f'; for float, one number in a thousand is tried.
template <class Scalar, class F>
void check_finite_for_finite(const F& f, const ActivationFacts& facts) {
  std::size_t wrong = 0;
  Scalar where = 0;
  const auto look_at = [&](const std::vector<Scalar>& z) {
    const std::vector<Scalar> a = values(f, z);
    const std::vector<Scalar> d = derivatives(f, z);
    for (std::size_t i = 0; i < z.size(); ++i)
      if (std::isfinite(z[i] * static_cast<Scalar>(facts.steepest)) && !(std::isfinite(a[i]) && std::isfinite(d[i]))) {
        ++wrong;
        where = z[i];
      }
  };
  look_at(numbers_of_every_size<Scalar>());
  look_at(numbers_between<Scalar>(-1000, 1000, 4096));
  if constexpr (std::is_same_v<Scalar, float>) {
    std::vector<float> z;
    for (std::uint64_t bits = 0; bits < 0x1'0000'0000u; bits += 1021) {  // a prime, so that the last bits differ too
      z.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
      if (z.size() == 4096) {
        look_at(z);
        z.clear();
      }
    }
    look_at(z);
  }
  INFO("f and f' of finite z must be finite; one that is not: z = " << where);
  CHECK(wrong == 0);
}

/// NaN neither disappears nor spreads to its neighbours in the chunk.
template <class Scalar, class F>
void check_nan_stays_where_it_is(const F& f) {
  const std::vector<Scalar> clean = numbers_between<Scalar>(-3, 3, 37);
  const std::vector<Scalar> expected = values(f, clean);
  std::size_t lost = 0;
  std::size_t spread = 0;
  for (std::size_t place = 0; place < clean.size(); ++place)
    for (const Scalar sign : {Scalar{1}, Scalar{-1}}) {
      std::vector<Scalar> z = clean;
      z[place] = std::copysign(std::numeric_limits<Scalar>::quiet_NaN(), sign);
      const std::vector<Scalar> a = values(f, z);
      for (std::size_t i = 0; i < z.size(); ++i) {
        if (i == place && !std::isnan(a[i])) ++lost;
        if (i != place && !same(a[i], expected[i])) ++spread;
      }
    }
  CHECK(lost == 0);
  CHECK(spread == 0);
}

/// f(-inf) and f(inf), to the smallest normal number: Eigen's vectors of e^z stop there instead of at 0.
template <class Scalar, class F>
void check_limits(const F& f, const ActivationFacts& facts) {
  const Scalar infinity = std::numeric_limits<Scalar>::infinity();
  const auto reaches = [](Scalar a, double limit) {
    return a == static_cast<Scalar>(limit) || std::abs(a - static_cast<Scalar>(limit)) <= std::numeric_limits<Scalar>::min();
  };
  if (facts.at_minus_infinity) CHECK(reaches(value_at(f, -infinity), *facts.at_minus_infinity));
  if (facts.at_infinity) CHECK(reaches(value_at(f, infinity), *facts.at_infinity));
}

/// z1 <= z2 gives f(z1) <= f(z2), but for `wobble` eps: compared with the largest value so far, not only with the neighbour.
template <class Scalar, class F>
void check_nondecreasing(const F& f, const ActivationFacts& facts) {
  std::vector<Scalar> z = numbers_of_every_size<Scalar>();
  for (const Scalar dense : numbers_between<Scalar>(-20, 20, 1 << 16)) z.push_back(dense);
  std::sort(z.begin(), z.end());
  const std::vector<Scalar> a = values(f, z);
  Worst fall;  // in eps of the value
  long double highest = a[0];
  for (std::size_t i = 0; i < z.size(); ++i) {
    const long double now = a[i];
    if (now < highest) fall.see((highest - now) / (eps<Scalar> * std::abs(highest)), z[i]);
    highest = std::max(highest, now);
  }
  INFO("f may not fall by more than " << facts.wobble << " eps; it does at z = " << fall.at);
  CHECK(fall.error <= static_cast<long double>(facts.wobble));
}

/// The same bits for the same z wherever it lies: in a whole chunk or a short one, aligned or not, in place or not.
template <class Scalar, class F>
void check_independent_of_place(const F& f) {
  constexpr std::size_t width = chainrule::Chunk<Scalar>::SizeAtCompileTime;
  const std::vector<Scalar> z = numbers_between<Scalar>(-9, 9, 4 * width);
  std::vector<Scalar> a;
  std::vector<Scalar> d;
  for (const Scalar one : z) {
    a.push_back(value_at(f, one));
    d.push_back(derivative_at(f, one));
  }
  std::size_t different = 0;
#if defined(CHAINRULE_SMALL_GRID)
  constexpr std::size_t begin_step = 5;
#else
  constexpr std::size_t begin_step = 1;
#endif
  for (std::size_t begin = 0; begin <= width; begin += begin_step)
    for (std::size_t size = 1; size <= 3 * width; ++size) {
      std::vector<Scalar> in_place = z;
      chainrule::kernels::activate(f, static_cast<chainrule::Index>(size), static_cast<const Scalar*>(in_place.data() + begin),
                                   in_place.data() + begin);
      std::vector<Scalar> delta(z.size(), Scalar{1});
      chainrule::kernels::multiply_by_derivative(f, static_cast<chainrule::Index>(size),
                                                 (chainrule::DerivativeFromOutput<F> ? a : z).data() + begin, delta.data() + begin);
      for (std::size_t i = 0; i < z.size(); ++i) {
        const bool inside = i >= begin && i < begin + size;  // outside nothing may change
        if (!same(in_place[i], inside ? a[i] : z[i]) || !same(delta[i], inside ? d[i] : Scalar{1})) ++different;
      }
    }
  CHECK(different == 0);
}

/// All of the above.
template <class Scalar, class F>
void check_activation(const F& f, const ActivationFacts& facts = {}) {
  static_assert(chainrule::Activation<F>);
  CHECK_FALSE(std::string_view(F::name).empty());
  check_derivative<Scalar>(f, facts);
  check_finite_for_finite<Scalar>(f, facts);
  check_nan_stays_where_it_is<Scalar>(f);
  check_limits<Scalar>(f, facts);
  if (facts.nondecreasing) check_nondecreasing<Scalar>(f, facts);
  check_independent_of_place<Scalar>(f);
}

}  // namespace chainrule_test
