#pragma once
// How many digits of an activation are right: against literals with more digits than any scalar has, and, for those in between,
// against the same activation in long double.

#include "support/activation_contract.hpp"

namespace chainrule_test {

/// One point of the curve: z that every scalar holds exactly, f(z) and f'(z) to 21 digits.
struct KnownPoint {
  long double z;
  long double value;
  long double derivative;
};

/// f and f' at known points, in the precision of Scalar: f to `rounding` eps of itself; f' of itself or of f where that is larger
/// (but at most of 1), as in check_derivative.
template <class Scalar, class F>
void check_known_points(const F& f, double rounding, const std::vector<KnownPoint>& points) {
  constexpr long double unit = std::max(static_cast<long double>(eps<Scalar>), 1e-20L);  // points are known to about 21 digits
  Worst worst;
  for (const KnownPoint& point : points) {
    const Scalar z = static_cast<Scalar>(point.z);
    const long double size = std::max(std::abs(point.derivative), std::min(1.0L, std::abs(point.value)));
    const long double off = std::abs(static_cast<long double>(value_at(f, z)) - point.value);
    worst.see(point.value == 0 ? off / unit : off / (std::abs(point.value) * unit), point.z);
    worst.see(std::abs(static_cast<long double>(derivative_at(f, z)) - point.derivative) / (size * unit), point.z);
  }
  INFO(F::name << " or its derivative is off by " << worst.error << " eps at z = " << worst.at);
  CHECK(worst.error <= static_cast<long double>(rounding));
}

/// f to `rounding` eps of itself, everywhere between low and high.
template <class Scalar, class F>
void check_accuracy(const F& f, double low, double high, double rounding) {
  const std::vector<Scalar> z = numbers_between<Scalar>(low, high, 1 << 13);
  const std::vector<Scalar> a = values(f, z);
  const std::vector<long double> exact = values(f, std::vector<long double>(z.begin(), z.end()));
  Worst worst;
  for (std::size_t i = 0; i < z.size(); ++i) worst.see(std::abs((a[i] - exact[i]) / exact[i]) / eps<Scalar>, z[i]);
  INFO(F::name << " is off by " << worst.error << " eps at z = " << worst.at);
  CHECK(worst.error <= static_cast<long double>(rounding));
}

}  // namespace chainrule_test
