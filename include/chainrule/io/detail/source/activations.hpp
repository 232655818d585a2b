#pragma once
// Writes each activation and its derivative as expressions of C. An overload of source_form on its type writes f(z), and one of
// source_derivative f'(z), with the formulas that they have in the library.

#include <chainrule/any/any_activation.hpp>
#include <chainrule/io/detail/forms.hpp>
#include <chainrule/io/detail/source/functions.hpp>

namespace chainrule::detail {

template <class Written>
std::string source_form(const Identity&, SourceFunctions<Written>&, const std::string& z) {
  return z;
}
template <class Written>
std::string source_form(const Tanh&, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.tanh() + "(" + z + ")";
}
template <class Written>
std::string source_form(const Sigmoid&, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.sigmoid() + "(" + z + ")";
}
template <class Written>
std::string source_form(const ReLU&, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.call("relu", "ReLU(z) = max(0, z)", "$ z", "  return z < <0> ? <0> : z;\n", {z});
}
template <class Written>
std::string source_form(const LeakyReLU& f, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.call("leaky_relu", "z for z > 0, slope z below", "$ z, $ slope", "  return z < <0> ? slope * z : z;\n",
                        {z, functions.literal(f.slope())});
}
template <class Written>
std::string source_form(const ELU& f, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.call("elu", "z for z > 0, alpha (e^z - 1) below", "$ z, $ alpha", "  return z > <0> ? z : alpha * expm1F(z);\n",
                        {z, functions.literal(f.alpha())});
}
template <class Written>
std::string source_form(const SELU&, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.call("selu", "lambda z for z > 0, lambda alpha (e^z - 1) below", "$ z",
                        text_of("  return z > <0> ? ", functions.literal(SELU::lambda),
                                " * z : ", functions.literal(SELU::lambda * SELU::alpha), " * expm1F(z);\n"),
                        {z});
}
template <class Written>
std::string source_form(const SiLU&, SourceFunctions<Written>& functions, const std::string& z) {
  const std::string sigmoid = functions.sigmoid();
  return functions.call("silu", "z sigma(z)", "$ z", "  return z * " + sigmoid + "(z);\n", {z});
}
template <class Written>
std::string source_form(const Mish&, SourceFunctions<Written>& functions, const std::string& z) {
  const std::string exp = functions.exp();
  return functions.call("mish", "z tanh(ln(1 + e^z)) = z n/(n + 2 q^2) with e^z = p/q and n = p (p + 2q)", "$ z",
                        "  const $ e = " + exp +
                            "(-fabsF(z));\n  const $ p = z < <0> ? e : <1>;\n  const $ q = z < <0> ? <1> : e;\n"
                            "  const $ n = p * (p + <2> * q);\n  return z * (n / (n + <2> * (q * q)));\n",
                        {z});
}
template <class Written>
std::string source_form(const Softplus& f, SourceFunctions<Written>& functions, const std::string& z) {
  const std::string exp = functions.exp();
  return functions.call("softplus", "ln(1 + e^(beta z))/beta = max(z, 0) + ln(1 + e^-|beta z|)/beta", "$ z, $ beta",
                        "  return (z > <0> ? z : <0>) + log1pF(" + exp + "(-fabsF(beta * z))) / beta;\n", {z, functions.literal(f.beta())});
}
template <class Written>
std::string source_form(const Sine& f, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.call("sine", "sin(omega z)", "$ z, $ omega", "  return sinF(omega * z);\n", {z, functions.literal(f.omega())});
}
template <class Written>
std::string source_form(const GELU&, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.call(
      "gelu", "z Phi(z) = z erfc(-z/sqrt 2)/2; far below 0, where erfc(x) ~ e^(-x^2), the rounding error of x is made good", "$ z",
      "  const $ x = -z / <1.41421356237309504880168872420969808>;\n  const $ half = erfcF(x) / <2>;\n"
      "  if (z > -<1>) return z * half;\n  if (z < -<200>) return -<0>;\n  const $ square = <2> * x * x;\n"
      "  return z * (half * (<1> - (fmaF(z, z, -square) - fmaF(<2> * x, x, -square)) / <2>));\n",
      {z});
}
template <class Written>
std::string source_form(const GELUTanh&, SourceFunctions<Written>& functions, const std::string& z) {
  const std::string sigmoid = functions.sigmoid();
  return functions.call("gelu_tanh", "z/2 (1 + tanh u) = z sigma(2u) with u = sqrt(2/pi) (z + 0.044715 z^3)", "$ z",
                        "  return z * " + sigmoid + "(<1.595769121605730711759784239737527474> * z * (<1> + <0.044715> * (z * z)));\n",
                        {z});
}
template <class Written>
std::string source_form(const Softsign&, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.call("softsign", "z/(1 + |z|)", "$ z", "  return z / (<1> + fabsF(z));\n", {z});
}
template <class Written>
std::string source_form(const HardSigmoid&, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.call("hard_sigmoid", "min(max(z/6 + 1/2, 0), 1)", "$ z",
                        "  return z <= -<3> ? <0> : z >= <3> ? <1> : (z + <3>) / <6>;\n", {z});
}
template <class Written>
std::string source_form(const HardSwish&, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.call("hard_swish", "z min(max(z + 3, 0), 6)/6", "$ z",
                        "  return z <= -<3> ? -<0> : z >= <3> ? z : z * ((z + <3>) / <6>);\n", {z});
}
template <class Written>
std::string source_form(const HardTanh& f, SourceFunctions<Written>& functions, const std::string& z) {
  return functions.call("hard_tanh", "min(max(z, low), high)", "$ z, $ low, $ high", "  return z < low ? low : z > high ? high : z;\n",
                        {z, functions.literal(f.low()), functions.literal(f.high())});
}

// f'(z) as an expression of z and a = f(z), both of which are names; empty where f'(z) = 1. At a kink it is the library's, which is decided
// by a for most.

template <class Written>
std::string source_derivative(const Identity&, SourceFunctions<Written>&, const std::string&, const std::string&) {
  return "";
}
template <class Written>
std::string source_derivative(const Tanh&, SourceFunctions<Written>& functions, const std::string&, const std::string& a) {
  return functions.call("tanh_prime", "tanh'(z) = (1 - a)(1 + a) with a = tanh(z)", "$ a", "  return (<1> - a) * (<1> + a);\n", {a});
}
template <class Written>
std::string source_derivative(const Sigmoid&, SourceFunctions<Written>& functions, const std::string&, const std::string& a) {
  return functions.call("sigmoid_prime", "sigma'(z) = a (1 - a) with a = sigma(z)", "$ a", "  return a * (<1> - a);\n", {a});
}
template <class Written>
std::string source_derivative(const ReLU&, SourceFunctions<Written>& functions, const std::string&, const std::string& a) {
  return functions.filled_in(a + " > <0> ? <1> : <0>");
}
template <class Written>
std::string source_derivative(const LeakyReLU& f, SourceFunctions<Written>& functions, const std::string&, const std::string& a) {
  return functions.filled_in(a + " > <0> ? <1> : " + functions.literal(f.slope()));
}
template <class Written>
std::string source_derivative(const ELU& f, SourceFunctions<Written>& functions, const std::string&, const std::string& a) {
  return functions.filled_in(a + " > <0> ? <1> : " + a + " + " + functions.literal(f.alpha()));
}
template <class Written>
std::string source_derivative(const SELU&, SourceFunctions<Written>& functions, const std::string&, const std::string& a) {
  return functions.filled_in(a + " > <0> ? " + functions.literal(SELU::lambda) + " : " + a + " + " +
                             functions.literal(SELU::lambda * SELU::alpha));
}
template <class Written>
std::string source_derivative(const SiLU&, SourceFunctions<Written>& functions, const std::string& z, const std::string&) {
  const std::string sigmoid = functions.sigmoid();
  return functions.call(
      "silu_prime", "sigma(z) (1 + z sigma(-z)), with z limited to where it is neither 0 nor 1", "$ z",
      "  const $ c = z < -<100> ? -<100> : z > <100> ? <100> : z;\n  return " + sigmoid + "(c) * (<1> + c * " + sigmoid + "(-c));\n", {z});
}
template <class Written>
std::string source_derivative(const Mish&, SourceFunctions<Written>& functions, const std::string& z, const std::string&) {
  const std::string exp = functions.exp();
  return functions.call("mish_prime", "t + z t' with t = n/(n + 2 q^2), t' = 4 p q^2 (p + q)/(n + 2 q^2)^2; z limited to where t' > 0",
                        "$ z",
                        "  const $ c = z < -<100> ? -<100> : z > <100> ? <100> : z;\n  const $ e = " + exp +
                            "(-fabsF(c));\n  const $ p = c < <0> ? e : <1>;\n  const $ q = c < <0> ? <1> : e;\n"
                            "  const $ n = p * (p + <2> * q);\n  const $ d = n + <2> * (q * q);\n"
                            "  return n / d + <4> * c * p * (q * q) * (p + q) / (d * d);\n",
                        {z});
}
template <class Written>
std::string source_derivative(const Softplus& f, SourceFunctions<Written>& functions, const std::string&, const std::string& a) {
  return functions.filled_in("-expm1F(-(" + functions.literal(f.beta()) + " * " + a + "))");
}
template <class Written>
std::string source_derivative(const Sine& f, SourceFunctions<Written>& functions, const std::string& z, const std::string&) {
  const std::string omega = functions.literal(f.omega());
  return functions.filled_in(omega + " * cosF(" + omega + " * " + z + ")");
}
template <class Written>
std::string source_derivative(const GELU&, SourceFunctions<Written>& functions, const std::string& z, const std::string&) {
  const std::string exp = functions.exp();
  return functions.call("gelu_prime", "Phi(z) + z phi(z) with phi(z) = e^(-z^2/2)/sqrt(2 pi), which is 0 or 1 far from 0", "$ z",
                        "  if (fabsF(z) > <40>) return z < <0> ? <0> : <1>;\n"
                        "  return erfcF(-z / <1.41421356237309504880168872420969808>) / <2> +\n"
                        "         z * (<0.398942280401432677939946059934381868> * " +
                            exp + "(-(z * z) / <2>));\n",
                        {z});
}
template <class Written>
std::string source_derivative(const GELUTanh&, SourceFunctions<Written>& functions, const std::string& z, const std::string&) {
  const std::string sigmoid = functions.sigmoid();
  return functions.call("gelu_tanh_prime",
                        "sigma(w) (1 + z w' sigma(-w)) with w = 2 sqrt(2/pi) (z + 0.044715 z^3), which is 0 or 1 far from 0", "$ z",
                        "  const $ c = z < -<100> ? -<100> : z > <100> ? <100> : z;\n"
                        "  const $ w = <1.595769121605730711759784239737527474> * c * (<1> + <0.044715> * (c * c));\n"
                        "  const $ z_w_prime = <1.595769121605730711759784239737527474> * c * (<1> + <0.134145> * (c * c));\n  return " +
                            sigmoid + "(w) * (<1> + z_w_prime * " + sigmoid + "(-w));\n",
                        {z});
}
template <class Written>
std::string source_derivative(const Softsign&, SourceFunctions<Written>& functions, const std::string&, const std::string& a) {
  return functions.call("softsign_prime", "1/(1 + |z|)^2 = (1 - |a|)^2 with a = z/(1 + |z|)", "$ a",
                        "  return (<1> - fabsF(a)) * (<1> - fabsF(a));\n", {a});
}
template <class Written>
std::string source_derivative(const HardSigmoid&, SourceFunctions<Written>& functions, const std::string&, const std::string& a) {
  return functions.filled_in(a + " > <0> && " + a + " < <1> ? <1> / <6> : <0>");
}
template <class Written>
std::string source_derivative(const HardSwish&, SourceFunctions<Written>& functions, const std::string& z, const std::string&) {
  return functions.filled_in(z + " > -<3> ? " + z + " < <3> ? (<2> * " + z + " + <3>) / <6> : <1> : <0>");
}
template <class Written>
std::string source_derivative(const HardTanh& f, SourceFunctions<Written>& functions, const std::string&, const std::string& a) {
  return functions.filled_in(a + " > " + functions.literal(f.low()) + " && " + a + " < " + functions.literal(f.high()) + " ? <1> : <0>");
}

/// The forms of activations in source code.
struct SourceActivationForm {
  using Result = std::string;
  template <class F, class Written>
  static auto write(Exactly<F> f, SourceFunctions<Written>& functions, const std::string& z) -> decltype(source_form(f, functions, z)) {
    return source_form(f, functions, z);
  }
  template <class F>
  static bool visit(const Description& of, const F& f) {
    return visit_activation(of, f);
  }
  [[noreturn]] static void refuse(std::string_view name) {
    raise<ValueError>("to_source: the activation ", name, " has no form in source code");
  }
};
static_assert(have_forms<SourceActivationForm, SourceFunctions<float>, const std::string>(Activations{}));

/// The forms of the derivatives of activations in source code.
struct SourceDerivativeForm {
  using Result = std::string;
  template <class F, class Written>
  static auto write(Exactly<F> f, SourceFunctions<Written>& functions, const std::string& z, const std::string& a)
      -> decltype(source_derivative(f, functions, z, a)) {
    return source_derivative(f, functions, z, a);
  }
  template <class F>
  static bool visit(const Description& of, const F& f) {
    return visit_activation(of, f);
  }
  [[noreturn]] static void refuse(std::string_view name) { SourceActivationForm::refuse(name); }
};
static_assert(have_forms<SourceDerivativeForm, SourceFunctions<float>, const std::string, const std::string>(Activations{}));

/// f(z) as an expression of z, an identifier. Throws ValueError for an activation that has no form.
template <class F, class Written>
std::string source_activation(const F& f, SourceFunctions<Written>& functions, const std::string& z) {
  return write_form<SourceActivationForm>(f, functions, z);
}
/// f(z) as an expression of z, an identifier, for the activation f that is described. Throws ValueError for an activation that is unknown
/// or has no form.
template <class Written>
std::string source_activation(const Description& f, SourceFunctions<Written>& functions, const std::string& z) {
  return write_form_of<SourceActivationForm>(f, functions, z);
}
template <class Scalar, bool from_output, class Written>
std::string source_activation(const AnyActivation<Scalar, from_output>& f, SourceFunctions<Written>& functions, const std::string& z) {
  return write_form_of<SourceActivationForm>(f.describe(), functions, z);
}

/// f'(z) as an expression of z and a = f(z), both names; empty where it is 1. Throws what source_activation throws.
template <class F, class Written>
std::string source_activation_derivative(const F& f, SourceFunctions<Written>& functions, const std::string& z, const std::string& a) {
  return write_form<SourceDerivativeForm>(f, functions, z, a);
}
template <class Written>
std::string source_activation_derivative(const Description& f, SourceFunctions<Written>& functions, const std::string& z,
                                         const std::string& a) {
  return write_form_of<SourceDerivativeForm>(f, functions, z, a);
}
template <class Scalar, bool from_output, class Written>
std::string source_activation_derivative(const AnyActivation<Scalar, from_output>& f, SourceFunctions<Written>& functions,
                                         const std::string& z, const std::string& a) {
  return write_form_of<SourceDerivativeForm>(f.describe(), functions, z, a);
}

/// The name of an activation, whether its type is known or only its description.
template <class F>
std::string_view name_of(const F& f) {
  return f.name;
}
inline std::string_view name_of(const Description& f) { return f.kind; }

}  // namespace chainrule::detail
