#pragma once
// Checks of hyperparameters, whose messages name the hyperparameter and its range.

#include <chainrule/core/error.hpp>
#include <limits>
#include <string_view>

namespace chainrule::detail {

/// Throws ValueError unless value is in [0, largest].
inline void check_not_negative(std::string_view who, const char* what, double value, double largest) {
  if (!(value >= 0 && value <= largest)) raise<ValueError>(who, ": ", what, " must be at least 0 and finite, got ", value);
}

/// Throws ValueError unless value is at least 0 and finite as a Scalar.
template <class Scalar>
void check_not_negative(std::string_view who, const char* what, double value) {
  using Smaller = std::conditional_t<(sizeof(Scalar) < sizeof(double)), Scalar, double>;
  check_not_negative(who, what, value, static_cast<double>(std::numeric_limits<Smaller>::max()));
}

/// Throws ValueError unless value is in [0, 1), the range of decay factors such as beta1, rho and momentum.
inline void check_fraction(std::string_view who, const char* what, double value) {
  if (!(value >= 0 && value < 1)) raise<ValueError>(who, ": ", what, " must be at least 0 and below 1, got ", value);
}

}  // namespace chainrule::detail
