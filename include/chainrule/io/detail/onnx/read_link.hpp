#pragma once

#include <chainrule/io/detail/onnx/check_attributes.hpp>
#include <chainrule/io/detail/onnx/description_text.hpp>
#include <chainrule/io/detail/onnx/read_chain.hpp>
#include <utility>

namespace chainrule::detail {

/// Finds where the layers of an ONNX graph end, and the loss: the nodes between the last layer and the graph's output are the loss's link.
class OnnxEnd {
 public:
  /// The loss is `chosen`; without one it is that in the model's metadata, or one whose link ends the graph. Throws ValueError where none
  /// of these says a loss, where the end of the graph is the link of another loss than the chosen one, and for unknown attributes of nodes.
  OnnxEnd(const pb::ModelProto& model, const OnnxGraph& graph, const std::optional<Description>& chosen) : graph_{graph}, end_{output()} {
    check_onnx_attributes(graph, end_);
    end_ = before_no_ops(end_);
    Description named;
    bool is_raw = false;
    for (const auto& entry : model.metadata_props()) {
      if (entry.key() == onnx_loss_key) named = DescriptionText(entry.value(), graph.file()).read();
      if (entry.key() == onnx_outputs_key) is_raw = entry.value() == "raw";
    }
    if (chosen) {
      loss_ = *chosen;
      remove_link_of_chosen();
    } else if (named.kind.empty()) {
      guess();
    } else {
      loss_ = named;
      if (!is_raw) remove_link(loss_);
    }
  }

  const Description& loss() const { return loss_; }
  /// The number of the value that the last layer makes.
  int value() const { return end_; }
  /// The number of the output that is p, where the model's outputs are p and 1 - p, made from one output of the last layer, as scikit-learn
  /// exports classifiers of two classes; none for other models.
  std::optional<std::size_t> place_of_p() const { return place_of_p_; }
  /// The node that makes 1 - p, where the model's output is 1 - p with p = sigma(z), which is sigma(-z); otherwise nullptr.
  const OnnxGraph::Node* complement() const { return complement_; }

  /// Throws ShapeError unless the link's nodes work along the units of a sample, where the last layer's output has this layout.
  void check_axes(const OnnxLayout& layout) const {
    for (const Node* node : links_) {
      const bool is_softmax = graph_.is_op(*node, "Softmax") || graph_.is_op(*node, "LogSoftmax");
      const std::int64_t axis = graph_.integer(*node, "axis", !is_softmax || graph_.operators() < 13 ? 1 : -1);
      // before operator set 13 a Softmax is one over all axes from this one on
      const bool fits = is_softmax && graph_.operators() < 13 ? layout.is_whole_sample_from(axis)
                        : is_softmax                          ? layout.is_whole_sample({axis})
                                                              : is_units_axis(axis, layout);
      if (!fits) raise<ShapeError>(graph_.place(*node), ": expected the axis of a sample's outputs, but found axis ", axis);
    }
  }

 private:
  using Node = OnnxGraph::Node;

  static bool is_units_axis(std::int64_t number, const OnnxLayout& layout) {
    const std::optional<std::size_t> axis = layout.axis(number);
    return axis && !layout.is_batch(*axis) && layout.extents.size() == 1;
  }

  // The one output with floating point numbers: a classifier has its labels as another output.
  int output() const {
    std::vector<int> found;
    std::string names;
    int others = 0;
    for (const auto& output : graph_.proto().output()) {
      const int value = graph_.find(output.name());
      if (value < 0) raise<ValueError>(graph_.file(), ": nothing makes the output ", in_quotes(output.name()));
      constexpr std::size_t most_text = 200;
      if (names.size() < most_text)
        names += (names.empty() ? "" : ", ") + in_quotes(output.name());
      else
        ++others;
      const auto type = output.type().tensor_type().elem_type();
      const bool is_label = output.type().has_tensor_type() && type != 0 && !is_onnx_real(type);
      if (!is_label) found.push_back(value);
    }
    if (others > 0) names += text_of(" and ", others, " more");
    if (found.size() != 1)
      raise<ValueError>(graph_.file(), ": expected one output of numbers, but found ", found.size(), " among ",
                        names.empty() ? "none" : names);
    return found[0];
  }

  // The value from which this one is made by nodes that change nothing.
  int before_no_ops(int value) const {
    for (const Node* node = graph_.maker(value); node != nullptr; node = graph_.maker(value)) {
      if (graph_.input_of(*node, 0) < 0 || graph_.value(value).constant) break;
      if (!graph_.is_op(*node, "Identity") && !graph_.is_op(*node, "ZipMap") && !graph_.only_rounds(*node)) break;
      value = node->inputs[0];
    }
    return value;
  }

  // Whether the last node applies this operator.
  bool ends_in(std::string_view op) const {
    const Node* node = graph_.maker(end_);
    return node != nullptr && graph_.is_op(*node, op) && graph_.input_of(*node, 0) >= 0;
  }
  // Moves the end before the last node if that applies this operator.
  bool remove_operator(std::string_view op) {
    if (!ends_in(op)) return false;
    const Node* node = graph_.maker(end_);
    if (op == "Softmax" || op == "LogSoftmax") links_.push_back(node);
    end_ = before_no_ops(node->inputs[0]);
    return true;
  }

  // Moves the end before the link of the loss. A loss of the user's own, which has no form in ONNX, was written without its link.
  void remove_link(const Description& loss) {
    if (removes_link(loss)) return;
    std::string_view link = "Concat";  // the link of Heads
    visit_type(Losses{}, last_inside(loss), [&]<class L>(std::type_identity<L>) {
      if constexpr (L::works_on_logits) link = link_of(L{});
    });
    raise<ValueError>(graph_.file(), ": expected ", link, " before the output, which belongs to the loss ", last_inside(loss).kind);
  }
  // The loss inside a ClassWeighted, or the first of a SumOfLosses, which all have one link.
  static const Description& last_inside(const Description& loss) {
    const bool is_around = (describes<DescribedClassWeighted>(loss) || describes<DescribedSumOfLosses>(loss)) && !loss.parts.empty();
    return is_around ? last_inside(loss.parts[0]) : loss;
  }
  // As remove_link, but returns false where the graph does not end in the link.
  bool removes_link(const Description& described) {
    const Description& loss = last_inside(described);
    if (describes<DescribedHeads>(loss)) return removes_links_of_heads(with_file_name(graph_.file(), [&] { return DescribedHeads(loss); }));
    bool is_removed = true;
    visit_type(Losses{}, loss, [&]<class L>(std::type_identity<L>) {
      if constexpr (L::works_on_logits) is_removed = remove(made<L>(loss));
    });
    return is_removed;
  }
  // Moves the end before Concat(link_k(z_k), ...) of z_0, z_1, ... = Split(z), as to_onnx writes it, if the graph ends in these. Nothing is
  // there where no head has a link, and no Split where there is only one head.
  bool removes_links_of_heads(const DescribedHeads& loss) {
    const auto& heads = loss.heads();
    if (std::none_of(heads.begin(), heads.end(), [](const auto& head) { return has_known_link(head.loss()); })) return true;
    if (heads.size() == 1) return removes_link(heads[0].loss()) && complement_ == nullptr;
    const int all = end_;
    const std::size_t links = links_.size();
    const Node* joined = graph_.maker(all);
    const Node* split = nullptr;
    bool is_link = joined != nullptr && graph_.is_op(*joined, "Concat") && joined->inputs.size() == heads.size();
    for (std::size_t k = 0; is_link && k < heads.size(); ++k) {
      end_ = before_no_ops(joined->inputs[k]);
      is_link = removes_link(heads[k].loss()) && complement_ == nullptr;
      const Node* maker = graph_.maker(end_);
      if (k == 0) split = maker;
      is_link = is_link && maker != nullptr && maker == split && graph_.is_op(*split, "Split") && split->outputs.size() == heads.size() &&
                split->outputs[k] == end_ && graph_.input_of(*split, 0) >= 0;
    }
    if (is_link) {
      const std::optional<std::vector<std::int64_t>> sizes = graph_.integers(*split, "split", 1, 13);
      is_link = sizes && sizes->size() == heads.size() &&
                std::equal(heads.begin(), heads.end(), sizes->begin(),
                           [](const auto& head, std::int64_t size) { return std::cmp_equal(head.outputs(), size); }) &&
                graph_.integer(*split, "axis", 0) == graph_.integer(*joined, "axis", 1);
    }
    complement_ = nullptr;
    if (is_link) {
      links_.push_back(joined);
      end_ = before_no_ops(split->inputs[0]);
    } else {
      links_.resize(links);
      end_ = all;
    }
    return is_link;
  }
  // Whether a loss of the library has a link.
  static bool has_known_link(const Description& described) {
    const Description& loss = last_inside(described);
    bool has_link = false;
    visit_type(Losses{}, loss, [&]<class L>(std::type_identity<L>) { has_link = L::works_on_logits; });
    return has_link || describes<DescribedHeads>(loss);
  }
  template <class L>
  L made(const Description& loss) const {
    return with_file_name(graph_.file(), [&] { return make<L>(loss); });
  }
  // Moves the end before the link of the chosen loss, if the graph has it.
  void remove_link_of_chosen() {
    const Description& loss = last_inside(loss_);
    if (!has_known_link(loss)) return;
    bool is_softmax = false;
    visit_type(Losses{}, loss, [&]<class L>(std::type_identity<L>) {
      if constexpr (L::works_on_logits) is_softmax = link_of(L{}) == "Softmax";
    });
    if ((is_softmax && (remove_pair() || remove_operator("LogSoftmax"))) || removes_link(loss)) return;
    for (const char* op : {"Softmax", "LogSoftmax", "Sigmoid", "Exp"})
      if (ends_in(op)) raise<ValueError>(graph_.place(*graph_.maker(end_)), ": it is not the link of the chosen loss ", loss_.kind);
  }

  // The operator that is a loss's link.
  static constexpr std::string_view link_of(const SoftmaxCrossEntropy&) { return "Softmax"; }
  static constexpr std::string_view link_of(const KLDivergence&) { return "Softmax"; }
  static constexpr std::string_view link_of(const SoftmaxFocal&) { return "Softmax"; }
  static constexpr std::string_view link_of(const BinaryCrossEntropy&) { return "Sigmoid"; }
  static constexpr std::string_view link_of(const BinaryFocal&) { return "Sigmoid"; }
  static constexpr std::string_view link_of(const PoissonNLL&) { return "Exp"; }
  static constexpr std::string_view link_of(const GaussianNLL&) { return "Concat"; }
  // Moves the end before the link of the loss. Returns false if the graph does not end in it.
  template <class L>
  bool remove(const L& loss) {
    return remove_operator(link_of(loss));
  }
  // sigma(z), or 1 - sigma(z)
  bool remove(const BinaryCrossEntropy&) {
    if (remove_operator("Sigmoid")) return true;
    const Node* one_minus = graph_.maker(end_);
    const int p = one_minus == nullptr ? -1 : subtracted_from_1(*one_minus);
    if (p < 0) return false;
    const int all = std::exchange(end_, p);
    if (remove_operator("Sigmoid")) return complement_ = one_minus, true;
    end_ = all;
    return false;
  }
  bool remove(const BinaryFocal&) { return remove(BinaryCrossEntropy{}); }
  // Concat(m, e^s + minimum) of m, s = Split(z), as to_onnx writes it
  bool remove(const GaussianNLL& loss) {
    if (!ends_in("Concat")) return false;
    const Node& both = *graph_.maker(end_);
    const Node* sum = graph_.maker(graph_.input_of(both, 1));
    const Node* exp = sum == nullptr ? nullptr : graph_.maker(graph_.input_of(*sum, 0));
    const Node* split = graph_.maker(graph_.input_of(both, 0));
    const bool is_link = both.inputs.size() == 2 && sum != nullptr && graph_.is_op(*sum, "Add") && sum->inputs.size() == 2 &&
                         exp != nullptr && graph_.is_op(*exp, "Exp") && split != nullptr && graph_.is_op(*split, "Split") &&
                         split->outputs.size() == 2 && split->outputs[0] == both.inputs[0] &&
                         split->outputs[1] == graph_.input_of(*exp, 0) && graph_.input_of(*split, 0) >= 0;
    if (!is_link) return false;
    const std::optional<double> minimum = graph_.single_number(*sum, 1, 2);
    const std::optional<std::vector<std::int64_t>> halves = graph_.integers(*split, "split", 1, 13);
    if (!minimum || !OnnxExpression::agree(*minimum, loss.minimum_variance)) return false;
    if (halves && (halves->size() != 2 || (*halves)[0] != (*halves)[1])) return false;
    links_.push_back(&both);
    if (graph_.integer(*split, "axis", 0) != graph_.integer(both, "axis", 1)) return false;
    end_ = split->inputs[0];
    return true;
  }

  // The value p where a node makes 1 - p; -1 where it does not.
  int subtracted_from_1(const Node& node) const {
    const bool is_it = graph_.is_op(node, "Sub") && node.inputs.size() == 2 && node.inputs[1] >= 0 && graph_.single_number(node, 0, 2) == 1;
    return is_it ? before_no_ops(node.inputs[1]) : -1;
  }
  // Moves the end before 1 - p and p with p = sigma(z), in either order, if the graph ends in them.
  bool remove_pair() {
    if (!ends_in("Concat")) return false;
    const Node& both = *graph_.maker(end_);
    if (both.inputs.size() != 2 || both.inputs[1] < 0) return false;
    for (const std::size_t place : {std::size_t{1}, std::size_t{0}}) {
      const int p = before_no_ops(both.inputs[place]);
      const Node* one_minus = graph_.maker(before_no_ops(both.inputs[1 - place]));
      if (one_minus == nullptr || !graph_.is_op(*one_minus, "Sub") || graph_.input_of(*one_minus, 1) < 0 ||
          before_no_ops(one_minus->inputs[1]) != p)
        continue;
      if (subtracted_from_1(*one_minus) != p)
        raise<ValueError>(graph_.place(*one_minus), ": expected 1 - p beside p before the Concat, but found another difference");
      links_.push_back(&both);
      end_ = p;
      if (!remove_operator("Sigmoid")) raise<ValueError>(graph_.place(both), ": expected 1 - p and p with p from Sigmoid");
      place_of_p_ = place;
      return true;
    }
    return false;
  }

  // Finds the loss by its link, for a model that does not name its loss.
  void guess() {
    if (ends_in("LogSoftmax"))
      raise<ValueError>(graph_.place(*graph_.maker(end_)),
                        ": it gives logarithms of probabilities; for a network that predicts the probabilities themselves, choose the loss "
                        "SoftmaxCrossEntropy where you load");
    if (remove_pair() || remove_operator("Softmax"))
      loss_ = describe(SoftmaxCrossEntropy{});
    else if (remove(BinaryCrossEntropy{}))
      loss_ = describe(BinaryCrossEntropy{});
    else if (remove_operator("Exp"))
      loss_ = describe(PoissonNLL{});
    else
      raise<ValueError>(graph_.file(),
                        ": the model does not say its loss; choose one where you load, as in load_onnx<float>(path, "
                        "MeanSquaredError{}), or SoftmaxCrossEntropy{} for outputs that are logits");
  }

  const OnnxGraph& graph_;
  int end_;
  Description loss_ = {};
  std::optional<std::size_t> place_of_p_ = {};
  const Node* complement_ = nullptr;
  std::vector<const Node*> links_ = {};  // the nodes of the link that have an axis
};

/// Makes the last layer, which has one output z, one with the outputs 0 and z, because 1 - p and p with p = sigma(z) are the softmax of 0
/// and z. `place_of_p`: which of the two outputs is z.
template <class Scalar>
void make_pair(ReadLayer<Scalar>& last, std::size_t place_of_p, const std::string& place) {
  if (!describes_dense(last.what) || last.what.outputs != 1 || !describes<Identity>(last.what.parts[0]))
    raise<ValueError>(place, ": expected a layer of one output before 1 - p and p");
  for (auto& [name, numbers] : last.tensors) {
    std::vector<Scalar> pairs;
    for (const Scalar number : numbers) {
      pairs.resize(pairs.size() + 2);
      pairs[pairs.size() - 2 + place_of_p] = number;
    }
    numbers = std::move(pairs);
  }
  last.what.outputs = 2;
}

/// Throws ValueError for layers with NaN or infinity, which come from products of large numbers.
template <class Scalar>
void check_finite(const std::vector<ReadLayer<Scalar>>& layers, const std::string& place) {
  for (const ReadLayer<Scalar>& layer : layers) {
    for (const auto* tensors : {&layer.tensors, &layer.buffers})
      for (const auto& [name, numbers] : *tensors)
        for (const Scalar number : numbers)
          if (!is_finite(number))
            raise<ValueError>(place, ": expected finite numbers, but found ", number, " in the ", name, " of a ", layer.what.kind,
                              "; a product of constants is too large");
    check_finite(layer.inside, place);
  }
}

/// The layers of the graph, from its input to their end. `most_numbers`: how many numbers they may have.
template <class Scalar>
std::vector<ReadLayer<Scalar>> read_onnx_layers(OnnxGraph& graph, const OnnxEnd& end, std::size_t most_numbers) {
  OnnxChainReader<Scalar> reader(graph, most_numbers);
  std::vector<ReadLayer<Scalar>> layers = reader.read(graph.input(), end.value());
  if (layers.empty()) {
    if (reader.layout().units() == 0) raise<ShapeError>(graph.file(), ": expected a model that says how many inputs it has");
    layers.push_back({describe(Activate<Identity, Dynamic>(reader.layout().units()))});
  }
  end.check_axes(reader.layout());
  if (end.place_of_p()) make_pair(layers.back(), *end.place_of_p(), graph.file());
  if (end.complement() != nullptr) reader.negate(*end.complement(), layers);
  check_finite(layers, graph.file());
  return layers;
}

}  // namespace chainrule::detail
