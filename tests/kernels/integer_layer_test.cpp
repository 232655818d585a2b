#include <chainrule/core/random.hpp>
#include <chainrule/kernels/integer_layer.hpp>
#include <chainrule/quantization/quantized_network.hpp>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

using namespace chainrule;

namespace {

// Calls call(tag) for each instruction set that has kernels of integers and that this machine can run.
template <class Call>
void for_each_integer_set(const Call& call) {
  chainrule_test::for_each_runnable_set<float>([&](auto set) {
    if constexpr (kernels::baseline::has_integer_lanes || !std::is_same_v<decltype(set), kernels::baseline::Tag>) call(set);
  });
#if defined(CHAINRULE_DISPATCHES_VNNI)
  if (__builtin_cpu_supports("avx512vnni")) call(kernels::avx512_vnni::Tag{});
#endif
}

template <class Q>
QuantizedLayer<Q> random_layer(Index in, Index out, bool has_slopes, Random& random) {
  const auto integer = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  QuantizedLayer<Q> layer;
  layer.inputs = in;
  layer.outputs = out;
  for (Index i = 0; i < in * out; ++i) layer.weight.push_back(static_cast<std::int8_t>(integer(-127, 127)));
  const int bits = sizeof(Q) == 1 ? 14 : 22;  // about those of a sum of 50 terms
  for (Index i = 0; i < out; ++i) {
    layer.start.push_back(static_cast<std::int32_t>(integer(-(1 << bits), 1 << bits)));
    for (auto* factors : {&layer.factor, &layer.factor_below_0}) {
      const auto multiplier = static_cast<std::int32_t>(integer(1 << 30, (std::int64_t{1} << 31) - 1));
      const std::int64_t shift = integer(0, 9) == 0 ? integer(-31, 30) : integer(-13, -6);
      factors->push_back({integer(0, 9) == 0 ? -multiplier : multiplier, static_cast<std::int32_t>(shift)});
    }
  }
  if (!has_slopes) layer.factor_below_0.clear();
  layer.z.zero_point = sizeof(Q) == 1 ? static_cast<std::int32_t>(integer(-128, 127)) : 0;
  layer.lowest = (std::numeric_limits<Q>::min)() + static_cast<std::int32_t>(integer(0, 40));
  layer.highest = (std::numeric_limits<Q>::max)() - static_cast<std::int32_t>(integer(0, 40));
  return layer;
}

// All sizes from 1 to 70 of inputs, outputs and samples, in other combinations for each; guards around what is written.
template <class Q>
void check_layers() {
  Random random{Seed{3}};
  for_each_integer_set([&](auto set) {
    bool is_equal = true, guards_are_whole = true;
    for (Index n = 1; n <= 70; ++n) {
      const Index in = n, out = n * 29 % 71, samples = n * 13 % 47 + 1, q_step = in + n % 3, a_step = out + n % 5;
      const QuantizedLayer<Q> layer = random_layer<Q>(in, out, n % 2 == 0, random);
      const kernels::IntegerLayer packed = detail::packed(layer);
      Matrix<Q> q(q_step, samples), a = Matrix<Q>::Constant(a_step, samples, 77), expected = a;
      for (Q& one : q.reshaped()) one = static_cast<Q>(random.below(65536));
      q(0, 0) = (std::numeric_limits<Q>::min)();
      q(in - 1, samples - 1) = (std::numeric_limits<Q>::max)();
      for (Index j = 0; j < samples; ++j) detail::apply(layer, q.col(j).data(), expected.col(j).data());
      std::vector<char> scratch(static_cast<std::size_t>(kernels::integer_scratch_bytes(in, samples)) + 1, 99);
      integer_layer(set, packed, samples, q.data(), q_step, a.data(), a_step, scratch.data());
      is_equal = is_equal && a == expected;
      guards_are_whole = guards_are_whole && scratch.back() == 99;
    }
    CHECK(is_equal);
    CHECK(guards_are_whole);
  });
}

template <class Q>
void check_inputs() {
  Random random{Seed{4}};
  for_each_integer_set([&](auto set) {
    bool is_equal = true;
    for (Index n = 1; n <= 70; ++n) {
      const Quantization to{n % 2 == 0 ? 0.25f : 0.1f, sizeof(Q) == 1 ? static_cast<std::int32_t>(n - 35) : 0};
      Vector<float> x(n), shift(n), scale(n);
      for (Index i = 0; i < n; ++i) {
        // quarters of a step, so that halves occur; numbers beyond the range; and any number
        x[i] = static_cast<float>(random.below(2000)) / 16 - 62.5f + (i % 3 == 0 ? static_cast<float>(random.normal()) : 0);
        shift[i] = static_cast<float>(random.normal());
        scale[i] = i % 7 == 0 ? 1e30f : static_cast<float>(random.normal());
      }
      x[n / 2] = n % 4 == 0 ? -3e38f : 3e38f;
      for (const bool scaled : {false, true}) {
        Vector<Q> q = Vector<Q>::Constant(n + 1, 77), expected = q;
        for (Index i = 0; i < n; ++i) expected[i] = detail::quantized<Q>(scaled ? (x[i] - shift[i]) * scale[i] : x[i], to);
        const kernels::InputQuantization range{to.scale, to.zero_point, (std::numeric_limits<Q>::min)(), (std::numeric_limits<Q>::max)()};
        // the sample twice, and the first number of the second one where the guard stands
        Vector<float> twice(2 * n + 2);
        twice << x, 0, x, 0;
        quantize_inputs(set, range, n, 1, x.data(), n, scaled ? shift.data() : nullptr, scaled ? scale.data() : nullptr, q.data(), n);
        Vector<Q> both = Vector<Q>::Constant(2 * n + 4, 77);
        quantize_inputs(set, range, n, 2, twice.data(), n + 1, scaled ? shift.data() : nullptr, scaled ? scale.data() : nullptr,
                        both.data(), n + 2);
        is_equal = is_equal && q == expected && both.head(n + 1) == expected && both.segment(n + 2, n + 1) == expected;
        Vector<float> y = Vector<float>::Constant(n + 1, 7), real = y;
        for (Index i = 0; i < n; ++i) real[i] = detail::dequantized(expected[i], to);
        dequantize(set, n, q.data(), to.scale, to.zero_point, y.data());
        is_equal = is_equal && y == real;
      }
    }
    CHECK(is_equal);
  });
}

}  // namespace

TEST_CASE("layers of integers have the bits of the plain loop in every instruction set") {
  check_layers<std::int8_t>();
  check_layers<std::int16_t>();
}

TEST_CASE("inputs become the integers of the plain loop in every instruction set") {
  check_inputs<std::int8_t>();
  check_inputs<std::int16_t>();
}
