#pragma once
// Writes the prediction that a loss makes of raw outputs in y, those from y[first] on, as statements of C, and records its derivative. An
// overload of source_form on the loss's type does both.

#include <chainrule/any/any_loss.hpp>
#include <chainrule/io/detail/forms.hpp>
#include <chainrule/io/detail/source/writer.hpp>
#include <chainrule/losses/heads.hpp>
#include <chainrule/losses/sum_of_losses.hpp>
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

/// The element of y in a loop over i = 0, 1, ... from y[first] on.
inline std::string source_output(Index first) { return first == 0 ? "y[i]" : text_of("y[i + ", first, "]"); }

template <class Written>
void add_softmax(SourceWriter<Written>& writer, Index first, Index outputs) {
  const std::string exp = writer.functions.exp(), y = source_output(first);
  writer.comment("Softmax: y = e^(z - max z), divided by the sum of the same");
  const std::string each = text_of("    for (int i = 0; i < ", outputs, "; ++i) ");
  writer.code(text_of("  {\n    $ largest = y[", first, "];\n    $ sum = <0>;\n", each, "largest = ", y, " > largest ? ", y,
                      " : largest;\n",  //
                      each, y, " = ", exp, "(", y, " - largest);\n"));
  writer.add_terms("    ", "i", outputs, "sum", text_of("sum += ", y, ";"));
  writer.code(text_of(each, y, " /= sum;\n  }\n"));
  writer.add_step_at_values(SourceSoftmaxStep{first, outputs});
}
template <class Written>
void source_form(const SoftmaxCrossEntropy&, SourceWriter<Written>& writer, Index first, Index outputs) {
  add_softmax(writer, first, outputs);
}
template <class Written>
void source_form(const KLDivergence&, SourceWriter<Written>& writer, Index first, Index outputs) {
  add_softmax(writer, first, outputs);
}
template <class Written>
void source_form(const SoftmaxFocal&, SourceWriter<Written>& writer, Index first, Index outputs) {
  add_softmax(writer, first, outputs);
}
template <class Written>
void source_form(const BinaryCrossEntropy&, SourceWriter<Written>& writer, Index first, Index outputs) {
  const std::string sigmoid = writer.functions.sigmoid(), y = source_output(first);
  writer.comment("y = sigma(z)");
  writer.loop(outputs, text_of(y, " = ", sigmoid, "(", y, ");"));
  writer.add_step_at_values(SourceScaling{text_of("(y[i] * (", writer.functions.literal(1.0), " - y[i]))"), first, first + outputs});
}
template <class Written>
void source_form(const BinaryFocal&, SourceWriter<Written>& writer, Index first, Index outputs) {
  source_form(BinaryCrossEntropy{}, writer, first, outputs);
}
template <class Written>
void source_form(const PoissonNLL&, SourceWriter<Written>& writer, Index first, Index outputs) {
  const std::string exp = writer.functions.exp(), y = source_output(first);
  writer.comment("y = e^z");
  writer.loop(outputs, text_of(y, " = ", limited(writer, text_of(exp, "(", y, ")")), ";"));
  writer.add_step_at_values(SourceScaling{"y[i]", first, first + outputs});
}
template <class Written>
void source_form(const GaussianNLL& loss, SourceWriter<Written>& writer, Index first, Index outputs) {
  const Index begin = first + outputs / 2, end = first + outputs;
  const std::string exp = writer.functions.exp();
  writer.comment("the means, and below them the variances e^s + the least one");
  const std::string variance = text_of(exp, "(y[i]) + ", writer.functions.literal(loss.minimum_variance));
  writer.code(text_of("  for (int i = ", begin, "; i < ", end, "; ++i) y[i] = ", limited(writer, variance), ";\n"));
  writer.add_step_at_values(SourceScaling{text_of("(y[i] - ", writer.functions.literal(loss.minimum_variance), ")"), begin, end});
}
// These losses have no link: the outputs are the predictions.
template <class Written>
void source_form(const SquaredError&, SourceWriter<Written>&, Index, Index) {}
template <class Written>
void source_form(const MeanSquaredError&, SourceWriter<Written>&, Index, Index) {}
template <class Written>
void source_form(const MeanAbsoluteError&, SourceWriter<Written>&, Index, Index) {}
template <class Written>
void source_form(const Huber&, SourceWriter<Written>&, Index, Index) {}
template <class Written>
void source_form(const Pinball&, SourceWriter<Written>&, Index, Index) {}
template <class Written>
void source_form(const LogCosh&, SourceWriter<Written>&, Index, Index) {}
template <class Written>
void source_form(const Hinge&, SourceWriter<Written>&, Index, Index) {}

/// The forms of the predictions of losses in source code, statements without a result.
struct SourceLinkForm {
  using Result = std::monostate;
  template <class L, class Written>
  static auto write(Exactly<L> loss, SourceWriter<Written>& writer, const Index& first, const Index& outputs)
      -> decltype(source_form(loss, writer, first, outputs), Result{}) {
    source_form(loss, writer, first, outputs);
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
static_assert(have_forms<SourceLinkForm, SourceWriter<float>, const Index, const Index>(Losses{}));

/// Adds the link of a loss of the outputs y[first], ..., y[first + outputs - 1]. Throws ValueError for a loss that has no form.
template <class L, class Written>
void add_source_link(const L& loss, SourceWriter<Written>& writer, Index first, Index outputs) {
  write_form<SourceLinkForm>(loss, writer, first, outputs);
}
/// Adds the link of the described loss. Throws ValueError for a loss that is unknown or has no form.
template <class Written>
void add_source_link(const Description& loss, SourceWriter<Written>& writer, Index first, Index outputs) {
  write_form_of<SourceLinkForm>(loss, writer, first, outputs);
}
template <class Scalar, class Written>
void add_source_link(const AnyLoss<Scalar>& loss, SourceWriter<Written>& writer, Index first, Index outputs) {
  write_form_of<SourceLinkForm>(loss.describe(), writer, first, outputs);
}
template <class L, class Written>
void source_form(Exactly<ClassWeighted<L>> loss, SourceWriter<Written>& writer, Index first, Index outputs) {
  add_source_link(loss->loss(), writer, first, outputs);
}
template <class Written>
void source_form(const DescribedClassWeighted& loss, SourceWriter<Written>& writer, Index first, Index outputs) {
  add_source_link(loss.loss(), writer, first, outputs);
}
// The losses of a sum have one link.
template <class... L, class Written>
void source_form(Exactly<SumOfLosses<L...>> loss, SourceWriter<Written>& writer, Index first, Index outputs) {
  add_source_link(element(loss->losses(), Constant<0>{}), writer, first, outputs);
}
template <class Written>
void source_form(const DescribedSumOfLosses& loss, SourceWriter<Written>& writer, Index first, Index outputs) {
  add_source_link(loss.losses()[0], writer, first, outputs);
}
/// Adds the link of each head to its outputs, which begin at y[first].
template <class HeadList, class Written>
void add_source_heads(const HeadList& heads, SourceWriter<Written>& writer, Index first) {
  for_each_layer(heads, [&](const auto& head) {
    add_source_link(head.loss(), writer, first, head.outputs());
    first += head.outputs();
  });
}
template <class... H, class Written>
void source_form(Exactly<Heads<H...>> loss, SourceWriter<Written>& writer, Index first, Index) {
  add_source_heads(loss->heads(), writer, first);
}
template <class Written>
void source_form(const DescribedHeads& loss, SourceWriter<Written>& writer, Index first, Index) {
  add_source_heads(loss.heads(), writer, first);
}

}  // namespace chainrule::detail
