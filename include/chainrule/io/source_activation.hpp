#pragma once
// The activations as functions of C, with the formulas that they have here.

#include <chainrule/activations/selu.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/data/decimal.hpp>
#include <chainrule/io/source_text.hpp>
#include <set>

namespace chainrule::detail {

/// The helper functions that a piece of source code calls, each written once, and calls of them. In their bodies $ is the type,
/// F stands behind the functions of math.h (expF is expf or exp) and numbers are in angle brackets: <0.5>.
class SourceFunctions {
 public:
  SourceFunctions(std::string name, SourceNumber number) : name_{std::move(name)}, number_{number} {}

  /// A number of the program's type.
  std::string literal(double number) const {
    return number_ == SourceNumber::of_float ? source_literal(static_cast<float>(number)) : source_literal(number);
  }
  std::string literal(long double number) const {  // not by way of a double, which would round twice
    return number_ == SourceNumber::of_float ? source_literal(static_cast<float>(number)) : source_literal(static_cast<double>(number));
  }
  std::string scalar() const { return number_ == SourceNumber::of_float ? "float" : "double"; }

  /// A line or a body with its $, F and numbers filled in.
  std::string filled_in(std::string_view body) const {
    std::string text;
    while (!body.empty()) {
      if (take(body, "$")) {
        text += scalar();
      } else if (take(body, "F(")) {
        text += number_ == SourceNumber::of_float ? "f(" : "(";
      } else if (body[0] == '<' && body.size() > 1 && body[1] >= '0' && body[1] <= '9') {
        const std::size_t end = body.find('>');
        long double number = 0;
        parse_number(body.substr(1, end - 1), number);
        text += literal(number);
        body.remove_prefix(end + 1);
      } else {
        text += body[0];
        body.remove_prefix(1);
      }
    }
    return text;
  }

  /// Notes that the function is called, and gives its full name. `formula` is its comment.
  std::string use(const std::string& function, std::string_view formula, std::string_view parameters, std::string_view body) {
    const std::string full = name_ + "_" + function;
    if (known_.insert(function).second)
      text_ += text_of("/* ", formula, " */\nstatic inline ", scalar(), " ", full, "(", filled_in(parameters), ") {\n", filled_in(body),
                       "}\n\n");
    return full;
  }

  /// w a + z, rounded once where the machine can.
  std::string multiply_add() {
    return use("fma", "w a + z: rounded once, as the library does, where that takes no longer", "$ w, $ a, $ z", fma_body());
  }
  std::string sigmoid() {
    return use("sigmoid", "sigma(z) = 1/(1 + e^-z), without overflow", "$ z",
               "  const $ e = expF(-fabsF(z));\n  return (z < <0> ? e : <1>) / (<1> + e);\n");
  }

  /// All functions that have been called.
  const std::string& text() const { return text_; }

 private:
  static bool take(std::string_view& text, std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
  }

  std::string fma_body() const {
    const bool f = number_ == SourceNumber::of_float;
    // on x86-64 libraries look at run time for the instruction
    return text_of("#if defined(", f ? "FP_FAST_FMAF" : "FP_FAST_FMA", ") || defined(", f ? "__FP_FAST_FMAF" : "__FP_FAST_FMA",
                   ") || defined(__x86_64__) || defined(_M_X64)\n  return fmaF(w, a, z);\n#else\n  return w * a + z;\n#endif\n");
  }

  std::string name_;
  SourceNumber number_;
  std::set<std::string> known_;
  std::string text_;
};

/// An activation as an expression of z, an identifier. Throws ValueError for one that is not the library's.
inline std::string source_activation(SourceFunctions& functions, const Description& f, const std::string& z) {
  const std::string_view kind = f.kind;
  const auto call = [&](const std::string& name, std::string_view formula, std::string_view body) {
    return functions.use(name, formula, "$ z", body) + "(" + z + ")";
  };
  // with the hyperparameters behind z, in their order
  const auto call_with = [&](const std::string& name, std::string_view formula, std::string_view parameters, std::string_view body) {
    std::string arguments = z;
    for (const auto& [_, value] : f.hyperparameters) arguments += ", " + functions.literal(value);
    return functions.use(name, formula, parameters, body) + "(" + arguments + ")";
  };
  if (kind == "Identity") return z;
  if (kind == "Tanh") return functions.filled_in("tanhF(") + z + ")";
  if (kind == "Sigmoid") return functions.sigmoid() + "(" + z + ")";
  if (kind == "ReLU") return call("relu", "ReLU(z) = max(0, z)", "  return z < <0> ? <0> : z;\n");
  if (kind == "LeakyReLU")
    return call_with("leaky_relu", "z for z > 0, slope z below", "$ z, $ slope", "  return z < <0> ? slope * z : z;\n");
  if (kind == "ELU")
    return call_with("elu", "z for z > 0, alpha (e^z - 1) below", "$ z, $ alpha", "  return z > <0> ? z : alpha * expm1F(z);\n");
  if (kind == "SELU")
    return call("selu", "lambda z for z > 0, lambda alpha (e^z - 1) below",
                text_of("  return z > <0> ? ", functions.literal(SELU::lambda), " * z : ", functions.literal(SELU::lambda * SELU::alpha),
                        " * expm1F(z);\n"));
  if (kind == "SiLU") {
    const std::string sigmoid = functions.sigmoid();
    return call("silu", "z sigma(z)", "  return z * " + sigmoid + "(z);\n");
  }
  if (kind == "Mish")
    return call("mish", "z tanh(ln(1 + e^z)) = z n/(n + 2 q^2) with e^z = p/q and n = p (p + 2q)",
                "  const $ e = expF(-fabsF(z));\n  const $ p = z < <0> ? e : <1>;\n  const $ q = z < <0> ? <1> : e;\n"
                "  const $ n = p * (p + <2> * q);\n  return z * (n / (n + <2> * (q * q)));\n");
  if (kind == "Softplus")
    return call_with("softplus", "ln(1 + e^(beta z))/beta = max(z, 0) + ln(1 + e^-|beta z|)/beta", "$ z, $ beta",
                     "  return (z > <0> ? z : <0>) + log1pF(expF(-fabsF(beta * z))) / beta;\n");
  if (kind == "GELU")
    return call("gelu", "z Phi(z) = z erfc(-z/sqrt 2)/2; far below 0, where erfc(x) ~ e^(-x^2), the rounding error of x is made good",
                "  const $ x = -z / <1.41421356237309504880168872420969808>;\n  const $ half = erfcF(x) / <2>;\n"
                "  if (z > -<1>) return z * half;\n  if (z < -<200>) return -<0>;\n  const $ square = <2> * x * x;\n"
                "  return z * (half * (<1> - (fmaF(z, z, -square) - fmaF(<2> * x, x, -square)) / <2>));\n");
  if (kind == "GELUTanh") {
    const std::string sigmoid = functions.sigmoid();
    return call("gelu_tanh", "z/2 (1 + tanh u) = z sigma(2u) with u = sqrt(2/pi) (z + 0.044715 z^3)",
                "  return z * " + sigmoid + "(<1.595769121605730711759784239737527474> * z * (<1> + <0.044715> * (z * z)));\n");
  }
  if (kind == "Softsign") return call("softsign", "z/(1 + |z|)", "  return z / (<1> + fabsF(z));\n");
  if (kind == "HardSigmoid")
    return call("hard_sigmoid", "min(max(z/6 + 1/2, 0), 1)", "  return z <= -<3> ? <0> : z >= <3> ? <1> : (z + <3>) / <6>;\n");
  if (kind == "HardTanh")
    return call_with("hard_tanh", "min(max(z, low), high)", "$ z, $ low, $ high", "  return z < low ? low : z > high ? high : z;\n");
  raise<ValueError>("to_source: the activation ", kind, " has no form in source code");
}

}  // namespace chainrule::detail
