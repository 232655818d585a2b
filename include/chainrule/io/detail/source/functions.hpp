#pragma once
// Writes the functions that exported source code calls: multiply-add, e^x, sigma and tanh with the library's own arithmetic, so that they
// give its bits.

#include <bit>
#include <chainrule/bytes/decimal.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/io/detail/source/text.hpp>
#include <chainrule/kernels/vector_math.hpp>
#include <initializer_list>
#include <set>

namespace chainrule::detail {

/// Collects the helper functions that a piece of exported source code calls; each is written once. `Written` is float or double. In the
/// text of a function's parameters and body $ stands for the type, F for the suffix of a function of math.h (log1pF is log1pf or log1p),
/// and numbers are in angle brackets: <0.5>.
template <class Written>
class SourceFunctions {
  static constexpr bool is_float = sizeof(Written) == sizeof(float);
  using Constants = kernels::ExponentialConstants<Written>;

 public:
  /// `name`: what the names of the functions begin with.
  explicit SourceFunctions(std::string name) : name_{std::move(name)} {}

  static constexpr const char* scalar = is_float ? "float" : "double";
  template <class Number>
  static std::string literal(Number number) {
    return source_literal(static_cast<Written>(number));
  }

  /// The text with its $, F and numbers in angle brackets replaced by what they stand for.
  static std::string filled_in(std::string_view body) {
    std::string text;
    while (!body.empty()) {
      if (body.starts_with("F(")) {
        text += is_float ? "f" : "";
      } else if (body[0] == '$') {
        text += scalar;
      } else if (body[0] == '<' && body.size() > 1 && is_digit(body[1])) {
        const std::size_t end = body.find('>');
        long double number = 0;  // a float made from a double would be rounded twice
        parse_number(body.substr(1, end - 1), number);
        text += literal(number);
        body.remove_prefix(end);
      } else {
        text += body[0];
      }
      body.remove_prefix(1);
    }
    return text;
  }

  /// Adds a function unless it is there already, and returns its full name. `formula` is the comment above it.
  std::string use(const std::string& function, std::string_view formula, std::string_view parameters, std::string_view body) {
    const std::string full = name_ + "_" + function;
    if (known_.insert(function).second)
      text_ +=
          text_of("/* ", formula, " */\nstatic inline ", scalar, " ", full, "(", filled_in(parameters), ") {\n", filled_in(body), "}\n\n");
    return full;
  }

  /// Adds a function like `use`, and returns a call of it with these arguments: model_relu(z).
  std::string call(const std::string& function, std::string_view formula, std::string_view parameters, std::string_view body,
                   std::initializer_list<std::string> arguments) {
    std::string list;
    for (const std::string& argument : arguments) list += (list.empty() ? "" : ", ") + argument;
    return use(function, formula, parameters, body) + "(" + list + ")";
  }

  std::string multiply_add() {
    const char* fast = is_float ? "FP_FAST_FMAF" : "FP_FAST_FMA";
    return use("fma", "w a + z, rounded once where that takes no longer; on x86-64 math.h looks for the instruction", "$ w, $ a, $ z",
               text_of("#if defined(", fast, ") || defined(__", fast, ") || defined(__x86_64__) || defined(_M_X64)\n",
                       "  return fmaF(w, a, z);\n#else\n  return w * a + z;\n#endif\n"));
  }

  /// n of e^x = 2^n e^s: x/ln 2 rounded to an integer by a cast. Rounding by adding and subtracting a large number would be faster, but
  /// -ffast-math removes that.
  std::string exp_power() {
    return use("exp_power", "n of e^x = 2^n e^s with |s| <= ln 2/2", "$ x",
               text_of("  const $ real = x * ", literal(Constants::log2_e),
                       ";\n  return x != x ? <0> : ($)(int)(real < <0> ? real - <0.5> : real + <0.5>);\n"));
  }
  /// e^s - 1 for |s| <= ln 2/2.
  std::string near_0() {
    const std::string fma = multiply_add();
    return use("near_0", "e^s - 1 = s + s^2 P(s) for |s| <= ln 2/2", "$ s",
               text_of("  const $ s2 = s * s;\n  const $ s4 = s2 * s2;\n", Constants::p.size() > 8 ? "  const $ s8 = s4 * s4;\n" : "",
                       "  const $ p =\n      ", polynomial(fma, 0, Constants::p.size()), ";\n  return ", fma, "(s2, p, s);\n"));
  }
  /// n and e^s - 1 of e^x = 2^n e^s, with the steps of kernels::Exponential.
  std::string exp_rest() {
    const std::string fma = multiply_add(), power = exp_power(), rest = near_0();
    return use("exp_rest", "e^x = 2^n e^s: n, and e^s - 1; ln 2 is a sum of two, as n times the first is exact; NaN stays NaN",
               "$ x, int* n",
               text_of("  const $ real_n = ", power, "(x);\n  *n = (int)real_n;\n  return ", rest, "(", fma, "(-real_n, ",
                       literal(Constants::ln2_low), ", ", fma, "(-real_n, ", literal(Constants::ln2_high), ", x)));\n"));
  }
  std::string exp() {
    const std::string rest = exp_rest(), least = literal(Constants::underflow), most = literal(Constants::overflow);
    return use("exp", "e^x", "$ x",
               text_of("  int n;\n  const $ r = ", rest, "(x < ", least, " ? ", least, " : x > ", most, " ? ", most,
                       " : x, &n);\n  return ldexpF(<1> + r, n);\n"));
  }
  std::string sigmoid() {
    const std::string fma = multiply_add(), rest = exp_rest(), least = literal(-Constants::sigmoid_is_1),
                      most = literal(-Constants::normal);
    return use("sigmoid",
               "sigma(z) = 1/(1 + e^-z) = c/(c + c e^-z), with a small c that lets nothing overflow; 0 where it would be subnormal", "$ z",
               text_of("  int n;\n  const $ r = ", rest, "(-z < ", least, " ? ", least, " : -z > ", most, " ? ", most,
                       " : -z, &n);\n  const $ c = ", literal(Constants::tiny), ";\n  const $ power = ldexpF(c, n);\n  return z < ",
                       literal(Constants::normal), " ? <0> : c / ", fma, "(power, r, power + c);\n"));
  }
  std::string tanh() {
    const std::string fma = multiply_add(), exponent = exp_power(), rest = near_0(), most = literal(Constants::tanh_is_1);
    return use("tanh", "tanh |z| = (1 - e^-2|z|)/(1 + e^-2|z|)", "$ z",
               text_of("  const $ x = -<2> * (fabsF(z) > ", most, " ? ", most, " : fabsF(z));\n  const $ n = ", exponent,
                       "(x);\n  const $ r = ", rest, "(", fma, "(-n, ", literal(Constants::ln2),
                       ", x));\n  const $ power = ldexpF(<1>, (int)n);\n", "  const $ t = ", fma, "(-power, r, <1> - power) / ", fma,
                       "(power, r, <1> + power);\n  return z < <0> ? -t : t;\n"));
  }

  /// The definitions of all functions that are called.
  const std::string& text() const { return text_; }

 private:
  // p[first] + p[first + 1] s + ..., as the sum of two halves, which is how kernels::polynomial evaluates it
  static std::string polynomial(const std::string& fma, std::size_t first, std::size_t count) {
    if (count == 1) return literal(Constants::p[first]);
    const std::size_t half = std::bit_ceil(count) / 2;
    const std::string power = half == 1 ? "s" : text_of("s", half);
    return text_of(fma, "(", polynomial(fma, first + half, count - half), ", ", power, ", ", polynomial(fma, first, half), ")");
  }

  std::string name_;
  std::set<std::string> known_;
  std::string text_;
};

}  // namespace chainrule::detail
