#pragma once
// Checks that an activation, of the library or your own, satisfies the contract of activations:
// @code{.cpp}
// chainrule::ContractReport report = chainrule::testing::check_activation<float>(Tanh{}, {.at_minus_infinity = -1, .at_infinity = 1});
// @endcode
// The report converts to true if all checks passed; report.to_string() explains those that failed.

#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/testing/contract_report.hpp>
#include <chainrule/testing/detail/activation_values.hpp>
#include <cstdint>
#include <optional>
#include <span>

namespace chainrule {

/// Properties of one activation that check_activation needs to know. `eps` is the distance from 1 to the next number of the scalar type.
struct ActivationProperties {
  std::optional<double> at_minus_infinity = {};  ///< f(-inf), if f must reach this limit
  std::optional<double> at_infinity = {};        ///< f(inf), if f must reach this limit
  std::vector<double> kinks = {};                ///< all z at which f has no derivative, or none of an order that is checked
  bool nondecreasing = true;                     ///< whether f is nondecreasing
  double allowed_decrease = 0;     ///< a nondecreasing f may fall by this many eps of its value, because its exponential is rounded
  double derivative_rounding = 8;  ///< f' may be off by this many eps times max(|f'|, min(1, |f|)), because it is computed from a rounded f
  double steepness = 1;  ///< omega of a function of omega z: f', f'' and f''' are allowed omega, omega^2 and omega^3 instead of the 1 above
  double min_z = -30;    ///< f' must be as exact as derivative_rounding says for all z from here; below, f may be almost 0 and less exact
  double max_z = 30;     ///< f' must be as exact as derivative_rounding says for all z up to here
  double max_abs_z = HUGE_VAL;  ///< f' is checked at |z| = 100, 1e4, ... too, up to this |z|; a sine has no exact digits for large |z|
  double max_slope = 1;         ///< f(z) may be infinite if z times this overflows
  bool coarse_grid = false;     ///< check a sixteenth of the numbers, for slow builds such as those with sanitizers
};

namespace testing {

/// The values that check_derivative compares: the derivative at each z, and the derivative g of one order less around it, in long double.
template <class Scalar>
struct DerivativeValues {
  std::vector<Scalar> z;                        ///< the points
  std::vector<Scalar> derivative;               ///< the derivative to check, at each z
  std::vector<long double> g_above;             ///< g(z + h)
  std::vector<long double> g_half_above;        ///< g(z + h/2)
  std::vector<long double> g_half_below;        ///< g(z - h/2)
  std::vector<long double> g_below;             ///< g(z - h)
  std::vector<std::vector<long double>> lower;  ///< f, f', ... at z + h, all derivatives of a lower order

  static constexpr bool is_quadruple = std::numeric_limits<long double>::digits > 64;  ///< whether long double has 113 bits
  static constexpr long double step = is_quadruple ? 0x1p-22L : 0x1p-16L;              ///< h where |z| < 1e6

  /// h at z.
  static long double width(long double at) { return std::abs(at) < 1e6L ? step : std::abs(at) * step; }
  /// z + steps h for all z.
  std::vector<long double> shifted(long double steps) const {
    std::vector<long double> shifted_z;
    for (const long double at : z) shifted_z.push_back(at + steps * width(at));
    return shifted_z;
  }
};

/// The numbers z at which a derivative is compared.
template <class Scalar>
std::vector<Scalar> points_of_derivative(int order, const ActivationProperties& properties) {
  constexpr long double largest = (std::numeric_limits<Scalar>::max)();
  std::vector<Scalar> z = numbers_between<Scalar>(properties.min_z, properties.max_z, properties.coarse_grid || order > 1 ? 256 : 4096);
  for (const long double distance : {100.0L, 1e4L, 1e30L, (std::min)(largest, (std::numeric_limits<long double>::max)() / 2)})
    for (const long double sign : {-1.0L, 1.0L})
      if (distance <= static_cast<long double>(properties.max_abs_z)) z.push_back(static_cast<Scalar>(sign * distance));
  return z;
}

/// Compares a derivative with the central difference, for check_derivative. Takes values rather than the activation, so that it is compiled
/// once for all activations.
template <class Scalar>
void compare_derivative(ContractReport& report, const DerivativeValues<Scalar>& values, const ActivationProperties& properties) {
  using Values = DerivativeValues<Scalar>;
  constexpr long double step = Values::step;
  constexpr long double curvature =
      Values::is_quadruple ? step * step * step * step : 0;  // the error of order h^4, where it exceeds rounding
  const std::vector<Scalar>& z = values.z;
  const std::size_t order = values.lower.size();

  // The derivative may be computed from numbers of this size: |f|, |f'|/steepness, ..., |g|/steepness^(order - 1), the largest of them.
  const auto steepness = static_cast<long double>(properties.steepness);
  std::vector<long double> terms(z.size());
  long double power = 1;  // steepness^k for the next derivative, f^(k)
  for (const std::vector<long double>& lower : values.lower) {
    for (std::size_t i = 0; i < z.size(); ++i) terms[i] = (std::max)(terms[i], std::abs(lower[i]) / power);
    power *= steepness;
  }

  // Errors in units of the allowed error. An error near 0 is reported first, because far out f' may be almost 0 and says less.
  Worst worst, worst_near_0;
  Index checked = 0, wrong = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const long double at = z[i], width = Values::width(at);
    const auto is_close = [&](double kink) { return std::abs(at - static_cast<long double>(kink)) < 2 * step; };
    if (std::any_of(properties.kinks.begin(), properties.kinks.end(), is_close)) continue;
    const long double difference =
        (8 * (values.g_half_above[i] - values.g_half_below[i]) - (values.g_above[i] - values.g_below[i])) / (6 * width);
    const long double size = (std::max)(std::abs(difference), power * (std::min)(1.0L, terms[i]));
    const long double error_of_difference = 16 * eps<long double> * (power / steepness * terms[i]) / width;
    const long double allowed = (static_cast<long double>(properties.derivative_rounding) * eps<Scalar> + curvature) * size +
                                error_of_difference +
                                8 * power * static_cast<long double>((std::numeric_limits<Scalar>::min)());  // smaller e^z become 0
    const long double error = std::abs(static_cast<long double>(values.derivative[i]) - difference) / allowed;
    worst.update(error, at, values.derivative[i], difference);
    if (std::abs(at) <= 5) worst_near_0.update(error, at, values.derivative[i], difference);
    ++checked;
    wrong += error <= 1 ? 0 : 1;
  }
  if (!(worst_near_0.error <= 1)) worst = worst_near_0;
  constexpr const char* names[] = {"f", "f'", "f''", "f'''"};
  constexpr const char* clauses[] = {"", "derivative", "second derivative", "third derivative"};
  report.clause(clauses[order], worst.error <= 1,
                {names[order],
                 "(z) is ",
                 worst.got,
                 " at z = ",
                 worst.at,
                 ", but a central difference of ",
                 names[order - 1],
                 " gives ",
                 worst.expected,
                 "; the error is ",
                 worst.error,
                 " times what derivative_rounding = ",
                 properties.derivative_rounding,
                 " allows, and too large at ",
                 wrong,
                 " of ",
                 checked,
                 " z. If ",
                 names[order - 1],
                 " has a kink there, name it in .kinks; if ",
                 names[order],
                 " may be less exact for large |z|, set .min_z and .max_z"});
}

/// Compares f', f'' or f''' (order 1, 2 or 3) with a central difference of the derivative g of one order less (f, f' or f''),
///
///     g'(z) ~ (g(z + h) - g(z - h)) / 2h
/// for z from min_z to max_z and for very large |z|. The difference is computed in long double and extrapolated to h = 0, which removes
/// the error of order h^2.
template <int order, class Scalar, class F>
void check_derivative(ContractReport& report, const F& f, const ActivationProperties& properties) {
  DerivativeValues<Scalar> values;
  values.z = points_of_derivative<Scalar>(order, properties);
  values.derivative = derivatives_of_order<order>(f, values.z);
  const auto g = [&](long double steps) { return derivatives_of_order<order - 1>(f, values.shifted(steps)); };
  values.g_above = g(1);
  values.g_half_above = g(0.5L);
  values.g_half_below = g(-0.5L);
  values.g_below = g(-1);
  values.lower.push_back(derivatives_of_order<0>(f, values.shifted(1)));
  if constexpr (order > 1) values.lower.push_back(derivatives_of_order<1>(f, values.shifted(1)));
  if constexpr (order > 2) values.lower.push_back(derivatives_of_order<2>(f, values.shifted(1)));
  compare_derivative(report, values, properties);
}

/// Checks that neither f nor its derivatives are NaN or infinite for any finite z. For float it tries f and f' of one in a thousand of all
/// numbers.
template <class Scalar, class F>
void check_finite_for_finite(ContractReport& report, const F& f, const ActivationProperties& properties) {
  const auto check = [&](const std::vector<Scalar>& z) {
    const std::vector<Scalar> a = values(f, z);
    const std::vector<Scalar> d = derivatives(f, z);
    for (std::size_t i = 0; i < z.size(); ++i)
      if (std::isfinite(z[i] * static_cast<Scalar>(properties.max_slope)) && !(std::isfinite(a[i]) && std::isfinite(d[i])))
        return report.clause("finite", false,
                             {"f and f' of a finite z must be finite, but at z = ", z[i], " they are ", a[i], " and ", d[i]});
    return report.clause("finite", true);
  };
  const auto check_order = [&]<int order>(const std::vector<Scalar>& z, std::integral_constant<int, order>) {
    const std::vector<Scalar> d = derivatives_of_order<order>(f, z);
    for (std::size_t i = 0; i < z.size(); ++i)
      if (std::isfinite(z[i] * static_cast<Scalar>(properties.max_slope)) && !std::isfinite(d[i]))
        return report.clause("finite", false,
                             {order == 2 ? "f''" : "f'''", " of a finite z must be finite, but at z = ", z[i], " it is ", d[i]});
    return true;
  };
  for (const std::vector<Scalar>& z :
       {numbers_of_every_size<Scalar>(), numbers_between<Scalar>(-1000, 1000, properties.coarse_grid ? 256 : 4096)}) {
    if (!check(z)) return;
    if constexpr (HasSecondDerivative<F>)
      if (kernels::has_second_derivative(f) && !check_order(z, std::integral_constant<int, 2>{})) return;
    if constexpr (HasThirdDerivative<F>)
      if (kernels::has_third_derivative(f) && !check_order(z, std::integral_constant<int, 3>{})) return;
  }
  if constexpr (std::is_same_v<Scalar, float>) {
    std::vector<float> z;
    for (std::uint64_t bits = 0; bits < 0x1'0000'0000u; bits += 1021) {  // a prime number, so that the last bits vary too
      z.push_back(detail::bit_cast<float>(static_cast<std::uint32_t>(bits)));
      if (z.size() == 4096) {
        if (!check(z)) return;
        z.clear();
      }
    }
    check(z);
  }
}

/// Checks that f(NaN) is NaN, and that a NaN does not change the results of its neighbours in the chunk.
template <class Scalar, class F>
void check_nan(ContractReport& report, const F& f) {
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

/// Checks f(-inf) and f(inf). They may be off by the smallest normal number, because Eigen's vectorized e^z does not go below it.
template <class Scalar, class F>
void check_limits(ContractReport& report, const F& f, const ActivationProperties& properties) {
  const Scalar infinity = std::numeric_limits<Scalar>::infinity();
  const auto reaches = [&](Scalar z, std::optional<double> limit) {
    if (!limit) return;
    const Scalar a = value_at(f, z);
    const bool reached =
        a == static_cast<Scalar>(*limit) || std::abs(a - static_cast<Scalar>(*limit)) <= (std::numeric_limits<Scalar>::min)();
    report.clause("limits", reached, {"f(", z, ") is ", a, ", but the limit is ", *limit});
  };
  reaches(-infinity, properties.at_minus_infinity);
  reaches(infinity, properties.at_infinity);
}

/// Checks that z1 <= z2 gives f(z1) <= f(z2), except for allowed_decrease eps. Compares with the largest value so far, so that many small
/// decreases do not add up unseen.
template <class Scalar, class F>
void check_nondecreasing(ContractReport& report, const F& f, const ActivationProperties& properties) {
  std::vector<Scalar> z = numbers_of_every_size<Scalar>();
  for (const Scalar dense : numbers_between<Scalar>(-20, 20, properties.coarse_grid ? 1 << 12 : 1 << 16)) z.push_back(dense);
  std::sort(z.begin(), z.end());
  const std::vector<Scalar> a = values(f, z);
  Worst decrease;  // in eps of the value
  long double highest = a[0];
  for (std::size_t i = 0; i < z.size(); ++i) {
    const long double now = a[i];
    if (now < highest) decrease.update((highest - now) / (eps<Scalar> * std::abs(highest)), z[i], now, highest);
    highest = (std::max)(highest, now);
  }
  report.clause("nondecreasing", decrease.error <= static_cast<long double>(properties.allowed_decrease),
                {"f falls to ", decrease.got, " at z = ", decrease.at, " after ", decrease.expected, ", by ", decrease.error,
                 " eps, but allowed_decrease is ", properties.allowed_decrease, "; if f is not monotone, set .nondecreasing = false"});
}

/// Checks that kernels::derivatives gives the same bits for a part of an array as for the whole, f' the same bits as
/// multiply_by_derivative, and that it writes nothing outside the part.
template <class Scalar, class F>
bool check_position_of_derivatives(ContractReport& report, const F& f, const std::vector<Scalar>& z) {
  const std::vector<Scalar> kept = DerivativeFromOutput<F> ? values(f, z) : z;
  const std::vector<Scalar> whole[] = {derivatives(f, z), derivatives_of_order<2>(f, z), derivatives_of_order<3>(f, z)};
  constexpr const char* names[] = {"f'", "f''", "f'''"};
  for (const std::size_t begin : {0u, 1u, 5u})
    for (std::size_t size = 1; begin + size <= z.size(); ++size) {
      std::vector<Scalar> written[3];
      for (auto& numbers : written) numbers.assign(z.size(), Scalar{1});
      kernels::derivatives(f, static_cast<Index>(size), kept.data() + begin, written[0].data() + begin, written[1].data() + begin,
                           written[2].data() + begin);
      for (std::size_t order = 0; order < 3; ++order)
        for (std::size_t i = 0; i < z.size(); ++i) {
          const bool inside = i >= begin && i < begin + size;
          const Scalar expected = inside ? whole[order][i] : Scalar{1};
          if (!same(written[order][i], expected))
            return report.clause(
                "array position", false,
                {"in an array of ", size, " numbers ", names[order], "(", z[i], ") is ", written[order][i],
                 inside ? ", but in another array it is " : ", although it lies outside the array and must stay ", expected});
        }
    }
  return true;
}

/// Checks that f(z) and f'(z) have the same bits at every position of an array: in a full chunk or a short one, aligned or not, in place
/// or not. The prediction for a sample thus does not depend on the other samples of its batch. Also checks that nothing is written
/// outside the array.
template <class Scalar, class F>
void check_array_position(ContractReport& report, const F& f, const ActivationProperties& properties) {
  constexpr std::size_t width = Chunk<Scalar>::SizeAtCompileTime;
  const std::vector<Scalar> z = numbers_between<Scalar>(-9, 9, 4 * width);
  std::vector<Scalar> a, d;
  for (const Scalar one : z) {
    a.push_back(value_at(f, one));
    d.push_back(derivative_at(f, one));
  }
  for (std::size_t begin = 0; begin <= width; begin += properties.coarse_grid ? 5 : 1)
    for (std::size_t size = 1; size <= 3 * width; ++size) {
      std::vector<Scalar> in_place = z;
      kernels::activate(f, static_cast<Index>(size), static_cast<const Scalar*>(in_place.data() + begin), in_place.data() + begin);
      std::vector<Scalar> delta(z.size(), Scalar{1});
      kernels::multiply_by_derivative(f, static_cast<Index>(size), (DerivativeFromOutput<F> ? a : z).data() + begin, delta.data() + begin);
      for (std::size_t i = 0; i < z.size(); ++i) {
        const bool inside = i >= begin && i < begin + size;  // numbers outside must not change
        const Scalar expected_a = inside ? a[i] : z[i], expected_d = inside ? d[i] : Scalar{1};
        if (!same(in_place[i], expected_a) || !same(delta[i], expected_d)) {
          report.clause(
              "array position", false,
              {"in an array of ", size, " numbers f(", z[i], ") and f' are ", in_place[i], " and ", delta[i],
               inside ? ", but alone they are " : ", although it lies outside the array and must stay ", expected_a, " and ", expected_d});
          return;
        }
      }
    }
  if constexpr (HasThirdDerivative<F>)
    if (kernels::has_third_derivative(f) && !check_position_of_derivatives(report, f, z)) return;
  report.clause("array position", true);
}

/// Checks that default_initializer() sets every weight to a finite number.
template <class Scalar, class F>
void check_initializer(ContractReport& report, const F& f) {
  std::vector<Scalar> weights(12 * 5, std::numeric_limits<Scalar>::quiet_NaN());
  Random random{Seed{1}};
  f.default_initializer()(std::span<Scalar>(weights), 12, 5, random);
  const auto bad = std::find_if_not(weights.begin(), weights.end(), [](Scalar w) { return std::isfinite(w); });
  report.clause("initializer", bad == weights.end(),
                {"default_initializer() leaves weight ", bad - weights.begin(), " of ", weights.size(), " NaN or infinite"});
}

/// Runs all checks of an activation. Its functions must be templates that take a Chunk of Scalar and a Chunk of long double, because f' is
/// compared with a difference in long double. Clauses of the report: name, derivative, second derivative and third derivative (if the
/// activation has them), finite, NaN, limits (if the properties give them), nondecreasing (unless the properties deny it), array position,
/// initializer.
template <class Scalar, class F>
ContractReport check_activation(const F& f, const ActivationProperties& properties = {}) {
  static_assert(Activation<F>, "chainrule: check_activation needs an Activation; core/concepts.hpp lists the members of one");
  static_assert(
      requires(const Chunk<long double>& z) {
        requires std::is_same_v < typename std::remove_cvref_t<decltype(f.value(z))>::Scalar,
        long double > ;
      },
      "chainrule: f' is compared with a difference in long double, so `value` must be a template: template <class Chunk> Chunk value(const "
      "Chunk& z) const");
  ContractReport report{.name = std::string(F::name), .contract = contract_of<Scalar>("an activation")};
  report.clause("name", !report.name.empty(), {"it is empty"});
  check_derivative<1, Scalar>(report, f, properties);
  if constexpr (HasSecondDerivative<F>)
    if (kernels::has_second_derivative(f)) check_derivative<2, Scalar>(report, f, properties);
  if constexpr (HasThirdDerivative<F>)
    if (kernels::has_third_derivative(f)) check_derivative<3, Scalar>(report, f, properties);
  check_finite_for_finite<Scalar>(report, f, properties);
  check_nan<Scalar>(report, f);
  check_limits<Scalar>(report, f, properties);
  if (properties.nondecreasing) check_nondecreasing<Scalar>(report, f, properties);
  check_array_position<Scalar>(report, f, properties);
  check_initializer<Scalar>(report, f);
  return report;
}

}  // namespace testing
}  // namespace chainrule
