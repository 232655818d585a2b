#pragma once
// Writes a QuantizedNetwork as source code that needs no library: one header of C99, and of C++11 and later, of integers alone if wanted.

#include <chainrule/bytes/file.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/core/version.hpp>
#include <chainrule/io/detail/source/quantized.hpp>

namespace chainrule {

/// How a quantized network is written as source code.
struct QuantizedSourceOptions {
  std::string name = "model";  ///< all names in the source code begin with it: model_predict, MODEL_INPUTS
  bool integers_only = false;  ///< leave out quantize, dequantize and predict, the functions on floats, and math.h
};

/// The size of exported source code.
struct QuantizedSourceReport {
  Index weight_bytes = 0;    ///< bytes of the weights in int8
  Index constant_bytes = 0;  ///< bytes of all constants that predict_quantized reads, weights included
  Index predict_bytes = 0;   ///< bytes of RAM for the arrays of predict_quantized, on the stack
};

namespace detail {

inline constexpr Index quantized_source_tests = 3;

/// Inputs for self_check: three samples of any integers, and what the network makes of them.
template <class Q>
std::string quantized_self_check(const QuantizedNetwork<Q>& net, const QuantizedSource<Q>& source) {
  Random random{Seed{1}};
  Matrix<Q> x(net.inputs(), quantized_source_tests);
  constexpr std::int64_t low = (std::numeric_limits<Q>::min)(), high = (std::numeric_limits<Q>::max)();
  for (Q& number : x.reshaped())
    number = static_cast<Q>(low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1))));
  const Matrix<Q> y = net.predict_quantized(x);
  const auto rows = [&](const char* name, const Matrix<Q>& of) {
    std::string text = text_of("static const $ @_test_", name, "[", quantized_source_tests, "][", of.rows(), "] = {\n");
    for (Index j = 0; j < of.cols(); ++j)
      text += text_of("    ", source_row(of.rows(), "     ", [&](Index i) { return std::to_string(of(i, j)); }),
                      j + 1 < of.cols() ? ",\n" : "};\n");
    return text;
  };
  return source.filled_in(
      text_of("/* Three samples, and what the library predicts for them. */\n", rows("x", x), rows("y", y),
              "\n/* 0 if the outputs are the library's, all integers equal; else which sample is the first with others: 1, 2 or 3. */\n"
              "static inline int @_self_check(void) {\n  $ y[",
              net.outputs(), "];\n  for (int j = 0; j < ", quantized_source_tests,
              "; ++j) {\n    @_predict_quantized(@_test_x[j], y);\n    for (int i = 0; i < ", net.outputs(),
              "; ++i)\n      if (y[i] != @_test_y[j][i]) return j + 1;\n  }\n  return 0;\n}\n"));
}

/// The comment at the top of the header.
template <class Q>
std::string quantized_source_comment(const QuantizedNetwork<Q>& net, const QuantizedSourceOptions& options,
                                     const QuantizedSource<Q>& source, const QuantizedSourceReport& report) {
  const Quantization &input = net.input(), &output = net.output();
  const bool scaled = net.input_scale().size() > 0;
  const auto literal = [](float number) { return source_literal(number); };
  std::string scaling;
  if (scaled && options.integers_only)
    for (const auto& [name, numbers] : {std::pair{"shift", &net.input_shift()}, std::pair{"scale", &net.input_scale()}})
      scaling += text_of("\n   ", name, " of the inputs: ", source_row(numbers->size(), "   ", [&numbers = *numbers](Index k) {
                           return source_literal(numbers[k]);
                         }));
  return source.filled_in(text_of(
      "/* A neural net in integers as source code, written by chainrule ", version,
      ". C99, and C++11 or later; needs stdint.h and string.h", options.integers_only ? "" : ", and math.h for floats", ".\n\n       $ q[",
      net.outputs(), "];\n       @_predict_quantized(x, q);\n       int label = @_class_of(q);\n",
      options.integers_only ? "" : "       float y[...];\n       @_predict(x_in_floats, y);\n", "\n   x has ", net.inputs(),
      " integers, q gets ", net.outputs(), "; they may not overlap. x[k] stands for an input of ", literal(input.scale), " * (x[k] - ",
      std::to_string(input.zero_point), scaled ? "), which is (input[k] - shift[k]) * scale[k]" : ")", ",\n   q[i] for an output of ",
      literal(output.scale), " * (q[i] - ", std::to_string(output.zero_point), "), before the link of the loss, ",
      describe(net.loss_function()).kind, ".", scaling,
      "\n   @_self_check() is 0 where the integers are the library's.\n   Memory: ", report.constant_bytes, " bytes of constants, ",
      report.weight_bytes, " of them weights; ", report.predict_bytes, " bytes of arrays on the stack of @_predict_quantized. */\n"));
}

/// The complete header, and how large it is.
struct WrittenQuantizedSource {
  std::string text;
  QuantizedSourceReport report;
};
template <class Q>
WrittenQuantizedSource quantized_source_of(const QuantizedNetwork<Q>& net, const QuantizedSourceOptions& options) {
  if (!is_source_prefix(options.name))
    raise<ValueError>("to_source: expected a name of letters, digits and single underscores that begins with a letter, but found ",
                      in_quotes(options.name));
  const QuantizedSource<Q> source(net, options.name);
  QuantizedSourceReport report{.constant_bytes = net.constant_bytes(), .predict_bytes = source.bytes_of_arrays()};
  for (const QuantizedLayer<Q>& layer : net.layers()) report.weight_bytes += static_cast<Index>(layer.weight.size());
  const std::string capitals = in_capitals(options.name);
  return {text_of(quantized_source_comment(net, options, source, report), "#ifndef ", capitals, "_SOURCE\n#define ", capitals,
                  "_SOURCE\n\n", options.integers_only ? "" : "#include <math.h>\n",
                  "#include <stdint.h>\n#include <string.h>\n#if defined(__ARM_FEATURE_SIMD32)\n#include <arm_acle.h>\n#endif\n\nenum { ",
                  capitals, "_INPUTS = ", net.inputs(), ", ", capitals, "_OUTPUTS = ", net.outputs(), " };\n\n", source.constants(), "\n",
                  source.functions(), source.predict_quantized(), "\n", source.class_of(), "\n",
                  options.integers_only ? "" : source.float_functions() + "\n", quantized_self_check(net, source), "\n#endif\n"),
          report};
}

}  // namespace detail

/// The quantized network as a header of C99, and of C++11 and later: constant weights, predict_quantized(const int8_t* x, int8_t* y) for
/// one sample, class_of(y), self_check(), and in floating point quantize, dequantize and predict(const float* x, float* y). No heap, no
/// global variables. predict_quantized is integer arithmetic alone, and gives the library's bits on every processor; where the compiler has
/// ARM's instructions for pairs of 16-bit numbers (__ARM_FEATURE_SIMD32), it uses them. With options.integers_only no float is in the
/// header.
///
/// Throws ValueError for a name that cannot begin an identifier, and for a loss that is not the library's unless integers_only.
template <class Q>
std::string to_source(const QuantizedNetwork<Q>& net, const QuantizedSourceOptions& options = {}) {
  return detail::quantized_source_of(net, options).text;
}

/// Writes to_source(net, options) into a file, and returns how many bytes it needs. An existing file is replaced only when the new one is
/// complete. Throws what to_source throws, and ValueError with the system's reason where the file cannot be written.
template <class Q>
QuantizedSourceReport export_source(const QuantizedNetwork<Q>& net, const std::string& path, const QuantizedSourceOptions& options = {}) {
  const detail::WrittenQuantizedSource source = detail::quantized_source_of(net, options);
  detail::write_file("export_source", path, source.text);
  return source.report;
}

}  // namespace chainrule
