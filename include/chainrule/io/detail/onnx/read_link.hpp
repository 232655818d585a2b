#pragma once

#include <chainrule/io/detail/onnx/description_text.hpp>
#include <chainrule/io/detail/onnx/read_chain.hpp>

namespace chainrule::detail {

/// Finds where the layers of an ONNX graph end, and the loss: the nodes between the last layer and the graph's output are the loss's link.
class OnnxEnd {
 public:
  OnnxEnd(const pb::ModelProto& model, const OnnxGraph& graph) : graph_{graph}, end_{before_no_ops(output())} {
    bool is_raw = false;
    for (const auto& entry : model.metadata_props()) {
      if (entry.key() == onnx_loss_key) loss_ = DescriptionText(entry.value(), graph.file()).read();
      if (entry.key() == onnx_outputs_key) is_raw = entry.value() == "raw";
    }
    if (loss_.kind.empty())
      guess();
    else if (!is_raw)
      remove_link(loss_);
  }

  const Description& loss() const { return loss_; }
  /// The number of the value that the last layer makes.
  int value() const { return end_; }
  /// Whether the model's outputs are 1 - p and p, made from one output of the last layer, as scikit-learn exports classifiers of two
  /// classes.
  bool is_pair() const { return is_pair_; }

 private:
  using Node = OnnxGraph::Node;

  // The one output with floating point numbers: a classifier has its labels as another output.
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

  // The value from which this one is made by nodes that change nothing.
  int before_no_ops(int value) const {
    for (const Node* node = graph_.maker(value); node != nullptr; node = graph_.maker(value)) {
      const bool nothing = graph_.is_op(*node, "Identity") || graph_.is_op(*node, "ZipMap") ||
                           (graph_.is_op(*node, "Cast") && OnnxFunction::is_real(graph_.integer(*node, "to", 0)));
      if (!nothing || graph_.input_of(*node, 0) < 0 || graph_.value(value).constant.tensor != nullptr) break;
      value = node->inputs[0];
    }
    return value;
  }

  // Moves the end before the last node if that applies this operator.
  bool remove(std::string_view op) {
    const Node* node = graph_.maker(end_);
    if (node == nullptr || !graph_.is_op(*node, op) || graph_.input_of(*node, 0) < 0) return false;
    if (const std::int64_t axis = graph_.integer(*node, "axis", -1); op == "Softmax" && axis != 1 && axis != -1)
      raise<ValueError>(graph_.place(*node), ": expected axis 1, but found ", axis);
    end_ = node->inputs[0];
    return true;
  }

  // Moves the end before the link of the loss. A loss of the user's own, which has no form in ONNX, was written without its link.
  void remove_link(const Description& loss) {
    if (describes<DescribedClassWeighted>(loss) && loss.parts.size() == 1) return remove_link(loss.parts[0]);
    visit_type(Losses{}, loss, [&]<class L>(std::type_identity<L> type) {
      if constexpr (L::works_on_logits) remove_link(type);
    });
  }
  void remove_link(std::type_identity<SoftmaxCrossEntropy>) { remove_operator_of<SoftmaxCrossEntropy>("Softmax"); }
  void remove_link(std::type_identity<KLDivergence>) { remove_operator_of<KLDivergence>("Softmax"); }
  void remove_link(std::type_identity<BinaryCrossEntropy>) { remove_operator_of<BinaryCrossEntropy>("Sigmoid"); }
  void remove_link(std::type_identity<PoissonNLL>) { remove_operator_of<PoissonNLL>("Exp"); }
  // Concat(m, e^s + minimum) of Split(z), as to_onnx writes it
  void remove_link(std::type_identity<GaussianNLL>) {
    const Node* both = graph_.maker(end_);
    const Node* split = both == nullptr ? nullptr : graph_.maker(graph_.input_of(*both, 0));
    const bool is_link = both != nullptr && graph_.is_op(*both, "Concat") && split != nullptr && graph_.is_op(*split, "Split") &&
                         graph_.input_of(*split, 0) >= 0;
    if (!is_link) refuse_link("Concat", GaussianNLL::name);
    end_ = split->inputs[0];
  }
  template <class L>
  void remove_operator_of(std::string_view op) {
    if (!remove(op)) refuse_link(op, L::name);
  }
  [[noreturn]] void refuse_link(std::string_view op, std::string_view loss) const {
    raise<ValueError>(graph_.file(), ": expected ", op, " before the output, which belongs to the loss ", loss);
  }

  // Finds the loss by its link, for a model that does not name its loss.
  void guess() {
    const Node* last = graph_.maker(end_);
    if (last != nullptr && graph_.is_op(*last, "LogSoftmax"))
      raise<ValueError>(graph_.place(*last),
                        ": no loss here predicts logarithms; export the model with Softmax, or with nothing, at its end");
    if (last != nullptr && graph_.is_op(*last, "Concat") && last->inputs.size() == 2) {
      const Node* one_minus = graph_.maker(last->inputs[0]);
      is_pair_ = one_minus != nullptr && graph_.is_op(*one_minus, "Sub") && graph_.input_of(*one_minus, 1) == last->inputs[1] &&
                 last->inputs[1] >= 0 && graph_.constant(*one_minus, 0) != nullptr;
      if (is_pair_) end_ = before_no_ops(last->inputs[1]);
      if (is_pair_ && !remove("Sigmoid")) raise<ValueError>(graph_.place(*last), ": expected 1 - p and p with p from Sigmoid");
    }
    if (is_pair_ || remove("Softmax"))
      loss_ = describe(SoftmaxCrossEntropy{});
    else if (remove("Sigmoid"))
      loss_ = describe(BinaryCrossEntropy{});
    else if (remove("Exp"))
      loss_ = describe(PoissonNLL{});
    else
      loss_ = describe(MeanSquaredError{});
  }

  const OnnxGraph& graph_;
  int end_;
  Description loss_ = {};
  bool is_pair_ = false;
};

/// Makes the last layer, which has one output z, one with the outputs 0 and z, because 1 - p and p with p = sigma(z) are the softmax of 0
/// and z.
template <class Scalar>
void make_pair(ReadLayer<Scalar>& last, const std::string& place) {
  if (!describes<DescribedDense>(last.what) || last.what.outputs != 1 || !describes<Identity>(last.what.parts[0]))
    raise<ValueError>(place, ": expected a layer of one output before 1 - p and p");
  for (const char* name : {"weight", "bias"}) {
    std::vector<Scalar> pairs;
    for (const Scalar number : last.tensor(name)) pairs.insert(pairs.end(), {Scalar{0}, number});
    last.tensor(name) = std::move(pairs);
  }
  last.what.outputs = 2;
}

/// The layers of the graph, from its input to their end.
template <class Scalar>
std::vector<ReadLayer<Scalar>> read_onnx_layers(OnnxGraph& graph, const OnnxEnd& end) {
  OnnxChainReader<Scalar> reader(graph);
  std::vector<ReadLayer<Scalar>> layers = reader.read(graph.input(), end.value());
  if (layers.empty()) {
    if (reader.units() == 0) raise<ShapeError>(graph.file(), ": expected a model that says how many inputs it has");
    layers.push_back({describe(Activate<Identity, Dynamic>(reader.units()))});
  }
  if (end.is_pair()) make_pair(layers.back(), graph.file());
  return layers;
}

}  // namespace chainrule::detail
