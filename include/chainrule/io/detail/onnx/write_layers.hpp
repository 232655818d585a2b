#pragma once
// Writes layers as nodes of ONNX, where samples are rows and not columns:  z^T = a^T W^T + b^T. An overload of onnx_form on the layer's
// type adds them and returns the name of the layer's output.

#include <chainrule/any/any_layers.hpp>
#include <chainrule/io/detail/numbers_in_order.hpp>
#include <chainrule/io/detail/onnx/write_activations.hpp>

namespace chainrule::detail {

/// Adds what a layer makes of x in predicting, with the next of the numbers, and returns its name. Throws ValueError for a layer that has
/// no form.
template <class L, class Scalar>
std::string add_onnx_layer(const L& layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x);

/// Adds layers one after the other. The prefix of the names in layer i is the writer's prefix and i: "1.", or "1.0." inside a Residual.
template <class Layers, class Scalar>
std::string add_onnx_layers(const Layers& layers, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, std::string x) {
  const std::string place = writer.place;
  std::size_t i = 0;
  for_each_layer(layers, [&](const auto& layer) {
    writer.place = text_of(place, i++, ".");
    x = add_onnx_layer(layer, writer, numbers, x);
  });
  writer.place = place;
  return x;
}

/// Adds branches that all read x, and returns the names of their outputs.
template <class Layers, class Scalar>
std::vector<std::string> add_onnx_branches(const Layers& branches, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers,
                                           const std::string& x) {
  const std::string place = writer.place;
  std::vector<std::string> outputs;
  for_each_layer(branches, [&](const auto& branch) {
    writer.place = text_of(place, outputs.size(), ".");
    outputs.push_back(add_onnx_layer(branch, writer, numbers, x));
  });
  writer.place = place;
  return outputs;
}

template <IsDense L, class Scalar>
std::string onnx_form(Exactly<L> dense, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  const auto parameters = numbers.parameters_of(dense.object);
  const std::string w = writer.transposed("weight", parameters.weight);
  if constexpr (L::has_bias)
    return add_onnx_activation(dense->activation(), writer, writer.node("Gemm", {x, w, writer.vector("bias", parameters.bias)}));
  else
    return add_onnx_activation(dense->activation(), writer, writer.node("MatMul", {x, w}));
}
template <IsActivate L, class Scalar>
std::string onnx_form(Exactly<L> layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>&, const std::string& x) {
  const std::string a = add_onnx_activation(layer->activation(), writer, x);
  return a == x ? writer.node("Identity", {x}) : a;
}
template <DropoutUnits N, class Scalar>
std::string onnx_form(Exactly<Dropout<N>> layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>&, const std::string& x) {
  return writer.node("Dropout", {x, writer.number(layer->rate(), "ratio")});
}
template <int N, class Scalar>
std::string onnx_form(Exactly<BatchNorm<N>> layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  const auto [weight, bias] = numbers.parameters_of(layer.object);
  const auto statistics = numbers.buffers_of(layer.object);
  const std::string w = writer.vector("weight", weight), b = writer.vector("bias", bias);
  const std::string mean = writer.vector("running_mean", statistics.running_mean);
  const std::string variance = writer.vector("running_variance", statistics.running_variance);
  const std::string a = writer.node("BatchNormalization", {x, w, b, mean, variance});
  writer.attribute("epsilon", layer->epsilon());
  writer.attribute("momentum", 1 - layer->momentum());  // in ONNX it is the share of the old statistics, here that of the new ones
  return a;
}
template <int N, class Scalar>
std::string onnx_form(Exactly<LayerNorm<N>> layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  const auto [weight, bias] = numbers.parameters_of(layer.object);
  const std::string w = writer.vector("weight", weight), b = writer.vector("bias", bias);
  const std::string a = writer.node("LayerNormalization", {x, w, b});
  writer.attribute("axis", -1);
  writer.attribute("epsilon", layer->epsilon());
  return a;
}
template <Slopes slopes, int N, class Scalar>
std::string onnx_form(Exactly<PReLU<slopes, N>> layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  return writer.node("PRelu", {x, writer.vector("slope", numbers.parameters_of(layer.object).slope)});
}
template <int N, class Scalar>
std::string onnx_form(Exactly<Normalize<N>> layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  const auto [shift, scale] = numbers.buffers_of(layer.object);
  const std::string centred = writer.node("Sub", {x, writer.vector("shift", shift)});
  return writer.multiply(centred, writer.vector("scale", scale));
}
// Gather takes columns of x, where samples are rows, and then rows of the table of each embedding.
template <IsEmbedding L, class Scalar>
std::string onnx_form(Exactly<L> layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  const auto weights = numbers.parameters_of(layer.object);
  const std::span<const CategoryRow> rows = layer->category_rows();
  std::vector<std::int64_t> others;
  for (std::size_t k = 0; k <= rows.size(); ++k)
    for (Index row = k == 0 ? 0 : rows[k - 1].row + 1; row < (k == rows.size() ? layer->inputs() : rows[k].row); ++row)
      others.push_back(row);
  std::vector<std::string> parts;
  if (!others.empty()) {
    parts.push_back(writer.node("Gather", {x, writer.integers("rows", others)}));
    writer.attribute("axis", 1);
  }
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const std::string number = writer.node("Gather", {x, writer.integer("row", rows[k].row)});
    writer.attribute("axis", 1);
    const std::string category = writer.cast(number, pb::TensorProto::INT64);
    parts.push_back(writer.node("Gather", {writer.transposed("weight", weights.weight(k)), category}));
  }
  if (parts.size() == 1) return parts[0];
  return writer.concatenate(parts);
}
template <IsResidual L, class Scalar>
std::string onnx_form(Exactly<L> residual, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  return writer.add(x, add_onnx_layers(residual->layers(), writer, numbers, x));
}

template <IsSequential L, class Scalar>
std::string onnx_form(Exactly<L> layers, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  return add_onnx_layers(layers->layers(), writer, numbers, x);
}
template <IsParallel L, class Scalar>
std::string onnx_form(Exactly<L> parallel, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  const std::vector<std::string> outputs = add_onnx_branches(parallel->layers(), writer, numbers, x);
  return outputs.size() == 1 ? outputs[0] : writer.concatenate(outputs);
}
template <IsParallelSum L, class Scalar>
std::string onnx_form(Exactly<L> parallel, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  const std::vector<std::string> outputs = add_onnx_branches(parallel->layers(), writer, numbers, x);
  return outputs.size() == 1 ? outputs[0] : writer.sum(outputs);
}

/// The forms of layers in ONNX.
struct OnnxLayerForm {
  using Result = std::string;
  template <class L, class Scalar>
  static auto write(Exactly<L> layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x)
      -> decltype(onnx_form(layer, writer, numbers, x)) {
    return onnx_form(layer, writer, numbers, x);
  }
  template <class F>
  static bool visit(const Description& of, const F& f) {
    return visit_layer(of, f);
  }
  [[noreturn]] static void refuse(std::string_view name) {
    raise<ValueError>("to_onnx: the layer ", name, " has no form in ONNX", advice_without_form(name));
  }
};
static_assert(have_forms<OnnxLayerForm, OnnxWriter<float>, NumbersInOrder<float>, const std::string>(SameShapeLayers{}) &&
              have_forms<OnnxLayerForm, OnnxWriter<float>, NumbersInOrder<float>, const std::string>(DescribedLayers{}));

/// Adds the described layer with the next of the numbers as its parameters, and returns the name of its output. Throws ValueError for a
/// layer that is unknown or has no form.
template <class Scalar>
std::string add_onnx_layer(const Description& layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  return write_form_of<OnnxLayerForm>(layer, writer, numbers, x);
}
template <class Any, class Scalar>
std::string add_onnx_layer(const AnyLayer<Any>& layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  return write_form_of<OnnxLayerForm>(layer.describe(), writer, numbers, x);
}
template <class L, class Scalar>
std::string add_onnx_layer(const L& layer, OnnxWriter<Scalar>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x) {
  return write_form<OnnxLayerForm>(layer, writer, numbers, x);
}

}  // namespace chainrule::detail
