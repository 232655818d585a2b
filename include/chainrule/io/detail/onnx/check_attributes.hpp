#pragma once
// Finds attributes of ONNX operators that the reader does not know, because a model that uses them computes something else than the network
// that would be read.

#include <algorithm>
#include <chainrule/io/detail/onnx/graph.hpp>

namespace chainrule::detail {

/// An operator of ONNX with the names of its attributes, which the reader takes account of or which change nothing here.
struct OnnxOperator {
  std::string_view name;
  std::string_view attributes = {};  ///< between spaces
  std::string_view older = {};       ///< more of them, which the operator has up to this operator set
  std::int64_t until = 0;
};

/// All operators that the reader knows. Attributes that change nothing: the order in which Dropout draws (seed); spatial, because values
/// are batch x units; rules for 8-bit floats (saturate, round_mode); names of classes; noop_with_empty_axes, because empty axes are
/// refused. The value of stash_type is checked where it is read, and Clip says where its bounds are.
inline constexpr OnnxOperator onnx_operators[] = {
    {"Abs"},
    {"Add", {}, " axis broadcast ", 6},
    {"BatchNormalization", " epsilon momentum training_mode ", " is_test spatial ", 8},
    {"Cast", " round_mode saturate to "},
    {"Celu", " alpha "},
    {"Clip", " max min "},
    {"Concat", " axis "},
    {"Constant", " value value_float value_floats value_int value_ints "},
    {"DequantizeLinear", " axis "},
    {"Div", {}, " axis broadcast ", 6},
    {"Dropout", " seed ", " is_test ratio ", 11},
    {"Elu", " alpha "},
    {"Erf"},
    {"Exp"},
    {"Flatten", " axis "},
    {"Gather", " axis "},
    {"Gelu", " approximate "},
    {"Gemm", " alpha beta transA transB ", " broadcast ", 6},
    {"Greater", {}, " axis broadcast ", 6},
    {"GreaterOrEqual"},
    {"HardSigmoid", " alpha beta "},
    {"HardSwish"},
    {"Identity"},
    {"LayerNormalization", " axis epsilon stash_type "},
    {"LeakyRelu", " alpha "},
    {"Less", {}, " axis broadcast ", 6},
    {"LessOrEqual"},
    {"Log"},
    {"LogSoftmax", " axis "},
    {"MatMul"},
    {"Max"},
    {"Min"},
    {"Mish"},
    {"Mul", {}, " axis broadcast ", 6},
    {"Neg"},
    {"Not"},
    {"PRelu"},
    {"Pow", {}, " axis broadcast ", 6},
    {"Reciprocal"},
    {"ReduceMean", " keepdims noop_with_empty_axes ", " axes ", 17},
    {"Relu"},
    {"Reshape", " allowzero "},
    {"Scaler", " offset scale "},
    {"Selu", " alpha gamma "},
    {"Shape", " end start "},
    {"Sigmoid"},
    {"Slice", {}, " axes ends starts ", 9},
    {"Softmax", " axis "},
    {"Softplus"},
    {"Softsign"},
    {"Split", " axis num_outputs ", " split ", 12},
    {"Sqrt"},
    {"Squeeze", {}, " axes ", 12},
    {"Sub", {}, " axis broadcast ", 6},
    {"Sum"},
    {"Swish", " alpha "},
    {"Tanh"},
    {"Transpose", " perm "},
    {"Unsqueeze", {}, " axes ", 12},
    {"Where"},
    {"ZipMap", " classlabels_int64s classlabels_strings "},
};

/// Throws ValueError for an attribute that is not in the list of its operator, or is there twice, in a node on which a value depends.
inline void check_onnx_attributes(const OnnxGraph& graph, int value) {
  std::vector<bool> is_seen(static_cast<std::size_t>(graph.node_count()));
  for (std::vector<int> open{value}; !open.empty();) {
    const int maker = open.back() < 0 ? -1 : graph.value(open.back()).maker;
    open.pop_back();
    if (maker < 0 || is_seen[static_cast<std::size_t>(maker)]) continue;
    is_seen[static_cast<std::size_t>(maker)] = true;
    const OnnxGraph::Node& node = graph.node(maker);
    open.insert(open.end(), node.inputs.begin(), node.inputs.end());
    const auto known = std::find_if(std::begin(onnx_operators), std::end(onnx_operators),
                                    [&](const OnnxOperator& known_operator) { return graph.is_op(node, known_operator.name); });
    if (known == std::end(onnx_operators)) continue;  // errors elsewhere name the node
    for (const pb::AttributeProto& attribute : node.proto->attribute()) {
      const auto is_in = [&](std::string_view names) {
        return attribute.name().find(' ') == std::string::npos && names.find(" " + attribute.name() + " ") != std::string_view::npos;
      };
      const bool is_known = is_in(known->attributes) || (graph.operators() <= known->until && is_in(known->older));
      if (!is_known || graph.attribute(node, attribute.name()) != &attribute)
        raise<ValueError>(graph.place(node), ": the attribute ", in_quotes(attribute.name()),
                          is_known ? " is there twice" : " is not known here, so the network might compute something else");
    }
  }
}

}  // namespace chainrule::detail
