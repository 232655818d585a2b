#pragma once
// Layers and links as loops of C on arrays whose extents are known.

#include <algorithm>
#include <chainrule/io/detail/source/activation.hpp>
#include <chainrule/io/detail/source/weights.hpp>
#include <map>

namespace chainrule::detail {

/// Writes the body of predict, the weights that it reads and the functions that it calls. Layers write into arrays of its own, t1, t2,
/// ..., as many as are in use at once, or from `last_array` on into y.
template <class Scalar, class Written>
class SourceWriter {
  using Text = std::string;
  using Layer = DescribedLayer<const Scalar>;

 public:
  explicit SourceWriter(const Text& name) : name_{name}, functions_(name) {}

  /// All layers and the link, x to y.
  void write(const std::vector<Layer>& layers, const Description& loss, Index outputs) {
    std::size_t last_array = 0;  // the last layer that cannot work in place: from there on all is in y
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (layers[i].is("Dense") || layers[i].is("Residual")) last_array = i;
    Text a = "x";
    for (std::size_t i = 0; i < layers.size(); ++i) a = layer(layers[i], a, i >= last_array);
    if (a != "y") loop(outputs, text_of("y[i] = ", a, "[i];"));
    link(loss, outputs);
  }

  const Text& body() const { return body_; }
  const SourceWeights<Written>& weights() const { return weights_; }
  const SourceFunctions<Written>& functions() const { return functions_; }

  /// The sizes of t1, t2, ...
  std::vector<Index> arrays() const {
    std::vector<Index> sizes;
    for (const Array& array : arrays_) sizes.push_back(array.size);
    return sizes;
  }

 private:
  struct Array {
    Index size = 0;
    bool in_use = false;
  };

  // What a layer makes of the array `in`, of which it says the name: where that is free (not x, not what a Residual still needs) the same.
  Text layer(const Layer& l, const Text& in, bool to_y) {
    const Index n = l.what.outputs;
    if (l.is("Dropout")) return in;  // does nothing in predicting
    if (l.is("Dense")) return dense(l, in, to_y);
    if (l.is("Residual")) return residual(l, in, to_y);
    const Text out = is_kept(in) ? take(n, to_y) : in;
    if (l.is("Activate")) {
      const Text f = source_activation(functions_, l.what.parts.at(0), in + "[i]");
      comment(text_of(l.what.parts.at(0).kind, ": a = f(z)"));
      loop(n, text_of(out, "[i] = ", f, ";"));
    } else if (l.is("Normalize")) {
      const Text shift = vector(l, "shift"), scale = vector(l, "scale");
      comment("Normalize: a = (x - shift) scale");
      loop(n, text_of(out, "[i] = (", in, "[i] - ", shift, "[i]) * ", scale, "[i];"));
    } else if (l.is("BatchNorm")) {
      batch_norm(l, in, out);
    } else if (l.is("LayerNorm")) {
      layer_norm(l, in, out);
    } else if (l.is("PReLU") || l.is("PReLUPerUnit")) {
      const Text slope = vector(l, "slope") + (l.is("PReLU") ? "[0]" : "[i]");
      comment(text_of(l.what.kind, ": a = z for z > 0, slope z below"));
      loop(n, text_of(out, "[i] = ", in, "[i] > ", zero(), " ? ", in, "[i] : ", slope, " * ", in, "[i];"));
    } else {
      raise<ValueError>("to_source: the layer ", l.what.kind, " has no form in source code");
    }
    return out;
  }

  Text dense(const Layer& l, const Text& in, bool to_y) {
    const Index m = l.what.outputs, n = l.what.inputs;
    const Description& f = l.what.parts.at(0);
    const Index number = ++count_["Dense"];
    const Text w = text_of(name_, "_w", number), b = text_of(name_, "_b", number);
    weights_.add_rows(w, l.tensor("weight"));
    weights_.add(b, l.tensor("bias"));
    const Text out = take(m, to_y);
    const Text a = source_activation(functions_, f, "z"), fma = functions_.multiply_add();
    comment(text_of("Dense: z(", number + 1, ") = W(", number, ") a(", number, ") + b(", number, "), a(", number + 1, ") = f(z(",
                    number + 1, ")) with f = ", f.kind, ", ", n, " -> ", m));
    body_ += text_of("  for (int i = 0; i < ", m, "; ++i) {\n    ", functions_.scalar, " z = ", b, "[i];\n    for (int k = 0; k < ", n,
                     "; ++k) z = ", fma, "(", w, "[i][k], ", in, "[k], z);\n    ", out, "[i] = ", a, ";\n  }\n");
    give_back(in);
    return out;
  }

  // a = x + F(x): x is kept until F is done
  Text residual(const Layer& l, const Text& x, bool to_y) {
    const Index n = l.what.outputs;
    kept_.push_back(x);
    comment(text_of("Residual: a = x + F(x), ", n, " -> ", n, "; x is in ", x));
    Text f = x;
    for (const Layer& inside : l.inside) f = layer(inside, f, false);
    kept_.pop_back();
    const Text out = to_y ? take(n, true) : !is_kept(x) ? x : is_kept(f) ? take(n, false) : f;
    comment("Residual: the sum");
    loop(n, text_of(out, "[i] = ", x, "[i] + ", f, "[i];"));
    for (const Text& array : {x, f})
      if (array != out) give_back(array);
    return out;
  }

  // x_hat = (x - mean) factor, a = weight x_hat + bias. Weight and factor stay two numbers, because their product would be rounded.
  void batch_norm(const Layer& l, const Text& in, const Text& out) {
    const Index number = ++count_["BatchNorm"];
    const auto named = [&](const char* what) { return text_of(name_, "_batch_norm", number, "_", what); };
    const Scalar* variance = l.tensor("running_variance").numbers;
    const Scalar epsilon = static_cast<Scalar>(l.what.hyperparameters.at(1).second);
    weights_.add(named("mean"), l.tensor("running_mean"));
    weights_.add(named("factor"), l.what.outputs, [&](Index i) { return 1 / std::sqrt(variance[i] + epsilon); });
    weights_.add(named("weight"), l.tensor("weight"));
    weights_.add(named("bias"), l.tensor("bias"));
    comment("BatchNorm: x_hat = (x - mean) factor with factor = 1/sqrt(variance + epsilon), a = weight x_hat + bias");
    loop(l.what.outputs, text_of(out, "[i] = (", in, "[i] - ", named("mean"), "[i]) * ", named("factor"), "[i] * ", named("weight"),
                                 "[i] + ", named("bias"), "[i];"));
  }

  void layer_norm(const Layer& l, const Text& in, const Text& out) {
    const Index n = l.what.outputs, number = ++count_["LayerNorm"];
    const auto named = [&](const char* what) { return text_of(name_, "_layer_norm", number, "_", what); };
    weights_.add(named("weight"), l.tensor("weight"));
    weights_.add(named("bias"), l.tensor("bias"));
    const Text units = functions_.literal(static_cast<double>(n)), epsilon = functions_.literal(l.what.hyperparameters.at(0).second);
    comment("LayerNorm: x_hat = (x - mean)/sqrt(variance + epsilon), a = weight x_hat + bias");
    const Text all = text_of("    for (int i = 0; i < ", n, "; ++i) ");
    body_ += functions_.filled_in(text_of(
        "  {\n    $ mean = <0>;\n    $ variance = <0>;\n    $ factor = <0>;\n",  //
        all, "mean += ", in, "[i];\n    mean /= ", units, ";\n",                 //
        all, "variance += (", in, "[i] - mean) * (", in, "[i] - mean);\n    factor = <1> / sqrtF(variance / ", units, " + ", epsilon,
        ");\n", all, out, "[i] = (", in, "[i] - mean) * factor * ", named("weight"), "[i] + ", named("bias"), "[i];\n  }\n"));
  }

  // the prediction that the loss makes of y, which holds raw outputs
  void link(const Description& loss, Index outputs) {
    const std::string_view kind = loss.kind;
    if (kind == "ClassWeighted") return link(loss.parts.at(0), outputs);
    if (kind == "SoftmaxCrossEntropy" || kind == "KLDivergence") {
      const Text exp = functions_.exp();
      comment("Softmax: y = e^(z - max z), divided by the sum of the same");
      body_ += functions_.filled_in(
          text_of("  {\n    $ largest = y[0];\n    $ sum = <0>;\n    for (int i = 1; i < ", outputs,
                  "; ++i) largest = y[i] > largest ? y[i] : largest;\n    for (int i = 0; i < ", outputs, "; ++i) {\n      y[i] = ", exp,
                  "(y[i] - largest);\n      sum += y[i];\n    }\n    for (int i = 0; i < ", outputs, "; ++i) y[i] /= sum;\n  }\n"));
    } else if (kind == "BinaryCrossEntropy") {
      const Text sigmoid = functions_.sigmoid();
      comment("y = sigma(z)");
      loop(outputs, text_of("y[i] = ", sigmoid, "(y[i]);"));
    } else if (kind == "PoissonNLL") {
      const Text exp = functions_.exp();
      comment("y = e^z");
      loop(outputs, text_of("y[i] = ", exp, "(y[i]);"));
    } else if (kind == "GaussianNLL") {
      const Text exp = functions_.exp();
      comment("the means, and below them the variances e^s + the least one");
      body_ += functions_.filled_in(text_of("  for (int i = ", outputs / 2, "; i < ", outputs, "; ++i) y[i] = ", exp, "(y[i]) + ",
                                            functions_.literal(loss.hyperparameters.at(0).second), ";\n"));
    } else if (!works_on_outputs(kind)) {
      raise<ValueError>("to_source: the loss ", kind, " makes its predictions in a way that has no form in source code");
    }
  }

  // losses whose predictions are the net's outputs
  static bool works_on_outputs(std::string_view kind) {
    for (const std::string_view known : {"SquaredError", "MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh", "Hinge"})
      if (kind == known) return true;
    return false;
  }

  void comment(const Text& what) { body_ += "\n  /* " + what + " */\n"; }
  void loop(Index n, const Text& statement) { body_ += text_of("  for (int i = 0; i < ", n, "; ++i) ", statement, "\n"); }
  Text zero() const { return functions_.literal(0.0); }

  bool is_kept(const Text& array) const { return array == "x" || std::find(kept_.begin(), kept_.end(), array) != kept_.end(); }

  // an array of n numbers that nobody uses
  Text take(Index n, bool y) {
    if (y) return "y";
    auto free = std::find_if(arrays_.begin(), arrays_.end(), [](const Array& one) { return !one.in_use; });
    if (free == arrays_.end()) free = arrays_.insert(free, Array{});
    *free = {std::max(free->size, n), true};
    return text_of("t", free - arrays_.begin() + 1);
  }
  void give_back(const Text& array) {
    if (!is_kept(array) && array != "y") arrays_.at(static_cast<std::size_t>(std::stoul(array.substr(1))) - 1).in_use = false;
  }

  // a vector with a number behind its name
  Text vector(const Layer& l, const Text& tensor) {
    const Text name = text_of(name_, "_", tensor, ++count_[tensor]);
    weights_.add(name, l.tensor(tensor));
    return name;
  }

  Text name_;
  SourceFunctions<Written> functions_;
  std::map<Text, Index> count_;  // of layers of a kind
  std::vector<Array> arrays_;
  std::vector<Text> kept_;
  SourceWeights<Written> weights_;
  Text body_;
};

}  // namespace chainrule::detail
