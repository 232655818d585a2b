#pragma once
// Checks of hyperparameters. Each names the one that is out of its range.

#include <chainrule/core/error.hpp>
#include <limits>
#include <string_view>

namespace chainrule::detail {

inline void check_not_negative(std::string_view who, const char* what, double value, double largest) {
  if (!(value >= 0 && value <= largest)) raise<ValueError>(who, ": ", what, " must be at least 0 and finite, got ", value);
}

/// What may be any number from 0 on, as long as Scalar can hold it.
template <class Scalar>
void check_not_negative(std::string_view who, const char* what, double value) {
  using Smaller = std::conditional_t<(sizeof(Scalar) < sizeof(double)), Scalar, double>;
  check_not_negative(who, what, value, static_cast<double>(std::numeric_limits<Smaller>::max()));
}

/// What says how much of an average is kept: beta1, rho, momentum.
inline void check_fraction(std::string_view who, const char* what, double value) {
  if (!(value >= 0 && value < 1)) raise<ValueError>(who, ": ", what, " must be at least 0 and below 1, got ", value);
}

}  // namespace chainrule::detail
