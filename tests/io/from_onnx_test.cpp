// Reads models made by hand as PyTorch, Keras and scikit-learn export them. Models written by to_onnx are in onnx_test.cpp.
#include "onnx_models.hpp"
#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;
using chainrule_test::kinds;
using chainrule_test::Model;

namespace {

Vector<float> predicted(const Model& model, std::initializer_list<float> x) {
  Vector<float> column(static_cast<Index>(x.size()));
  std::copy(x.begin(), x.end(), column.data());
  return model.read().predict(column);
}

/// A Gemm from x to z as PyTorch writes nn.Linear: z = (x0 + 2 x1 + 0.5, 3 x0 + 4 x1 - 0.5).
Model linear(const std::string& output = "z") {
  Model m;
  m.constant("fc.weight", {2, 2}, {1, 2, 3, 4}).constant("fc.bias", {2}, {0.5f, -0.5f});
  m.node("Gemm", {"x", "fc.weight", "fc.bias"}, output).with("transB", 1).with_number("alpha", 1).with_number("beta", 1);
  return m;
}

/// The layers that are read from the linear map and after it one node with these inputs.
std::string kinds_of(const std::string& op, const std::vector<std::string>& inputs,
                     std::initializer_list<std::pair<const char*, float>> attributes = {}) {
  Model m = linear();
  m.constant("one", {}, {1}).constant("two", {1}, {2}).constant("six", {}, {6}).constant("zero", {}, {0});
  m.node(op, inputs, "y");
  for (const auto& [name, value] : attributes) m.with_number(name, value);
  return kinds(m.read());
}

}  // namespace

TEST_CASE("nn.Linear, a Gemm with transB", "[onnx]") {
  const AnyNetwork<float> net = linear("y").read();
  CHECK(kinds(net) == "Dense(Identity)");
  CHECK(net.loss_function().name == "MeanSquaredError");
  CHECK(net.tensor("0.weight")(0, 1) == 2);
  CHECK(predicted(linear("y"), {10, 1}) == Vector<float>{{12.5f, 33.5f}});
}

TEST_CASE("Gemm with alpha and beta, without bias, or with one for all units", "[onnx]") {
  Model m;
  m.constant("w", {2, 2}, {1, 3, 2, 4}).constant("c", {1}, {8});
  m.node("Gemm", {"x", "w"}, "h").with_number("alpha", 2);
  m.node("Gemm", {"h", "w", "c"}, "y").with_number("beta", 0.5f);
  CHECK(predicted(m, {1, 0}) == Vector<float>{{2 + 12 + 4, 6 + 24 + 4}});
}

TEST_CASE("Keras: MatMul and Add, in either order, after a Cast, a Flatten and Constants", "[onnx]") {
  Model m({0, 1, 2});
  m.node("Cast", {"x"}, "real").with("to", 1);
  m.node("Flatten", {"real"}, "flat");
  m.node("Constant", {}, "kernel");
  auto* value = m.last().add_attribute();
  value->set_name("value");
  Model::fill(*value->mutable_t(), {2, 2}, {1, 3, 2, 4});
  m.constant("bias", {2}, {0.5f, -0.5f});
  m.node("MatMul", {"flat", "kernel"}, "product").node("Add", {"bias", "product"}, "z").node("Tanh", {"z"}, "a");
  m.node("MatMul", {"a", "kernel"}, "last").node("Identity", {"last"}, "y");
  CHECK(kinds(m.read()) == "Dense(Tanh) Dense(Identity)");
  const Vector<float> y = predicted(m, {0.25f, 0});
  CHECK(y(0) == Approx(std::tanh(0.75f) + 2 * std::tanh(0.25f)));
  CHECK(y(1) == Approx(3 * std::tanh(0.75f) + 4 * std::tanh(0.25f)));
}

TEST_CASE("Reshape to batch x units is nothing, to another shape an error", "[onnx]") {
  const auto reshaped = [](std::int64_t batch, std::initializer_list<std::int64_t> shape) {
    Model m({batch, 1, 2});
    m.integers("shape", shape).constant("w", {2, 1}, {1, 1}).node("Reshape", {"x", "shape"}, "flat").node("MatMul", {"flat", "w"}, "y");
    return m;
  };
  for (const auto& m : {reshaped(0, {-1, 2}), reshaped(0, {0, -1}), reshaped(0, {0, 2}), reshaped(1, {1, -1})})
    CHECK(kinds(m.read()) == "Dense(Identity)");
  CHECK_THROWS_SAYING(reshaped(0, {1, -1}).read(), ShapeError, "m.onnx: node \"flat\" (Reshape)");
  CHECK_THROWS_SAYING(reshaped(0, {-1, 1}).read(), ShapeError, "(Reshape)");
  CHECK_THROWS_SAYING(reshaped(0, {-1, 1, 2}).read(), ShapeError, "(Reshape)");

  Model view({0, 1, 2});  // x.view(x.size(0), -1)
  view.integers("zero", {0}).integers("minus_one", {-1}).constant("w", {2, 1}, {1, 1});
  view.node("Shape", {"x"}, "shape").node("Gather", {"shape", "zero"}, "size").node("Concat", {"size", "minus_one"}, "both");
  view.node("Reshape", {"x", "both"}, "flat").node("MatMul", {"flat", "w"}, "y");
  CHECK(kinds(view.read()) == "Dense(Identity)");

  Model without({0, 1, 2});
  without.constant("w", {2, 1}, {1, 1}).node("MatMul", {"x", "w"}, "y");
  CHECK_THROWS_SAYING(without.read(), ShapeError, "(MatMul)", "Flatten");
}

TEST_CASE("Activations that are one operator", "[onnx]") {
  CHECK(kinds_of("Relu", {"z"}) == "Dense(ReLU)");
  CHECK(kinds_of("LeakyRelu", {"z"}) == "Dense(LeakyReLU(slope=0.01))");
  CHECK(kinds_of("Elu", {"z"}, {{"alpha", 0.1f}}) == "Dense(ELU(alpha=0.1))");
  CHECK(kinds_of("Selu", {"z"}) == "Dense(SELU)");
  CHECK(kinds_of("Celu", {"z"}) == "Dense(ELU(alpha=1))");
  CHECK(kinds_of("Gelu", {"z"}) == "Dense(GELU)");
  CHECK(kinds_of("Mish", {"z"}) == "Dense(Mish)");
  CHECK(kinds_of("Clip", {"z", "zero"}) == "Dense(ReLU)");
  CHECK(kinds_of("Clip", {"z", "zero", "six"}) == "Dense(HardTanh(low=0,high=6))");
  CHECK(kinds_of("Clip", {"z"}, {{"min", -1}, {"max", 1}}) == "Dense(HardTanh(low=-1,high=1))");
  CHECK(kinds_of("HardSigmoid", {"z"}, {{"alpha", 1.0f / 6}}) == "Dense(HardSigmoid)");
  CHECK_THROWS_SAYING(kinds_of("HardSigmoid", {"z"}), ValueError, "m.onnx: node \"y\" (HardSigmoid)");  // Keras 2's, with 1/5
  CHECK_THROWS_SAYING(kinds_of("Clip", {"z", "six", "zero"}), ValueError, "(Clip)");
}

TEST_CASE("Activations that are several operators", "[onnx]") {
  Model gelu = linear();  // PyTorch
  gelu.constant("root2", {}, {1.4142135f}).constant("one", {}, {1}).constant("half", {}, {0.5f});
  gelu.node("Div", {"z", "root2"}, "d").node("Erf", {"d"}, "e").node("Add", {"e", "one"}, "p").node("Mul", {"z", "p"}, "m");
  gelu.node("Mul", {"m", "half"}, "y");
  CHECK(kinds(gelu.read()) == "Dense(GELU)");

  Model tanh = linear();  // with z^3 as a power, and the factors in another order
  tanh.constant("three", {}, {3}).constant("c", {}, {0.044715f}).constant("r", {}, {0.7978845608f}).constant("one", {}, {1});
  tanh.constant("half", {}, {0.5f}).node("Pow", {"z", "three"}, "p").node("Mul", {"c", "p"}, "q").node("Add", {"z", "q"}, "s");
  tanh.node("Mul", {"s", "r"}, "u").node("Tanh", {"u"}, "t").node("Add", {"one", "t"}, "v").node("Mul", {"half", "z"}, "h");
  tanh.node("Mul", {"h", "v"}, "y");
  CHECK(kinds(tanh.read()) == "Dense(GELUTanh)");

  Model mish = linear();
  mish.node("Softplus", {"z"}, "s").node("Tanh", {"s"}, "t").node("Mul", {"z", "t"}, "y");
  CHECK(kinds(mish.read()) == "Dense(Mish)");

  Model hard = linear();  // Keras 3: relu6(z + 3)/6
  hard.constant("three", {}, {3}).constant("zero", {}, {0}).constant("six", {}, {6});
  hard.node("Add", {"z", "three"}, "s").node("Clip", {"s", "zero", "six"}, "c").node("Div", {"c", "six"}, "y");
  CHECK(kinds(hard.read()) == "Dense(HardSigmoid)");

  Model two = linear();  // Sigmoid after Tanh is no single activation
  two.node("Tanh", {"z"}, "t").node("Sigmoid", {"t"}, "s").node("Relu", {"s"}, "r").node("Identity", {"r"}, "y");
  CHECK(kinds(two.read()) == "Dense(Tanh) Activate(Sigmoid)");

  Model swish = linear();  // the library has no z sigma(1.702 z)
  swish.constant("c", {}, {1.702f}).node("Mul", {"z", "c"}, "m").node("Sigmoid", {"m"}, "s").node("Mul", {"z", "s"}, "y");
  CHECK_THROWS_SAYING(swish.read(), ValueError, "m.onnx: node \"s\" (Sigmoid)");
}

TEST_CASE("The last node says which loss's link it is", "[onnx]") {
  const auto loss_of = [](const std::string& op, std::int64_t axis) {
    Model m = linear();
    m.node(op, {"z"}, "y");
    if (axis != 0) m.with("axis", axis);
    return std::string(m.read().loss_function().name);
  };
  CHECK(loss_of("Softmax", -1) == "SoftmaxCrossEntropy");
  CHECK(loss_of("Softmax", 1) == "SoftmaxCrossEntropy");
  CHECK(loss_of("Sigmoid", 0) == "BinaryCrossEntropy");
  CHECK(loss_of("Exp", 0) == "PoissonNLL");
  CHECK(loss_of("Tanh", 0) == "MeanSquaredError");
  CHECK_THROWS_SAYING(loss_of("LogSoftmax", 1), ValueError, "(LogSoftmax)");
  CHECK_THROWS_SAYING(loss_of("Softmax", 2), ValueError, "(Softmax)", "axis 1");
}

TEST_CASE("Normalising layers, Dropout and PRelu", "[onnx]") {
  Model m = linear();
  m.constant("g", {2}, {2, 3}).constant("b", {2}, {1, -1}).constant("m", {2}, {0.5f, 0}).constant("v", {2}, {4, 1});
  m.constant("slope", {1, 2}, {0.5f, 2}).constant("ratio", {}, {0.2f});
  m.node("BatchNormalization", {"z", "g", "b", "m", "v"}, "n").with_number("epsilon", 1e-3f).with_number("momentum", 0.99f);
  m.node("PRelu", {"n", "slope"}, "p").node("Dropout", {"p", "ratio"}, "d").node("LayerNormalization", {"d", "g", "b"}, "y");
  CHECK(
      kinds(m.read()) ==
      "Dense(Identity) BatchNorm(momentum=0.01,epsilon=0.001) PReLUPerUnit(initial_slope=0.25) Dropout(rate=0.2) LayerNorm(epsilon=1e-05)");
  m.graph().mutable_node()->RemoveLast();
  m.last().set_output(0, "y");
  const Vector<float> y = predicted(m, {-10, 0});  // z = -9.5, -30.5
  CHECK(y(0) == Approx(0.5 * (2 * (-9.5 - 0.5) / std::sqrt(4.001) + 1)));
  CHECK(y(1) == Approx(2 * (3 * -30.5 / std::sqrt(1.001) - 1)));
}

TEST_CASE("LayerNorm as exporters write it before operator set 17", "[onnx]") {
  Model m({0, 4}, 14);
  m.constant("two", {}, {2}).constant("eps", {}, {1e-3f}).constant("w", {4}, {1, 2, 3, 4}).constant("b", {4}, {0, 0, 1, 1});
  m.node("ReduceMean", {"x"}, "mean").node("Sub", {"x", "mean"}, "c").node("Pow", {"c", "two"}, "square");
  m.node("ReduceMean", {"square"}, "var").node("Add", {"var", "eps"}, "v").node("Sqrt", {"v"}, "s").node("Div", {"c", "s"}, "n");
  m.node("Mul", {"n", "w"}, "nw").node("Add", {"nw", "b"}, "y");
  CHECK(kinds(m.read()) == "LayerNorm(epsilon=0.001)");
  const Vector<float> y = predicted(m, {1, 2, 3, 6});  // mean 3, variance 3.5
  CHECK(y(0) == Approx(-2 / std::sqrt(3.501)));
  CHECK(y(3) == Approx(4 * 3 / std::sqrt(3.501) + 1));
}

TEST_CASE("Sums and products with constants are a Normalize", "[onnx]") {
  Model m;
  m.constant("mean", {2}, {1, 2}).constant("deviation", {1, 2}, {2, 4}).constant("w", {2, 1}, {1, 1}).constant("ten", {}, {10});
  m.node("Sub", {"x", "mean"}, "c").node("Div", {"c", "deviation"}, "n").node("MatMul", {"n", "w"}, "z").node("Mul", {"z", "ten"}, "y");
  CHECK(kinds(m.read()) == "Normalize Dense(Identity) Normalize");
  CHECK(predicted(m, {3, 10}) == Vector<float>{{30}});
}

TEST_CASE("scikit-learn: a scaled classifier of three classes, whose labels are left alone", "[onnx]") {
  Model m;
  m.graph().mutable_output(0)->set_name("label");
  m.graph().mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(7);
  m.graph().add_output()->set_name("probabilities");
  m.constant("coef", {2, 3}, {1, 0, 0, 0, 1, 0}).constant("intercept", {1, 3}, {0, 0, 1});
  m.node("Scaler", {"x"}, "scaled");
  m.last().set_domain("ai.onnx.ml");
  for (const char* name : {"offset", "scale"}) {
    auto* attribute = m.last().add_attribute();
    attribute->set_name(name);
    for (const float number : {1.0f, 2.0f}) attribute->add_floats(number);
  }
  m.node("Cast", {"scaled"}, "cast").with("to", 1);
  m.node("MatMul", {"cast", "coef"}, "product").node("Add", {"product", "intercept"}, "z").node("Softmax", {"z"}, "p");
  m.node("ArgMax", {"p"}, "label").node("ZipMap", {"p"}, "probabilities");
  CHECK(kinds(m.read()) == "Normalize Dense(Identity)");
  const Vector<float> y = predicted(m, {2, 3});  // z = 1, 2, 1
  CHECK(y(1) == Approx(std::exp(2) / (std::exp(2) + 2 * std::exp(1))));
}

TEST_CASE("scikit-learn: for two classes the outputs are 1 - p and p", "[onnx]") {
  Model m;
  m.constant("coef", {2, 1}, {1, -1}).constant("intercept", {1}, {0.5f}).constant("unity", {}, {1});
  m.node("MatMul", {"x", "coef"}, "product").node("Add", {"product", "intercept"}, "z").node("Sigmoid", {"z"}, "p");
  m.node("Sub", {"unity", "p"}, "q").node("Concat", {"q", "p"}, "y").with("axis", 1);
  const Vector<float> y = predicted(m, {1, 0.5f});
  REQUIRE(y.size() == 2);
  CHECK(y(1) == Approx(1 / (1 + std::exp(-1.0))));
  CHECK(y(0) == Approx(1 - y(1)));
}

TEST_CASE("Weights of half precision and of double, as bytes and transposed", "[onnx]") {
  Model m;
  auto* half = m.graph().add_initializer();
  half->set_name("half");
  half->set_data_type(10);
  half->add_dims(1);
  half->add_dims(2);
  half->set_raw_data(std::string("\x00\x3e\x00\xc0", 4));  // 1.5 and -2
  m.node("Transpose", {"half"}, "w").node("MatMul", {"x", "w"}, "y");
  CHECK(predicted(m, {2, 1}) == Vector<float>{{1}});
  half->set_data_type(16);  // bfloat16
  half->set_raw_data(std::string("\xc0\x3f\x00\xc0", 4));
  CHECK(predicted(m, {2, 1}) == Vector<float>{{1}});
  half->set_data_type(11);  // double
  half->clear_raw_data();
  half->add_double_data(1.5);
  half->add_double_data(1e300);
  CHECK_THROWS_SAYING(m.read(), ValueError, "(MatMul)", "\"w\"", "1e+300");
}
