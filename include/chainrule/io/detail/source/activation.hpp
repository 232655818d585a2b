#pragma once
// The activations as functions of C, with the formulas that they have in the library.

#include <chainrule/activations/selu.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/io/detail/source/functions.hpp>

namespace chainrule::detail {

/// An activation as an expression of z, an identifier. Throws ValueError for one that is not the library's.
template <class Written>
std::string source_activation(SourceFunctions<Written>& functions, const Description& f, const std::string& z) {
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
  if (kind == "Tanh") return functions.tanh() + "(" + z + ")";
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
  if (kind == "Mish") {
    const std::string exp = functions.exp();
    return call("mish", "z tanh(ln(1 + e^z)) = z n/(n + 2 q^2) with e^z = p/q and n = p (p + 2q)",
                "  const $ e = " + exp +
                    "(-fabsF(z));\n  const $ p = z < <0> ? e : <1>;\n  const $ q = z < <0> ? <1> : e;\n"
                    "  const $ n = p * (p + <2> * q);\n  return z * (n / (n + <2> * (q * q)));\n");
  }
  if (kind == "Softplus") {
    const std::string exp = functions.exp();
    return call_with("softplus", "ln(1 + e^(beta z))/beta = max(z, 0) + ln(1 + e^-|beta z|)/beta", "$ z, $ beta",
                     "  return (z > <0> ? z : <0>) + log1pF(" + exp + "(-fabsF(beta * z))) / beta;\n");
  }
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
