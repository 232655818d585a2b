#pragma once
// Asks a layer which numbers it can give and which ones it takes, so that a training can say where data does not suit them.

#include <algorithm>
#include <array>
#include <chainrule/core/concepts.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <cmath>
#include <limits>

namespace chainrule::detail {

/// The smallest and the largest number that an activation gives, {lowest, highest}, or infinities. They are measured at some hundred z, so
/// an activation of yours needs to say nothing, and a bound may be off by about 0.001. A side on which f still grows at |z| = 1e6 has no
/// bound.
template <class Scalar, class F>
std::array<double, 2> measured_range(const F& f) {
  constexpr std::size_t middle = 257;  // z = -8, -8 + 1/16, ..., 8
  std::array<Scalar, middle + 8> z{}, a{};
  for (std::size_t i = 0; i < middle; ++i) z[i] = static_cast<Scalar>(i) / 16 - 8;
  constexpr std::array outer{-1e6, 1e6, -1e3, 1e3, -64.0, 64.0, -16.0, 16.0};
  for (std::size_t i = 0; i < outer.size(); ++i) z[middle + i] = static_cast<Scalar>(outer[i]);
  kernels::activate(f, static_cast<Index>(z.size()), z.data(), a.data());

  constexpr double infinity = std::numeric_limits<double>::infinity();
  double lowest = infinity, highest = -infinity;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i == middle || i == middle + 1) continue;
    lowest = (std::min)(lowest, static_cast<double>(a[i]));
    highest = (std::max)(highest, static_cast<double>(a[i]));
  }
  // If the values at |z| = 1e6 differ from the extremes for |z| <= 1000 by more than 10 %, f still grows there and has no bound. An
  // activation with a bound is much closer to it at |z| = 1000.
  const double lower_limit = lowest - 0.1 * std::abs(lowest) - 0.001, upper_limit = highest + 0.1 * std::abs(highest) + 0.001;
  for (const std::size_t i : {middle, middle + 1}) {
    const double value = static_cast<double>(a[i]);
    lowest = value >= lower_limit ? (std::min)(lowest, value) : -infinity;
    highest = value <= upper_limit ? (std::max)(highest, value) : infinity;
  }
  return {lowest + 0.0, highest + 0.0};  // -0 becomes 0
}

/// Whether a reference to T is one to an activation.
template <class T>
concept IsActivation = Activation<std::remove_cvref_t<T>>;

/// A layer with an activation inside, such as Dense.
template <class L>
concept HasActivation = requires(const L& layer) {
  { layer.activation() } -> IsActivation;
};

/// The smallest and the largest number among the outputs that a layer can give: its output_range(), or that of its activation. Infinities
/// where nothing says it.
template <class Scalar, class L>
std::array<double, 2> output_range_of(const L& layer) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if constexpr (requires { layer.output_range(); })
    return layer.output_range();
  else if constexpr (HasActivation<L>)
    return measured_range<Scalar>(layer.activation());
  else
    return {-infinity, infinity};
}

/// Whether a layer brings its inputs to a scale of its own, so that theirs does not matter: its takes_any_scale(), or false.
template <class L>
bool takes_any_scale(const L& layer) {
  if constexpr (requires { layer.takes_any_scale(); })
    return layer.takes_any_scale();
  else
    return false;
}

/// Whether a layer's outputs are divided by T if all its parameters are: its scales_with_parameters(), or false.
template <class L>
bool scales_with_parameters(const L& layer) {
  if constexpr (requires { layer.scales_with_parameters(); })
    return layer.scales_with_parameters();
  else
    return false;
}

}  // namespace chainrule::detail
