#pragma once
// Writes layers as loops of C on arrays of constant size. An overload of source_form on the layer's type adds them.

#include <chainrule/any/any_layers.hpp>
#include <chainrule/io/detail/numbers_in_order.hpp>
#include <chainrule/io/detail/source/activations.hpp>
#include <chainrule/io/detail/source/links.hpp>

namespace chainrule::detail {

/// Adds what a layer makes of the array `in`, with the next of the numbers, and returns the name of the array that holds it: y where
/// `to_y`, else `in` itself where the layer can work in place, else one of t1, t2, ... Throws ValueError for a layer without a form.
template <class L, class Written, class Scalar>
std::string add_source_layer(const L& layer, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, const std::string& in,
                             bool to_y);

/// Whether a layer writes its output over its input where it may.
inline bool works_in_place(const Description& what) {
  return !describes_dense(what) && !contains_layers(what) && !describes<DescribedEmbedding>(what);
}
template <class L>
bool works_in_place(const L&) {
  return !IsDense<L> && !IsResidual<L> && !IsSequential<L> && !IsParallel<L> && !IsParallelSum<L> && !IsEmbedding<L>;
}
template <class Scalar>
bool works_in_place(const AnyLayer<Scalar>& layer) {
  return works_in_place(layer.describe());
}

/// The statement that keeps f'(z) of n units for the derivative, and the array that it sets. Both are empty where no derivative is written,
/// and where f'(z) = 1.
struct SourceSlopes {
  std::string array, statement;
};
template <class F, class Written>
SourceSlopes source_slopes(const F& f, SourceWriter<Written>& writer, Index n, const std::string& z, const std::string& a) {
  if (!writer.differentiates()) return {};
  const std::string slope = source_activation_derivative(f, writer.functions, z, a);
  if (slope.empty()) return {};
  const std::string array = writer.take_derivative_array(n);
  return {array, text_of(array, "[i] = ", slope, ";")};
}
/// Records the step v <- f'(z) o v behind the statements that set the slopes. `out` is the array that they set besides.
template <class Written>
void add_slope_step(const SourceSlopes& slopes, SourceWriter<Written>& writer, Index n, const std::string& out) {
  if (slopes.array.empty()) return;
  writer.add_step_at_values(SourceScaling{slopes.array + "[i]", 0, n}, writer.mentions(slopes.statement, out) ? "" : out);
}

template <DropoutUnits N, class Written, class Scalar>
std::string source_form(Exactly<Dropout<N>>, SourceWriter<Written>&, NumbersInOrder<Scalar>&, const std::string& in, bool) {
  return in;  // in predicting it does nothing
}

template <IsDense L, class Written, class Scalar>
std::string source_form(Exactly<L> dense, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, const std::string& in,
                        bool to_y) {
  const Index n = dense->inputs(), m = dense->outputs(), number = writer.next_number("Dense");
  const std::string w = writer.full_name("w", number), b = writer.full_name("b", number);
  const auto parameters = numbers.parameters_of(dense.object);
  writer.weights.add_rows(w, parameters.weight);
  if constexpr (L::has_bias) writer.weights.add(b, parameters.bias);
  const std::string out = writer.take_array(m, to_y);
  const std::string a = source_activation(dense->activation(), writer.functions, "z"), fma = writer.functions.multiply_add();
  writer.comment(text_of("Dense: z(", number + 1, ") = W(", number, ") a(", number, ")", L::has_bias ? text_of(" + b(", number, ")") : "",
                         ", a(", number + 1, ") = f(z(", number + 1, ")) with f = ", name_of(dense->activation()), ", ", n, " -> ", m));
  writer.code(text_of("  for (int i = 0; i < ", m, "; ++i) {\n    $ z = ", L::has_bias ? b + "[i]" : "<0>", ";\n"));
  writer.add_terms("    ", "k", n, "z", text_of("z = ", fma, "(", w, "[i][k], ", in, "[k], z);"));
  const SourceSlopes slopes = source_slopes(dense->activation(), writer, m, "z", out + "[i]");
  writer.code(text_of("    ", out, "[i] = ", a, ";\n", slopes.statement.empty() ? "" : "    " + slopes.statement + "\n", "  }\n"));
  writer.add_step(SourceProduct{w, n, m});
  add_slope_step(slopes, writer, m, out);
  writer.give_back(in);
  return out;
}

template <IsActivate L, class Written, class Scalar>
std::string source_form(Exactly<L> layer, SourceWriter<Written>& writer, NumbersInOrder<Scalar>&, const std::string& in, bool to_y) {
  const Index n = layer->outputs();
  const std::string out = writer.array_after(in, n, to_y);
  const SourceSlopes slopes = source_slopes(layer->activation(), writer, n, "z", out + "[i]");
  const std::string z = slopes.array.empty() ? in + "[i]" : "z", a = source_activation(layer->activation(), writer.functions, z);
  writer.comment(text_of(name_of(layer->activation()), ": a = f(z)"));
  if (slopes.array.empty())
    writer.loop(n, text_of(out, "[i] = ", a, ";"));
  else
    writer.code(text_of("  for (int i = 0; i < ", n, "; ++i) {\n    const $ z = ", in, "[i];\n    ", out, "[i] = ", a, ";\n    ",
                        slopes.statement, "\n  }\n"));
  add_slope_step(slopes, writer, n, out);
  return out;
}

template <int N, class Written, class Scalar>
std::string source_form(Exactly<Normalize<N>> layer, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, const std::string& in,
                        bool to_y) {
  const std::string out = writer.array_after(in, layer->outputs(), to_y);
  const auto buffers = numbers.buffers_of(layer.object);
  const std::string shift = writer.constants("shift", buffers.shift), scale = writer.constants("scale", buffers.scale);
  writer.comment("Normalize: a = (x - shift) scale");
  writer.loop(layer->outputs(), text_of(out, "[i] = (", in, "[i] - ", shift, "[i]) * ", scale, "[i];"));
  writer.add_step(SourceScaling{scale + "[i]", 0, layer->outputs()});
  return out;
}

// x_hat = (x - mean) factor, a = weight x_hat + bias. Weight and factor stay two numbers, because their product would be rounded.
template <int N, class Written, class Scalar>
std::string source_form(Exactly<BatchNorm<N>> layer, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, const std::string& in,
                        bool to_y) {
  const std::string out = writer.array_after(in, layer->outputs(), to_y);
  const Index number = writer.next_number("BatchNorm");
  const auto named = [&](const char* what) { return writer.full_name("batch_norm", number, "_", what); };
  const auto [weight, bias] = numbers.parameters_of(layer.object);
  const auto statistics = numbers.buffers_of(layer.object);
  const Scalar epsilon = static_cast<Scalar>(layer->epsilon());
  writer.weights.add(named("mean"), statistics.running_mean);
  writer.weights.add(named("factor"), layer->outputs(), [&](Index i) { return 1 / std::sqrt(statistics.running_variance(i) + epsilon); });
  writer.weights.add(named("weight"), weight);
  writer.weights.add(named("bias"), bias);
  writer.comment("BatchNorm: x_hat = (x - mean) factor with factor = 1/sqrt(variance + epsilon), a = weight x_hat + bias");
  writer.loop(layer->outputs(), text_of(out, "[i] = (", in, "[i] - ", named("mean"), "[i]) * ", named("factor"), "[i] * ", named("weight"),
                                        "[i] + ", named("bias"), "[i];"));
  writer.add_step(SourceScaling{text_of("(", named("factor"), "[i] * ", named("weight"), "[i])"), 0, layer->outputs()});
  return out;
}

template <int N, class Written, class Scalar>
std::string source_form(Exactly<LayerNorm<N>> layer, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, const std::string& in,
                        bool to_y) {
  const Index n = layer->outputs();
  const std::string out = writer.array_after(in, n, to_y);
  const Index number = writer.next_number("LayerNorm");
  const auto named = [&](const char* what) { return writer.full_name("layer_norm", number, "_", what); };
  const auto [weight, bias] = numbers.parameters_of(layer.object);
  writer.weights.add(named("weight"), weight);
  writer.weights.add(named("bias"), bias);
  const std::string units = writer.functions.literal(static_cast<double>(n)), epsilon = writer.functions.literal(layer->epsilon());
  const std::string all = text_of("    for (int i = 0; i < ", n, "; ++i) "), d = "(" + in + "[i] * scale - mean - rest)";
  const auto add = [&](const std::string& sum, const std::string& term) {
    writer.add_terms("    ", "i", n, sum, text_of(sum, " += ", term, ";"));
  };
  writer.comment(
      "LayerNorm: x_hat = (x - mean - rest)/sqrt(variance + epsilon), a = weight x_hat + bias; x scaled so that no sum overflows");
  writer.code(text_of("  {\n    $ scale = <1>;\n    $ largest = <0>;\n    $ mean = <0>;\n    $ rest = <0>;\n    $ variance = <0>;\n",  //
                      all, "largest = fabsF(", in, "[i]) > largest ? fabsF(", in, "[i]) : largest;\n",                                 //
                      "    while (largest * scale > <1073741824>) scale /= <1073741824>;\n"));
  add("mean", text_of(in, "[i] * scale - ", in, "[0] * scale"));
  writer.code(text_of("    mean = ", in, "[0] * scale + mean / ", units, ";\n"));
  add("rest", in + "[i] * scale - mean");
  writer.code(text_of("    rest /= ", units, ";\n"));
  add("variance", d + " * " + d);
  writer.code(text_of("    const $ deviation = sqrtF(variance / ", units, " + ", epsilon,
                      " * scale * scale);\n    const $ factor = deviation > <0> ? <1> / deviation : <0>; /* 0 for equal x */\n"));
  if (!writer.differentiates()) {
    writer.code(text_of(all, out, "[i] = ", d, " * factor * ", named("weight"), "[i] + ", named("bias"), "[i];\n  }\n"));
    return out;
  }
  const std::string x_hat = writer.take_derivative_array(n), slope = writer.take_derivative_array(1);
  writer.code(text_of(all, x_hat, "[i] = ", d, " * factor;\n", all, out, "[i] = ", x_hat, "[i] * ", named("weight"), "[i] + ",
                      named("bias"), "[i];\n    ", slope, "[0] = factor * scale;\n  }\n"));
  writer.add_step_at_values(SourceCentering{x_hat, slope + "[0]", n}, out);
  writer.add_step(SourceScaling{named("weight") + "[i]", 0, n});
  return out;
}

template <Slopes slopes, int N, class Written, class Scalar>
std::string source_form(Exactly<PReLU<slopes, N>> layer, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers,
                        const std::string& in, bool to_y) {
  const std::string out = writer.array_after(in, layer->outputs(), to_y);
  const std::string slope =
      writer.constants("slope", numbers.parameters_of(layer.object).slope) + (slopes == Slopes::shared ? "[0]" : "[i]");
  writer.comment(text_of(layer->name, ": a = z for z > 0, slope z below"));
  if (writer.differentiates()) {
    const std::string kept = writer.take_derivative_array(layer->outputs());
    writer.loop(layer->outputs(), text_of(kept, "[i] = ", in, "[i] > <0> ? <1> : ", slope, ";"));
    writer.add_step_at_values(SourceScaling{kept + "[i]", 0, layer->outputs()});
  }
  writer.loop(layer->outputs(),
              text_of(out, "[i] = ", in, "[i] > ", writer.functions.literal(0.0), " ? ", in, "[i] : ", slope, " * ", in, "[i];"));
  return out;
}

// The rows that are no categories, then the row of each table that belongs to the category; NaN for a number that is no category.
template <IsEmbedding L, class Written, class Scalar>
std::string source_form(Exactly<L> layer, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, const std::string& in,
                        bool to_y) {
  const auto weights = numbers.parameters_of(layer.object);
  const std::string out = writer.take_array(layer->outputs(), to_y);
  writer.comment(text_of("Embedding: numbers that are no categories, then those of each category; NaN where x is no category, ",
                         layer->inputs(), " -> ", layer->outputs()));
  SourceSelection selection{{}, layer->inputs(), layer->outputs()};
  Index from = 0, to = 0;
  const auto add_run = [&](Index end) {
    const Index size = end - from;
    if (size > 0) {
      selection.runs.push_back({from, to, size});
      writer.loop(size, text_of(out, "[", to, " + i] = ", in, "[", from, " + i];"));
    }
    to += size;
    from = end + 1;
  };
  for (const CategoryRow& of : layer->category_rows()) add_run(of.row);
  add_run(layer->inputs());
  for (std::size_t k = 0; k < layer->category_rows().size(); ++k) {
    const CategoryRow& of = layer->category_rows()[k];
    const auto weight = weights.weight(k);
    const std::string table = writer.full_name("embedding", writer.next_number("embedding"));
    writer.weights.add_rows(table, of.categories, of.size, [&](Index category, Index i) { return weight(i, category); });
    const std::string x = text_of(in, "[", of.row, "]");
    writer.code(text_of("  {\n    const int category = ", x, " >= <0> && ", x, " < ",
                        writer.functions.literal(static_cast<double>(of.categories)), " ? (int)", x, " : 0;\n    for (int i = 0; i < ",
                        of.size, "; ++i) ", out, "[", to, " + i] = ", x, " == ($)category ? ", table,
                        "[category][i] : sqrtF(-<1>);\n  }\n"));
    to += of.size;
  }
  writer.add_step(std::move(selection));
  writer.give_back(in);
  return out;
}

// a = x + F(x): x is kept until F is done
template <IsResidual L, class Written, class Scalar>
std::string source_form(Exactly<L> residual, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x,
                        bool to_y) {
  const Index n = residual->outputs();
  writer.keep(x);
  writer.add_step(SourceBranch{n, true});
  writer.comment(text_of("Residual: a = x + F(x), ", n, " -> ", n, "; x is in ", x));
  std::string f = x;
  for_each_layer(residual->layers(), [&](const auto& inside) { f = add_source_layer(inside, writer, numbers, f, false); });
  writer.release();
  const std::string out = to_y ? writer.take_array(n, true) : !writer.is_kept(x) ? x : writer.array_after(f, n, false);
  writer.comment("Residual: the sum");
  writer.loop(n, text_of(out, "[i] = ", x, "[i] + ", f, "[i];"));
  writer.add_step(SourceBranch{n, false});
  for (const std::string& array : {x, f})
    if (array != out) writer.give_back(array);
  return out;
}

/// Adds layers one after the other. With to_y, all is in y from the last layer on that cannot work in place.
template <class Layers, class Written, class Scalar>
std::string add_source_layers(const Layers& layers, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, std::string a,
                              bool to_y) {
  std::size_t i = 0, last_array = 0;
  for_each_layer(layers, [&](const auto& layer) {
    if (!works_in_place(layer)) last_array = i;
    ++i;
  });
  i = 0;
  for_each_layer(layers, [&](const auto& layer) { a = add_source_layer(layer, writer, numbers, a, to_y && i++ >= last_array); });
  return a;
}

template <IsSequential L, class Written, class Scalar>
std::string source_form(Exactly<L> layers, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x,
                        bool to_y) {
  return add_source_layers(layers->layers(), writer, numbers, x, to_y);
}

// The branches read x, which is kept until all are done, and their outputs are copied or added to `out`.
template <class L, class Written, class Scalar>
requires(IsParallel<L> || IsParallelSum<L>) std::string
    source_form(Exactly<L> parallel, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, const std::string& x, bool to_y) {
  constexpr bool adds = IsParallelSum<L>;
  const Index n = parallel->inputs(), m = parallel->outputs();
  const std::string kind(L::name);
  writer.keep(x);
  const std::string out = writer.take_array(m, to_y);
  writer.comment(text_of(kind, ": branches that read x, ", n, " -> ", m, "; x is in ", x));
  writer.add_step(SourceFork{n, m, true});
  Index first = 0;
  std::size_t number = 0;
  for_each_layer(parallel->layers(), [&](const auto& branch) {
    Index outputs = m;
    if constexpr (requires { branch.outputs(); })
      outputs = branch.outputs();
    else
      outputs = branch.outputs;
    writer.add_step(SourceForkBranch{adds ? 0 : first, outputs, true});
    const std::string f = add_source_layer(branch, writer, numbers, x, false);
    const bool is_added = adds && number > 0;
    writer.comment(text_of(kind, ": branch ", number + 1));
    writer.loop(outputs, text_of(out, first == 0 || adds ? "[i]" : text_of("[i + ", first, "]"), is_added ? " += " : " = ", f, "[i];"));
    if (f != x) writer.give_back(f);
    writer.add_step(SourceForkBranch{adds ? 0 : first, outputs, false});
    first += outputs;
    ++number;
  });
  writer.add_step(SourceFork{n, m, false});
  writer.release();
  writer.give_back(x);
  return out;
}

/// The forms of layers in source code.
struct SourceLayerForm {
  using Result = std::string;
  template <class L, class Written, class Scalar>
  static auto write(Exactly<L> layer, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, const std::string& in,
                    const bool& to_y) -> decltype(source_form(layer, writer, numbers, in, to_y)) {
    return source_form(layer, writer, numbers, in, to_y);
  }
  template <class F>
  static bool visit(const Description& of, const F& f) {
    return visit_layer(of, f);
  }
  [[noreturn]] static void refuse(std::string_view name) {
    raise<ValueError>("to_source: the layer ", name, " has no form in source code", advice_without_form(name));
  }
};
template <class Layers>
constexpr bool have_source_forms(Layers all) {
  return have_forms<SourceLayerForm, SourceWriter<float>, NumbersInOrder<float>, const std::string, const bool>(all);
}
static_assert(have_source_forms(SameShapeLayers{}) && have_source_forms(DescribedLayers{}));

/// Adds the described layer and returns the name of the array that holds its output. Throws ValueError for a layer that is unknown or has
/// no form.
template <class Written, class Scalar>
std::string add_source_layer(const Description& layer, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers,
                             const std::string& in, bool to_y) {
  return write_form_of<SourceLayerForm>(layer, writer, numbers, in, to_y);
}
template <class Any, class Written, class Scalar>
std::string add_source_layer(const AnyLayer<Any>& layer, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers,
                             const std::string& in, bool to_y) {
  return write_form_of<SourceLayerForm>(layer.describe(), writer, numbers, in, to_y);
}
template <class L, class Written, class Scalar>
std::string add_source_layer(const L& layer, SourceWriter<Written>& writer, NumbersInOrder<Scalar>& numbers, const std::string& in,
                             bool to_y) {
  return write_form<SourceLayerForm>(layer, writer, numbers, in, to_y);
}

/// Adds all layers and the loss's link, from x to y.
template <class Net, class Written>
void add_source_network(const Net& net, SourceWriter<Written>& writer) {
  NumbersInOrder<typename Net::ScalarType> numbers(net);
  const std::string a = add_source_layers(net.layers(), writer, numbers, "x", true);
  if (a != "y") writer.loop(net.outputs(), text_of(writer.take_array(net.outputs(), true), "[i] = ", a, "[i];"));
  add_source_link(net.loss_function(), writer, 0, net.outputs());
}

}  // namespace chainrule::detail
