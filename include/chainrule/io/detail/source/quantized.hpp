#pragma once
// Writes a QuantizedNetwork as functions of C on integers.

#include <chainrule/core/error.hpp>
#include <chainrule/io/detail/source/links.hpp>
#include <chainrule/io/detail/source/text.hpp>
#include <chainrule/quantization/quantized_network.hpp>

namespace chainrule::detail {

/// Writes the arrays and functions of a QuantizedNetwork<Q>. In the texts $ stands for the type of activations and @ for the name of the
/// net.
template <class Q>
class QuantizedSource {
 public:
  QuantizedSource(const QuantizedNetwork<Q>& net, std::string name) : net_{net}, name_{std::move(name)} {}

  /// The text with the net's name and type filled in.
  std::string filled_in(std::string_view text) const {
    std::string result;
    for (const char c : text) {
      if (c == '$')
        result += type;
      else if (c == '@')
        result += name_;
      else
        result += c;
    }
    return result;
  }

  /// static const TYPE NAME[...] = {...}; for a list of integers.
  template <class Numbers>
  std::string array(std::string_view type_of_numbers, const std::string& name, const Numbers& numbers) const {
    return text_of("static const ", type_of_numbers, " ", name, "[", numbers.size(), "] = ",
                   source_row(static_cast<Index>(numbers.size()), "    ",
                              [&](Index i) { return std::to_string(+numbers[static_cast<std::size_t>(i)]); }),
                   ";\n");
  }

  /// The constants of all layers.
  std::string constants() const {
    std::string text;
    for (std::size_t l = 0; l < net_.layers().size(); ++l) {
      const QuantizedLayer<Q>& layer = net_.layers()[l];
      const auto named = [&](const char* what) { return text_of(name_, "_", what, l + 1); };
      if (!layer.weight.empty()) {
        text += array("int8_t", named("w"), layer.weight) + array("int32_t", named("start"), layer.start);
        text += factors(named("factor"), named("right"), layer.factor);
        if (!layer.factor_below_0.empty()) text += factors(named("factor_below_0_"), named("right_below_0_"), layer.factor_below_0);
      }
      if (!layer.table.empty()) text += array(type, named("table"), layer.table);
    }
    return text;
  }

  /// The functions that layers call.
  std::string functions() const {
    bool has_dense = false, has_left_shift = false, are_simple = true;
    for (const QuantizedLayer<Q>& layer : net_.layers()) {
      has_dense = has_dense || !layer.weight.empty();
      are_simple = are_simple && largest_sum(layer) < std::int64_t{1} << 30;
      for (const auto* list : {&layer.factor, &layer.factor_below_0})
        for (const FixedPoint& one : *list) {
          has_left_shift = has_left_shift || one.shift > 0;
          are_simple = are_simple && right_shift(one) > 0;
        }
    }
    std::string text;
    if (has_dense) {
      if (sizeof(Q) == 1) text += odd_bytes;
      text +=
          "/* Adds to sums[0] and sums[1] the products of two rows of n weights with x. No sum can overflow. */\n"
          "static inline void @_add_products(const int8_t* row0, const int8_t* row1, const $* x, int n, int32_t* sums) {\n"
          "  int32_t sum0 = sums[0], sum1 = sums[1];\n  int k = 0;\n";
      if (sizeof(Q) == 1) text += products_of_int8;
      text +=
          "  for (; k < n; ++k) {\n    sum0 += (int32_t)row0[k] * x[k];\n    sum1 += (int32_t)row1[k] * x[k];\n  }\n"
          "  sums[0] = sum0;\n  sums[1] = sum1;\n}\n\n"
          "/* x factor 2^(-31 - right), rounded as TensorFlow Lite does: to the nearest integer, halves up, before the shift to the\n"
          "   right, and then to the nearest one, halves away from 0. Shifts of negative numbers copy the sign. */\n"
          "static inline int32_t @_times(int32_t x, int32_t factor, int right) {\n";
      if (has_left_shift)
        text +=
            "  if (right < 0) {\n    const int32_t limit = INT32_MAX >> -right;\n"
            "    const int32_t limited = x > limit ? limit : x < -limit ? -limit : x;\n"
            "    return (int32_t)(((int64_t)(limited * ((int32_t)1 << -right)) * factor + 1073741824) >> 31);\n  }\n";
      text += "  const int32_t high = (int32_t)(((int64_t)x * factor + 1073741824) >> 31);\n";
      if (are_simple)  // no overflow, because |high| < 2^30 and right > 0
        text += "  return (high + ((int32_t)1 << (right - 1)) + (high >> 31)) >> right;\n}\n\n";
      else
        text +=
            "  const int32_t mask = (int32_t)(((uint32_t)1 << right) - 1);\n"
            "  return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0));\n}\n\n";
    }
    if (sizeof(Q) == 2)
      text +=
          "/* An entry of a table of 513 for z, between two of which it is interpolated. */\n"
          "static inline $ @_look_up(const $* table, int32_t z) {\n  const int32_t index = (z >> 7) + 256;\n"
          "  return ($)(table[index] + ((((int32_t)table[index + 1] - table[index]) * (z & 127) + 64) >> 7));\n}\n\n";
    return filled_in(text);
  }

  /// void predict_quantized(const Q* x, Q* y).
  std::string predict_quantized() const {
    std::string body;
    const auto& layers = net_.layers();
    std::string in = "x";
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const std::string out = l + 1 == layers.size() ? "y" : l % 2 == 0 ? "a" : "b";
      body += text_of("\n  /* ", in_comment(layers[l].name), ", ", layers[l].inputs, " -> ", layers[l].outputs, " */\n");
      body += layer_code(layers[l], l + 1, in, out);
      in = out;
    }
    std::string arrays;
    for (int k = 0; k < 2; ++k)
      if (const Index size = array_size(k); size > 0) arrays += text_of("  $ ", k == 0 ? "a" : "b", "[", size, "];\n");
    return filled_in(
        text_of("/* The outputs as integers, for inputs as integers. */\nstatic inline void @_predict_quantized(const $* x, $* y) {\n",
                arrays, body, "}\n"));
  }

  /// Bytes of the arrays of predict_quantized.
  Index bytes_of_arrays() const { return (array_size(0) + array_size(1)) * static_cast<Index>(sizeof(Q)); }

  /// int class_of(const Q* y).
  std::string class_of() const {
    if (net_.outputs() == 1)
      return filled_in(
          text_of("/* 1 where the output means yes, a probability of at least 1/2, else 0. */\n"
                  "static inline int @_class_of(const $* y) { return y[0] >= ",
                  net_.smallest_yes(), "; }\n"));
    return filled_in(
        text_of("/* The index of the largest output, the first among equals. */\nstatic inline int @_class_of(const $* y) {\n"
                "  int best = 0;\n  for (int i = 1; i < ",
                net_.outputs(), "; ++i)\n    if (y[i] > y[best]) best = i;\n  return best;\n}\n"));
  }

  /// The functions on floating-point numbers: quantize, dequantize and predict.
  std::string float_functions() const {
    const Index n = net_.inputs(), m = net_.outputs();
    const Quantization &input = net_.input(), &output = net_.output();
    const std::int32_t low = (std::numeric_limits<Q>::min)(), high = (std::numeric_limits<Q>::max)();
    SourceWriter<float> link(name_);
    link.take_array(m, true);
    add_source_link(net_.loss_function(), link, 0, m);
    std::string arrays, text;
    for (const auto& [array, size] : link.arrays()) arrays += text_of("  float ", array, "[", size, "];\n");
    std::string x = "x[k]";
    if (net_.input_scale().size() > 0) {
      text += floats("@_input_shift", net_.input_shift()) + floats("@_input_scale", net_.input_scale()) + "\n";
      x = "(x[k] - @_input_shift[k]) * @_input_scale[k]";
    }
    text += text_of(
        "/* Inputs as integers: rounded to the nearest, halves to even, and limited; the smallest one for NaN. */\n"
        "static inline void @_quantize(const float* x, $* q) {\n  for (int k = 0; k < ",
        n, "; ++k) {\n    const float v = ", x, ";\n    const float t = v / ", source_literal(input.scale), ";\n    if (!(t > ",
        source_literal(static_cast<float>(low - input.zero_point)), ")) {\n      q[k] = ", low,
        ";\n    } else if (t >= ", source_literal(static_cast<float>(high - input.zero_point)), ") {\n      q[k] = ", high,
        ";\n    } else {\n      int32_t i = (int32_t)t;\n      const float rest = t - (float)i;\n"
        "      if (rest > 0.5f || (rest == 0.5f && i % 2 != 0)) ++i;\n      if (rest < -0.5f || (rest == -0.5f && i % 2 != 0)) --i;\n"
        "      q[k] = ($)(i + ",
        in_parentheses(input.zero_point),
        ");\n    }\n  }\n}\n\n/* The real numbers that outputs stand for. */\n"
        "static inline void @_dequantize(const $* q, float* y) {\n  for (int i = 0; i < ",
        m, "; ++i) y[i] = ", source_literal(output.scale), " * (float)(q[i] - ", in_parentheses(output.zero_point), ");\n}\n\n");
    return filled_in(text) + link.functions.text() +
           filled_in(text_of("/* y = F(x), both in floating point. */\nstatic inline void @_predict(const float* x, float* y) {\n  $ q[", n,
                             "];\n  $ r[", m, "];\n", arrays,
                             "  @_quantize(x, q);\n  @_predict_quantized(q, r);\n  @_dequantize(r, y);\n")) +
           link.body() + "}\n";
  }

 private:
  static constexpr const char* type = sizeof(Q) == 1 ? "int8_t" : "int16_t";
  // SXTB16 widens bytes 0 and 2 of a word to 16 bits, after a rotation if wanted; SMLAD adds two products of 16 bits to a sum.
  static constexpr const char* odd_bytes =
      "#if defined(__ARM_FEATURE_SIMD32)\n/* Bytes 1 and 3 of a word as two numbers of 16 bits. */\n"
      "static inline int16x2_t @_odd_bytes(uint32_t word) {\n#if defined(__GNUC__)\n  int16x2_t odd;\n"
      "  __asm__(\"sxtb16 %0, %1, ror #8\" : \"=r\"(odd) : \"r\"(word));\n  return odd;\n#else\n"
      "  return __sxtb16((int8x4_t)(word >> 8));\n#endif\n}\n#endif\n\n";
  static constexpr const char* products_of_int8 =
      "#if defined(__ARM_FEATURE_SIMD32)\n  for (; k + 4 <= n; k += 4) {\n    uint32_t w0, w1, q;\n    memcpy(&q, x + k, 4);\n"
      "    memcpy(&w0, row0 + k, 4);\n    memcpy(&w1, row1 + k, 4);\n"
      "    const int16x2_t even = __sxtb16((int8x4_t)q), odd = @_odd_bytes(q);\n"
      "    sum0 = __smlad(__sxtb16((int8x4_t)w0), even, sum0);\n    sum0 = __smlad(@_odd_bytes(w0), odd, sum0);\n"
      "    sum1 = __smlad(__sxtb16((int8x4_t)w1), even, sum1);\n    sum1 = __smlad(@_odd_bytes(w1), odd, sum1);\n"
      "  }\n#endif\n";

  // The largest size of a sum.
  static std::int64_t largest_sum(const QuantizedLayer<Q>& layer) {
    std::int64_t largest = 0;
    for (std::size_t i = 0; i < layer.start.size(); ++i) {
      const std::int8_t* w = layer.weight.data() + i * static_cast<std::size_t>(layer.inputs);
      std::int64_t sum = std::abs(static_cast<std::int64_t>(layer.start[i]));
      for (Index k = 0; k < layer.inputs; ++k) sum -= std::int64_t{(std::numeric_limits<Q>::min)()} * std::abs(int{w[k]});
      largest = (std::max)(largest, sum);
    }
    return largest;
  }
  // The shift to the right; any for a factor of 0.
  static std::int32_t right_shift(const FixedPoint& factor) { return factor.multiplier == 0 ? 1 : -factor.shift; }

  static std::string in_parentheses(std::int32_t number) {
    return number < 0 ? "(" + std::to_string(number) + ")" : std::to_string(number);
  }
  static std::string floats(const std::string& name, const Vector<float>& numbers) {
    return text_of("static const float ", name, "[", numbers.size(),
                   "] = ", source_row(numbers.size(), "    ", [&](Index i) { return source_literal(numbers[i]); }), ";\n");
  }

  std::string factors(const std::string& multiplier, const std::string& shift, const std::vector<FixedPoint>& numbers) const {
    std::vector<std::int32_t> multipliers;
    std::vector<std::int8_t> shifts;
    for (const FixedPoint& one : numbers) {
      multipliers.push_back(one.multiplier);
      shifts.push_back(static_cast<std::int8_t>(right_shift(one)));
    }
    return array("int32_t", multiplier, multipliers) + array("int8_t", shift, shifts);
  }

  // The largest output that is stored in array k, a or b.
  Index array_size(int k) const {
    Index size = 0;
    for (std::size_t l = 0; l + 1 < net_.layers().size(); ++l)
      if (static_cast<int>(l % 2) == k) size = (std::max)(size, net_.layers()[l].outputs);
    return size;
  }

  std::string layer_code(const QuantizedLayer<Q>& layer, std::size_t number, const std::string& in, const std::string& out) const {
    const std::string table = text_of("@_table", number);
    const auto looked_up = [&](const std::string& z) {
      return sizeof(Q) == 1 ? text_of(table, "[", z, " + 128]") : text_of("@_look_up(", table, ", ", z, ")");
    };
    if (layer.weight.empty())
      return text_of("  for (int i = 0; i < ", layer.outputs, "; ++i) ", out, "[i] = ", looked_up(in + "[i]"), ";\n");
    const Index n = layer.inputs, m = layer.outputs;
    const auto named = [&](const char* what) { return text_of("@_", what, number); };
    const std::int32_t zero = layer.z.zero_point;
    const std::string result =
        layer.table.empty() ? text_of("($)(z + ", in_parentheses(zero), ")") : looked_up(text_of("z + ", in_parentheses(zero)));
    std::string product = text_of("@_times(sums[r], ", named("factor"), "[i + r], ", named("right"), "[i + r])");
    if (!layer.factor_below_0.empty())
      product = text_of("sums[r] < 0 ? @_times(sums[r], ", named("factor_below_0_"), "[i + r], ", named("right_below_0_"), "[i + r])\n",
                        "                              : ", product);
    return text_of("  for (int i = 0; i < ", m, "; i += 2) {\n    const int rows = i + 1 < ", m,
                   " ? 2 : 1;\n    const int8_t* row = ", named("w"), " + (int32_t)i * ", n,
                   ";\n    int32_t sums[2];\n    sums[0] = ", named("start"), "[i];\n    sums[1] = ", named("start"),
                   "[i + rows - 1];\n    @_add_products(row, row + (rows - 1) * ", n, ", ", in, ", ", n,
                   ", sums);\n    for (int r = 0; r < rows; ++r) {\n      int32_t z = ", product, ";\n      if (z < ",
                   in_parentheses(layer.lowest - zero), ") z = ", in_parentheses(layer.lowest - zero), ";\n      if (z > ",
                   in_parentheses(layer.highest - zero), ") z = ", in_parentheses(layer.highest - zero), ";\n      ", out,
                   "[i + r] = ", result, ";\n    }\n  }\n");
  }

  // A layer's name as part of a comment: without what ends a comment, and what filled_in replaces.
  static std::string in_comment(std::string name) {
    for (char& c : name)
      if (std::string_view("*/$@\\").find(c) != std::string_view::npos || static_cast<unsigned char>(c) < ' ') c = '_';
    return name;
  }

  const QuantizedNetwork<Q>& net_;
  std::string name_;
};

}  // namespace chainrule::detail
