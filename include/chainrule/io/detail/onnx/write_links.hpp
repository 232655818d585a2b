#pragma once
// Writes the prediction that a loss makes of raw outputs z as nodes of ONNX. An overload of onnx_form on the loss's type adds them and
// returns the prediction's name.

#include <chainrule/any/any_loss.hpp>
#include <chainrule/io/detail/forms.hpp>
#include <chainrule/io/detail/onnx/writer.hpp>
#include <chainrule/losses/heads.hpp>
#include <chainrule/losses/sum_of_losses.hpp>

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
  const std::vector<std::string> halves = writer.split(z, {outputs / 2, outputs / 2});
  return writer.concatenate({halves[0], writer.add(writer.node("Exp", {halves[1]}), loss.minimum_variance)});
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
// The losses of a sum have one link.
template <class... L, class Scalar>
std::string onnx_form(Exactly<SumOfLosses<L...>> loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  return add_onnx_link(element(loss->losses(), Constant<0>{}), writer, z, outputs);
}
template <class Scalar>
std::string onnx_form(const DescribedSumOfLosses& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  return add_onnx_link(loss.losses()[0], writer, z, outputs);
}
/// Splits the outputs into those of the heads, applies the link of each head, and joins the predictions again.
template <class HeadList, class Scalar>
std::string add_onnx_heads(const HeadList& heads, OnnxWriter<Scalar>& writer, const std::string& z) {
  std::vector<Index> sizes;
  bool has_link = false;
  for_each_layer(heads, [&](const auto& head) {
    sizes.push_back(head.outputs());
    has_link = has_link || works_on_logits(head.loss());
  });
  if (!has_link) return z;
  std::vector<std::string> parts = sizes.size() == 1 ? std::vector{z} : writer.split(z, sizes);
  std::size_t k = 0;
  for_each_layer(heads, [&](const auto& head) {
    parts[k] = add_onnx_link(head.loss(), writer, parts[k], sizes[k]);
    ++k;
  });
  return parts.size() == 1 ? parts[0] : writer.concatenate(parts);
}
template <class... H, class Scalar>
std::string onnx_form(Exactly<Heads<H...>> loss, OnnxWriter<Scalar>& writer, const std::string& z, Index) {
  return add_onnx_heads(loss->heads(), writer, z);
}
template <class Scalar>
std::string onnx_form(const DescribedHeads& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index) {
  return add_onnx_heads(loss.heads(), writer, z);
}

}  // namespace chainrule::detail
