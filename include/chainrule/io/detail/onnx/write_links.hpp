#pragma once
// Writes the prediction that a loss makes of raw outputs z as nodes of ONNX. An overload of onnx_form on the loss's type adds them and
// returns the prediction's name.

#include <chainrule/any/any_loss.hpp>
#include <chainrule/io/detail/forms.hpp>
#include <chainrule/io/detail/onnx/writer.hpp>

namespace chainrule::detail {

template <class Scalar>
std::string add_onnx_softmax(OnnxWriter<Scalar>& writer, const std::string& z) {
  const std::string p = writer.node("Softmax", {z});
  writer.attribute("axis", 1);
  return p;
}
template <class Scalar>
std::string onnx_form(const SoftmaxCrossEntropy&, OnnxWriter<Scalar>& writer, const std::string& z, Index) {
  return add_onnx_softmax(writer, z);
}
template <class Scalar>
std::string onnx_form(const KLDivergence&, OnnxWriter<Scalar>& writer, const std::string& z, Index) {
  return add_onnx_softmax(writer, z);
}
template <class Scalar>
std::string onnx_form(const SoftmaxFocal&, OnnxWriter<Scalar>& writer, const std::string& z, Index) {
  return add_onnx_softmax(writer, z);
}
template <class Scalar>
std::string onnx_form(const BinaryCrossEntropy&, OnnxWriter<Scalar>& writer, const std::string& z, Index) {
  return writer.node("Sigmoid", {z});
}
template <class Scalar>
std::string onnx_form(const BinaryFocal&, OnnxWriter<Scalar>& writer, const std::string& z, Index) {
  return writer.node("Sigmoid", {z});
}
template <class Scalar>
std::string onnx_form(const PoissonNLL&, OnnxWriter<Scalar>& writer, const std::string& z, Index) {
  return writer.node("Exp", {z});
}
// The first half of the outputs are means; the other half are logarithms s, whose prediction is the variance e^s + minimum_variance.
template <class Scalar>
std::string onnx_form(const GaussianNLL& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  const std::string means = writer.node("Split", {z, writer.integers("halves", {outputs / 2, outputs / 2})});
  const std::string s = writer.second_output();
  writer.attribute("axis", 1);
  const std::string variances = writer.add(writer.node("Exp", {s}), loss.minimum_variance);
  const std::string both = writer.node("Concat", {means, variances});
  writer.attribute("axis", 1);
  return both;
}
// A loss that does not work on logits has no link: the outputs are the predictions.
template <class L, class Scalar>
requires(!L::works_on_logits) std::string onnx_form(Exactly<L>, OnnxWriter<Scalar>&, const std::string& z, Index) { return z; }

/// The forms of the predictions of losses in ONNX.
struct OnnxLinkForm {
  using Result = std::string;
  template <class L, class Scalar>
  static auto write(Exactly<L> loss, OnnxWriter<Scalar>& writer, const std::string& z, const Index& outputs)
      -> decltype(onnx_form(loss, writer, z, outputs)) {
    return onnx_form(loss, writer, z, outputs);
  }
  template <class F>
  static bool visit(const Description& of, const F& f) {
    return visit_loss(of, f);
  }
  [[noreturn]] static void refuse(std::string_view name) {
    raise<ValueError>("to_onnx: the loss ", name, " makes its predictions in a way that has no form in ONNX; ",
                      "OnnxOptions{.raw_outputs = true} leaves it out");
  }
};
static_assert(have_forms<OnnxLinkForm, OnnxWriter<float>, const std::string, const Index>(Losses{}));

/// Adds the prediction that a loss makes of raw outputs z, and returns its name. Throws ValueError for a loss that has no form.
template <class L, class Scalar>
std::string add_onnx_link(const L& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  return write_form<OnnxLinkForm>(loss, writer, z, outputs);
}
/// Adds the prediction that the described loss makes of raw outputs z, and returns its name. Throws ValueError for a loss that is unknown
/// or has no form.
template <class Scalar>
std::string add_onnx_link(const Description& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  return write_form_of<OnnxLinkForm>(loss, writer, z, outputs);
}
template <class Any, class Scalar>
std::string add_onnx_link(const AnyLoss<Any>& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  return loss.on_logits() ? write_form_of<OnnxLinkForm>(loss.describe(), writer, z, outputs) : z;
}
template <class L, class Scalar>
std::string onnx_form(Exactly<ClassWeighted<L>> loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  return add_onnx_link(loss->loss(), writer, z, outputs);
}
template <class Scalar>
std::string onnx_form(const DescribedClassWeighted& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  return add_onnx_link(loss.loss(), writer, z, outputs);
}

}  // namespace chainrule::detail
