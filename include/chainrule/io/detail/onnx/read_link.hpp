#pragma once
// Where an ONNX graph's layers end: its output, less what a loss's link makes of them.

#include <chainrule/io/detail/onnx/description_text.hpp>
#include <chainrule/io/detail/onnx/read_chain.hpp>

namespace chainrule::detail {

/// Finds the value that the last layer gives, and the loss.
class OnnxEnd {
 public:
  OnnxEnd(const pb::ModelProto& model, const OnnxGraph& graph) : graph_{graph}, end_{through_no_ops(output())} {
    bool is_raw = false;
    for (const auto& entry : model.metadata_props()) {
      if (entry.key() == onnx_loss_key) loss_ = DescriptionText(entry.value(), graph.file()).read();
      if (entry.key() == onnx_outputs_key) is_raw = entry.value() == "raw";
    }
    if (loss_.kind.empty())
      guess();
    else if (!is_raw)
      take_away_link(loss_.kind == "ClassWeighted" && loss_.parts.size() == 1 ? loss_.parts[0].kind : loss_.kind);
  }

  const Description& loss() const { return loss_; }
  int value() const { return end_; }
  /// Whether the model gives 1 - p and p of its one output p, as scikit-learn's for two classes.
  bool is_pair() const { return is_pair_; }

 private:
  using Node = OnnxGraph::Node;

  // Of several outputs the one with numbers: a classifier's probabilities, not its labels.
  int output() const {
    std::vector<int> found;
    std::string names;
    for (const auto& output : graph_.proto().output()) {
      const int value = graph_.find(output.name());
      if (value < 0) raise<ValueError>(graph_.file(), ": nothing makes the output ", in_quotes(output.name()));
      names += (names.empty() ? "" : ", ") + in_quotes(output.name());
      const auto type = output.type().tensor_type().elem_type();
      const bool is_label = output.type().has_tensor_type() && type != 0 && !OnnxFunction::is_real(type);
      if (!is_label) found.push_back(value);
    }
    if (found.size() != 1)
      raise<ValueError>(graph_.file(), ": expected one output of numbers, but found ", found.size(), " among ",
                        names.empty() ? "none" : names);
    return found[0];
  }

  int through_no_ops(int value) const {
    for (const Node* node = graph_.maker(value); node != nullptr; node = graph_.maker(value)) {
      const bool nothing = graph_.is(*node, "Identity") || graph_.is(*node, "ZipMap") ||
                           (graph_.is(*node, "Cast") && OnnxFunction::is_real(graph_.integer(*node, "to", 0)));
      if (!nothing || graph_.input_of(*node, 0) < 0 || graph_.value(value).constant.tensor != nullptr) break;
      value = node->inputs[0];
    }
    return value;
  }

  bool take_away(std::string_view op) {
    const Node* node = graph_.maker(end_);
    if (node == nullptr || !graph_.is(*node, op) || graph_.input_of(*node, 0) < 0) return false;
    if (const std::int64_t axis = graph_.integer(*node, "axis", -1); op == "Softmax" && axis != 1 && axis != -1)
      raise<ValueError>(graph_.place(*node), ": expected axis 1, but found ", axis);
    end_ = node->inputs[0];
    return true;
  }

  void take_away_link(std::string_view loss) {
    constexpr std::pair<std::string_view, std::string_view> links[] = {{"SoftmaxCrossEntropy", "Softmax"},
                                                                       {"KLDivergence", "Softmax"},
                                                                       {"BinaryCrossEntropy", "Sigmoid"},
                                                                       {"PoissonNLL", "Exp"},
                                                                       {"GaussianNLL", "Concat"}};
    for (const auto& [of, op] : links)
      if (of == loss) {
        const bool found = op == "Concat" ? take_away_variances() : take_away(op);
        if (!found) raise<ValueError>(graph_.file(), ": expected ", op, " before the output, which belongs to the loss ", loss);
      }
  }

  // Concat(m, e^s + minimum) of Split(z), as to_onnx writes it
  bool take_away_variances() {
    const Node* both = graph_.maker(end_);
    if (both == nullptr || !graph_.is(*both, "Concat")) return false;
    const Node* split = graph_.maker(graph_.input_of(*both, 0));
    if (split == nullptr || !graph_.is(*split, "Split") || graph_.input_of(*split, 0) < 0) return false;
    end_ = split->inputs[0];
    return true;
  }

  void guess() {
    const Node* last = graph_.maker(end_);
    if (last != nullptr && graph_.is(*last, "LogSoftmax"))
      raise<ValueError>(graph_.place(*last),
                        ": no loss here predicts logarithms; export the model with Softmax, or with nothing, at its end");
    if (last != nullptr && graph_.is(*last, "Concat") && last->inputs.size() == 2) {
      const Node* one_minus = graph_.maker(last->inputs[0]);
      is_pair_ = one_minus != nullptr && graph_.is(*one_minus, "Sub") && graph_.input_of(*one_minus, 1) == last->inputs[1] &&
                 last->inputs[1] >= 0 && graph_.constant(*one_minus, 0) != nullptr;
      if (is_pair_) end_ = through_no_ops(last->inputs[1]);
      if (is_pair_ && !take_away("Sigmoid")) raise<ValueError>(graph_.place(*last), ": expected 1 - p and p with p from Sigmoid");
    }
    if (is_pair_ || take_away("Softmax"))
      loss_ = describe(SoftmaxCrossEntropy{});
    else if (take_away("Sigmoid"))
      loss_ = describe(BinaryCrossEntropy{});
    else if (take_away("Exp"))
      loss_ = describe(PoissonNLL{});
    else
      loss_ = describe(MeanSquaredError{});
  }

  const OnnxGraph& graph_;
  int end_;
  Description loss_ = {};
  bool is_pair_ = false;
};

/// p = sigma(z) and 1 - p are the softmax of z and 0.
template <class Scalar>
void make_pair(ReadLayer<Scalar>& last, const std::string& place) {
  if (last.what.kind != "Dense" || last.what.outputs != 1 || last.what.parts[0].kind != "Identity")
    raise<ValueError>(place, ": expected a layer of one output before 1 - p and p");
  for (const char* name : {"weight", "bias"}) {
    std::vector<Scalar> pairs;
    for (const Scalar number : last.tensor(name)) pairs.insert(pairs.end(), {Scalar{0}, number});
    last.tensor(name) = std::move(pairs);
  }
  last.what.outputs = 2;
}

/// The layers of the graph up to where they end.
template <class Scalar>
std::vector<ReadLayer<Scalar>> read_onnx_layers(OnnxGraph& graph, const OnnxEnd& end) {
  OnnxChainReader<Scalar> reader(graph);
  std::vector<ReadLayer<Scalar>> layers = reader.read(graph.input(), end.value());
  if (layers.empty()) {
    if (reader.units() == 0) raise<ShapeError>(graph.file(), ": expected a model that says how many inputs it has");
    layers.push_back({{"Activate", reader.units(), reader.units(), {}, {describe(Identity{})}}});
  }
  if (end.is_pair()) make_pair(layers.back(), graph.file());
  return layers;
}

}  // namespace chainrule::detail
