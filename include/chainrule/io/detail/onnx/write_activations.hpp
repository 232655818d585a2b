#pragma once
// Writes each activation as nodes of ONNX. An overload of onnx_form on its type adds them and returns the name of a = f(z). A network of
// float has the operator of ONNX where there is one that computes the same function. A network of double has the formula instead, because
// onnxruntime has some operators for float alone, and because attributes of operators are float, while the numbers of a formula may be
// double.

#include <chainrule/any/any_activation.hpp>
#include <chainrule/io/detail/forms.hpp>
#include <chainrule/io/detail/onnx/writer.hpp>
#include <numbers>

namespace chainrule::detail {

template <class Scalar>
std::string onnx_form(const Identity&, OnnxWriter<Scalar>&, const std::string& z) {
  return z;
}
template <class Scalar>
std::string onnx_form(const ReLU&, OnnxWriter<Scalar>& writer, const std::string& z) {
  return writer.node("Relu", {z});
}
template <class Scalar>
std::string onnx_form(const Sigmoid&, OnnxWriter<Scalar>& writer, const std::string& z) {
  return writer.node("Sigmoid", {z});
}
template <class Scalar>
std::string onnx_form(const Tanh&, OnnxWriter<Scalar>& writer, const std::string& z) {
  return writer.node("Tanh", {z});
}
template <class Scalar>
std::string onnx_form(const HardTanh& f, OnnxWriter<Scalar>& writer, const std::string& z) {
  return writer.clip(z, f.low(), f.high());
}

template <class Scalar>
std::string onnx_form(const SiLU&, OnnxWriter<Scalar>& writer, const std::string& z) {
  if (writer.is_float) return writer.multiply(z, writer.node("Sigmoid", {z}));
  // z/(1 + e^-z), because onnxruntime fuses z sigma(z) into one operator, which it has for float alone
  return writer.divide(z, writer.add(writer.node("Exp", {writer.node("Neg", {z})}), 1));
}

/// ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|)
template <class Scalar>
std::string onnx_softplus(OnnxWriter<Scalar>& writer, const std::string& z) {
  if (writer.is_float) return writer.node("Softplus", {z});
  const std::string above = writer.node("Relu", {z});
  return writer.add(above, writer.node("Log", {writer.add(writer.node("Exp", {writer.node("Neg", {writer.node("Abs", {z})})}), 1)}));
}
template <class Scalar>
std::string onnx_form(const Softplus& f, OnnxWriter<Scalar>& writer, const std::string& z) {
  return f.beta() == 1 ? onnx_softplus(writer, z) : writer.divide(onnx_softplus(writer, writer.multiply(z, f.beta())), f.beta());
}
template <class Scalar>
std::string onnx_form(const Mish&, OnnxWriter<Scalar>& writer, const std::string& z) {
  return writer.multiply(z, writer.node("Tanh", {onnx_softplus(writer, z)}));
}

// z (erf(z/sqrt 2) + 1)/2. onnxruntime has Erf for float alone, so a network of double has its GELU to 7 digits.
template <class Scalar>
std::string onnx_form(const GELU&, OnnxWriter<Scalar>& writer, const std::string& z) {
  std::string erf = writer.multiply(z, 1 / std::numbers::sqrt2);
  if (!writer.is_float) erf = writer.cast(erf, pb::TensorProto::FLOAT);
  erf = writer.node("Erf", {erf});
  if (!writer.is_float) erf = writer.cast(erf, pb::TensorProto::DOUBLE);
  return writer.multiply(writer.multiply(z, writer.add(erf, 1)), 0.5);
}
// z (tanh u + 1)/2 with u = sqrt(2/pi) (z + 0.044715 z^3)
template <class Scalar>
std::string onnx_form(const GELUTanh&, OnnxWriter<Scalar>& writer, const std::string& z) {
  constexpr double root = 0.797884560802865355879892119868763737;  // sqrt(2/pi)
  const std::string cube = writer.multiply(writer.multiply(z, z), z);
  const std::string u = writer.multiply(writer.add(z, writer.multiply(cube, 0.044715)), root);
  return writer.multiply(writer.multiply(z, writer.add(writer.node("Tanh", {u}), 1)), 0.5);
}

template <class Scalar>
std::string onnx_form(const Sine& f, OnnxWriter<Scalar>& writer, const std::string& z) {
  return writer.node("Sin", {f.omega() == 1 ? z : writer.multiply(z, f.omega())});
}

/// scale max(z, 0) + alpha (e^min(z, 0) - 1)
template <class Scalar>
std::string onnx_exponential_below_0(OnnxWriter<Scalar>& writer, const std::string& z, double scale, double alpha) {
  const std::string above = writer.multiply(writer.node("Relu", {z}), scale);
  return writer.add(above, writer.multiply(writer.add(writer.node("Exp", {(writer.min)(z, 0)}), -1), alpha));
}
template <class Scalar>
std::string onnx_form(const ELU& f, OnnxWriter<Scalar>& writer, const std::string& z) {
  if (!writer.is_float) return onnx_exponential_below_0(writer, z, 1, f.alpha());
  const std::string a = writer.node("Elu", {z});
  writer.attribute("alpha", f.alpha());
  return a;
}
template <class Scalar>
std::string onnx_form(const SELU&, OnnxWriter<Scalar>& writer, const std::string& z) {
  constexpr double lambda = static_cast<double>(SELU::lambda), alpha = static_cast<double>(SELU::alpha);
  if (!writer.is_float) return onnx_exponential_below_0(writer, z, lambda, static_cast<double>(SELU::lambda * SELU::alpha));
  const std::string a = writer.node("Selu", {z});
  writer.attribute("alpha", alpha);
  writer.attribute("gamma", lambda);
  return a;
}
template <class Scalar>
std::string onnx_form(const LeakyReLU& f, OnnxWriter<Scalar>& writer, const std::string& z) {
  if (!writer.is_float) {  // max(z, 0) + slope min(z, 0)
    const std::string above = writer.node("Relu", {z}), slope = writer.number(f.slope()), below = (writer.min)(z, 0);
    return writer.add(above, writer.multiply(below, slope));
  }
  const std::string a = writer.node("LeakyRelu", {z});
  writer.attribute("alpha", f.slope());
  return a;
}
template <class Scalar>
std::string onnx_form(const Softsign&, OnnxWriter<Scalar>& writer, const std::string& z) {
  return writer.is_float ? writer.node("Softsign", {z}) : writer.divide(z, writer.add(writer.node("Abs", {z}), 1));
}
template <class Scalar>
std::string onnx_form(const HardSigmoid&, OnnxWriter<Scalar>& writer, const std::string& z) {
  if (!writer.is_float) return writer.divide(writer.add(writer.clip(z, -3, 3), 3), 6);  // (min(max(z, -3), 3) + 3)/6
  const std::string a = writer.node("HardSigmoid", {z});
  writer.attribute("alpha", 1.0 / 6);
  writer.attribute("beta", 0.5);
  return a;
}
template <class Scalar>
std::string onnx_form(const HardSwish&, OnnxWriter<Scalar>& writer, const std::string& z) {
  if (writer.is_float) return writer.node("HardSwish", {z});
  return writer.multiply(z, writer.divide(writer.add(writer.clip(z, -3, 3), 3), 6));  // z (min(max(z, -3), 3) + 3)/6
}

/// The forms of activations in ONNX.
struct OnnxActivationForm {
  using Result = std::string;
  template <class F, class Scalar>
  static auto write(Exactly<F> f, OnnxWriter<Scalar>& writer, const std::string& z) -> decltype(onnx_form(f, writer, z)) {
    return onnx_form(f, writer, z);
  }
  template <class F>
  static bool visit(const Description& of, const F& f) {
    return visit_activation(of, f);
  }
  [[noreturn]] static void refuse(std::string_view name) { raise<ValueError>("to_onnx: the activation ", name, " has no form in ONNX"); }
};
static_assert(have_forms<OnnxActivationForm, OnnxWriter<float>, const std::string>(Activations{}));

/// Adds a = f(z), and returns its name. Throws ValueError for an activation that has no form.
template <class F, class Scalar>
std::string add_onnx_activation(const F& f, OnnxWriter<Scalar>& writer, const std::string& z) {
  return write_form<OnnxActivationForm>(f, writer, z);
}
/// Adds a = f(z) for the activation f that is described, and returns its name. Throws ValueError for an activation that is unknown or has
/// no form.
template <class Scalar>
std::string add_onnx_activation(const Description& f, OnnxWriter<Scalar>& writer, const std::string& z) {
  return write_form_of<OnnxActivationForm>(f, writer, z);
}
template <class Any, bool from_output, class Scalar>
std::string add_onnx_activation(const AnyActivation<Any, from_output>& f, OnnxWriter<Scalar>& writer, const std::string& z) {
  return write_form_of<OnnxActivationForm>(f.describe(), writer, z);
}

}  // namespace chainrule::detail
