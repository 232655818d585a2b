#pragma once
// What every activation must keep, ours or yours:
// @code{.cpp}
// chainrule::ContractReport report = chainrule::testing::check_activation<float>(Tanh{}, {.at_minus_infinity = -1, .at_infinity = 1});
// @endcode
// A report is true where all is well, and else says in report.to_string() what is not.

#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/testing/contract_report.hpp>
#include <chainrule/testing/detail/activation_values.hpp>
#include <cstdint>
#include <optional>
#include <span>

namespace chainrule {

/// What is different from activation to activation. `eps` is the distance from 1 to the next number of the scalar type.
struct ActivationFacts {
  std::optional<double> at_minus_infinity = {};  ///< the limits, where they exist and are to be reached
  std::optional<double> at_infinity = {};        ///< likewise
  std::vector<double> kinks = {};                ///< where it has no derivative
  bool nondecreasing = true;                     ///< it never falls
  double wobble = 0;              ///< a nondecreasing one may fall by this many eps of its value, for the rounding of its exponential
  double derivative_rounding = 8; /**< f' may be off by this many eps, of itself or of f where that is larger (but at most of 1): what is
                                       computed from a rounded f near 1 cannot be better */
  double lowest = -30;            ///< from here f' must be as exact as that; below it f may be all but 0 and less exact
  double highest = 30;            ///< to here
  double farthest = HUGE_VAL;     ///< f' is looked at for |z| = 100, 10^4, ... too, but no farther than this: a sine has no digits there
  double steepest = 1;            ///< f may be infinite where z times this is
  bool sparse = false;            ///< look at a sixteenth of the numbers, where sanitizers make that slow
};

namespace testing {

/// f'(z) ~ (f(z + h) - f(z - h)) / 2h, the right side in long double and extrapolated to h = 0, so that f's curvature drops out;
/// from `lowest` to `highest` and for very large |z|.
template <class Scalar, class F>
void check_derivative(ContractReport& report, const F& f, const ActivationFacts& facts) {
  constexpr long double largest = std::numeric_limits<Scalar>::max();
  std::vector<Scalar> z = numbers_between<Scalar>(facts.lowest, facts.highest, facts.sparse ? 256 : 4096);
  for (const long double far : {100.0L, 1e4L, 1e30L, std::min(largest, std::numeric_limits<long double>::max() / 2)})
    for (const long double sign : {-1.0L, 1.0L})
      if (far <= static_cast<long double>(facts.farthest)) z.push_back(static_cast<Scalar>(sign * far));

  constexpr bool is_quadruple = std::numeric_limits<long double>::digits > 64;  // there more curvature is left than rounding
  constexpr long double step = is_quadruple ? 0x1p-22L : 0x1p-16L, curvature = is_quadruple ? step * step * step * step : 0;
  const auto width = [&](long double at) { return std::abs(at) < 1e6L ? step : std::abs(at) * step; };
  const auto shifted = [&](long double steps) {
    std::vector<long double> there;
    for (const long double at : z) there.push_back(at + steps * width(at));
    return values(f, there);
  };
  const std::vector<long double> f_above = shifted(1), f_half_above = shifted(0.5L), f_half_below = shifted(-0.5L), f_below = shifted(-1);
  const std::vector<Scalar> computed = derivatives(f, z);

  Worst worst, worst_near_0;  // in units of what is allowed; near 0 it says more, for far out f' may be all but nothing
  Index places = 0, wrong = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const long double at = z[i];
    const auto near = [&](double kink) { return std::abs(at - static_cast<long double>(kink)) < 2 * step; };
    if (std::any_of(facts.kinks.begin(), facts.kinks.end(), near)) continue;
    const long double difference = (8 * (f_half_above[i] - f_half_below[i]) - (f_above[i] - f_below[i])) / (6 * width(at));
    const long double size = std::max(std::abs(difference), std::min(1.0L, std::abs(f_above[i])));
    const long double error_of_difference = 16 * eps<long double> * std::abs(f_above[i]) / width(at);
    const long double allowed = (static_cast<long double>(facts.derivative_rounding) * eps<Scalar> + curvature) * size +
                                error_of_difference +
                                8 * static_cast<long double>(std::numeric_limits<Scalar>::min());  // e^z vanishes below this
    const long double error = std::abs(static_cast<long double>(computed[i]) - difference) / allowed;
    worst.see(error, at, computed[i], difference);
    if (std::abs(at) <= 5) worst_near_0.see(error, at, computed[i], difference);
    ++places;
    wrong += error <= 1 ? 0 : 1;
  }
  if (!(worst_near_0.error <= 1)) worst = worst_near_0;
  report.clause("derivative", worst.error <= 1,
                {"f'(z) is ", worst.got, " at z = ", worst.at, ", but a central difference of f gives ", worst.expected, ", which is ",
                 worst.error, " times as far off as derivative_rounding = ", facts.derivative_rounding, " allows; so it is at ", wrong,
                 " of ", places, " z. A kink must be named in .kinks; .lowest and .highest say from where to where f' must be so exact"});
}

/// No NaN and no infinity for any finite z, neither in f nor in f'; for float, one number in a thousand is tried.
template <class Scalar, class F>
void check_finite_for_finite(ContractReport& report, const F& f, const ActivationFacts& facts) {
  const auto look_at = [&](const std::vector<Scalar>& z) {
    const std::vector<Scalar> a = values(f, z);
    const std::vector<Scalar> d = derivatives(f, z);
    for (std::size_t i = 0; i < z.size(); ++i)
      if (std::isfinite(z[i] * static_cast<Scalar>(facts.steepest)) && !(std::isfinite(a[i]) && std::isfinite(d[i])))
        return report.clause("finite", false,
                             {"f and f' of a finite z must be finite, but at z = ", z[i], " they are ", a[i], " and ", d[i]});
    return report.clause("finite", true);
  };
  if (!look_at(numbers_of_every_size<Scalar>())) return;
  if (!look_at(numbers_between<Scalar>(-1000, 1000, facts.sparse ? 256 : 4096))) return;
  if constexpr (std::is_same_v<Scalar, float>) {
    std::vector<float> z;
    for (std::uint64_t bits = 0; bits < 0x1'0000'0000u; bits += 1021) {  // a prime, so that the last bits differ too
      z.push_back(detail::bit_cast<float>(static_cast<std::uint32_t>(bits)));
      if (z.size() == 4096) {
        if (!look_at(z)) return;
        z.clear();
      }
    }
    look_at(z);
  }
}

/// NaN neither disappears nor spreads to its neighbours in the chunk.
template <class Scalar, class F>
void check_nan_stays_where_it_is(ContractReport& report, const F& f) {
  const std::vector<Scalar> clean = numbers_between<Scalar>(-3, 3, 37);
  const std::vector<Scalar> expected = values(f, clean);
  for (std::size_t place = 0; place < clean.size(); ++place)
    for (const Scalar sign : {Scalar{1}, Scalar{-1}}) {
      std::vector<Scalar> z = clean;
      z[place] = std::copysign(std::numeric_limits<Scalar>::quiet_NaN(), sign);
      const std::vector<Scalar> a = values(f, z);
      report.clause("NaN", std::isnan(a[place]), {"f(NaN) must be NaN, so that a fault is seen, but it is ", a[place]});
      for (std::size_t i = 0; i < z.size(); ++i)
        if (i != place && !same(a[i], expected[i]))
          report.clause("NaN", false,
                        {"a NaN in place ", place, " changes f(", z[i], ") in place ", i, " from ", expected[i], " to ", a[i]});
    }
}

/// f(-inf) and f(inf), to the smallest normal number: Eigen's vectors of e^z stop there instead of at 0.
template <class Scalar, class F>
void check_limits(ContractReport& report, const F& f, const ActivationFacts& facts) {
  const Scalar infinity = std::numeric_limits<Scalar>::infinity();
  const auto reaches = [&](Scalar z, std::optional<double> limit) {
    if (!limit) return;
    const Scalar a = value_at(f, z);
    const bool reached =
        a == static_cast<Scalar>(*limit) || std::abs(a - static_cast<Scalar>(*limit)) <= std::numeric_limits<Scalar>::min();
    report.clause("limits", reached, {"f(", z, ") is ", a, ", but the limit is ", *limit});
  };
  reaches(-infinity, facts.at_minus_infinity);
  reaches(infinity, facts.at_infinity);
}

/// z1 <= z2 gives f(z1) <= f(z2), but for `wobble` eps: compared with the largest value so far, not only with the neighbour.
template <class Scalar, class F>
void check_nondecreasing(ContractReport& report, const F& f, const ActivationFacts& facts) {
  std::vector<Scalar> z = numbers_of_every_size<Scalar>();
  for (const Scalar dense : numbers_between<Scalar>(-20, 20, facts.sparse ? 1 << 12 : 1 << 16)) z.push_back(dense);
  std::sort(z.begin(), z.end());
  const std::vector<Scalar> a = values(f, z);
  Worst fall;  // in eps of the value
  long double highest = a[0];
  for (std::size_t i = 0; i < z.size(); ++i) {
    const long double now = a[i];
    if (now < highest) fall.see((highest - now) / (eps<Scalar> * std::abs(highest)), z[i], now, highest);
    highest = std::max(highest, now);
  }
  report.clause("nondecreasing", fall.error <= static_cast<long double>(facts.wobble),
                {"f falls to ", fall.got, " at z = ", fall.at, " after ", fall.expected, ", by ", fall.error,
                 " eps where wobble = ", facts.wobble, " are allowed; if it may fall, say .nondecreasing = false"});
}

/// The same bits for the same z wherever it lies: in a whole chunk or a short one, aligned or not, in place or not. So a net does not
/// predict another number for a sample because others are beside it. Nothing is written outside the array.
template <class Scalar, class F>
void check_place(ContractReport& report, const F& f, const ActivationFacts& facts) {
  constexpr std::size_t width = Chunk<Scalar>::SizeAtCompileTime;
  const std::vector<Scalar> z = numbers_between<Scalar>(-9, 9, 4 * width);
  std::vector<Scalar> a, d;
  for (const Scalar one : z) {
    a.push_back(value_at(f, one));
    d.push_back(derivative_at(f, one));
  }
  for (std::size_t begin = 0; begin <= width; begin += facts.sparse ? 5 : 1)
    for (std::size_t size = 1; size <= 3 * width; ++size) {
      std::vector<Scalar> in_place = z;
      kernels::activate(f, static_cast<Index>(size), static_cast<const Scalar*>(in_place.data() + begin), in_place.data() + begin);
      std::vector<Scalar> delta(z.size(), Scalar{1});
      kernels::multiply_by_derivative(f, static_cast<Index>(size), (DerivativeFromOutput<F> ? a : z).data() + begin, delta.data() + begin);
      for (std::size_t i = 0; i < z.size(); ++i) {
        const bool inside = i >= begin && i < begin + size;  // outside nothing may change
        const Scalar expected_a = inside ? a[i] : z[i], expected_d = inside ? d[i] : Scalar{1};
        if (!same(in_place[i], expected_a) || !same(delta[i], expected_d)) {
          report.clause(
              "place", false,
              {"in an array of ", size, " numbers f(", z[i], ") and f' are ", in_place[i], " and ", delta[i],
               inside ? ", but alone they are " : " although it lies outside and should be left as ", expected_a, " and ", expected_d});
          return;
        }
      }
    }
  report.clause("place", true);
}

/// default_initializer() sets every weight, to a finite number.
template <class Scalar, class F>
void check_initializer(ContractReport& report, const F& f) {
  std::vector<Scalar> weights(12 * 5, std::numeric_limits<Scalar>::quiet_NaN());
  Random random{Seed{1}};
  f.default_initializer()(std::span<Scalar>(weights), 12, 5, random);
  const auto bad = std::find_if_not(weights.begin(), weights.end(), [](Scalar w) { return std::isfinite(w); });
  report.clause("initializer", bad == weights.end(),
                {"default_initializer() leaves weight ", bad - weights.begin(), " of ", weights.size(), " NaN or infinite"});
}

/// All of the above, for an activation whose functions are templates that take a Chunk of Scalar and one of long double, which is what
/// f' is compared in. Clauses: name, derivative, finite, NaN, limits (where facts say them), nondecreasing (unless facts say
/// otherwise), place, initializer.
template <class Scalar, class F>
ContractReport check_activation(const F& f, const ActivationFacts& facts = {}) {
  static_assert(Activation<F>, "chainrule: this is no Activation; core/concepts.hpp says what one has");
  static_assert(
      requires(const Chunk<long double>& z) {
        requires std::is_same_v < typename std::remove_cvref_t<decltype(f.value(z))>::Scalar,
        long double > ;
      },
      "chainrule: f' is compared with a difference in long double, so `value` must be a template: template <class Chunk> Chunk value(const "
      "Chunk& z) const");
  ContractReport report{.name = std::string(F::name), .contract = contract_of<Scalar>("an activation")};
  report.clause("name", !report.name.empty(), {"it is empty"});
  check_derivative<Scalar>(report, f, facts);
  check_finite_for_finite<Scalar>(report, f, facts);
  check_nan_stays_where_it_is<Scalar>(report, f);
  check_limits<Scalar>(report, f, facts);
  if (facts.nondecreasing) check_nondecreasing<Scalar>(report, f, facts);
  check_place<Scalar>(report, f, facts);
  check_initializer<Scalar>(report, f);
  return report;
}

}  // namespace testing
}  // namespace chainrule
