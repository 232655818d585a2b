#pragma once
// Writes the prediction that a loss makes of the raw outputs in y as statements of C, and records its derivative. An overload of
// source_form on the loss's type does both.

#include <chainrule/any/any_loss.hpp>
#include <chainrule/io/detail/forms.hpp>
#include <chainrule/io/detail/source/writer.hpp>
#include <limits>
#include <variant>

namespace chainrule::detail {

/// Returns the call of a function that limits x to the largest number, as the library's predictions are.
template <class Written>
std::string limited(SourceWriter<Written>& writer, const std::string& x) {
  const std::string largest = writer.functions.literal((std::numeric_limits<Written>::max)());
  return writer.functions.call("limited", "x, at most the largest number", "$ x",
                               text_of("  return x > ", largest, " ? ", largest, " : x;\n"), {x});
}

template <class Written>
void add_softmax(SourceWriter<Written>& writer, Index outputs) {
  const std::string exp = writer.functions.exp();
  writer.comment("Softmax: y = e^(z - max z), divided by the sum of the same");
  const std::string each = text_of("    for (int i = 0; i < ", outputs, "; ++i) ");
  writer.code(text_of("  {\n    $ largest = y[0];\n    $ sum = <0>;\n", each, "largest = y[i] > largest ? y[i] : largest;\n",  //
                      each, "y[i] = ", exp, "(y[i] - largest);\n"));
  writer.add_terms("    ", "i", outputs, "sum", "sum += y[i];");
  writer.code(each + "y[i] /= sum;\n  }\n");
  writer.add_step_at_values(SourceSoftmaxStep{outputs});
}
template <class Written>
void source_form(const SoftmaxCrossEntropy&, SourceWriter<Written>& writer, Index outputs) {
  add_softmax(writer, outputs);
}
template <class Written>
void source_form(const KLDivergence&, SourceWriter<Written>& writer, Index outputs) {
  add_softmax(writer, outputs);
}
template <class Written>
void source_form(const SoftmaxFocal&, SourceWriter<Written>& writer, Index outputs) {
  add_softmax(writer, outputs);
}
template <class Written>
void source_form(const BinaryCrossEntropy&, SourceWriter<Written>& writer, Index outputs) {
  const std::string sigmoid = writer.functions.sigmoid();
  writer.comment("y = sigma(z)");
  writer.loop(outputs, text_of("y[i] = ", sigmoid, "(y[i]);"));
  writer.add_step_at_values(SourceScaling{text_of("(y[i] * (", writer.functions.literal(1.0), " - y[i]))"), 0, outputs});
}
template <class Written>
void source_form(const BinaryFocal&, SourceWriter<Written>& writer, Index outputs) {
  source_form(BinaryCrossEntropy{}, writer, outputs);
}
template <class Written>
void source_form(const PoissonNLL&, SourceWriter<Written>& writer, Index outputs) {
  const std::string exp = writer.functions.exp();
  writer.comment("y = e^z");
  writer.loop(outputs, text_of("y[i] = ", limited(writer, exp + "(y[i])"), ";"));
  writer.add_step_at_values(SourceScaling{"y[i]", 0, outputs});
}
template <class Written>
void source_form(const GaussianNLL& loss, SourceWriter<Written>& writer, Index outputs) {
  const std::string exp = writer.functions.exp();
  writer.comment("the means, and below them the variances e^s + the least one");
  const std::string variance = text_of(exp, "(y[i]) + ", writer.functions.literal(loss.minimum_variance));
  writer.code(text_of("  for (int i = ", outputs / 2, "; i < ", outputs, "; ++i) y[i] = ", limited(writer, variance), ";\n"));
  writer.add_step_at_values(SourceScaling{text_of("(y[i] - ", writer.functions.literal(loss.minimum_variance), ")"), outputs / 2, outputs});
}
// These losses have no link: the outputs are the predictions.
template <class Written>
void source_form(const SquaredError&, SourceWriter<Written>&, Index) {}
template <class Written>
void source_form(const MeanSquaredError&, SourceWriter<Written>&, Index) {}
template <class Written>
void source_form(const MeanAbsoluteError&, SourceWriter<Written>&, Index) {}
template <class Written>
void source_form(const Huber&, SourceWriter<Written>&, Index) {}
template <class Written>
void source_form(const Pinball&, SourceWriter<Written>&, Index) {}
template <class Written>
void source_form(const LogCosh&, SourceWriter<Written>&, Index) {}
template <class Written>
void source_form(const Hinge&, SourceWriter<Written>&, Index) {}

/// The forms of the predictions of losses in source code, statements without a result.
struct SourceLinkForm {
  using Result = std::monostate;
  template <class L, class Written>
  static auto write(Exactly<L> loss, SourceWriter<Written>& writer, const Index& outputs)
      -> decltype(source_form(loss, writer, outputs), Result{}) {
    source_form(loss, writer, outputs);
    return {};
  }
  template <class F>
  static bool visit(const Description& of, const F& f) {
    return visit_loss(of, f);
  }
  [[noreturn]] static void refuse(std::string_view name) {
    raise<ValueError>("to_source: the loss ", name, " makes its predictions in a way that has no form in source code");
  }
};
static_assert(have_forms<SourceLinkForm, SourceWriter<float>, const Index>(Losses{}));

/// Adds the link of a loss. Throws ValueError for a loss that has no form.
template <class L, class Written>
void add_source_link(const L& loss, SourceWriter<Written>& writer, Index outputs) {
  write_form<SourceLinkForm>(loss, writer, outputs);
}
/// Adds the link of the described loss. Throws ValueError for a loss that is unknown or has no form.
template <class Written>
void add_source_link(const Description& loss, SourceWriter<Written>& writer, Index outputs) {
  write_form_of<SourceLinkForm>(loss, writer, outputs);
}
template <class Scalar, class Written>
void add_source_link(const AnyLoss<Scalar>& loss, SourceWriter<Written>& writer, Index outputs) {
  write_form_of<SourceLinkForm>(loss.describe(), writer, outputs);
}
template <class L, class Written>
void source_form(Exactly<ClassWeighted<L>> loss, SourceWriter<Written>& writer, Index outputs) {
  add_source_link(loss->loss(), writer, outputs);
}
template <class Written>
void source_form(const DescribedClassWeighted& loss, SourceWriter<Written>& writer, Index outputs) {
  add_source_link(loss.loss(), writer, outputs);
}

}  // namespace chainrule::detail
