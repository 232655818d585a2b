#pragma once
// An activation as nodes of ONNX: the operator where it means the same, else the formula. onnxruntime has some operators for float
// alone, and an operator's attributes are float, so that a double network has the formula, with numbers that are double.

#include <chainrule/activations/selu.hpp>
#include <chainrule/io/detail/onnx/writer.hpp>
#include <numbers>

namespace chainrule::detail {

/// Writes a = f(z) for an activation of the library; gives a's name. Throws ValueError for another.
template <class Scalar>
class OnnxActivation {
  static constexpr bool is_float = sizeof(Scalar) == sizeof(float);
  using Text = std::string;

 public:
  OnnxActivation(OnnxWriter<Scalar>& writer, const Description& f, Text z) : w_{writer}, f_{f}, z_{std::move(z)} {}

  Text write() {
    const std::string_view kind = f_.kind;
    if (kind == "Identity") return z_;
    if (kind == "ReLU") return node("Relu", {z_});
    if (kind == "Sigmoid" || kind == "Tanh") return node(kind, {z_});
    if (kind == "HardTanh") return node("Clip", {z_, w_.number(h("low")), w_.number(h("high"))});
    if (kind == "SiLU") return is_float ? product(z_, node("Sigmoid", {z_})) : over_one_plus_exp_of_minus();
    if (kind == "Mish") return product(z_, node("Tanh", {softplus(z_)}));
    if (kind == "Softplus") return h("beta") == 1 ? softplus(z_) : node("Div", {softplus(times(z_, h("beta"))), w_.number(h("beta"))});
    if (kind == "GELU") return times(product(z_, plus(erf(times(z_, 1 / std::numbers::sqrt2)), 1)), 0.5);
    if (kind == "GELUTanh") return times(product(z_, plus(node("Tanh", {times(inner(), root)}), 1)), 0.5);
    if (kind == "ELU") return is_float ? with_attribute("Elu", "alpha", h("alpha")) : exponential_below(1, h("alpha"));
    if (kind == "SELU")
      return is_float ? selu() : exponential_below(static_cast<double>(SELU::lambda), static_cast<double>(SELU::lambda * SELU::alpha));
    if (kind == "LeakyReLU") return is_float ? with_attribute("LeakyRelu", "alpha", h("slope")) : leaky();
    if (kind == "Softsign") return is_float ? node("Softsign", {z_}) : node("Div", {z_, plus(node("Abs", {z_}), 1)});
    if (kind == "HardSigmoid") return is_float ? hard_sigmoid() : node("Div", {plus(clip(-3, 3), 3), w_.number(6)});
    raise<ValueError>("to_onnx: the activation ", kind, " has no form in ONNX");
  }

 private:
  static constexpr double root = 0.797884560802865355879892119868763737;  // sqrt(2/pi)

  double h(std::string_view name) const {
    for (const auto& [known, value] : f_.hyperparameters)
      if (known == name) return value;
    raise<ValueError>("to_onnx: the activation ", f_.kind, " has no ", name);
  }

  Text node(std::string_view op, std::initializer_list<Text> inputs) { return w_.node(op, inputs); }
  Text product(const Text& a, const Text& b) { return node("Mul", {a, b}); }
  Text sum(const Text& a, const Text& b) { return node("Add", {a, b}); }
  Text times(const Text& a, double b) { return b == 1 ? a : product(a, w_.number(b)); }
  Text plus(const Text& a, double b) { return sum(a, w_.number(b)); }
  Text clip(double low, double high) { return node("Clip", {z_, w_.number(low), w_.number(high)}); }

  Text with_attribute(std::string_view op, const char* name, double value) {
    const Text a = node(op, {z_});
    w_.attribute(name, value);
    return a;
  }
  Text selu() {
    const Text a = with_attribute("Selu", "alpha", static_cast<double>(SELU::alpha));
    w_.attribute("gamma", static_cast<double>(SELU::lambda));
    return a;
  }
  Text hard_sigmoid() {
    const Text a = with_attribute("HardSigmoid", "alpha", 1.0 / 6);
    w_.attribute("beta", 0.5);
    return a;
  }

  // scale max(z, 0) + alpha (e^min(z, 0) - 1)
  Text exponential_below(double scale, double alpha) {
    const Text above = times(node("Relu", {z_}), scale);
    return sum(above, times(plus(node("Exp", {node("Min", {z_, w_.number(0)})}), -1), alpha));
  }
  // max(z, 0) + slope min(z, 0)
  Text leaky() {
    const Text above = node("Relu", {z_});
    return sum(above, product(node("Min", {z_, w_.number(0)}), w_.number(h("slope"))));
  }
  // z/(1 + e^-z), because onnxruntime makes one operator of z sigma(z), which it has for float alone
  Text over_one_plus_exp_of_minus() { return node("Div", {z_, plus(node("Exp", {node("Neg", {z_})}), 1)}); }
  // ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|)
  Text softplus(const Text& z) {
    if (is_float) return node("Softplus", {z});
    const Text above = node("Relu", {z});
    return sum(above, node("Log", {plus(node("Exp", {node("Neg", {node("Abs", {z})})}), 1)}));
  }
  // onnxruntime has it for float alone; a net of doubles then has its GELU to 7 digits
  Text erf(const Text& z) {
    if (is_float) return node("Erf", {z});
    return cast(node("Erf", {cast(z, pb::TensorProto::FLOAT)}), pb::TensorProto::DOUBLE);
  }
  Text cast(const Text& z, pb::TensorProto::DataType to) {
    const Text same = node("Cast", {z});
    w_.attribute("to", static_cast<int>(to));
    return same;
  }
  // z + 0.044715 z^3
  Text inner() { return sum(z_, times(product(product(z_, z_), z_), 0.044715)); }

  OnnxWriter<Scalar>& w_;
  const Description& f_;
  Text z_;
};

}  // namespace chainrule::detail
