#pragma once
// Writes the prediction that a loss makes of raw outputs z as nodes of ONNX. An overload of onnx_form on the loss's type adds them and
// returns the prediction's name.

#include <chainrule/any/any_loss.hpp>
#include <chainrule/any/detail/visit_known.hpp>
#include <chainrule/io/detail/exactly.hpp>
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
std::string onnx_form(const BinaryCrossEntropy&, OnnxWriter<Scalar>& writer, const std::string& z, Index) {
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

/// Whether the predictions of a loss can be written as nodes of ONNX.
template <class L>
concept HasOnnxLink = requires(const L& loss, OnnxWriter<float>& writer, const std::string& z) {
  { onnx_form(Exactly<L>{loss}, writer, z, Index{}) } -> std::same_as<std::string>;
};
template <class L>
struct OnnxLinkOf {
  static_assert(HasOnnxLink<L>,
                "chainrule: the predictions of this loss of any/known.hpp have no form in ONNX; add an overload of onnx_form to "
                "io/detail/onnx/write_links.hpp");
  static constexpr bool is_there = true;
};
template <class... L>
constexpr bool have_onnx_links(Types<L...>) {
  return (OnnxLinkOf<L>::is_there && ...);
}
static_assert(have_onnx_links(Losses{}));

[[noreturn]] inline void refuse_onnx_link(std::string_view loss) {
  raise<ValueError>("to_onnx: the loss ", loss, " makes its predictions in a way that has no form in ONNX; ",
                    "OnnxOptions{.raw_outputs = true} leaves it out");
}

/// Adds the prediction that a loss makes of raw outputs z, and returns its name. Throws ValueError for a loss that has no form.
template <class L, class Scalar>
std::string add_onnx_link(const L& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  if constexpr (HasOnnxLink<L>)
    return onnx_form(Exactly{loss}, writer, z, outputs);
  else
    refuse_onnx_link(loss.name);
}
/// Adds the prediction that the described loss makes of raw outputs z, and returns its name. Throws ValueError for a loss that is unknown
/// or has no form.
template <class Scalar>
std::string add_onnx_link(const Description& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  std::string y;
  if (!visit_loss(loss, [&](const auto& known) { y = add_onnx_link(known, writer, z, outputs); })) refuse_onnx_link(loss.kind);
  return y;
}
template <class Any, class Scalar>
std::string add_onnx_link(const AnyLoss<Any>& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  return loss.on_logits() ? add_onnx_link(loss.describe(), writer, z, outputs) : z;
}
template <class L, class Scalar>
std::string add_onnx_link(const ClassWeighted<L>& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  return add_onnx_link(loss.loss(), writer, z, outputs);
}
template <class Scalar>
std::string add_onnx_link(const DescribedClassWeighted& loss, OnnxWriter<Scalar>& writer, const std::string& z, Index outputs) {
  return add_onnx_link(loss.loss(), writer, z, outputs);
}

}  // namespace chainrule::detail
