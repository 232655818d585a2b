#pragma once

#include <algorithm>
#include <chainrule/core/error.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

namespace chainrule {

/// How integers stand for real numbers (Jacob et al. 2018, equation 1):
///
///     real = scale (q - zero_point)
struct Quantization {
  float scale = 1;              ///< the step from one integer to the next; above 0
  std::int32_t zero_point = 0;  ///< the integer that stands for 0

  bool operator==(const Quantization&) const = default;  ///< whether scale and zero point are equal
};

namespace detail {

/// Scale and zero point for numbers from low to high. The range is made to include 0, for which there is an exact integer (Jacob et al.
/// 2018, section 2.1); with int16 the zero point is 0, as in TensorFlow Lite. Throws ValueError, which begins with `who`, for numbers
/// beyond those of float.
template <class Q>
Quantization quantization_of(std::string_view who, double low, double high) {
  constexpr double lowest = (std::numeric_limits<Q>::min)(), highest = (std::numeric_limits<Q>::max)();
  low = (std::min)(low, 0.0);
  high = (std::max)(high, 0.0);
  const double step = sizeof(Q) == 2 ? (std::max)(-low, high) / highest : (high - low) / (highest - lowest);
  if (step == 0) return {};
  if (!(step <= static_cast<double>((std::numeric_limits<float>::max)())))
    raise<ValueError>(who, ": its numbers reach from ", low, " to ", high, ", beyond those of float");
  Quantization of{(std::max)(static_cast<float>(step), (std::numeric_limits<float>::min)()), 0};
  if (sizeof(Q) == 1)
    of.zero_point = static_cast<std::int32_t>(std::clamp(std::round(lowest - low / static_cast<double>(of.scale)), lowest, highest));
  return of;
}

/// round(x / scale) + zero point, limited to the range of Q, as ONNX's QuantizeLinear: halves are rounded to the even integer before the
/// zero point is added. The smallest integer for NaN.
template <class Q>
Q quantized(float x, const Quantization& to) {
  const std::int32_t low = (std::numeric_limits<Q>::min)() - to.zero_point, high = (std::numeric_limits<Q>::max)() - to.zero_point;
  const float v = x / to.scale;
  if (!(v > static_cast<float>(low))) return (std::numeric_limits<Q>::min)();
  if (v >= static_cast<float>(high)) return (std::numeric_limits<Q>::max)();
  auto q = static_cast<std::int32_t>(v);  // towards 0
  const float rest = v - static_cast<float>(q);
  if (rest > 0.5f || (rest == 0.5f && q % 2 != 0)) ++q;
  if (rest < -0.5f || (rest == -0.5f && q % 2 != 0)) --q;
  return static_cast<Q>(q + to.zero_point);
}

/// The real number that q stands for.
template <class Q>
float dequantized(Q q, const Quantization& of) {
  return of.scale * static_cast<float>(q - of.zero_point);
}

/// The scale of int8 weights of which the largest is `largest` in size: they reach from -127 to 127.
///
///     scale = largest / 127, a normal number of float; 1 where all weights are 0
inline float weight_scale(double largest) {
  return largest == 0 ? 1.0f : (std::max)(static_cast<float>(largest / 127), (std::numeric_limits<float>::min)());
}

/// A weight as an integer from -127 to 127.
inline double quantized_weight(double weight, float scale) {
  return std::clamp(std::round(weight / static_cast<double>(scale)), -127.0, 127.0);
}

}  // namespace detail
}  // namespace chainrule
