#pragma once
// Networks in integers with every kind of layer, written down without training.

#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/quantization/quantized_network.hpp>

namespace chainrule_test {

/// Dense of 3 -> 5 with slopes, a table, and Dense of 5 -> 2, one of whose factors is above 1; with scaled inputs or without.
template <class Q>
chainrule::QuantizedNetwork<Q> quantized_net(bool with_scaling = true) {
  using namespace chainrule;
  const auto integers = [](Index size, int step) {
    std::vector<std::int8_t> all;
    for (Index i = 0; i < size; ++i) all.push_back(static_cast<std::int8_t>(i * step % 255 - 127));
    return all;
  };
  const Quantization a{0.01f, sizeof(Q) == 1 ? 7 : 0}, b{0.25f, sizeof(Q) == 1 ? -128 : 0};
  QuantizedLayer<Q> first, table, last;
  first.name = "layer<0>, Dense LeakyReLU";
  first.inputs = 3;
  first.outputs = 5;
  first.weight = integers(15, 31);
  first.weight_scale = {0.5f, 0.25f, 1, 2, 0.001f};
  first.bias = {0, 1, -1000000, 1 << 20, -5};
  first.factor = {{1 << 30, -5}, {2000000000, -6}, {1500000000, -8}, {1 << 30, -9}, {}};
  first.factor_below_0 = {{1 << 30, -7}, {-2000000000, -6}, {1500000000, -9}, {}, {1 << 30, -3}};
  first.lowest = (std::numeric_limits<Q>::min)();
  first.highest = 100;
  first.z = first.output = a;
  table.name = "layer<1>, Activate Tanh";
  table.inputs = table.outputs = 5;
  for (std::size_t i = 0; i < detail::table_size<Q>; ++i) table.table.push_back(static_cast<Q>(i * i % 250 - 125));
  table.lowest = (std::numeric_limits<Q>::min)();
  table.highest = (std::numeric_limits<Q>::max)();
  table.z = a;
  table.output = b;
  last = first;
  last.name = "layer<2>, Dense";
  last.inputs = 5;
  last.outputs = 2;
  last.weight = integers(10, 77);
  last.weight_scale = {0.125f};
  last.bias = {1, -2};
  last.factor = {{1 << 30, 3}, {1 << 30, -4}};
  last.factor_below_0.clear();
  Vector<float> shift, scale;
  if (with_scaling) {
    shift = Vector<float>{{0.5f, -1, 0}};
    scale = Vector<float>{{2, 3, 1e-3f}};
  }
  return {shift, scale, {0.05f, sizeof(Q) == 1 ? -3 : 0}, {first, table, last}, SoftmaxCrossEntropy{}};
}

}  // namespace chainrule_test
