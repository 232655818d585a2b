#pragma once
// Writes a network as source code that needs no library: one header of C99, and of C++11 and later, for a microcontroller or any program.

#include <algorithm>
#include <array>
#include <chainrule/bytes/file.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/core/version.hpp>
#include <chainrule/derivatives/first_order.hpp>
#include <chainrule/io/detail/source/jacobian.hpp>
#include <chainrule/io/detail/source/layers.hpp>
#include <chainrule/io/detail/source/program.hpp>
#include <numeric>
#include <utility>

namespace chainrule {

/// How a network is written as source code.
struct SourceOptions {
  std::string name = "model";  ///< all names in the source code begin with it: model_predict, MODEL_INPUTS
  bool doubles = false;        ///< write doubles instead of floats; for networks of double or long double
  Matrix<double> tests = {};   ///< three samples (inputs x 3) for self_check; drawn where there are none
  bool jacobian = false;       ///< write model_jacobian(x, J) too, the derivatives of what model_predict computes
};

/// Exactness and size of exported source code. A difference is the largest of a number from the library's for the three samples, relative
/// to that number, or to a quarter of the largest one where it is smaller. It is measured when the source code is written, by running that
/// with each operation rounded once; the functions of math.h differ in the last bits from one C library to the next.
struct SourceReport {
  double predict_difference = 0;   ///< the one of model_predict from net.predict
  double jacobian_difference = 0;  ///< the one of model_jacobian from net.of_prediction().jacobian; 0 without it
  Index constant_bytes = 0;        ///< bytes of constants for weights and statistics; those of self_check are not counted
  Index predict_bytes = 0;         ///< bytes of RAM for the arrays of model_predict, on the stack
  Index jacobian_bytes = 0;        ///< bytes of RAM for the arrays of model_jacobian, on the stack, besides J
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
  for (const CategoryRow& of : category_rows_of(element(net.layers(), Constant<0>{})))
    for (Index j = 0; j < x.cols(); ++j) x(of.row, j) = static_cast<Scalar>(random.below(static_cast<std::uint64_t>(of.categories)));
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

/// Returns how many bytes of RAM the arrays of a function take.
template <class Written>
Index bytes_of_arrays(const SourceWriter<Written>& writer) {
  Index size = 0;
  for (const auto& array : writer.arrays()) size += array.second;
  return size * static_cast<Index>(sizeof(Written));
}

/// The Jacobians of the network's predictions, one column for each sample of x, which holds a Jacobian row by row. Precondition: each type
/// of the network has a form in source code, so it is one of the library.
template <class Net>
Matrix<typename Net::ScalarType> jacobians_by_row(const Net& net, const Matrix<typename Net::ScalarType>& x) {
  using Scalar = typename Net::ScalarType;
  using Loss = std::remove_cvref_t<decltype(net.loss_function())>;
  Matrix<Scalar> J(net.outputs(), net.inputs() * x.cols());
  if constexpr (SequenceOfNet<Net>::template have_input_derivatives<Scalar>() && DifferentiableLink<Loss>) {
    auto work = net.make_derivative_workspace(x.cols());
    net.of_prediction().jacobian(x, work, J);
  }
  Matrix<Scalar> rows(J.rows() * x.rows(), x.cols());
  for (Index j = 0; j < x.cols(); ++j) rows.col(j) = J.middleCols(j * x.rows(), x.rows()).template reshaped<Eigen::RowMajor>();
  return rows;
}

/// The largest difference of the numbers that void function(x, result) of the source code computes for each sample, a column of x, from a
/// column of `expected`; see SourceReport.
template <class Written, class Scalar>
double largest_difference(SourceProgram<Written>& program, const std::string& function, const Matrix<Scalar>& x,
                          const Matrix<Scalar>& expected) {
  const Matrix<Written> inputs = x.template cast<Written>();
  Vector<Written> computed(expected.rows());
  const double floor = static_cast<double>(expected.cwiseAbs().maxCoeff()) / 4;
  double largest = 0;
  for (Index j = 0; j < x.cols(); ++j) {
    program.run(function, inputs.col(j).data(), computed.data());
    for (Index i = 0; i < expected.rows(); ++i) {
      const auto by = static_cast<double>(std::abs(static_cast<Scalar>(computed[i]) - expected(i, j)));
      const double difference = by == 0 ? 0 : by / (std::max)(std::abs(static_cast<double>(expected(i, j))), floor);
      if (!(difference <= largest)) largest = difference;
    }
  }
  return largest;
}

/// The number in decimal with two digits: 1.2e-07.
inline std::string in_two_digits(double number) {
  std::string text;
  append_digits(text, number, 2);
  return text;
}

/// The comment at the top of the header. `Scalar` is that of the network, `Written` that of the source code.
template <class Scalar, class Written>
std::string source_comment(const SourceOptions& options, Index inputs, Index outputs, const std::string& layers, const std::string& loss,
                           const SourceReport& report) {
  const std::string &name = options.name, scalar = SourceFunctions<Written>::scalar, capitals = in_capitals(name);
  std::string call, meaning, memory, difference;
  if (options.jacobian) {
    call = text_of("       ", scalar, " J[", capitals, "_OUTPUTS * ", capitals, "_INPUTS];\n       ", name, "_jacobian(x, J);\n");
    meaning = text_of("J gets the ", outputs, " x ", inputs, " derivatives of what ", name, "_predict computes, row by row:\n   J[i * ",
                      inputs, " + k] = dy_i/dx_k; at a kink, such as that of ReLU at 0, as the library's. x and J may not overlap.\n   ");
    memory = text_of(", ", report.jacobian_bytes, " on that of ", name, "_jacobian");
    difference = text_of(", of ", name, "_jacobian ", in_two_digits(report.jacobian_difference));
  }
  return text_of(
      "/* A neural net as source code, written by chainrule ", version,
      ". C99, and C++11 or later; needs math.h and nothing else.\n\n       ", scalar, " y[", capitals, "_OUTPUTS];\n       ", name,
      "_predict(x, y);\n", call, "\n   x has ", inputs, " numbers, y gets ", outputs, "; they may not overlap. ", meaning, name,
      "_self_check() is 0 where ", options.jacobian ? "both give" : "predict gives", " the library's numbers.\n   Layers: ", layers,
      ". Loss: ", loss, ".\n   Memory: ", report.constant_bytes, " bytes of constants; ", report.predict_bytes,
      " bytes of arrays on the stack of ", name, "_predict", memory, ".\n   Largest difference of ", name, "_predict from the library ",
      in_two_digits(report.predict_difference), difference,
      ", for the samples of self_check, relative to each number\n   (to a quarter of the largest where it is smaller).",
      sizeof(Written) < sizeof(Scalar) ? text_of("\n   The net's numbers had more digits; here they are rounded to ", scalar, ".") : "",
      " */\n");
}

/// The lines of self_check that compare `size` numbers of sample j with the library's, of which the largest is `largest`.
template <class Written>
std::string source_comparison(const SourceFunctions<Written>& functions, const std::string& computed, const std::string& expected,
                              Index size, double largest, const std::string& tolerance) {
  const std::string floor = functions.literal(0.25 * largest);
  return functions.filled_in(text_of("    for (int i = 0; i < ", size, "; ++i) {\n      const $ expected = ", expected,
                                     "[j][i];\n      const $ size = fabsF(expected) > ", floor, " ? fabsF(expected) : ", floor,
                                     ";\n      if (!(fabsF(", computed, "[i] - expected) <= ", tolerance,
                                     sizeof(Written) == sizeof(float) ? "f" : "", " * size)) return j + 1;\n    }\n"));
}

/// The three samples, the predictions for them, their Jacobians unless J is empty, and self_check, which compares.
template <class Written, class Scalar>
std::string source_self_check(const std::string& name, const SourceFunctions<Written>& functions, const Matrix<Scalar>& x,
                              const Matrix<Scalar>& y, const Matrix<Scalar>& J) {
  const Index inputs = x.rows(), outputs = y.rows();
  SourceWeights<Written> tests;
  tests.add_rows(name + "_test_x", source_tests, inputs, [&](Index i, Index k) { return x(k, i); });
  tests.add_rows(name + "_test_y", source_tests, outputs, [&](Index i, Index k) { return y(k, i); });
  // sums of floats are less exact than the predictions of a network of double
  const std::string tolerance = sizeof(Written) < sizeof(Scalar) ? "5e-6" : "1e-6", jacobian_tolerance = "1e-5";
  std::string array, comparison, explanation;
  if (J.size() > 0) {
    tests.add_rows(name + "_test_J", source_tests, outputs * inputs, [&](Index i, Index k) { return J(k, i); });
    array = text_of("  ", functions.scalar, " J[", outputs * inputs, "];\n");
    comparison = text_of("    ", name, "_jacobian(", name, "_test_x[j], J);\n",
                         source_comparison(functions, "J", name + "_test_J", outputs * inputs, static_cast<double>(J.cwiseAbs().maxCoeff()),
                                           jacobian_tolerance));
    explanation = text_of(", and the derivatives, but for ", jacobian_tolerance);
  }
  return text_of("/* Three samples, and what the library predicts for them. */\n", tests.text(),
                 "\n/* 0 if the predictions are the library's, but for ", tolerance, explanation,
                 " of each number (of those that are small, of a quarter of the largest);\n",
                 "   else which sample is the first with others: 1, 2 or 3. */\nstatic inline int ", name, "_self_check(void) {\n  ",
                 functions.scalar, " y[", outputs, "];\n", array, "  for (int j = 0; j < ", source_tests, "; ++j) {\n    ", name,
                 "_predict(", name, "_test_x[j], y);\n",
                 source_comparison(functions, "y", name + "_test_y", outputs, static_cast<double>(y.cwiseAbs().maxCoeff()), tolerance),
                 comparison, "  }\n  return 0;\n}\n");
}

/// The complete header, and what it says of itself.
struct WrittenSource {
  std::string text;
  SourceReport report;
};

/// Writes the complete header. Precondition: the network's numbers are numbers of Written.
template <class Written, class Net>
WrittenSource source_of(const Net& net, const SourceOptions& options) {
  using Scalar = typename Net::ScalarType;
  const std::string &name = options.name, scalar = SourceFunctions<Written>::scalar, capitals = in_capitals(name);
  const Index inputs = net.inputs(), outputs = net.outputs();
  Matrix<Scalar> x = options.tests.template cast<Written>().template cast<Scalar>();
  if (x.size() == 0) x = drawn_tests<Written>(net);
  const Matrix<Scalar> y = net.predict(x);
  SourceWriter<Written> writer(name);
  add_source_network(net, writer);

  SourceWriter<Written> derivatives(name, true);
  std::string arrays, jacobian;
  for (const auto& [array, size] : writer.arrays()) arrays += text_of("  ", scalar, " ", array, "[", size, "];\n");
  if (options.jacobian) {
    add_source_network(net, derivatives);
    jacobian = "\n" + source_jacobian(derivatives, inputs, outputs);
  }
  const SourceFunctions<Written>& functions = options.jacobian ? derivatives.functions : writer.functions;
  const std::string code = text_of(writer.weights.text(), "\n", functions.text(), "/* y = F(x) */\nstatic inline void ", name,
                                   "_predict(const ", scalar, "* x, ", scalar, "* y) {\n", arrays, writer.body(), "}\n", jacobian);

  SourceProgram<Written> program(code);
  SourceReport report{.predict_difference = largest_difference(program, name + "_predict", x, y),
                      .constant_bytes = writer.weights.count() * static_cast<Index>(sizeof(Written)),
                      .predict_bytes = bytes_of_arrays(writer)};
  Matrix<Scalar> J;
  if (options.jacobian) {
    J = jacobians_by_row(net, x);
    report.jacobian_difference = largest_difference(program, name + "_jacobian", x, J);
    report.jacobian_bytes = bytes_of_arrays(derivatives);
  }

  std::string layers;
  for_each_layer(net.layers(), [&](const auto& layer) { layers += text_of(layers.empty() ? "" : ", ", layer.name); });
  return {
      text_of(source_comment<Scalar, Written>(options, inputs, outputs, layers, describe(net.loss_function()).kind, report), "#ifndef ",
              capitals, "_SOURCE\n#define ", capitals, "_SOURCE\n\n#include <math.h>\n\nenum { ", capitals, "_INPUTS = ", inputs, ", ",
              capitals, "_OUTPUTS = ", outputs, " };\n\n", code, "\n", source_self_check<Written>(name, functions, x, y, J), "\n#endif\n"),
      report};
}

/// Writes the complete header, with the network's numbers rounded to Written where that has fewer digits.
template <class Written, class Net>
WrittenSource rounded_source_of(const Net& net, const SourceOptions& options) {
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

/// Checks the options and writes the complete header. Throws what to_source throws.
template <class Net>
WrittenSource checked_source_of(const Net& net, const SourceOptions& options) {
  using Scalar = typename Net::ScalarType;
  if (!is_source_prefix(options.name))
    raise<ValueError>("to_source: expected a name of letters, digits and single underscores that begins with a letter, but found ",
                      in_quotes(options.name));
  if (options.tests.size() > 0 && (options.tests.rows() != net.inputs() || options.tests.cols() != source_tests))
    raise<ShapeError>("to_source: expected tests of ", net.inputs(), " x ", source_tests, " (inputs x samples), but they are ",
                      options.tests.rows(), " x ", options.tests.cols());
  if (!options.doubles) return rounded_source_of<float>(net, options);
  if constexpr (sizeof(Scalar) >= sizeof(double))
    return rounded_source_of<double>(net, options);
  else
    raise<ValueError>("to_source: doubles are for networks of double; this one has the digits of float");
}

}  // namespace detail

/// The network as a header of C99, and of C++11 and later, that needs nothing but math.h: constant weights, predict(const float* x,
/// float* y) for one sample, and self_check(), which compares the results for three samples with the library's. No heap, no global
/// variables; its arrays lie on the stack. A network of double is written with floats unless options.doubles is set.
///
/// With options.jacobian it also has jacobian(const float* x, float* J), the derivatives of what predict computes, so with the loss's link:
/// J[i * inputs + k] = dy_i/dx_k, row by row, where net.of_prediction().jacobian(x, work, J) is column-major. It goes through the network
/// once for each input (forward mode) or for each output (reverse mode), whichever are fewer.
///
/// Throws ValueError for a name that cannot begin an identifier, for an activation, a layer or a loss that is not the library's, and for
/// numbers that are not finite; ShapeError for tests that are not inputs x 3; and what predict throws for a network that cannot predict
/// yet.
template <class Net>
requires requires { typename Net::Gradients; }  // not a QuantizedNetwork: export_quantized_source.hpp has its to_source
std::string to_source(const Net& net, const SourceOptions& options = {}) { return detail::checked_source_of(net, options).text; }

/// Writes to_source(net, options) into a file, and returns how far its results are from the library's and how many bytes it needs. An
/// existing file is replaced only when the new one is complete. Throws what to_source throws, and ValueError with the system's reason where
/// the file cannot be written.
template <class Net>
requires requires { typename Net::Gradients; }  // not a QuantizedNetwork: export_quantized_source.hpp has its export_source
SourceReport export_source(const Net& net, const std::string& path, const SourceOptions& options = {}) {
  const detail::WrittenSource source = detail::checked_source_of(net, options);
  detail::write_file("export_source", path, source.text);
  return source.report;
}

}  // namespace chainrule
