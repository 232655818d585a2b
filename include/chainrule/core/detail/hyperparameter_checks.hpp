#pragma once
// Checks of hyperparameters, whose messages name the hyperparameter and its range. A hyperparameter is given as a double, but formulas use
// it as a number of the network's scalar type, where 1e-50 may be 0 and 1e50 infinite; such a hyperparameter is refused too. All checks
// look at bits, because with -ffast-math every comparison with NaN may come out true.

#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/detail/scalar_name.hpp>
#include <chainrule/core/error.hpp>
#include <cstdint>
#include <limits>
#include <string_view>

namespace chainrule::detail {

/// The bits of |x|. They have the order of the numbers, and those of NaN are the largest.
constexpr std::uint64_t magnitude_bits(double x) { return bit_cast<std::uint64_t>(x) & ~(std::uint64_t{1} << 63); }

/// Whether x is +0 or -0.
constexpr bool is_zero(double x) { return magnitude_bits(x) == 0; }

/// Whether lowest <= x <= largest, for limits of at least +0; false for -0 and NaN.
constexpr bool is_within(double x, double lowest, double largest) {
  return bit_cast<std::uint64_t>(x) - bit_cast<std::uint64_t>(lowest) <= magnitude_bits(largest) - magnitude_bits(lowest);
}

/// The numbers that a Scalar holds, as far as a double can say them.
template <class Scalar>
struct ScalarRange {
  using Type = std::conditional_t<(sizeof(Scalar) < sizeof(double)), Scalar, double>;
  /// The smallest number above 0 that is not 0 as a Scalar: just above half of the smallest Scalar where that is a float.
  static constexpr double smallest =
      static_cast<double>(std::numeric_limits<Type>::denorm_min()) * (sizeof(Type) < sizeof(double) ? 0.5 + 0x1p-53 : 1);
  static constexpr double largest = static_cast<double>((std::numeric_limits<Type>::max)());
  static constexpr double below_1 = 1 - static_cast<double>(std::numeric_limits<Type>::epsilon()) / 4 - 0x1p-53;  ///< does not round to 1
};

/// Throws the ValueError for a hyperparameter that is not in its range, which `range` says in words. `in_double`: whether it would be in
/// the range if the numbers were doubles, so that Scalar is what it does not fit.
template <class Scalar>
[[noreturn, gnu::noinline, gnu::cold]] void refuse_hyperparameter(std::string_view who, std::string_view what, double value,
                                                                  const char* range, bool in_double) {
  if (in_double)
    raise<ValueError>(who, ": ", what, " is ", value, ", which as a ", scalar_name<Scalar>(), " is ", static_cast<Scalar>(value));
  raise<ValueError>(who, ": ", what, " must be ", range, ", got ", value);
}

/// Throws ValueError unless the value is at least 0 and finite, and as a Scalar not 0 unless it is 0, and finite.
template <class Scalar = double>
constexpr void check_not_negative(std::string_view who, const char* what, double value) {
  using S = ScalarRange<Scalar>;
  if (!is_zero(value) && !is_within(value, S::smallest, S::largest))
    refuse_hyperparameter<Scalar>(who, what, value, "at least 0 and finite", is_within(value, 0, ScalarRange<double>::largest));
}

/// Throws ValueError unless the value is above 0 and finite, also as a Scalar.
template <class Scalar = double>
constexpr void check_positive(std::string_view who, const char* what, double value) {
  using S = ScalarRange<Scalar>;
  if (!is_within(value, S::smallest, S::largest))
    refuse_hyperparameter<Scalar>(who, what, value, "above 0 and finite",
                                  !is_zero(value) && is_within(value, 0, ScalarRange<double>::largest));
}

/// Throws ValueError unless the value is in [0, 1), the range of decay factors such as beta1, rho and momentum, also as a Scalar.
template <class Scalar = double>
constexpr void check_fraction(std::string_view who, const char* what, double value) {
  using S = ScalarRange<Scalar>;
  if (!is_zero(value) && !is_within(value, S::smallest, S::below_1))
    refuse_hyperparameter<Scalar>(who, what, value, "at least 0 and below 1", is_within(value, 0, ScalarRange<double>::below_1));
}

/// Throws ValueError unless the value is in (0, 1), the range of quantiles and of shares of two parts that both count, also as a Scalar.
template <class Scalar = double>
constexpr void check_inner_fraction(std::string_view who, const char* what, double value) {
  using S = ScalarRange<Scalar>;
  if (!is_within(value, S::smallest, S::below_1))
    refuse_hyperparameter<Scalar>(who, what, value, "above 0 and below 1",
                                  !is_zero(value) && is_within(value, 0, ScalarRange<double>::below_1));
}

/// Throws ValueError unless the value is finite, of any sign, and as a Scalar not 0 unless it is 0, and finite.
template <class Scalar = double>
constexpr void check_number(std::string_view who, std::string_view what, double value) {
  using S = ScalarRange<Scalar>;
  if (!is_zero(value) && !(magnitude_bits(value) >= magnitude_bits(S::smallest) && magnitude_bits(value) <= magnitude_bits(S::largest)))
    refuse_hyperparameter<Scalar>(who, what, value, "finite", is_finite(value));
}

/// Throws ValueError where a hyperparameter of a loss, of a layer, or of an activation or a layer inside it is NaN, or does not fit Scalar.
template <class Scalar, class T>
void check_hyperparameters(const T& of) {
  if constexpr (requires { of.hyperparameters(); })
    std::apply([](const auto&... each) { (check_number<Scalar>(T::name, each.name, static_cast<double>(each.value)), ...); },
               of.hyperparameters());
  if constexpr (requires { of.activation(); }) check_hyperparameters<Scalar>(of.activation());
  if constexpr (requires { of.layers(); }) for_each_layer(of.layers(), [](const auto& layer) { check_hyperparameters<Scalar>(layer); });
  if constexpr (requires { of.loss(); }) check_hyperparameters<Scalar>(of.loss());
  if constexpr (requires { of.losses(); }) for_each_layer(of.losses(), [](const auto& loss) { check_hyperparameters<Scalar>(loss); });
}

}  // namespace chainrule::detail
