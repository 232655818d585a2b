#pragma once
// Layers and links as nodes of ONNX, whose rows are the samples that are columns here:  a^T = z^T W^T + b^T.

#include <chainrule/io/detail/onnx/write_activation.hpp>

namespace chainrule::detail {

/// Writes what a layer makes of x in prediction; gives the name of its output. Throws ValueError for a layer that is not the library's.
template <class Scalar>
std::string write_onnx_layer(OnnxWriter<Scalar>& w, const DescribedLayer<const Scalar>& layer, const std::string& x);

/// Writes layers one after the other; each has its place below the writer's, "1." or "1.0.".
template <class Scalar>
std::string write_onnx_layers(OnnxWriter<Scalar>& w, const std::vector<DescribedLayer<const Scalar>>& layers, std::string x) {
  const std::string place = w.place;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    w.place = text_of(place, i, ".");
    x = write_onnx_layer(w, layers[i], x);
  }
  w.place = place;
  return x;
}

template <class Scalar>
std::string write_onnx_layer(OnnxWriter<Scalar>& w, const DescribedLayer<const Scalar>& layer, const std::string& x) {
  const auto tensor = [&](const char* name) { return w.tensor(layer.tensor(name)); };
  const auto h = [&](std::size_t i) { return layer.what.hyperparameters.at(i).second; };
  if (layer.is("Dense")) {
    const TensorOf<const Scalar>& weight = layer.tensor("weight");
    const std::string matrix = w.tensor(weight, {weight.cols, weight.rows});
    const std::string z = w.node("Gemm", {x, matrix, tensor("bias")});
    return OnnxActivation<Scalar>(w, layer.what.parts.at(0), z).write();
  }
  if (layer.is("Activate")) {
    const std::string a = OnnxActivation<Scalar>(w, layer.what.parts.at(0), x).write();
    return a == x ? w.node("Identity", {x}) : a;
  }
  if (layer.is("Dropout")) return w.node("Dropout", {x, w.number(h(0), "ratio")});
  if (layer.is("BatchNorm")) {
    const std::string a =
        w.node("BatchNormalization", {x, tensor("weight"), tensor("bias"), tensor("running_mean"), tensor("running_variance")});
    w.attribute("epsilon", h(1));
    w.attribute("momentum", 1 - h(0));  // there of the old, here of the new
    return a;
  }
  if (layer.is("LayerNorm")) {
    const std::string a = w.node("LayerNormalization", {x, tensor("weight"), tensor("bias")});
    w.attribute("axis", -1);
    w.attribute("epsilon", h(0));
    return a;
  }
  if (layer.is("PReLU") || layer.is("PReLUPerUnit")) return w.node("PRelu", {x, tensor("slope")});
  if (layer.is("Normalize")) {
    const std::string centred = w.node("Sub", {x, tensor("shift")});
    return w.node("Mul", {centred, tensor("scale")});
  }
  if (layer.is("Residual")) {
    const std::string f = write_onnx_layers(w, layer.inside, x);
    return w.node("Add", {x, f});
  }
  raise<ValueError>("to_onnx: the layer ", layer.what.kind, " has no form in ONNX");
}

/// Writes the prediction that a loss makes of raw outputs z. Throws ValueError for a loss with a link that is not the library's.
template <class Scalar>
std::string write_onnx_link(OnnxWriter<Scalar>& w, const Description& loss, bool on_logits, Index outputs, const std::string& z) {
  if (loss.kind == "ClassWeighted") return write_onnx_link(w, loss.parts.at(0), on_logits, outputs, z);
  if (!on_logits) return z;
  if (loss.kind == "SoftmaxCrossEntropy" || loss.kind == "KLDivergence") {
    const std::string p = w.node("Softmax", {z});
    w.attribute("axis", 1);
    return p;
  }
  if (loss.kind == "BinaryCrossEntropy") return w.node("Sigmoid", {z});
  if (loss.kind == "PoissonNLL") return w.node("Exp", {z});
  if (loss.kind == "GaussianNLL") {  // means, and of the other half e^s + minimum
    const std::string means = w.node("Split", {z, w.integers("halves", {outputs / 2, outputs / 2})});
    const std::string s = w.second_output();
    w.attribute("axis", 1);
    const std::string variances = w.node("Add", {w.node("Exp", {s}), w.number(loss.hyperparameters.at(0).second)});
    const std::string both = w.node("Concat", {means, variances});
    w.attribute("axis", 1);
    return both;
  }
  raise<ValueError>("to_onnx: the loss ", loss.kind, " makes its predictions in a way that has no form in ONNX; ",
                    "OnnxOptions{.raw_outputs = true} leaves it out");
}

}  // namespace chainrule::detail
