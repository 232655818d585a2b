#pragma once
// Checks the accuracy of an activation: against literals with more digits than any scalar type, and, on a dense grid, against the same
// activation in long double.

#include "support/activation_contract.hpp"

namespace chainrule_test {

/// A point of the curve: a z that every scalar type represents exactly, with f(z), f'(z), f''(z) and f'''(z) to 21 digits.
struct KnownPoint {
  long double z;
  long double value;
  long double derivative;
  long double second;
  long double third;
};

/// Checks f and its derivatives at known points: f may be off by `rounding` eps of |f|, f' by `rounding` eps of max(|f'|, min(1, |f|)), f''
/// and f''' by `rounding` eps of the larger of their size and min(1, the largest of the lower orders), as in check_derivative.
template <class Scalar, class F>
void check_known_points(const F& f, double rounding, const std::vector<KnownPoint>& points) {
  constexpr long double unit = std::max(static_cast<long double>(eps<Scalar>), 1e-20L);  // the literals have about 21 digits
  Worst worst;
  for (const KnownPoint& point : points) {
    const Scalar z = static_cast<Scalar>(point.z);
    long double terms = std::abs(point.value);
    const auto check_order = [&](Scalar computed, long double expected) {
      const long double size = std::max(std::abs(expected), std::min(1.0L, terms));
      worst.update(std::abs(static_cast<long double>(computed) - expected) / (size * unit), point.z);
      terms = std::max(terms, std::abs(expected));
    };
    const long double off = std::abs(static_cast<long double>(value_at(f, z)) - point.value);
    worst.update(point.value == 0 ? off / unit : off / (std::abs(point.value) * unit), point.z);
    check_order(derivative_at(f, z), point.derivative);
    check_order(derivative_at<2>(f, z), point.second);
    check_order(derivative_at<3>(f, z), point.third);
  }
  INFO(F::name << " or a derivative of it is off by " << worst.error << " eps at z = " << worst.at);
  CHECK(worst.error <= static_cast<long double>(rounding));
}

/// Checks f between low and high against f in long double; it may be off by `rounding` eps of |f|.
template <class Scalar, class F>
void check_accuracy(const F& f, double low, double high, double rounding) {
  const std::vector<Scalar> z = numbers_between<Scalar>(low, high, 1 << 13);
  const std::vector<Scalar> a = values(f, z);
  const std::vector<long double> exact = values(f, std::vector<long double>(z.begin(), z.end()));
  Worst worst;
  for (std::size_t i = 0; i < z.size(); ++i) worst.update(std::abs((a[i] - exact[i]) / exact[i]) / eps<Scalar>, z[i]);
  INFO(F::name << " is off by " << worst.error << " eps at z = " << worst.at);
  CHECK(worst.error <= static_cast<long double>(rounding));
}

}  // namespace chainrule_test
