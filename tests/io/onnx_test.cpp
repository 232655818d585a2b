#include <algorithm>
#include <chainrule/io/onnx.hpp>

#include "io/onnx_models.hpp"
#include "support/catch.hpp"
#include "support/networks_from_descriptions.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using chainrule_test::TemporaryFolder;

AnyNetwork<float> chainrule_test::read_onnx(const std::string& bytes, const std::optional<AnyLoss<float>>& loss) {
  return parse_onnx<float>(bytes, "m.onnx", loss);
}

namespace {

Description dense(Index inputs, Index outputs, const Description& f = describe(Identity{})) { return {"Dense", inputs, outputs, {}, {f}}; }
Description activate(Index units, const Description& f) { return {"Activate", units, units, {}, {f}}; }

/// A network with numbers as after training.
AnyNetwork<float> network(const std::vector<Description>& layers, const Description& loss = describe(MeanSquaredError{})) {
  AnyNetwork<float> net{Seed{3}, make_loss<float>(loss), make_layers<float>(layers)};
  Random random{Seed{7}};
  for (float& number : net.parameters()) number += static_cast<float>(0.1 * random.normal());
  for (Index i = 0; i < net.buffers().size(); ++i) net.buffers()(i) = 0.3f + 0.01f * static_cast<float>(i);
  return net;
}

Matrix<float> samples(Index inputs) {
  Random random{Seed{8}};
  Matrix<float> x(inputs, 40);
  for (Index i = 0; i < x.size(); ++i) x(i) = static_cast<float>(4 * random.normal());
  return x;
}

/// The set of operators of ONNX in which an operator first appears, from ONNX's changelog of operators.
int first_set_with(const std::string& op) {
  if (op == "LayerNormalization") return 17;
  if (op == "HardSwish") return 14;
  if (op == "Clip" || op == "Softmax" || op == "Split" || op == "Dropout") return 13;  // the form that is written
  for (const char* older :
       {"Abs",         "Add",      "BatchNormalization", "Cast",     "Concat", "Div", "Elu", "Erf", "Exp",   "Gather", "Gemm",
        "HardSigmoid", "Identity", "LeakyRelu",          "Log",      "MatMul", "Min", "Mul", "Neg", "PRelu", "Relu",   "Selu",
        "Sigmoid",     "Sin",      "Softplus",           "Softsign", "Sub",    "Sum", "Tanh"})
    if (op == older) return 9;
  FAIL(op << " is not in the table of this test");
  return 0;
}

/// Checks that a network that is written and read has the same layers and loss, and predicts the same bits, and that the model names a set
/// of operators that has all of its own.
void check_round_trip(const std::vector<Description>& layers, const Description& loss = describe(MeanSquaredError{})) {
  const AnyNetwork<float> net = network(layers, loss);
  INFO(layers[layers.size() / 2].kind << " " << detail::to_text(layers[layers.size() / 2]) << ", " << detail::to_text(loss));
  const std::string bytes = to_onnx(net);
  const AnyNetwork<float> again = parse_onnx<float>(bytes);
  detail::pb::ModelProto model;
  REQUIRE(model.ParseFromString(bytes));
  for (const auto& node : model.graph().node()) CHECK(first_set_with(node.op_type()) <= model.opset_import(0).version());
  CHECK(again.loss_function().describe() == loss);
  std::vector<Description> read;
  for (const auto& layer : again.layers()) read.push_back(layer.describe());
  CHECK(read == layers);
  const Matrix<float> x = samples(net.inputs());
  CHECK(again.predict(x) == net.predict(x));
}

template <class... T>
std::vector<Description> described(Types<T...>) {
  return {describe(T{})...};
}

}  // namespace

TEST_CASE("Every activation comes back from ONNX as itself, with its hyperparameters", "[onnx]") {
  std::vector<Description> all = described(Activations{});
  for (const Description& more :
       {describe(LeakyReLU{0.2}), describe(LeakyReLU{0.7}), describe(ELU{0.4}), describe(HardTanh{0, 6}), describe(HardTanh{-2000, 1.5}),
        describe(Softplus{3}), describe(Softplus{0.1}), describe(Sine{1}), describe(Sine{0.3})})
    all.push_back(more);
  for (const Description& f : all) {
    check_round_trip({dense(4, 5, f), dense(5, 3)});
    if (f.kind != "Identity") check_round_trip({describe(LayerNorm<Dynamic>(5)), activate(5, f), dense(5, 3)});
  }
  check_round_trip({activate(3, describe(Identity{}))});  // the only layer, so that it is not left out
}

TEST_CASE("Every layer comes back from ONNX as itself", "[onnx]") {
  const auto check = [](const Description& layer) { check_round_trip({dense(4, 6, describe(Tanh{})), layer, dense(6, 3)}); };
  [&]<class... L>(Types<L...>) {
    const auto made = []<class T>(std::type_identity<T>) {
      if constexpr (std::is_same_v<T, Dropout<Dynamic>>)
        return T(6, 0.2);
      else
        return T(6);
    };
    (check(describe(made(std::type_identity<L>{}))), ...);
  }(SameShapeLayers{});
  check(describe(BatchNorm<Dynamic>(6, 0.02, 0.003)));
  check(describe(LayerNorm<Dynamic>(6, 0.01)));
  check_round_trip({describe(Normalize<Dynamic>(4)), dense(4, 2)});
  check_round_trip({dense(4, 2), describe(Normalize<Dynamic>(2))});
}

TEST_CASE("A Dense without bias is a MatMul in ONNX, and comes back as itself", "[onnx]") {
  const auto without_bias = [](Index inputs, Index outputs, const Description& f) {
    return Description{"DenseWithoutBias", inputs, outputs, {}, {f}};
  };
  const Description residual{"Residual", 5, 5, {}, {without_bias(5, 5, describe(Identity{}))}};
  check_round_trip({without_bias(4, 5, describe(LeakyReLU{0.2})), residual, dense(5, 5), without_bias(5, 3, describe(Identity{}))});
  detail::pb::ModelProto model;
  REQUIRE(model.ParseFromString(to_onnx(network({without_bias(4, 2, describe(Identity{}))}))));
  CHECK(model.graph().node(0).op_type() == "MatMul");
  CHECK(model.graph().initializer_size() == 1);
}

TEST_CASE("Embeddings come back from ONNX, with and without numbers beside them, and as branches that embed the same columns", "[onnx]") {
  const Embedding<Dynamic> beside_others{5, {{.row = 1, .categories = 7, .size = 3}, {.row = 4, .categories = 2, .size = 1}}};
  const Embedding<Dynamic> two{2, {{.row = 0, .categories = 7, .size = 3}, {.row = 1, .categories = 2, .size = 2}}};
  const Embedding<Dynamic> one{1, {{.row = 0, .categories = 7, .size = 3}}}, smaller{1, {{.row = 0, .categories = 7, .size = 2}}};
  const Description chain{"Sequential", 1, 3, {}, {describe(smaller), dense(2, 3, describe(Tanh{}))}};
  const std::pair<Description, const Embedding<Dynamic>*> layers[] = {
      {describe(beside_others), &beside_others},
      {describe(two), &two},
      {describe(one), &one},
      {Description{"Parallel", 1, 5, {}, {describe(one), describe(smaller)}}, &one},
      {Description{"Parallel", 1, 8, {}, {describe(one), describe(smaller), chain}}, &one},
      {Description{"ParallelSum", 1, 3, {}, {describe(one), describe(one)}}, &one},
      {Description{"Parallel", 2, 10, {}, {describe(two), describe(two)}}, &two},
  };
  for (const auto& [layer, rows] : layers) {
    const AnyNetwork<float> net = network({layer, dense(layer.outputs, 2)});
    const AnyNetwork<float> again = parse_onnx<float>(to_onnx(net));
    CHECK(again.layers()[0].describe() == layer);
    Random random{Seed{8}};
    Matrix<float> x(layer.inputs, 20);
    for (Index i = 0; i < x.size(); ++i) x(i) = static_cast<float>(random.normal());
    for (const CategoryRow& of : rows->category_rows())
      for (Index j = 0; j < x.cols(); ++j) x(of.row, j) = static_cast<float>(random.below(static_cast<std::uint64_t>(of.categories)));
    CHECK(again.predict(x) == net.predict(x));
  }
}

TEST_CASE("Residuals come back from ONNX, one in another too", "[onnx]") {
  const Description inner{"Residual", 4, 4, {}, {dense(4, 4, describe(SiLU{})), describe(LayerNorm<Dynamic>(4))}};
  const Description outer{"Residual", 6, 6, {}, {activate(6, describe(Mish{})), dense(6, 4, describe(Tanh{})), inner, dense(4, 6)}};
  check_round_trip({outer, outer, activate(6, describe(GELU{})), dense(6, 2)});
  check_round_trip({dense(3, 6), Description{"Residual", 6, 6, {}, {activate(6, describe(ReLU{}))}}});
  check_round_trip({dense(3, 6), Description{"Residual", 6, 6, {}, {activate(6, describe(Identity{}))}}});
}

TEST_CASE("Branches come back from ONNX, concatenated and added, and branches with common nodes are refused", "[onnx]") {
  const Description chain{"Sequential", 4, 3, {}, {dense(4, 5, describe(Tanh{})), describe(LayerNorm<Dynamic>(5)), dense(5, 3)}};
  const Description joined{"Parallel", 4, 12, {}, {activate(4, describe(Identity{})), chain, dense(4, 5, describe(ReLU{}))}};
  const Description added{"ParallelSum", 12, 3, {}, {dense(12, 3, describe(Sigmoid{})), dense(12, 3), dense(12, 3, describe(GELU{}))}};
  check_round_trip({joined, added, dense(3, 2)});
  const Description inner{"ParallelSum", 3, 3, {}, {dense(3, 3), activate(3, describe(Tanh{}))}};
  check_round_trip({dense(4, 3), Description{"Parallel", 3, 6, {}, {inner, Description{"Residual", 3, 3, {}, {dense(3, 3)}}}}});

  // x, ReLU(W x + b) and tanh(V x + c), changed to tanh(W x + b)
  const Description three{
      "Parallel", 2, 6, {}, {activate(2, describe(Identity{})), dense(2, 2, describe(ReLU{})), dense(2, 2, describe(Tanh{}))}};
  detail::pb::ModelProto model;
  REQUIRE(model.ParseFromString(to_onnx(network({three}))));
  auto& nodes = *model.mutable_graph()->mutable_node();
  const auto first = [&](std::string_view op) {
    return std::find_if(nodes.begin(), nodes.end(), [&](const auto& node) { return node.op_type() == op; });
  };
  first("Tanh")->set_input(0, first("Gemm")->output(0));
  CHECK_THROWS_SAYING(parse_onnx<float>(model.SerializeAsString()), ValueError, "Gemm", "it is part of two branches");
}

TEST_CASE("Every loss comes back from ONNX, and its link is not taken for a layer", "[onnx]") {
  std::vector<Description> all = described(Losses{});
  for (const Description& more :
       {describe(SoftmaxCrossEntropy{.label_smoothing = 0.1}), describe(GaussianNLL{.minimum_variance = 0.25}), describe(Huber{.delta = 2}),
        describe(Pinball{0.1, 0.4, 0.6, 0.9}), describe(ClassWeighted<SoftmaxCrossEntropy>{{1, 2, 0.5, 1e-3}})})
    all.push_back(more);
  for (const Description& loss : all) check_round_trip({dense(3, 5, describe(ReLU{})), dense(5, 4)}, loss);
  check_round_trip({dense(3, 2, describe(Sigmoid{}))});  // no link, but an activation

  const Head<SoftmaxCrossEntropy, 3> classes{0.5};
  for (const Description& loss :
       {describe(Heads{classes, Head<Huber, 1>{2, Huber{0.5}}}),
        describe(Heads{Head<GaussianNLL, 2>{}, Head<BinaryCrossEntropy, 1>{}, Head<PoissonNLL, 1>{}}),
        describe(Heads{Head<Huber, 3>{}, Head<MeanSquaredError, 1>{}}),  // no link
        describe(Heads<Head<SoftmaxCrossEntropy, 4>>{}),                 // no Split
        describe(Heads{Head<Heads<Head<SoftmaxCrossEntropy, 2>, Head<Huber, 1>>, 3>{}, Head<BinaryCrossEntropy, 1>{}}),
        describe(SumOfLosses<MeanSquaredError, Huber>{{1, 0.1}}), describe(SumOfLosses<KLDivergence, SoftmaxCrossEntropy>{{1, 0.1}}),
        describe(Heads{classes, Head<SumOfLosses<Huber, LogCosh>, 1>{}})})
    check_round_trip({dense(3, 5, describe(ReLU{})), dense(5, 4)}, loss);
  // other heads than those of the model are not its link
  const std::string bytes = to_onnx(network({dense(3, 4)}, describe(Heads{classes, Head<Huber, 1>{}})));
  using Other = Heads<Head<SoftmaxCrossEntropy, 2>, Head<Huber, 2>>;
  CHECK_THROWS_SAYING(parse_onnx<float>(bytes, "m.onnx", Other{}), ValueError, "m.onnx");
}

TEST_CASE("With raw_outputs a model gives what is before the loss's link, and the loss still comes back", "[onnx]") {
  const std::vector<Description> layers{dense(3, 5, describe(ReLU{})), dense(5, 4)};
  const AnyNetwork<float> net = network(layers, describe(SoftmaxCrossEntropy{}));
  const std::string bytes = to_onnx(net, {.raw_outputs = true});
  detail::pb::ModelProto model;
  REQUIRE(model.ParseFromString(bytes));
  REQUIRE(model.graph().node_size() == 3);
  CHECK(model.graph().node(2).op_type() == "Gemm");
  const AnyNetwork<float> again = parse_onnx<float>(bytes);
  CHECK(again.loss_function().describe() == describe(SoftmaxCrossEntropy{}));
  const Matrix<float> x = samples(3);
  CHECK(again.predict(x) == net.predict(x));
}

TEST_CASE("A file of ONNX says who made it, and its names are as asked for", "[onnx]") {
  const TemporaryFolder folder;
  const AnyNetwork<float> net = network({dense(3, 2)});
  save_onnx(net, folder.path("net.onnx"), {.input = "lengths", .output = "species", .name = "iris"});
  detail::pb::ModelProto model;
  REQUIRE(model.ParseFromString(detail::read_file("test", folder.path("net.onnx"))));
  CHECK(model.producer_name() == "chainrule");
  CHECK(model.producer_version() == version);
  CHECK(model.opset_import(0).version() == 13);
  CHECK(model.graph().name() == "iris");
  REQUIRE(model.graph().node_size() == 1);
  CHECK(model.graph().node(0).op_type() == "Gemm");
  CHECK(model.graph().node(0).input(0) == "lengths");
  CHECK(model.graph().node(0).output(0) == "species");
  CHECK(model.graph().input(0).type().tensor_type().shape().dim(0).dim_param() == "batch");
  CHECK(model.graph().input(0).type().tensor_type().shape().dim(1).dim_value() == 3);
  CHECK(load_onnx<float>(folder.path("net.onnx")).parameters() == net.parameters());
  CHECK_THROWS_SAYING(load_onnx<float>(folder.path("none.onnx")), ValueError, "cannot read", "none.onnx");
  CHECK_THROWS_SAYING(save_onnx(net, folder.path("none/net.onnx")), ValueError, "cannot write");
  CHECK_THROWS_SAYING(to_onnx(net, {.input = "y"}), ValueError, "\"y\"");
  CHECK_THROWS_SAYING(to_onnx(net, {.output = "0.Gemm"}), ValueError, "0.Gemm");
}

namespace {
struct Cube {
  static constexpr std::string_view name = "Cube";
  HeNormal default_initializer() const { return {}; }
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z * z * z;
  }
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    return 3 * z * z;
  }
};
}  // namespace

TEST_CASE("A network whose types are known is written as one whose types are not", "[onnx]") {
  using Inner = Residual<Dense<4, 4, Mish>, BatchNorm<>, PReLU<>>;
  Network<float, ClassWeighted<SoftmaxCrossEntropy>, Normalize<3>, Dense<3, 4, LeakyReLU>, Inner, Dropout<>, LayerNorm<>, Dense<4, 2>> net{
      Seed{1}, {{1, 5}}};
  AnyNetwork<float> any{Seed{1}, make_loss<float>(describe(net.loss_function())), make_layers<float>(describe_layers(net))};
  net.buffers().setConstant(0.75f);
  any.buffers().setConstant(0.75f);
  REQUIRE(any.parameters() == net.parameters());
  CHECK(to_onnx(any) == to_onnx(net));
}

TEST_CASE("Layers that are nested too deep to be read again are not written", "[onnx]") {
  const auto nested = [](int residuals) {
    AnyLayers<float> layers{LayerNorm<Dynamic>{2}};
    for (int i = 0; i < residuals; ++i) layers = AnyLayers<float>{Residual<AnyLayers<float>>{layers}};
    return to_onnx(AnyNetwork<float>{Seed{1}, MeanSquaredError{}, layers});
  };
  CHECK(parse_onnx<float>(nested(max_nesting)).inputs() == 2);
  CHECK_THROWS_SAYING(nested(max_nesting + 1), ValueError, "to_onnx: the description is nested more than 16 deep");
}

TEST_CASE("What cannot predict yet, or has no form in ONNX, is not written", "[onnx]") {
  const auto fresh = [](const Description& layer) {
    return AnyNetwork<float>{Seed{1}, MeanSquaredError{}, make_layers<float>(std::vector<Description>{layer})};
  };
  CHECK_THROWS_SAYING(to_onnx(fresh(describe(BatchNorm<Dynamic>(3)))), StateError, "BatchNorm");
  CHECK_THROWS_SAYING(to_onnx(fresh(describe(Normalize<Dynamic>(3)))), StateError, "Normalize");
  const AnyNetwork<float> own{Seed{1}, MeanSquaredError{}, {Dense<3, 2, Cube>{}}};
  CHECK_THROWS_SAYING(to_onnx(own), ValueError, "activation Cube", "no form in ONNX");
}
