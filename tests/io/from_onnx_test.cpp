// Reads models made by hand as PyTorch, Keras and scikit-learn export them. Models written by to_onnx are in onnx_test.cpp.
#include <chainrule/losses/class_weighted.hpp>

#include "io/onnx_models.hpp"
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
  CHECK(kinds(m.read()) == "DenseWithoutBias(Identity) Dense(Identity)");
  CHECK(predicted(m, {1, 0}) == Vector<float>{{2 + 12 + 4, 6 + 24 + 4}});
}

TEST_CASE("What is added to a product that has no bias is its bias, and without it the Dense has none", "[onnx]") {
  for (const char* op : {"Gemm", "MatMul"}) {
    Model m;
    m.constant("w", {2, 2}, {1, 3, 2, 4}).constant("b", {2}, {5, 7});
    m.node(op, {"x", "w"}, "h").node("Add", {"b", "h"}, "z").node(op, {"z", "w"}, "y");
    CHECK(kinds(m.read()) == "Dense(Identity) DenseWithoutBias(Identity)");
    CHECK(predicted(m, {1, 0}) == Vector<float>{{6 + 2 * 10, 3 * 6 + 4 * 10}});
  }
}

TEST_CASE("PyTorch: an embedding of one column beside a slice of the others", "[onnx]") {
  const auto model = [](const std::vector<std::string>& order, std::int64_t to = 7) {
    Model m({0, 3});
    m.integers("one", {1}).integers("three", {3}).constant("table", {2, 2}, {1, 2, 3, 4}).constant("w", {4, 1}, {1, 10, 100, 1000});
    m.integers("first", {0});
    m.graph().mutable_initializer(m.graph().initializer_size() - 1)->clear_dims();  // a single number
    m.node("Slice", {"x", "one", "three", "one"}, "numbers");
    m.node("Gather", {"x", "first"}, "column").with("axis", 1).node("Cast", {"column"}, "category").with("to", to);
    m.node("Gather", {"table", "category"}, "embedded").node("Concat", order, "all").with("axis", 1).node("MatMul", {"all", "w"}, "y");
    return m;
  };
  const Model m = model({"numbers", "embedded"});
  CHECK(kinds(m.read()) == "Embedding(row=0,categories=2,size=2) DenseWithoutBias(Identity)");
  CHECK(predicted(m, {1, 5, 6}) == Vector<float>{{5 + 60 + 300 + 4000}});
  CHECK_THROWS_SAYING(model({"embedded", "numbers"}).read(), ValueError, "(Concat)", "first those that are no categories");
  CHECK_THROWS_SAYING(model({"numbers", "embedded"}, 1).read(), ValueError, "m.onnx: node");  // no Cast to integers
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
  CHECK(kinds(m.read()) == "Dense(Tanh) DenseWithoutBias(Identity)");
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
    CHECK(kinds(m.read()) == "DenseWithoutBias(Identity)");
  CHECK_THROWS_SAYING(reshaped(0, {1, -1}).read(), ShapeError, "m.onnx: node \"flat\" (Reshape)");
  CHECK_THROWS_SAYING(reshaped(0, {-1, 1}).read(), ShapeError, "(Reshape)");
  CHECK_THROWS_SAYING(reshaped(0, {2, -1}).read(), ShapeError, "(Reshape)");
  CHECK(kinds(reshaped(0, {-1, 1, 2}).read()) == "DenseWithoutBias(Identity)");  // MatMul works along the last axis

  Model view({0, 1, 2});  // x.view(x.size(0), -1)
  view.integers("zero", {0}).integers("minus_one", {-1}).constant("w", {2, 1}, {1, 1});
  view.node("Shape", {"x"}, "shape").node("Gather", {"shape", "zero"}, "size").node("Concat", {"size", "minus_one"}, "both");
  view.node("Reshape", {"x", "both"}, "flat").node("MatMul", {"flat", "w"}, "y");
  CHECK(kinds(view.read()) == "DenseWithoutBias(Identity)");

  Model without({0, 3, 2});
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
  CHECK_THROWS_SAYING(kinds_of("Clip", {"z"}, {{"min", -1}, {"max", 1}}), ValueError, "(Clip)", "since operator set 11");
  Model clip({0, 2}, 10);
  CHECK(kinds(clip.node("Clip", {"x"}, "y").with_number("min", -1).with_number("max", 1).read()) == "Activate(HardTanh(low=-1,high=1))");
  CHECK(kinds_of("HardSigmoid", {"z"}, {{"alpha", 1.0f / 6}}) == "Dense(HardSigmoid)");
  CHECK(kinds_of("HardSwish", {"z"}) == "Dense(HardSwish)");
  CHECK(kinds_of("HardSigmoid", {"z"}) == "Dense(HardTanh(low=-2.5,high=2.5)) Normalize");  // Keras 2's, with 1/5
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

  for (const bool divides_first : {false, true}) {  // PyTorch's before operator set 14: z relu6(z + 3)/6, and z (relu6(z + 3)/6)
    Model swish = linear();
    swish.constant("three", {}, {3}).constant("zero", {}, {0}).constant("six", {}, {6});
    swish.node("Add", {"z", "three"}, "s").node("Clip", {"s", "zero", "six"}, "c");
    if (divides_first)
      swish.node("Div", {"c", "six"}, "d").node("Mul", {"d", "z"}, "y");
    else
      swish.node("Mul", {"z", "c"}, "m").node("Div", {"m", "six"}, "y");
    CHECK(kinds(swish.read()) == "Dense(HardSwish)");
  }
  Model product = linear();  // PyTorch's: z HardSigmoid(z) with 1/6 as a float
  product.node("HardSigmoid", {"z"}, "h").with_number("alpha", 1.0f / 6).with_number("beta", 0.5f).node("Mul", {"z", "h"}, "y");
  CHECK(kinds(product.read()) == "Dense(HardSwish)");

  Model sine = linear();  // SIREN
  sine.constant("omega", {}, {30}).node("Mul", {"omega", "z"}, "m").node("Sin", {"m"}, "y");
  CHECK(kinds(sine.read()) == "Dense(Sine(omega=30))");
  Model negative = linear();  // no Sine has a negative omega
  negative.constant("omega", {}, {-0.5f}).node("Mul", {"z", "omega"}, "m").node("Sin", {"m"}, "y");
  CHECK(kinds(negative.read()) == "Dense(Identity) Normalize Activate(Sine(omega=1))");
  const Vector<float> waves = predicted(negative, {-10, 0});  // z = -9.5, -30.5
  CHECK(waves[0] == Approx(std::sin(4.75)).epsilon(1e-6));
  CHECK(waves[1] == Approx(std::sin(15.25)).epsilon(1e-6));

  Model two = linear();  // Sigmoid after Tanh is no single activation
  two.node("Tanh", {"z"}, "t").node("Sigmoid", {"t"}, "s").node("Relu", {"s"}, "r").node("Identity", {"r"}, "y");
  CHECK(kinds(two.read()) == "Dense(Tanh) Activate(Sigmoid) Activate(ReLU)");

  Model swish = linear();  // quick GELU, z sigma(1.702 z) = SiLU(1.702 z)/1.702
  swish.constant("c", {}, {1.702f}).node("Mul", {"z", "c"}, "m").node("Sigmoid", {"m"}, "s").node("Mul", {"z", "s"}, "y");
  CHECK(kinds(swish.read()) == "Dense(Identity) Normalize Activate(SiLU) Normalize");
}

TEST_CASE("The last node says which loss's link it is", "[onnx]") {
  const auto loss_of = [](const std::string& op, std::int64_t axis) {
    Model m = linear();
    m.node(op, {"z"}, "y");
    if (axis != 0) m.with("axis", axis);
    return std::string(m.read_with_its_loss().loss_function().name);
  };
  CHECK(loss_of("Softmax", -1) == "SoftmaxCrossEntropy");
  CHECK(loss_of("Softmax", 1) == "SoftmaxCrossEntropy");
  CHECK(loss_of("Sigmoid", 0) == "BinaryCrossEntropy");
  CHECK(loss_of("Exp", 0) == "PoissonNLL");
  CHECK_THROWS_SAYING(loss_of("Tanh", 0), ValueError, "m.onnx: the model does not say its loss", "MeanSquaredError{}");
  CHECK_THROWS_SAYING(loss_of("LogSoftmax", 1), ValueError, "(LogSoftmax)", "choose the loss SoftmaxCrossEntropy");
  CHECK_THROWS_SAYING(loss_of("Softmax", 2), ShapeError, "(Softmax)", "axis 2");
  CHECK_THROWS_SAYING(loss_of("Softmax", -2), ShapeError, "(Softmax)", "axis -2");
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
  m.node("ReduceMean", {"x"}, "mean").with_integers("axes", {-1}).node("Sub", {"x", "mean"}, "c").node("Pow", {"c", "two"}, "square");
  m.node("ReduceMean", {"square"}, "var")
      .with_integers("axes", {1})
      .node("Add", {"var", "eps"}, "v")
      .node("Sqrt", {"v"}, "s")
      .node("Div", {"c", "s"}, "n");
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
  CHECK(kinds(m.read()) == "Normalize DenseWithoutBias(Identity) Normalize");
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
  const AnyNetwork<float> net = m.read_with_its_loss();
  CHECK(kinds(net) == "Normalize Dense(Identity)");
  const Vector<float> y = net.predict(Vector<float>{{2, 3}});  // z = 1, 2, 1
  CHECK(y(1) == Approx(std::exp(2) / (std::exp(2) + 2 * std::exp(1))));
}

TEST_CASE("scikit-learn: for two classes the outputs are 1 - p and p", "[onnx]") {
  Model m;
  m.constant("coef", {2, 1}, {1, -1}).constant("intercept", {1}, {0.5f}).constant("unity", {}, {1});
  m.node("MatMul", {"x", "coef"}, "product").node("Add", {"product", "intercept"}, "z").node("Sigmoid", {"z"}, "p");
  m.node("Sub", {"unity", "p"}, "q").node("Concat", {"q", "p"}, "y").with("axis", 1);
  const Vector<float> y = m.read_with_its_loss().predict(Vector<float>{{1, 0.5f}});
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

namespace {

Vector<float> vector(std::initializer_list<float> numbers) {
  Vector<float> column(static_cast<Index>(numbers.size()));
  std::copy(numbers.begin(), numbers.end(), column.data());
  return column;
}

/// Checks that a model of two inputs and outputs predicts f(x) of each of its inputs, as ONNX defines it.
template <class F>
void check_elementwise(const Model& model, const F& f) {
  const AnyNetwork<float> net = model.read();
  INFO(kinds(net));
  for (const float x : {-4.0f, -2.75f, -1.0f, -0.3f, -1e-6f, -4e-7f, 0.0f, 2e-7f, 1e-6f, 0.3f, 1.0f, 2.75f, 7.0f})
    for (const Index i : {Index{0}, Index{1}}) {
      Vector<float> both = vector({0.5f, 0.5f});
      both(i) = x;
      const double expected = f(static_cast<double>(x));
      CHECK(static_cast<double>(net.predict(both)(i)) == Approx(expected).epsilon(2e-6).margin(1e-6 * std::abs(f(0.0)) + 1e-30));
    }
}

/// A model of one node from x to y, with constants c of this shape and d, a single number.
Model one_node(const std::string& op, const std::vector<std::string>& inputs, const std::vector<std::int64_t>& shape,
               const std::vector<float>& numbers, std::vector<std::int64_t> input_shape = {0, 2}, int operators = 17) {
  Model m(std::move(input_shape), operators);
  m.constant("c", shape, numbers).constant("d", {}, {1}).constant("w", {2, 2}, {1, 2, 3, 4}).node(op, inputs, "y");
  return m;
}

}  // namespace

TEST_CASE("Constants of ONNX are aligned by their shapes, not by how many numbers they have", "[onnx]") {
  // [2, 1] at a batch of 2 is a number for each sample
  for (const char* op : {"Add", "Sub", "Mul", "Div"}) {
    CHECK_THROWS_SAYING(one_node(op, {"x", "c"}, {2, 1}, {1, 2}, {2, 2}).read(), ShapeError, op, "\"c\"", "the same for each sample");
    CHECK_THROWS_SAYING(one_node(op, {"x", "c"}, {1, 1, 2}, {1, 2}, {2, 2}).read(), ShapeError, "at most 2 extents");
  }
  CHECK_THROWS_SAYING(one_node("PRelu", {"x", "c"}, {2, 1}, {1, 2}, {2, 2}).read(), ShapeError, "(PRelu)", "the same for each sample");
  CHECK_THROWS_SAYING(one_node("Gemm", {"x", "w", "c"}, {2, 1}, {1, 2}, {2, 2}).read(), ShapeError, "(Gemm)", "the same for each sample");
  Model five({5, 2});
  five.constant("w", {2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}).constant("b", {5, 1}, {1, 2, 3, 4, 5});
  five.node("MatMul", {"x", "w"}, "z").node("Add", {"z", "b"}, "y");
  CHECK_THROWS_SAYING(five.read(), ShapeError, "(Add)", "\"b\"", "the same for each sample", "5 x 1");

  // z = (x0 + 3 x1, 2 x0 + 4 x1) + C
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{2}, {1, 2}}) {
    CHECK(predicted(one_node("Gemm", {"x", "w", "c"}, shape, {10, 20}), {1, 2}) == vector({17, 30}));
    CHECK(predicted(one_node("Sub", {"x", "c"}, shape, {10, 20}), {1, 2}) == vector({-9, -18}));
    CHECK(predicted(one_node("Sub", {"c", "x"}, shape, {10, 20}), {1, 2}) == vector({9, 18}));
    CHECK(predicted(one_node("PRelu", {"x", "c"}, shape, {10, 20}), {-1, -2}) == vector({-10, -40}));
  }
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{}, {1}, {1, 1}})
    CHECK(predicted(one_node("Gemm", {"x", "w", "c"}, shape, {10}), {1, 2}) == vector({17, 20}));
  // in samples of 2 x 3 numbers, [3] repeats over the 2 rows and [2, 1] over the 3 columns
  const auto image = [](const std::vector<std::int64_t>& shape, const std::vector<float>& numbers) {
    return predicted(one_node("Mul", {"x", "c"}, shape, numbers, {0, 2, 3}), {1, 2, 3, 4, 5, 6});
  };
  CHECK(image({3}, {1, 10, 100}) == vector({1, 20, 300, 4, 50, 600}));
  CHECK(image({2, 1}, {1, 10}) == vector({1, 2, 3, 40, 50, 60}));
  CHECK_THROWS_SAYING(image({6}, {1, 2, 3, 4, 5, 6}), ShapeError, "(Mul)", "one for each unit");
}

TEST_CASE("Transpose of ONNX goes by perm, of weights and of samples", "[onnx]") {
  const auto transposed = [](const std::vector<std::int64_t>& perm) {
    Model m;
    m.constant("w", {2, 2}, {1, 2, 3, 4}).node("Transpose", {"w"}, "t");
    if (!perm.empty()) m.with_integers("perm", perm);
    return predicted(m.node("MatMul", {"x", "t"}, "y"), {1, 10});
  };
  CHECK(transposed({}) == vector({21, 43}));
  CHECK(transposed({1, 0}) == vector({21, 43}));
  CHECK(transposed({0, 1}) == vector({31, 42}));

  Model columns;  // y = (W x^T + b)^T, with b one number for each row
  columns.constant("w", {3, 2}, {1, 2, 3, 4, 5, 6}).constant("b", {3, 1}, {100, 200, 300}).node("Transpose", {"x"}, "t");
  columns.node("MatMul", {"w", "t"}, "z").node("Add", {"z", "b"}, "s").node("Transpose", {"s"}, "y").with_integers("perm", {1, 0});
  CHECK(predicted(columns, {1, 10}) == vector({121, 243, 365}));
  Model along;  // a bias along the samples
  along.constant("w", {3, 2}, {1, 2, 3, 4, 5, 6}).constant("b", {3}, {100, 200, 300}).node("Transpose", {"x"}, "t");
  along.node("MatMul", {"w", "t"}, "z").node("Add", {"z", "b"}, "y");
  CHECK_THROWS_SAYING(along.read(), ShapeError, "(Add)", "the same for each sample");
  CHECK_THROWS_SAYING(one_node("MatMul", {"w", "x"}, {1}, {1}).read(), ShapeError, "(MatMul)", "sums over the samples");
  CHECK_THROWS_SAYING(one_node("Transpose", {"x"}, {1}, {1}, {0, 2, 3}).with_integers("perm", {0, 2, 1}).read(), ShapeError, "(Transpose)");

  Model units_first({2, 0});  // the input is units x batch
  CHECK(predicted(units_first.constant("w", {3, 2}, {1, 2, 3, 4, 5, 6}).node("MatMul", {"w", "x"}, "y"), {1, 10}) == vector({21, 43, 65}));
}

TEST_CASE("Gemm of ONNX multiplies by A and B as transA and transB say", "[onnx]") {
  // W = (1 2; 3 4; 5 6), so that z = W x = (21, 43, 65) for x = (1, 10)
  const auto gemm = [](bool input_is_first, bool transposed_input, bool transposed_a, bool transposed_b) {
    Model m;
    const bool as_written = (input_is_first ? transposed_b : !transposed_a);  // W itself, or its transpose
    m.constant("w", as_written ? std::vector<std::int64_t>{3, 2} : std::vector<std::int64_t>{2, 3},
               as_written ? std::vector<float>{1, 2, 3, 4, 5, 6} : std::vector<float>{1, 3, 5, 2, 4, 6});
    std::string x = "x";
    if (transposed_input) m.node("Transpose", {"x"}, x = "t");
    m.node("Gemm", input_is_first ? std::vector<std::string>{x, "w"} : std::vector<std::string>{"w", x}, "y");
    m.with("transA", transposed_a).with("transB", transposed_b);
    return predicted(m, {1, 10});
  };
  for (const bool transposed : {false, true}) {
    CHECK(gemm(true, false, false, transposed) == vector({21, 43, 65}));
    CHECK(gemm(true, true, true, transposed) == vector({21, 43, 65}));
    CHECK(gemm(false, true, transposed, false) == vector({21, 43, 65}));
    CHECK(gemm(false, false, transposed, true) == vector({21, 43, 65}));
    CHECK_THROWS_SAYING(gemm(true, false, true, transposed), ShapeError, "(Gemm)", "sums over the samples");
    CHECK_THROWS_SAYING(gemm(false, false, transposed, false), ShapeError, "(Gemm)", "sums over the samples");
  }
  Model only_added;  // the input is C
  only_added.constant("w", {2, 2}, {1, 2, 3, 4}).node("Gemm", {"w", "w", "x"}, "y");
  CHECK_THROWS_SAYING(only_added.read(), ValueError, "(Gemm)", "product of the layer's input and a weight");
}

TEST_CASE("Weights of ONNX are cast as their Casts say", "[onnx]") {
  const auto cast = [](std::initializer_list<int> types) {
    Model m;
    m.constant("w", {2, 2}, {1.75f, -2.75f, 0, 0.1f});
    std::string name = "w";
    for (const int type : types) m.node("Cast", {name}, name + "c").with("to", type), name += "c";
    return predicted(m.node("MatMul", {"x", name}, "y"), {1, 1});
  };
  CHECK(cast({1}) == vector({1.75f, -2.65f}));
  CHECK(cast({6, 1}) == vector({1, -2}));                                                  // int32: towards 0
  CHECK(cast({9, 1}) == vector({1, 2}));                                                   // bool
  CHECK(cast({10, 1}) == vector({1.75f, -2.75f + 0.0999755859375f}));                      // float16 has 11 binary digits
  CHECK(cast({16, 1}) == vector({1.75f, -2.75f + 0.10009765625f}));                        // bfloat16 has 8
  CHECK_THROWS_SAYING(cast({2, 1}), ValueError, "(Cast)", "Cast can hold", "-2.75");       // uint8
  CHECK_THROWS_SAYING(cast({8, 1}), ValueError, "(MatMul)", "weight that is a constant");  // text
  Model between;                                                                           // numbers of the samples would be truncated
  CHECK_THROWS_SAYING(between.node("Cast", {"x"}, "i").with("to", 6).node("Relu", {"i"}, "y").read(), ValueError, "\"i\" (Cast)");
}

TEST_CASE("Casts of samples to float or double change nothing, to half precision they are refused", "[onnx]") {
  const auto read = [](std::int64_t to, bool is_last) {
    Model m;
    if (is_last) return kinds(m.node("Tanh", {"x"}, "t").node("Cast", {"t"}, "y").with("to", to).read());
    return kinds(m.node("Cast", {"x"}, "c").with("to", to).node("Tanh", {"c"}, "y").read());
  };
  for (const bool is_last : {false, true}) {
    CHECK(read(1, is_last) == "Activate(Tanh)");
    CHECK(read(11, is_last) == "Activate(Tanh)");
    CHECK_THROWS_SAYING(read(10, is_last), ValueError, "m.onnx: node", "(Cast): it rounds the numbers of samples to float16");
    CHECK_THROWS_SAYING(read(16, is_last), ValueError, "(Cast)", "bfloat16", "export the model in float");
  }
}

TEST_CASE("NaN and infinity in a model of ONNX are refused by the tensor's name", "[onnx]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const float number : {nan, infinity, -infinity})
    for (const char* op : {"Add", "Sub", "Mul", "PRelu"})
      CHECK_THROWS_SAYING(one_node(op, {"x", "c"}, {2}, {1, number}).read(), ValueError, op, "tensor \"c\": expected finite numbers");
  CHECK_THROWS_SAYING(one_node("PRelu", {"x", "c"}, {1}, {nan}).read(), ValueError, "\"c\"", "nan");
  CHECK_THROWS_SAYING(one_node("MatMul", {"x", "c"}, {2, 1}, {1, nan}).read(), ValueError, "(MatMul), tensor \"c\"", "nan");
  CHECK_THROWS_SAYING(one_node("Gemm", {"x", "w", "c"}, {2}, {1, infinity}).read(), ValueError, "(Gemm), tensor \"c\"", "inf");
  CHECK_THROWS_SAYING(one_node("BatchNormalization", {"x", "c", "c", "c", "c"}, {2}, {1, infinity}).read(), ValueError, "\"c\"", "inf");
  Model product = one_node("Gemm", {"x", "c"}, {2, 1}, {1, 1e30f});
  CHECK_THROWS_SAYING(product.with_number("alpha", 1e30f).read(), ValueError, "m.onnx", "inf in the weight of a Dense", "too large");
  CHECK(kinds(one_node("Clip", {"x", "d", "c"}, {}, {infinity}).read()) == "Normalize Activate(ReLU) Normalize");  // max(x, 1)
}

TEST_CASE("Attributes that the reader does not know are refused by node and name", "[onnx]") {
  // the node takes x and, but for Relu, Dropout and Softmax, constants
  const auto with = [](const std::string& op, const std::string& attribute, std::int64_t value, int operators = 17) {
    Model m({0, 2}, operators);
    m.constant("c", {2}, {1, 2}).constant("w", {2, 2}, {1, 2, 3, 4});
    std::vector<std::string> inputs{"x"};
    if (op == "Add" || op == "LayerNormalization") inputs = {"x", "c"};
    if (op == "Gemm") inputs = {"x", "w"};
    if (op == "BatchNormalization") inputs = {"x", "c", "c", "c", "c"};
    return m.node(op, inputs, "y").with(attribute, value);
  };
  for (const char* op : {"Relu", "Add", "LayerNormalization", "Gemm", "BatchNormalization", "Dropout"})
    CHECK_THROWS_SAYING(with(op, "scaling", 2).read(), ValueError, "m.onnx: node \"y\"", op, "the attribute \"scaling\" is not known");
  CHECK_THROWS_SAYING(with("Softmax", "scaling", 2).read_with_its_loss(), ValueError, "(Softmax)", "\"scaling\"");
  CHECK_THROWS_SAYING(with("Relu", "", 2).read(), ValueError, "(Relu)", "\"\"");
  CHECK_THROWS_SAYING(with("Relu", "alpha", 2).read(), ValueError, "(Relu)", "\"alpha\"");            // LeakyRelu has it
  CHECK_THROWS_SAYING(with("Add", "broadcast", 1).read(), ValueError, "(Add)", "\"broadcast\"");      // since operator set 7
  CHECK_THROWS_SAYING(with("Dropout", "ratio", 1, 12).read(), ValueError, "(Dropout)", "\"ratio\"");  // since 12 an input
  CHECK_THROWS_SAYING(with("Squeeze", "axes", 1, 13).read(), ValueError, "(Squeeze)", "\"axes\"");    // since 13 an input
  CHECK(kinds(with("Add", "broadcast", 1, 6).read()) == "Normalize");
  CHECK_THROWS_SAYING(with("Gemm", "transA", 0).with("transA", 0).read(), ValueError, "(Gemm)", "\"transA\" is there twice");
  CHECK_THROWS_SAYING(with("LayerNormalization", "stash_type", 10).read(), ValueError, "(LayerNormalization)", "stash_type", "10");
  CHECK(kinds(with("LayerNormalization", "stash_type", 1).read()) == "LayerNorm(epsilon=1e-05)");
  CHECK(kinds(with("BatchNormalization", "spatial", 1, 8).read()) == "BatchNorm(momentum=0.1,epsilon=1e-05)");
  CHECK(kinds(with("Dropout", "seed", 3).read()) == "Dropout(rate=0.5)");
  CHECK(kinds(with("Relu", "alpha", 2).node("Relu", {"x"}, "z").read_output("z")) == "Activate(ReLU)");  // on a node that does not matter
  Model typed({0, 2, 1}, 12);
  typed.node("Squeeze", {"x"}, "y").with("axes", 2);  // an integer instead of a list
  CHECK_THROWS_SAYING(typed.read(), ValueError, "(Squeeze): expected integers in the attribute axes");
  Model constant;  // the node makes a weight
  constant.constant("w", {2, 2}, {1, 2, 3, 4}).node("Transpose", {"w"}, "t").with("axes", 1).node("MatMul", {"x", "t"}, "y");
  CHECK_THROWS_SAYING(constant.read(), ValueError, "\"t\" (Transpose)", "\"axes\"");
}

TEST_CASE("Weights of ONNX may be computed from constants", "[onnx]") {
  const auto numbers_of = [](Model& m, const std::string& name, int type, std::vector<std::int64_t> shape,
                             std::vector<std::int32_t> numbers) {
    auto* tensor = m.graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (const std::int64_t extent : shape) tensor->add_dims(extent);
    for (const std::int32_t number : numbers) tensor->add_int32_data(number);
  };
  Model quantized;  // (q - zero) scale = (1 0.5 2; 4 2 8)
  numbers_of(quantized, "q", 2, {2, 3}, {1, 2, 3, 4, 5, 6});
  numbers_of(quantized, "zero", 2, {3}, {0, 1, 2});
  quantized.constant("scale", {3}, {1, 0.5f, 2}).node("DequantizeLinear", {"q", "scale", "zero"}, "w").node("MatMul", {"x", "w"}, "y");
  CHECK(predicted(quantized, {1, 10}) == vector({41, 20.5f, 82}));
  Model rows;  // one scale for each row; int8; no zero
  numbers_of(rows, "q", 3, {2, 3}, {1, -2, 3, 4, 5, -128});
  rows.constant("scale", {2}, {1, 0.5f}).node("DequantizeLinear", {"q", "scale"}, "w").with("axis", 0).node("MatMul", {"x", "w"}, "y");
  CHECK(predicted(rows, {1, 10}) == vector({21, 23, -637}));
  CHECK_THROWS_SAYING(rows.with("axis", 0).read(), ValueError, "(MatMul)");
  rows.graph().mutable_node(0)->mutable_attribute(0)->set_i(1);
  rows.last().mutable_attribute()->RemoveLast();
  CHECK_THROWS_SAYING(rows.read(), ShapeError, "(DequantizeLinear)", "expected 3 scales");

  // y = x W with x = (1, 10), where W is made of a and b by nodes
  const auto made = [](std::vector<std::int64_t> a_shape, std::vector<float> a, std::vector<std::int64_t> b_shape, std::vector<float> b,
                       const std::string& op) {
    Model m;
    m.constant("a", a_shape, a).constant("b", b_shape, b).node(op, {"a", "b"}, "w").node("MatMul", {"x", "w"}, "y");
    return predicted(m, {1, 10});
  };
  CHECK(made({2, 1}, {1, 2}, {1, 3}, {3, 4, 5}, "Mul") == vector({63, 84, 105}));
  CHECK(made({2, 1}, {1, 2}, {3}, {3, 4, 5}, "Add") == vector({54, 65, 76}));
  CHECK(made({2, 1}, {1, 2}, {3}, {3, 4, 5}, "Sub") == vector({-12, -23, -34}));
  CHECK(made({2, 2}, {1, 2, 3, 4}, {}, {4}, "Div") == vector({7.75f, 10.5f}));
  CHECK(made({2, 1}, {0.1f, 0}, {1}, {0.2f}, "Add") == vector({(0.1f + 0.2f) + 10 * 0.2f}));
  CHECK_THROWS_SAYING(made({2, 1}, {1, 0}, {1}, {0}, "Div"), ValueError, "(MatMul), tensor \"w\": expected finite numbers");
  CHECK_THROWS_SAYING(made({2, 2}, {1, 2, 3, 4}, {3}, {1, 2, 3}, "Add"), ShapeError, "\"w\" (Add)", "2 x 2 and 3");
  const std::vector<float> many(1 << 12, 1);
  CHECK_THROWS_SAYING(made({1 << 12, 1}, many, {1 << 12}, many, "Mul"), ValueError, "(Mul)", "computed from constants");

  Model half;  // 1 + 2^-11 is 1 in float16, which has 11 binary digits
  numbers_of(half, "a", 10, {2, 1}, {0x3c00, 0x3c00});
  numbers_of(half, "b", 10, {1}, {0x1000});
  half.node("Add", {"a", "b"}, "s").node("Cast", {"s"}, "w").with("to", 1).node("MatMul", {"x", "w"}, "y");
  CHECK(predicted(half, {1, 10}) == vector({11}));

  const auto moved = [](std::vector<std::int64_t> shape, const auto& nodes) {
    Model m;
    m.constant("a", std::move(shape), {1, 2, 3, 4, 5, 6});
    nodes(m);
    return predicted(m.node("MatMul", {"x", "w"}, "y"), {1, 10});
  };
  CHECK(moved({2, 3}, [](Model& m) {  // columns 2 and 0
          m.integers("start", {-1}).integers("end", {-4}).integers("axis", {1}).integers("step", {-2});
          m.node("Slice", {"a", "start", "end", "axis", "step"}, "w");
        }) == vector({63, 41}));
  CHECK(moved({3, 2}, [](Model& m) {  // rows 1 and 2
          m.integers("start", {1}).integers("end", {std::numeric_limits<std::int64_t>::max()});
          m.node("Slice", {"a", "start", "end"}, "w");
        }) == vector({53, 64}));
  CHECK_THROWS_SAYING(moved({3, 2},
                            [](Model& m) {
                              m.integers("start", {1}).integers("end", {2}).integers("axis", {0}).integers("step", {0});
                              m.node("Slice", {"a", "start", "end", "axis", "step"}, "w");
                            }),
                      ValueError, "(Slice)", "steps that are not 0");
  CHECK_THROWS_SAYING(moved({3, 2},
                            [](Model& m) {
                              m.integers("start", {2, 2}).integers("end", {3, 3}).integers("axes", {0, -2});
                              m.node("Slice", {"a", "start", "end", "axes"}, "w");
                            }),
                      ShapeError, "(Slice)", "axis 0 twice");
  CHECK(moved({3, 1, 2}, [](Model& m) {
          m.integers("axes", {-1}).node("Transpose", {"a"}, "t").with_integers("perm", {2, 0, 1}).node("Squeeze", {"t", "axes"}, "w");
        }) == vector({21, 43, 65}));
  CHECK(moved({6}, [](Model& m) { m.integers("shape", {2, -1}).node("Reshape", {"a", "shape"}, "w"); }) == vector({41, 52, 63}));
  CHECK(moved({2, 3, 1}, [](Model& m) { m.node("Neg", {"a"}, "n").node("Flatten", {"n"}, "w"); }) == vector({-41, -52, -63}));
  CHECK_THROWS_SAYING(moved({6},
                            [](Model& m) {
                              m.integers("shape", {4, -1}).node("Reshape", {"a", "shape"}, "w");
                            }),
                      ShapeError, "(Reshape)");
  CHECK_THROWS_SAYING(moved({3, 2},
                            [](Model& m) {
                              m.integers("axes", {1}).node("Squeeze", {"a", "axes"}, "w");
                            }),
                      ShapeError, "(Squeeze)");
  CHECK_THROWS_SAYING(moved({3, 2},
                            [](Model& m) {
                              m.node("Transpose", {"a"}, "w").with_integers("perm", {1, 1});
                            }),
                      ShapeError, "(Transpose)", "each of 2 axes once");
}

TEST_CASE("Small constants of ONNX are not taken for 0", "[onnx]") {
  const auto two = [](const std::string& first, float b, const std::string& second, float c) {
    Model m;
    m.constant("b", {}, {b}).constant("c", {}, {c}).node(first, {"x", "b"}, "h").node(second, {"h", "c"}, "y");
    return m;
  };
  check_elementwise(two("Sub", 3e-7f, "Div", 1e-7f), [](double x) { return (x - 3e-7) / 1e-7; });
  check_elementwise(two("Add", 5e-7f, "Mul", 1e7f), [](double x) { return 1e7 * (x + 5e-7); });
  check_elementwise(two("Max", -5e-7f, "Mul", 1e7f), [](double x) { return 1e7 * std::max(x, -5e-7); });
  check_elementwise(two("Min", 5e-7f, "Mul", 1e7f), [](double x) { return 1e7 * std::min(x, 5e-7); });
  Model elu;
  elu.constant("c", {}, {1e7f}).node("Elu", {"x"}, "h").with_number("alpha", 5e-7f).node("Mul", {"h", "c"}, "y");
  check_elementwise(elu, [](double x) { return 1e7 * (x < 0 ? 5e-7 * std::expm1(x) : x); });
  Model step;  // only where |x| < 1e-3 it is no Tanh
  step.constant("c", {}, {1e-3f}).node("Tanh", {"x"}, "t").node("Abs", {"x"}, "a").node("Sub", {"c", "a"}, "d").node("Relu", {"d"}, "r");
  step.node("Add", {"t", "r"}, "y");
  check_elementwise(step, [](double x) { return std::tanh(x) + std::max(0.0, 1e-3 - std::abs(x)); });
}

TEST_CASE("Functions of ONNX that the library has up to a scaling are read with a Normalize", "[onnx]") {
  const auto op = [](const std::string& name, std::initializer_list<std::pair<const char*, float>> attributes = {}) {
    Model m;
    m.node(name, {"x"}, "y");
    for (const auto& [attribute, value] : attributes) m.with_number(attribute, value);
    return m;
  };
  check_elementwise(op("HardSigmoid"), [](double x) { return std::clamp(0.2 * x + 0.5, 0.0, 1.0); });
  check_elementwise(op("HardSigmoid", {{"alpha", 0.25f}, {"beta", 0.25f}}), [](double x) { return std::clamp(0.25 * x + 0.25, 0.0, 1.0); });
  check_elementwise(op("HardSwish"), [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); });
  check_elementwise(op("Celu", {{"alpha", 0.5f}}), [](double x) { return std::max(x, 0.0) + std::min(0.0, 0.5 * std::expm1(x / 0.5)); });
  for (const float slope : {-0.5f, 0.0f, 0.25f, 1.0f, 3.0f})
    check_elementwise(op("LeakyRelu", {{"alpha", slope}}), [&](double x) { return x < 0 ? static_cast<double>(slope) * x : x; });
  check_elementwise(op("Selu", {{"alpha", 2}, {"gamma", 3}}), [](double x) { return x < 0 ? 6 * std::expm1(x) : 3 * x; });
  check_elementwise(op("Abs"), [](double x) { return std::abs(x); });
  check_elementwise(op("Neg"), [](double x) { return -x; });
  check_elementwise(one_node("Sub", {"d", "x"}, {1}, {1}), [](double x) { return 1 - x; });
  check_elementwise(one_node("Max", {"x", "d"}, {1}, {1}), [](double x) { return std::max(x, 1.0); });
  check_elementwise(one_node("Min", {"d", "x", "c"}, {1}, {-2}), [](double x) { return std::min({x, 1.0, -2.0}); });
  Model quick;
  quick.constant("c", {}, {1.702f}).node("Mul", {"x", "c"}, "m").node("Sigmoid", {"m"}, "s").node("Mul", {"s", "x"}, "y");
  check_elementwise(quick, [](double x) { return x / (1 + std::exp(-1.702 * x)); });
  Model twice;  // 2 sigma(2 x) - 1
  twice.constant("two", {}, {2}).constant("one", {}, {1}).node("Mul", {"x", "two"}, "m").node("Sigmoid", {"m"}, "s");
  twice.node("Mul", {"s", "two"}, "t").node("Sub", {"t", "one"}, "y");
  for (const float x : {-2.0f, 0.5f, 3.0f}) CHECK(predicted(twice, {x, 0})(0) == Approx(std::tanh(x)));
}

TEST_CASE("Where is read as the function that it makes, if that has no jump", "[onnx]") {
  // condition ? a : b with a = x, b = x/4 and z = 0, one = 1
  const auto where = [](const std::string& op, const std::vector<std::string>& compared, const std::vector<std::string>& results,
                        bool is_inverted = false) {
    Model m;
    m.constant("quarter", {}, {0.25f}).constant("zero", {1}, {0}).constant("one", {}, {1}).node("Mul", {"quarter", "x"}, "small");
    m.node("Exp", {"x"}, "e").node("Sub", {"e", "one"}, "below").node(op, compared, "c");
    if (is_inverted) m.node("Not", {"c"}, "n");
    return m.node("Where", {is_inverted ? "n" : "c", results[0], results[1]}, "y");
  };
  const auto leaky = [](double x) { return x > 0 ? x : x / 4; };
  for (const char* op : {"Greater", "GreaterOrEqual"}) check_elementwise(where(op, {"x", "zero"}, {"x", "small"}), leaky);
  for (const char* op : {"Less", "LessOrEqual"}) check_elementwise(where(op, {"x", "zero"}, {"small", "x"}), leaky);
  check_elementwise(where("Less", {"zero", "x"}, {"x", "small"}), leaky);
  check_elementwise(where("Less", {"x", "zero"}, {"x", "small"}, true), leaky);
  CHECK(kinds(where("Greater", {"x", "zero"}, {"x", "small"}).read()) == "Activate(LeakyReLU(slope=0.25))");
  CHECK(kinds(where("Greater", {"x", "zero"}, {"x", "zero"}).read()) == "Activate(ReLU)");
  CHECK(kinds(where("Greater", {"x", "zero"}, {"x", "below"}).read()) == "Activate(ELU(alpha=1))");
  CHECK(predicted(where("Greater", {"x", "one"}, {"one", "x"}), {0.5f, 3}) == vector({0.5f, 1}));          // min(x, 1)
  CHECK_THROWS_SAYING(where("Greater", {"x", "one"}, {"x", "small"}).read(), ValueError, "m.onnx: node");  // jumps at 1
  CHECK_THROWS_SAYING(where("Greater", {"x", "zero"}, {"x", "one"}).read(), ValueError, "m.onnx: node");
  CHECK_THROWS_SAYING(where("Greater", {"e", "one"}, {"x", "small"}).read(), ValueError, "m.onnx: node");  // no linear condition
  CHECK_THROWS_SAYING(where("Equal", {"x", "zero"}, {"x", "small"}).read(), ValueError, "m.onnx: node");
  Model number;  // a condition as a number
  number.constant("zero", {}, {0}).node("Greater", {"x", "zero"}, "c").node("Cast", {"c"}, "n").with("to", 1).node("Mul", {"x", "n"}, "y");
  CHECK_THROWS_SAYING(number.read(), ValueError, "m.onnx: node");
}

TEST_CASE("Sum of ONNX adds any number of values", "[onnx]") {
  const auto model = [] {
    Model m;
    m.constant("w", {2, 2}, {1, 2, 3, 4}).constant("b", {2}, {10, 20}).constant("c", {1, 1}, {100}).constant("d", {2}, {0.5f, 1});
    return m;
  };
  Model biases = model();  // x W = (7, 10) for x = (1, 2)
  biases.node("MatMul", {"x", "w"}, "p").node("Sum", {"b", "p", "c"}, "y");
  CHECK(predicted(biases, {1, 2}) == vector({117, 130}));
  Model residual = model();
  residual.node("MatMul", {"x", "w"}, "p").node("Sum", {"p", "c", "x"}, "y");
  CHECK(predicted(residual, {1, 2}) == vector({108, 112}));
  CHECK(predicted(model().node("Sum", {"b", "x", "c", "d"}, "y"), {1, 2}) == vector({111.5f, 123}));
  CHECK(kinds(model().node("Sum", {"x"}, "s").node("Tanh", {"s"}, "y").read()) == "Activate(Tanh)");
  Model both = model();  // F(x) + G(x) + x
  both.node("MatMul", {"x", "w"}, "p").node("Tanh", {"x"}, "t").node("Sum", {"p", "t", "x"}, "y");
  CHECK(predicted(both, {1, 2}).isApprox(vector({8 + std::tanh(1.0f), 12 + std::tanh(2.0f)}), 1e-6f));
}

TEST_CASE("LayerNorm is read in each of its forms", "[onnx]") {
  // x -> c = x - mean, v = mean(c^2) + 1e-3, and what `end` makes of these
  const auto model = [](bool by_mul, const auto& end) {
    Model m({0, 4}, 14);
    m.constant("two", {}, {2})
        .constant("one", {}, {1})
        .constant("half", {}, {0.5f})
        .constant("minus", {}, {-0.5f})
        .constant("eps", {}, {1e-3f});
    m.node("ReduceMean", {"x"}, "mean").with_integers("axes", {-1}).node("Sub", {"x", "mean"}, "c");
    m.node("Sub", {"x", "mean"}, "again");  // as TensorFlow computes the variance
    m.node(by_mul ? "Mul" : "Pow", {by_mul ? "c" : "again", by_mul ? "c" : "two"}, "q");
    m.node("ReduceMean", {"q"}, "variance").with_integers("axes", {-1}).node("Add", {"eps", "variance"}, "v");
    end(m);
    return m;
  };
  const auto check = [&](const auto& end) {
    for (const bool by_mul : {false, true}) {
      const Model m = model(by_mul, end);
      CHECK(kinds(m.read()) == "LayerNorm(epsilon=0.001)");
      CHECK(predicted(m, {1, 2, 3, 6})(3) == Approx(3 / std::sqrt(3.501)));  // mean 3, variance 3.5
    }
  };
  check([](Model& m) { m.node("Sqrt", {"v"}, "s").node("Div", {"c", "s"}, "y"); });
  check([](Model& m) { m.node("Pow", {"v", "half"}, "s").node("Div", {"c", "s"}, "y"); });
  check([](Model& m) { m.node("Sqrt", {"v"}, "s").node("Reciprocal", {"s"}, "r").node("Mul", {"c", "r"}, "y"); });
  check([](Model& m) { m.node("Reciprocal", {"v"}, "r").node("Sqrt", {"r"}, "s").node("Mul", {"s", "again"}, "y"); });
  check([](Model& m) { m.node("Sqrt", {"v"}, "s").node("Div", {"one", "s"}, "r").node("Mul", {"r", "c"}, "y"); });
  check([](Model& m) { m.node("Pow", {"v", "minus"}, "r").node("Mul", {"c", "r"}, "y"); });
  const auto refused = [&](const auto& end) { CHECK_THROWS_SAYING(model(true, end).read(), ValueError, "m.onnx: node"); };
  refused([](Model& m) { m.node("Div", {"c", "v"}, "y"); });
  refused([](Model& m) { m.node("Sqrt", {"v"}, "s").node("Mul", {"c", "s"}, "y"); });
  refused([](Model& m) { m.node("Sqrt", {"v"}, "s").node("Div", {"s", "c"}, "y"); });
  refused([](Model& m) { m.node("Sqrt", {"v"}, "s").node("Div", {"x", "s"}, "y"); });
  refused([](Model& m) { m.node("Pow", {"v", "two"}, "s").node("Div", {"c", "s"}, "y"); });
}

TEST_CASE("LayerNorm is read as Keras writes it", "[onnx]") {
  // x s + (bias - mean s) with s = weight/sqrt(variance + 1e-3)
  const auto model = [](const std::string& form) {
    Model m({0, 4}, 14);
    m.constant("eps", {}, {1e-3f}).constant("weight", {4}, {1, 2, 3, 4}).constant("bias", {1, 4}, {0, 0, 1, 1});
    m.node("ReduceMean", {"x"}, "mean").with_integers("axes", {1}).node("Sub", {"x", "mean"}, "c").node("Mul", {"c", "c"}, "q");
    m.node("ReduceMean", {"q"}, "variance").with_integers("axes", {1}).node("Add", {"variance", "eps"}, "v").node("Sqrt", {"v"}, "root");
    m.node("Reciprocal", {"root"}, "r").node("Mul", {"r", "weight"}, "s").node("Neg", {"mean"}, "minus");
    m.node("Mul", {form == "minus" ? "minus" : "mean", form == "other s" ? "r" : "s"}, "ms").node("Mul", {"s", "x"}, "xs");
    if (form == "minus" || form == "plus")
      m.node("Add", {"ms", "bias"}, "b");
    else
      m.node("Sub", {"bias", "ms"}, "b");
    return m.node("Add", {"xs", "b"}, "y");
  };
  for (const char* form : {"difference", "minus"}) {
    CHECK(kinds(model(form).read()) == "LayerNorm(epsilon=0.001)");
    const Vector<float> y = predicted(model(form), {1, 2, 3, 6});  // mean 3, variance 3.5
    CHECK(y(0) == Approx(-2 / std::sqrt(3.501)));
    CHECK(y(3) == Approx(4 * 3 / std::sqrt(3.501) + 1));
  }
  CHECK_THROWS_SAYING(model("plus").read(), ValueError, "m.onnx: node");  // bias + mean s
  CHECK_THROWS_SAYING(model("other s").read(), ValueError, "m.onnx: node");
}

TEST_CASE("A model of ONNX may end in 1 - p, and in p beside 1 - p in either order", "[onnx]") {
  const auto model = [] {
    Model m({0, 1});
    m.constant("w", {1, 1}, {2}).constant("b", {1}, {0.5f}).constant("one", {}, {1});
    return m.node("Gemm", {"x", "w", "b"}, "z").node("Sigmoid", {"z"}, "p").node("Sub", {"one", "p"}, "q");
  };
  const double p = 1 / (1 + std::exp(-2.5));  // z = 2.5 for x = 1
  const AnyNetwork<float> complement = model().node("Identity", {"q"}, "y").read_with_its_loss();
  CHECK(complement.loss_function().name == "BinaryCrossEntropy");
  CHECK(kinds(complement) == "Dense(Identity)");
  CHECK(static_cast<double>(complement.predict(vector({1}))(0)) == Approx(1 - p));
  const Model chosen = model().node("Identity", {"q"}, "y");
  CHECK(static_cast<double>(chainrule_test::read_onnx(chosen.bytes(), BinaryCrossEntropy{}).predict(vector({1}))(0)) == Approx(1 - p));
  CHECK(static_cast<double>(chosen.read().predict(vector({1}))(0)) == Approx(1 - p));  // Dense(Sigmoid) and a Normalize
  for (const bool p_is_first : {false, true}) {
    const std::vector<std::string> both = p_is_first ? std::vector<std::string>{"p", "q"} : std::vector<std::string>{"q", "p"};
    const AnyNetwork<float> net = model().node("Concat", both, "y").with("axis", 1).read_with_its_loss();
    CHECK(net.loss_function().name == "SoftmaxCrossEntropy");
    const Vector<float> y = net.predict(vector({1}));
    CHECK(static_cast<double>(y(p_is_first ? 0 : 1)) == Approx(p));
    CHECK(static_cast<double>(y(p_is_first ? 1 : 0)) == Approx(1 - p));
  }
  Model normalized({0, 2});  // the last layer is no Dense
  normalized.constant("c", {2}, {2, 4}).constant("one", {}, {1}).node("Mul", {"x", "c"}, "z").node("Sigmoid", {"z"}, "p");
  normalized.node("Sub", {"one", "p"}, "y");
  CHECK(static_cast<double>(normalized.read_with_its_loss().predict(vector({1, 1}))(1)) == Approx(1 / (1 + std::exp(4.0))));
  Model twice = model();  // p and p
  CHECK_THROWS_SAYING(twice.node("Concat", {"p", "p"}, "y").with("axis", 1).read_with_its_loss(), ValueError, "m.onnx");
}

TEST_CASE("BatchNormalization of ONNX is over units, not over channels of many", "[onnx]") {
  const auto norm = [](const std::vector<std::int64_t>& shape) {
    Model m(shape);
    m.constant("s", {2}, {1, 2}).constant("v", {2}, {4, 9});
    return m.node("BatchNormalization", {"x", "s", "s", "s", "v"}, "y").with_number("epsilon", 0);
  };
  CHECK(predicted(norm({0, 2, 1}), {5, 8}).isApprox(vector({3, 6})));  // 1 (5 - 1)/2 + 1 and 2 (8 - 2)/3 + 2
  CHECK_THROWS_SAYING(norm({0, 2, 3}).read(), ShapeError, "(BatchNormalization)", "extents of 1", "channels");
  CHECK_THROWS_SAYING(norm({0, 1, 2}).read(), ShapeError, "(BatchNormalization)");
}

TEST_CASE("Axes of ONNX must be those of a sample", "[onnx]") {
  const auto softmax = [](int operators, std::int64_t axis, const std::vector<std::int64_t>& shape) {
    Model m(shape, operators);
    return m.node("Softmax", {"x"}, "y").with("axis", axis).read_with_its_loss().predict(vector({0, 1, 2, 3, 4, 5}));
  };
  double sum = 0;
  for (int i = 0; i < 6; ++i) sum += std::exp(i);
  // before set 13 over all axes from this one on
  CHECK(static_cast<double>(softmax(12, 1, {0, 2, 3})(1)) == Approx(std::exp(1) / sum));
  CHECK(static_cast<double>(softmax(13, -1, {0, 1, 6})(1)) == Approx(std::exp(1) / sum));
  CHECK(static_cast<double>(softmax(13, 0, {6})(1)) == Approx(std::exp(1) / sum));
  for (const std::int64_t axis : {-1, 0, 1, 2}) CHECK_THROWS_SAYING(softmax(13, axis, {0, 2, 3}), ShapeError, "(Softmax)", "axis");
  for (const std::int64_t axis : {-1, 0, 2}) CHECK_THROWS_SAYING(softmax(12, axis, {0, 2, 3}), ShapeError, "(Softmax)", "axis");

  const auto mean = [](int operators, const std::vector<std::int64_t>& axes, bool keepdims, const std::vector<std::int64_t>& shape) {
    Model m(shape, operators);
    m.constant("two", {}, {2}).constant("eps", {}, {1e-3f}).integers("axes", axes);
    const auto reduce = [&](const char* from, const char* to) {
      m.node("ReduceMean", operators < 18 ? std::vector<std::string>{from} : std::vector<std::string>{from, "axes"}, to)
          .with("keepdims", keepdims);
      if (operators < 18) m.with_integers("axes", axes);
    };
    reduce("x", "mean");
    m.node("Sub", {"x", "mean"}, "c").node("Pow", {"c", "two"}, "q");
    reduce("q", "var");
    return kinds(m.node("Add", {"var", "eps"}, "v").node("Sqrt", {"v"}, "s").node("Div", {"c", "s"}, "y").read());
  };
  CHECK(mean(14, {1}, true, {0, 4}) == "LayerNorm(epsilon=0.001)");
  CHECK(mean(18, {-1}, true, {0, 4}) == "LayerNorm(epsilon=0.001)");
  CHECK(mean(14, {1, 2}, true, {0, 4, 5}) == "LayerNorm(epsilon=0.001)");
  CHECK_THROWS_SAYING(mean(14, {0}, true, {0, 4}), ShapeError, "(ReduceMean)", "over the units");
  CHECK_THROWS_SAYING(mean(14, {0, 1}, true, {0, 4}), ShapeError, "(ReduceMean)", "over the units");
  CHECK_THROWS_SAYING(mean(14, {-1}, true, {0, 4, 5}), ShapeError, "(ReduceMean)", "over the units");
  CHECK_THROWS_SAYING(mean(14, {1}, false, {4, 4}), ShapeError, "(ReduceMean)", "keepdims");
  CHECK_THROWS_SAYING(mean(18, {}, true, {0, 1}), ShapeError, "(ReduceMean)", "over the units");  // no axes mean all, with the samples

  const auto layer_norm = [](std::int64_t axis, const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& scale) {
    return kinds(
        one_node("LayerNormalization", {"x", "c"}, scale, std::vector<float>(scale == std::vector<std::int64_t>{1} ? 1 : 20, 1), shape)
            .with("axis", axis)
            .read());
  };
  CHECK(layer_norm(1, {0, 4, 5}, {4, 5}) == "LayerNorm(epsilon=1e-05)");
  CHECK(layer_norm(-1, {0, 20}, {20}) == "LayerNorm(epsilon=1e-05)");
  CHECK(layer_norm(-1, {0, 20}, {1}) == "LayerNorm(epsilon=1e-05)");
  CHECK_THROWS_SAYING(layer_norm(-1, {0, 4, 5}, {1}), ShapeError, "(LayerNormalization)", "axis -1");
  CHECK_THROWS_SAYING(layer_norm(0, {20, 1}, {1}), ShapeError, "(LayerNormalization)", "axis 0");

  const auto pair = [](float one, std::int64_t axis) {
    Model m({0, 1});
    m.constant("w", {1, 1}, {1}).constant("one", {}, {one}).node("MatMul", {"x", "w"}, "z").node("Sigmoid", {"z"}, "p");
    return m.node("Sub", {"one", "p"}, "q").node("Concat", {"q", "p"}, "y").with("axis", axis).read_with_its_loss().outputs();
  };
  CHECK(pair(1, 1) == 2);
  CHECK(pair(1, -1) == 2);
  CHECK_THROWS_SAYING(pair(1, 0), ShapeError, "(Concat)", "axis 0");
  CHECK_THROWS_SAYING(pair(0.7f, 1), ValueError, "(Sub)", "1 - p");
}

TEST_CASE("Shapes of ONNX that are computed keep each sample together, or are refused", "[onnx]") {
  const auto reshaped = [](const std::string& what, std::int64_t index) {  // Reshape(x, Concat(a number of Shape(x), -1))
    Model m({0, 3, 2});
    m.integers("index", {index}).integers("minus_one", {-1}).constant("w", {6, 1}, {1, 2, 3, 4, 5, 6}).node("Relu", {"x"}, "r");
    m.node("Shape", {what}, "shape")
        .node("Gather", {"shape", "index"}, "size")
        .node("Concat", {"size", "minus_one"}, "both")
        .with("axis", 0);
    return m.node("Reshape", {"r", "both"}, "flat").node("MatMul", {"flat", "w"}, "y");
  };
  CHECK(predicted(reshaped("x", 0), {1, 2, 3, 4, 5, 6}) == vector({91}));
  CHECK(predicted(reshaped("r", -3), {1, 2, 3, 4, 5, 6}) == vector({91}));
  CHECK_THROWS_SAYING(reshaped("x", 1).read(), ShapeError, "(Reshape)", "keeps each sample together");
  const auto to = [](std::vector<std::int64_t> shape, const std::vector<std::int64_t>& target) {
    Model m(std::move(shape));
    return kinds(m.integers("s", target).node("Reshape", {"x", "s"}, "r").node("Tanh", {"r"}, "y").read());
  };
  CHECK(to({4, 6}, {4, 2, 3}) == "Activate(Tanh)");
  CHECK(to({0, 6}, {-1, 2, 3}) == "Activate(Tanh)");
  CHECK(to({0, 1}, {-1}) == "Activate(Tanh)");  // the samples' only numbers as one vector
  CHECK_THROWS_SAYING(to({4, 6}, {2, 12}), ShapeError, "(Reshape)");
  CHECK_THROWS_SAYING(to({4, 6}, {6, 4}), ShapeError, "(Reshape)");
  CHECK_THROWS_SAYING(to({0, 6}, {2, -1}), ShapeError, "(Reshape)");
  CHECK_THROWS_SAYING(to({0, 6}, {-1, 4}), ShapeError, "(Reshape)");
  CHECK_THROWS_SAYING(to({0, 6}, {-1}), ShapeError, "(Reshape)");
  CHECK_THROWS_SAYING(to({0, 6}, {-1, -1}), ShapeError, "(Reshape)");
  Model squeezed({0, 2, 1});
  CHECK(
      predicted(
          squeezed.integers("axes", {2}).constant("w", {2, 1}, {1, 10}).node("Squeeze", {"x", "axes"}, "s").node("MatMul", {"s", "w"}, "y"),
          {1, 2}) == vector({21}));
  Model unsqueezed({0, 2}, 12);
  CHECK(kinds(unsqueezed.node("Unsqueeze", {"x"}, "u").with_integers("axes", {1}).node("Relu", {"u"}, "y").read()) == "Activate(ReLU)");
  Model front({0, 2}, 12);
  CHECK_THROWS_SAYING(front.node("Unsqueeze", {"x"}, "u").with_integers("axes", {0}).node("Relu", {"u"}, "y").read(), ShapeError,
                      "(Unsqueeze)");
}

TEST_CASE("An input of ONNX without a batch is one sample", "[onnx]") {
  Model m({2});
  m.constant("w", {2, 3}, {1, 2, 3, 4, 5, 6})
      .constant("b", {3}, {100, 200, 300})
      .node("MatMul", {"x", "w"}, "z")
      .node("Add", {"z", "b"}, "y");
  CHECK(predicted(m, {1, 10}) == vector({141, 252, 363}));
  Model left({2});
  CHECK(predicted(left.constant("w", {3, 2}, {1, 2, 3, 4, 5, 6}).node("MatMul", {"w", "x"}, "y"), {1, 10}) == vector({21, 43, 65}));
  Model flat({2});  // Flatten at axis 0 makes it a batch of one
  CHECK(predicted(flat.constant("w", {2, 1}, {1, 2}).node("Flatten", {"x"}, "f").with("axis", 0).node("Gemm", {"f", "w"}, "y"), {1, 10}) ==
        vector({21}));
  Model column({2});  // at axis 1 a batch of two
  CHECK_THROWS_SAYING(column.node("Flatten", {"x"}, "f").with("axis", 1).node("Relu", {"f"}, "y").read(), ShapeError, "(Flatten)");
}

TEST_CASE("Models of ONNX's operator set 6", "[onnx]") {
  const auto model = [](const std::vector<std::int64_t>& bias, std::int64_t broadcast, std::optional<std::int64_t> axis) {
    Model m({0, 2}, 6);
    m.constant("w", {2, 2}, {1, 2, 3, 4}).constant("b", bias, {10, 20}).node("MatMul", {"x", "w"}, "z").node("Add", {"z", "b"}, "s");
    m.with("broadcast", broadcast);
    if (axis) m.with("axis", *axis);
    return m.node("Relu", {"s"}, "y");
  };
  CHECK(predicted(model({2}, 1, {}), {1, 2}) == vector({17, 30}));
  CHECK(predicted(model({2}, 1, 1), {1, 2}) == vector({17, 30}));
  CHECK(predicted(model({1, 2}, 0, {}), {1, 2}) == vector({17, 30}));
  CHECK_THROWS_SAYING(model({2}, 1, 0).read(), ShapeError, "(Add)", "the same for each sample");
  CHECK_THROWS_SAYING(model({2}, 0, {}).read(), ShapeError, "(Add)", "broadcast = 1");
  const auto norm = [](std::int64_t is_test) {
    Model m({0, 2}, 6);
    m.constant("s", {2}, {1, 2}).constant("v", {2}, {4, 9});
    return m.node("BatchNormalization", {"x", "s", "s", "s", "v"}, "y").with("is_test", is_test).with_number("epsilon", 0);
  };
  CHECK(predicted(norm(1), {5, 8}).isApprox(vector({3, 6})));  // 1 (5 - 1)/2 + 1 and 2 (8 - 2)/3 + 2
  CHECK_THROWS_SAYING(norm(0).read(), ValueError, "(BatchNormalization)", "training");
}

TEST_CASE("Legal numbers of ONNX that the library's layers do not take", "[onnx]") {
  const auto norm = [](std::initializer_list<float> variance, float epsilon) {
    Model m;
    m.constant("s", {2}, {1, 2}).constant("v", {2}, variance);
    return m.node("BatchNormalization", {"x", "s", "s", "s", "v"}, "y").with_number("epsilon", epsilon);
  };
  CHECK(predicted(norm({4, 9}, 0), {5, 8}).isApprox(vector({3, 6})));
  CHECK(predicted(norm({-0.25f, 0}, 0.5f), {5, 8}).isApprox(vector({9, 2 + 12 / std::sqrt(0.5f)})));
  CHECK_THROWS_SAYING(norm({4, 0}, 0).read(), ValueError, "(BatchNormalization)", "\"v\"", "above 0");
  CHECK_THROWS_SAYING(norm({4, -1}, 1e-3f).read(), ValueError, "(BatchNormalization)", "\"v\"", "-1");
  CHECK_THROWS_SAYING(norm({4, 9}, -1e-3f).read(), ValueError, "(BatchNormalization)", "epsilon");
  for (const int operators : {9, 17}) {  // an output for the batch's mean says before set 14 that the batch's statistics are taken
    Model training({0, 2}, operators);
    training.constant("s", {2}, {1, 2}).node("BatchNormalization", {"x", "s", "s", "s", "s"}, "y");
    training.last().add_output("mean_of_batch");
    if (operators < 14)
      CHECK_THROWS_SAYING(training.read(), ValueError, "(BatchNormalization)", "training");
    else
      CHECK(kinds(training.read()) == "BatchNorm(momentum=0.1,epsilon=1e-05)");
  }
  Model layer_norm;
  layer_norm.constant("s", {1}, {3}).node("LayerNormalization", {"x", "s"}, "y").with_number("epsilon", 0);
  CHECK(predicted(layer_norm, {1, 5}).isApprox(vector({-3, 3})));

  for (const char* scales : {"0 1", "1 0", "0 0"}) {
    const float a = scales[0] == '0' ? 0.0f : 1.0f, b = scales[2] == '0' ? 0.0f : 1.0f;
    CHECK(predicted(one_node("Mul", {"x", "c"}, {2}, {a, b}), {3, 4}) == vector({3 * a, 4 * b}));
    Model m = one_node("Sub", {"x", "c"}, {2}, {1, 1});
    m.last().set_output(0, "h");
    m.constant("s", {2}, {a, b}).node("Mul", {"h", "s"}, "y");
    CHECK(predicted(m, {3, 4}) == vector({2 * a, 3 * b}));
  }
  CHECK_THROWS_SAYING(one_node("Div", {"x", "c"}, {2}, {0, 1}).read(), ValueError, "(Div)", "reciprocals are finite");

  const auto dropout = [](float ratio, bool is_training, int operators) {
    Model m({0, 2}, operators);
    m.constant("ratio", {}, {ratio}).integers("training", {is_training}).node("Tanh", {"x"}, "t");
    m.node("Dropout", operators < 12 ? std::vector<std::string>{"t"} : std::vector<std::string>{"t", "ratio", "training"}, "y");
    if (operators < 12) m.with_number("ratio", ratio);
    return kinds(m.read());
  };
  CHECK(dropout(1, false, 13) == "Activate(Tanh)");
  CHECK(dropout(1, false, 10) == "Activate(Tanh)");
  CHECK(dropout(0.25f, false, 10) == "Activate(Tanh) Dropout(rate=0.25)");
  CHECK_THROWS_SAYING(dropout(0.25f, true, 13), ValueError, "(Dropout)", "training");
  CHECK_THROWS_SAYING(dropout(1.5f, false, 13), ValueError, "(Dropout)", "ratio from 0 to 1");
}

TEST_CASE("The caller chooses the loss of a model of ONNX", "[onnx]") {
  const auto read = [](const char* link, const AnyLoss<float>& loss) {
    Model m = linear();
    if (*link != 0) m.node(link, {"z"}, "y");
    if (*link == 0) m.last().set_output(0, "y");
    return chainrule_test::read_onnx(m.bytes(), loss);
  };
  const auto sigma = [](double z) { return 1 / (1 + std::exp(-z)); };
  const Vector<float> x = vector({-1, 0.5f});  // z = 0.5, -1.5
  CHECK(read("", MeanSquaredError{}).predict(x) == vector({0.5f, -1.5f}));
  CHECK(static_cast<double>(read("", SoftmaxCrossEntropy{}).predict(x)(0)) == Approx(sigma(2)));
  CHECK(static_cast<double>(read("", BinaryCrossEntropy{}).predict(x)(1)) == Approx(sigma(-1.5)));
  CHECK(static_cast<double>(read("Softmax", KLDivergence{}).predict(x)(0)) == Approx(sigma(2)));
  CHECK(static_cast<double>(read("LogSoftmax", SoftmaxCrossEntropy{.label_smoothing = 0.1}).predict(x)(0)) == Approx(sigma(2)));
  CHECK(static_cast<double>(read("Sigmoid", MeanSquaredError{}).predict(x)(1)) == Approx(sigma(-1.5)));  // Dense(Sigmoid)
  CHECK(read("Softmax", ClassWeighted<SoftmaxCrossEntropy>{{1, 3}}).loss_function().describe() ==
        describe(ClassWeighted<SoftmaxCrossEntropy>{{1, 3}}));
  CHECK_THROWS_SAYING(read("Softmax", BinaryCrossEntropy{}), ValueError, "(Softmax)", "not the link of the chosen loss BinaryCrossEntropy");
  CHECK_THROWS_SAYING(read("Sigmoid", SoftmaxCrossEntropy{}), ValueError, "(Sigmoid)", "chosen loss SoftmaxCrossEntropy");
  CHECK_THROWS_SAYING(read("Tanh", SoftmaxCrossEntropy{}), ValueError, "m.onnx", "last layer must have no activation");
  CHECK_THROWS_SAYING(read("Softmax", MeanSquaredError{}), ValueError, "(Softmax)");
}
