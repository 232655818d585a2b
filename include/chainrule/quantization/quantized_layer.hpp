#pragma once

#include <chainrule/core/quantization.hpp>
#include <chainrule/core/types.hpp>
#include <chainrule/kernels/integer_layer.hpp>
#include <chainrule/quantization/detail/fixed_point.hpp>
#include <cstdlib>
#include <string>
#include <vector>

namespace chainrule {

/// One layer of a QuantizedNetwork: a Dense with its activation, or an activation alone. Activations are integers of type Q, weights are
/// int8, sums are int32.
///
///     sum(i) = start(i) + sum over k of weight(i, k) q(k)
///     z(i)   = sum(i) m(i), an integer, with another m(i) for sum(i) < 0 where slopes are folded
///     a(i)   = table[limited(z(i) + zero point)], or limited(z(i) + zero point) where there is no table
template <class Q>
struct QuantizedLayer {
  std::string name;   ///< the layers of the network that it comes from, such as "layer<0>, Dense ReLU"
  Index inputs = 0;   ///< the number of inputs
  Index outputs = 0;  ///< the number of outputs

  std::vector<std::int8_t> weight;                 ///< outputs x inputs, row by row, from -127 to 127; empty for an activation alone
  std::vector<float> weight_scale;                 ///< one for each output, or one for all; W = weight_scale weight
  std::vector<std::int32_t> bias;                  ///< b in units of weight_scale times the scale of the inputs
  std::vector<std::int32_t> start;                 ///< bias - sum over k of weight(i, k) times the zero point of the inputs
  std::vector<detail::FixedPoint> factor;          ///< m(i) = weight_scale(i) times the scale of the inputs / the scale of z
  std::vector<detail::FixedPoint> factor_below_0;  ///< m(i) for sum(i) < 0; empty where it is that for all sums

  Quantization z;            ///< scale and zero point of z where there is a table, otherwise of the output
  std::int32_t lowest = 0;   ///< the smallest z(i) + zero point, by the range of Q or of the activation
  std::int32_t highest = 0;  ///< the largest z(i) + zero point
  /// f for each integer of int8, from -128 to 127; for int16 at -32768, -32640, ..., 32640, 32767, between which numbers are interpolated.
  /// Empty where the activation is a limit or a slope.
  std::vector<Q> table;
  Quantization output;  ///< scale and zero point of the output

  bool operator==(const QuantizedLayer&) const = default;  ///< whether all numbers are equal
};

namespace detail {

/// How many entries the table of an activation has.
template <class Q>
inline constexpr std::size_t table_size = sizeof(Q) == 1 ? 256 : 513;

/// f(z) by table. For int16 the entries are 128 apart, and what lies between is interpolated as TensorFlow Lite's LUTLookup does.
template <class Q>
Q look_up(const Q* table, std::int32_t z) {
  if constexpr (sizeof(Q) == 1) {
    return table[z + 128];
  } else {
    const std::int32_t index = (z >> 7) + 256, offset = z & 127;
    return static_cast<Q>(table[index] + (((table[index + 1] - table[index]) * offset + 64) >> 7));
  }
}

/// a of one output from its sum.
template <class Q>
Q requantized(const QuantizedLayer<Q>& layer, std::size_t i, std::int32_t sum) {
  const FixedPoint factor = sum < 0 && !layer.factor_below_0.empty() ? layer.factor_below_0[i] : layer.factor[i];
  const std::int32_t zero = layer.z.zero_point;
  const std::int32_t z = std::clamp(times(sum, factor), layer.lowest - zero, layer.highest - zero) + zero;
  return layer.table.empty() ? static_cast<Q>(z) : look_up(layer.table.data(), z);
}

/// A Dense as the kernels take it.
template <class Q>
kernels::IntegerLayer packed(const QuantizedLayer<Q>& layer) {
  kernels::IntegerLayer packed(layer.inputs, layer.outputs, layer.weight.data(), layer.start.data());
  const auto set = [&](kernels::IntegerFactors& to, const std::vector<FixedPoint>& from) {
    for (auto* numbers : {&to.multiplier, &to.left, &to.right}) numbers->assign(packed.start.size(), 0);
    for (std::size_t i = 0; i < from.size(); ++i) {
      to.multiplier[i] = from[i].multiplier;
      (from[i].shift > 0 ? to.left : to.right)[i] = std::abs(from[i].shift);
      packed.shifts_left = packed.shifts_left || from[i].shift > 0;
    }
  };
  set(packed.factor, layer.factor);
  set(packed.factor_below_0, layer.factor_below_0);
  packed.has_factor_below_0 = !layer.factor_below_0.empty();
  packed.zero_point = layer.z.zero_point;
  packed.low = layer.lowest - packed.zero_point;
  packed.high = layer.highest - packed.zero_point;
  return packed;
}

/// Computes one layer for one sample, in a plain loop.
template <class Q>
void apply(const QuantizedLayer<Q>& layer, const Q* q, Q* a) {
  if (layer.weight.empty()) {
    for (Index i = 0; i < layer.outputs; ++i) a[i] = look_up(layer.table.data(), q[i]);
    return;
  }
  for (Index i = 0; i < layer.outputs; ++i) {
    const std::int8_t* w = layer.weight.data() + i * layer.inputs;
    std::int32_t sum = layer.start[static_cast<std::size_t>(i)];
    for (Index k = 0; k < layer.inputs; ++k) sum += w[k] * q[k];
    a[i] = requantized(layer, static_cast<std::size_t>(i), sum);
  }
}

}  // namespace detail
}  // namespace chainrule
