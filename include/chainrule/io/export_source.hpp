#pragma once
// Writes a network as source code that needs no library: one header of C99, and of C++11 and later, for a microcontroller or any program.

#include <algorithm>
#include <array>
#include <chainrule/bytes/file.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/core/version.hpp>
#include <chainrule/io/detail/source/layers.hpp>
#include <numeric>
#include <utility>

namespace chainrule {

/// How a network is written as source code.
struct SourceOptions {
  std::string name = "model";  ///< all names in the source code begin with it: model_predict, MODEL_INPUTS
  bool doubles = false;        ///< write doubles instead of floats; for networks of double or long double
  Matrix<double> tests = {};   ///< three samples (inputs x 3) for self_check; drawn where there are none
};

namespace detail {

inline constexpr Index source_tests = 3;

/// Replaces samples of normal numbers by inputs for which the network's first layer gives these samples. Only a Normalize changes them.
template <class L, class Numbers, class Scalar>
void scale_like_inputs(const L&, Numbers&, Matrix<Scalar>&) {}
template <int N, class Numbers, class Scalar>
void scale_like_inputs(const Normalize<N>& first, Numbers& numbers, Matrix<Scalar>& x) {
  const auto [shift, scale] = numbers.buffers_of(first);
  for (Index j = 0; j < x.cols(); ++j)
    for (Index i = 0; i < x.rows(); ++i)
      if (scale(i) != 0) x(i, j) = shift(i) + x(i, j) / scale(i);
}
template <class Any, class Numbers, class Scalar>
void scale_like_inputs(const AnyLayer<Any>& first, Numbers& numbers, Matrix<Scalar>& x) {
  const Description what = first.describe();
  if (describes<Normalize<Dynamic>>(what)) scale_like_inputs(Normalize<Dynamic>(what.inputs), numbers, x);
}

/// Three samples (inputs x 3) for self_check: standard normal numbers, scaled like the inputs where the first layer is a Normalize. Of 64
/// samples these are the three whose predictions are farthest from 0: where the smallest number of a prediction is nearly 0, it is a
/// difference of larger ones and has few correct digits to compare.
template <class Written, class Net>
Matrix<typename Net::ScalarType> drawn_tests(const Net& net) {
  using Scalar = typename Net::ScalarType;
  constexpr std::size_t drawn = 64;
  Random random{Seed{1}};
  Matrix<Scalar> x(net.inputs(), drawn);
  for (Scalar& number : x.reshaped()) number = static_cast<Scalar>(random.normal());
  NumbersInOrder<Scalar> numbers(net);
  bool is_first = true;
  for_each_layer(net.layers(), [&](const auto& layer) {
    if (std::exchange(is_first, false)) scale_like_inputs(layer, numbers, x);
  });
  x = x.template cast<Written>().template cast<Scalar>().eval();
  const Vector<Scalar> smallest = net.predict(x).cwiseAbs().colwise().minCoeff().transpose();
  std::array<Index, drawn> best;
  std::iota(best.begin(), best.end(), Index{0});
  std::sort(best.begin(), best.end(), [&](Index a, Index b) { return smallest[a] != smallest[b] ? smallest[a] > smallest[b] : a < b; });
  Matrix<Scalar> three(x.rows(), source_tests);
  for (Index j = 0; j < source_tests; ++j) three.col(j) = x.col(best[static_cast<std::size_t>(j)]);
  return three;
}

/// The comment at the top of the header. `Scalar` is that of the network, `Written` that of the source code.
template <class Scalar, class Written>
std::string source_comment(const std::string& name, Index inputs, Index outputs, const SourceWriter<Written>& writer,
                           const std::string& layers, const std::string& loss) {
  constexpr Index bytes = sizeof(Written);
  const std::string scalar = writer.functions.scalar;
  Index stack = 0;
  for (const Index size : writer.array_sizes()) stack += size * bytes;
  return text_of(
      "/* A neural net as source code, written by chainrule ", version,
      ". C99, and C++11 or later; needs math.h and nothing else.\n\n       ", scalar, " y[", in_capitals(name), "_OUTPUTS];\n       ", name,
      "_predict(x, y);\n\n   x has ", inputs, " numbers, y gets ", outputs, "; they may not overlap. ", name,
      "_self_check() is 0 where predict gives the library's numbers.\n   Layers: ", layers, ". Loss: ", loss,
      ".\n   Memory: ", writer.weights.count() * bytes, " bytes of constants; ", stack, " bytes of arrays on the stack of ", name,
      "_predict.",
      sizeof(Written) < sizeof(Scalar) ? text_of("\n   The net's numbers had more digits; here they are rounded to ", scalar, ".") : "",
      " */\n");
}

/// The three samples, the predictions for them, and self_check, which compares.
template <class Written, class Scalar>
std::string source_self_check(const std::string& name, const SourceFunctions<Written>& functions, const Matrix<Scalar>& x,
                              const Matrix<Scalar>& y) {
  SourceWeights<Written> tests;
  tests.add_rows(name + "_test_x", source_tests, x.rows(), [&](Index i, Index k) { return x(k, i); });
  tests.add_rows(name + "_test_y", source_tests, y.rows(), [&](Index i, Index k) { return y(k, i); });
  // sums of floats are less exact than the predictions of a network of double
  const char* tolerance = sizeof(Written) < sizeof(Scalar) ? "5e-6" : "1e-6";
  const double floor = 0.25 * static_cast<double>(y.cwiseAbs().maxCoeff());
  return text_of("/* Three samples, and what the library predicts for them. */\n", tests.text(),
                 "\n/* 0 if the predictions are the library's, but for ", tolerance,
                 " of each number (of those that are small, of a quarter of the largest);\n"
                 "   else which sample is the first with others: 1, 2 or 3. */\nstatic inline int ",
                 name, "_self_check(void) {\n  ", functions.scalar, " y[", y.rows(), "];\n  for (int j = 0; j < ", source_tests,
                 "; ++j) {\n    ", name, "_predict(", name, "_test_x[j], y);\n    for (int i = 0; i < ", y.rows(), "; ++i) {\n",
                 functions.filled_in(text_of("      const $ expected = ", name, "_test_y[j][i];\n      const $ size = fabsF(expected) > ",
                                             functions.literal(floor), " ? fabsF(expected) : ", functions.literal(floor),
                                             ";\n      if (!(fabsF(y[i] - expected) <= ", tolerance,
                                             sizeof(Written) == sizeof(float) ? "f" : "", " * size)) return j + 1;\n")),
                 "    }\n  }\n  return 0;\n}\n");
}

/// The complete header. Precondition: the network's numbers are numbers of Written.
template <class Written, class Net>
std::string source_of(const Net& net, const SourceOptions& options) {
  using Scalar = typename Net::ScalarType;
  const std::string& name = options.name;
  Matrix<Scalar> x = options.tests.template cast<Written>().template cast<Scalar>();
  if (x.size() == 0) x = drawn_tests<Written>(net);
  const Matrix<Scalar> y = net.predict(x);
  SourceWriter<Written> writer(name);
  add_source_network(net, writer);

  const std::string capitals = in_capitals(name);
  std::string layers, arrays;
  for_each_layer(net.layers(), [&](const auto& layer) { layers += text_of(layers.empty() ? "" : ", ", layer.name); });
  Index number = 0;
  for (const Index size : writer.array_sizes()) arrays += text_of("  ", writer.functions.scalar, " t", ++number, "[", size, "];\n");
  return text_of(source_comment<Scalar>(name, net.inputs(), net.outputs(), writer, layers, describe(net.loss_function()).kind),  //
                 "#ifndef ", capitals, "_SOURCE\n#define ", capitals, "_SOURCE\n\n#include <math.h>\n\n",                        //
                 "enum { ", capitals, "_INPUTS = ", net.inputs(), ", ", capitals, "_OUTPUTS = ", net.outputs(), " };\n\n",       //
                 writer.weights.text(), "\n", writer.functions.text(),                                                           //
                 "/* y = F(x) */\nstatic inline void ", name, "_predict(const ", writer.functions.scalar, "* x, ", writer.functions.scalar,
                 "* y) {\n", arrays, writer.body(), "}\n\n", source_self_check<Written>(name, writer.functions, x, y), "\n#endif\n");
}

/// The complete header, with the network's numbers rounded to Written where that has fewer digits.
template <class Written, class Net>
std::string rounded_source_of(const Net& net, const SourceOptions& options) {
  using Scalar = typename Net::ScalarType;
  if constexpr (sizeof(Written) >= sizeof(Scalar)) {
    return source_of<Written>(net, options);
  } else {
    Net rounded = net;
    const auto round = [](auto numbers) { numbers = numbers.template cast<Written>().template cast<Scalar>().eval(); };
    round(rounded.parameters());
    round(rounded.buffers());
    return source_of<Written>(rounded, options);
  }
}

}  // namespace detail

/// The network as a header of C99, and of C++11 and later, that needs nothing but math.h: constant weights, predict(const float* x,
/// float* y) for one sample, and self_check(), which compares the predictions for three samples with the library's. No heap, no global
/// variables; its arrays lie on the stack. A network of double is written with floats unless options.doubles is set. Throws ValueError for
/// a name that cannot begin an identifier, for an activation, a layer or a loss that is not the library's, and for numbers that are not
/// finite; ShapeError for tests that are not inputs x 3; and what predict throws for a network that cannot predict yet.
template <class Net>
std::string to_source(const Net& net, const SourceOptions& options = {}) {
  using Scalar = typename Net::ScalarType;
  if (!detail::is_source_prefix(options.name))
    detail::raise<ValueError>("to_source: expected a name of letters, digits and single underscores that begins with a letter, but found ",
                              detail::in_quotes(options.name));
  if (options.tests.size() > 0 && (options.tests.rows() != net.inputs() || options.tests.cols() != detail::source_tests))
    detail::raise<ShapeError>("to_source: expected tests of ", net.inputs(), " x ", detail::source_tests,
                              " (inputs x samples), but they are ", options.tests.rows(), " x ", options.tests.cols());
  if (!options.doubles) return detail::rounded_source_of<float>(net, options);
  if constexpr (sizeof(Scalar) >= sizeof(double))
    return detail::rounded_source_of<double>(net, options);
  else
    detail::raise<ValueError>("to_source: doubles are for networks of double; this one has the digits of float");
}

/// Writes to_source(net, options) into a file. An existing file is replaced only when the new one is complete. Throws what to_source
/// throws, and ValueError with the system's reason where the file cannot be written.
template <class Net>
void export_source(const Net& net, const std::string& path, const SourceOptions& options = {}) {
  detail::write_file("export_source", path, to_source(net, options));
}

}  // namespace chainrule
