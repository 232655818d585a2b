#include <chainrule/activations/gelu.hpp>
#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/inspect/layer_values.hpp>
#include <chainrule/inspect/summary.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/normalize.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/losses/gaussian_nll.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/training/trainer.hpp>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;
using Catch::Matchers::Contains;

namespace {

using Fixed = Network<float, SoftmaxCrossEntropy, Dense<8, 70, Tanh>, BatchNorm<>, Activate<GELU>, Dropout<>,
                      Residual<Dense<70, 70, ReLU>, Dropout<>>, Dense<70, 3>>;
using AtRunTime = AnyNetwork<float>;

AnyLayers<float> same_layers() {
  AnyLayers<float> inside{Dense<Dynamic, Dynamic, ReLU>{70, 70}, Dropout<>{}};
  AnyLayers<float> layers{Dense<Dynamic, Dynamic, Tanh>{8, 70}, BatchNorm<>{}, Activate<GELU>{}};
  layers.add(Dropout<>{});
  layers.add(Residual<AnyLayers<float>>{inside});
  layers.add(Dense<Dynamic, 3>{70, 3});
  return layers;
}

struct Data {
  Matrix<float> x = [] {
    Random random{Seed{5}};
    return chainrule_test::random_matrix<float>(8, 47, random);
  }();
  std::vector<int> y = [] {
    std::vector<int> labels;
    for (int i = 0; i < 47; ++i) labels.push_back(i % 3);
    return labels;
  }();
};

AtRunTime linear(Index inputs, Index outputs) { return {Seed{1}, SquaredError{}, {Dense<Dynamic, Dynamic>{inputs, outputs}}}; }

/// A loss of the user's without second derivatives.
struct Mine {
  static constexpr std::string_view name = "Mine";
  static constexpr bool works_on_logits = false;
  static constexpr Index min_outputs = 1;
  void check(ConstMatrixView<float>, ConstMatrixView<float>) const {}
  float value(ConstMatrixView<float>, ConstMatrixView<float>) const { return 0; }
  void gradient(ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>) const {}
  void link(MatrixView<float>) const {}
};

}  // namespace

TEST_CASE("AnyNetwork trains and predicts with the same bits as the Network of the same layers") {
  const Data data;
  Fixed fixed{Seed{3}};
  AtRunTime any{Seed{3}, SoftmaxCrossEntropy{}, same_layers()};
  CHECK(any.parameters() == fixed.parameters());
  CHECK(summary(any) == summary(fixed));
  const Dataset<float> train{data.x, data.y};
  Trainer of_fixed{fixed, Adam{}};
  Trainer of_any{any, Adam{}};
  const History there = of_fixed.fit(train, {.epochs = 3, .batch_size = 16, .validation = train});
  const History here = of_any.fit(train, {.epochs = 3, .batch_size = 16, .validation = train, .threads = 2});
  CHECK(here["loss"] == there["loss"]);
  CHECK(here["validation_loss"] == there["validation_loss"]);
  CHECK(any.parameters() == fixed.parameters());
  CHECK(any.buffers() == fixed.buffers());
  CHECK(any.predict(data.x) == fixed.predict(data.x));
  CHECK(any.predict(data.x.col(0)) == fixed.predict(data.x.col(0)));
  CHECK(any.predict_raw(data.x) == fixed.predict_raw(data.x));
}

TEST_CASE("AnyNetwork takes a gradient from outside with the same bits as the Network of the same layers") {
  const Data data;
  const Fixed fixed{Seed{3}};
  const AtRunTime any{Seed{3}, SoftmaxCrossEntropy{}, same_layers()};
  auto fixed_work = fixed.make_workspace(47);
  auto any_work = any.make_workspace(47);
  auto fixed_gradients = fixed.make_gradients();
  auto any_gradients = any.make_gradients();
  Matrix<float> fixed_dJ_dx(8, 47), any_dJ_dx(8, 47);
  const Matrix<float> dJ_dy = fixed.forward(data.x, fixed_work);  // the gradient of J = 1/2 sum y_hat^2
  any.forward(data.x, any_work);
  fixed.backward(data.x, from_outside(dJ_dy), fixed_work, fixed_gradients, fixed_dJ_dx);
  any.backward(data.x, from_outside(dJ_dy), any_work, any_gradients, any_dJ_dx);
  CHECK(any_gradients.flat() == fixed_gradients.flat());
  CHECK(any_dJ_dx == fixed_dJ_dx);
  CHECK(any_dJ_dx.cwiseAbs().maxCoeff() > 0);
  any_dJ_dx.setZero();
  any.input_gradient(data.x, from_outside(dJ_dy), any_work, any_dJ_dx);
  CHECK(any_dJ_dx == fixed_dJ_dx);
  CHECK_THROWS_SAYING(any.backward(data.x, from_outside(data.x), any_work, any_gradients), ShapeError,
                      "backward: dJ/dy_hat has 8 rows, but the network has 3 outputs");
}

TEST_CASE("layer_values of an AnyNetwork have the z and delta of every layer, whose row sums are dJ/db") {
  const Data data;
  AtRunTime any{Seed{3}, SoftmaxCrossEntropy{}, same_layers()};
  auto work = any.make_workspace(47);
  auto dJ = any.make_gradients();
  any.forward(data.x, work);
  const auto values = layer_values(any, data.x, data.y, work);
  any.backward(data.x, data.y, work, dJ);
  std::vector<Index> checked;
  any.for_each_layer([&](Index i, const auto& layer, const auto& parameters) {
    const auto& [name, activation, z, a, delta] = values[static_cast<std::size_t>(i)];
    const bool same_activation = a == work.activation(i);
    CHECK(same_activation);
    if (layer.name != "Dense") return;
    CHECK(dJ.tensor(std::to_string(i) + ".bias").isApprox(delta.rowwise().sum(), 1e-4f));
    const Matrix<float> input = i == 0 ? data.x : Matrix<float>(work.activation(i - 1));
    const Matrix<float> product = parameters["weight"] * input;
    const Vector<float> bias = parameters["bias"];
    CHECK(z.isApprox(product.colwise() + bias, 1e-5f));
    checked.push_back(i);
  });
  CHECK(checked == std::vector<Index>{0, 5});
  CHECK(values[2].activation == "GELU");
  CHECK(values[2].z == work.activation(1));
}

TEST_CASE(
    "AnyLoss takes weights, class weights, labels of three types, and targets with other rows than outputs, as the loss inside does") {
  const Data data;
  Vector<float> w = Vector<float>::LinSpaced(47, 0.0f, 2.0f);
  const ClassWeighted<SoftmaxCrossEntropy> loss{1, 2, 5};
  const Network<float, ClassWeighted<SoftmaxCrossEntropy>, Dense<8, 3>> fixed{Seed{3}, loss};
  const AtRunTime any{Seed{3}, loss, {Dense<8, 3>{}}};
  auto work = any.make_workspace(47);
  auto fixed_work = fixed.make_workspace(47);
  auto dJ = any.make_gradients();
  auto fixed_dJ = fixed.make_gradients();
  any.forward(data.x, work);
  fixed.forward(data.x, fixed_work);
  CHECK(any.loss(data.y, work) == fixed.loss(data.y, fixed_work));
  CHECK(any.loss(weighted(data.y, w), work) == fixed.loss(weighted(data.y, w), fixed_work));
  CHECK(any.mean_weight(weighted(data.y, w)) == fixed.mean_weight(weighted(data.y, w)));
  any.backward(data.x, weighted(data.y, w), work, dJ);
  fixed.backward(data.x, weighted(data.y, w), fixed_work, fixed_dJ);
  CHECK(dJ.flat() == fixed_dJ.flat());
  CHECK(any.loss(std::vector<std::uint8_t>(data.y.begin(), data.y.end()), work) == any.loss(data.y, work));
  CHECK(any.loss(std::vector<std::int64_t>(data.y.begin(), data.y.end()), work) == any.loss(data.y, work));

  const Network<float, GaussianNLL, Dense<8, 4>> two{Seed{3}};
  const AtRunTime any_two{Seed{3}, GaussianNLL{}, {Dense<8, 4>{}}};
  const Matrix<float> y = data.x.topRows(2);
  auto two_work = two.make_workspace(47);
  auto any_work = any_two.make_workspace(47);
  CHECK(any_two.evaluate(data.x, y, any_work).loss == two.evaluate(data.x, y, two_work).loss);
}

TEST_CASE("AnyLoss has the second derivatives of the loss inside, with weights, and says which a loss of the user's lacks") {
  const Matrix<float> z{{1, 2, -1}, {0, 3, 1}}, d{{1, -1, 0.5f}, {2, 0, 1}};
  const std::vector<int> y{0, 1, 1};
  const std::vector<float> w{1, 0, 3};
  const auto view = [](auto& m) { return detail::const_view<float>(m); };
  const auto product = [&](const auto& loss) {
    Matrix<float> out(2, 3);
    detail::loss_gradient_jvp(loss, view(z), weighted(y, w, 2), view(d), detail::mutable_view<float>(out));
    return out;
  };
  const auto tangent = [&](const auto& loss) {
    Matrix<float> p = z, t = d;
    loss.link(detail::mutable_view<float>(p));
    loss.link_jvp(view(p), detail::mutable_view<float>(t));
    return t;
  };
  const ClassWeighted<SoftmaxCrossEntropy> loss{1, 5};
  const AnyLoss<float> any = loss;
  CHECK(any.has_gradient_jvp());
  CHECK(any.has_link_jvp());
  CHECK(product(any) == product(loss));
  CHECK(tangent(any) == tangent(loss));
  CHECK(!product(any).isZero(0));

  static_assert(!TwiceDifferentiableLoss<ClassWeighted<Mine>> && !DifferentiableLink<ClassWeighted<Mine>>);
  const AnyLoss<float> mine = Mine{};
  CHECK(!mine.has_gradient_jvp());
  CHECK(!mine.has_link_jvp());
  CHECK_THROWS_SAYING(product(mine), StateError, "AnyLoss: the loss inside, Mine, has no gradient_jvp(y_hat, y, direction, out)");
  CHECK_THROWS_SAYING(tangent(mine), StateError, "AnyLoss: the loss inside, Mine, has no link_jvp(prediction, tangent)");
}

TEST_CASE("AnyNetwork computes dJ/dx only if asked for, and nothing before the first layer with parameters otherwise") {
  const Data data;
  Network<float, SquaredError, Normalize<8>, Dense<8, 5, Tanh>, Dense<5, 8>> fixed{Seed{3}};
  AtRunTime any{Seed{3}, SquaredError{}, {Normalize<8>{}, Dense<8, 5, Tanh>{}, Dense<5, 8>{}}};
  fixed.buffers().setConstant(0.5f);
  any.buffer("0.shift").setConstant(0.5f);
  any.buffer("0.scale").setConstant(0.5f);
  auto work = any.make_workspace(47);
  auto fixed_work = fixed.make_workspace(47);
  auto dJ = any.make_gradients();
  auto fixed_dJ = fixed.make_gradients();
  Matrix<float> dJ_dx(8, 47), fixed_dJ_dx(8, 47);
  any.forward(data.x, work);
  fixed.forward(data.x, fixed_work);
  any.backward(data.x, data.x, work, dJ, dJ_dx);
  fixed.backward(data.x, data.x, fixed_work, fixed_dJ, fixed_dJ_dx);
  CHECK(dJ.flat() == fixed_dJ.flat());
  CHECK(dJ_dx == fixed_dJ_dx);
  any.backward(data.x, data.x, work, dJ);
  CHECK(dJ.flat() == fixed_dJ.flat());

  auto copy = work;  // a workspace is a value
  any.forward(data.x.leftCols(3).eval(), copy);
  CHECK(work.cached_samples() == 47);
  CHECK(dJ.tensor("1.weight").rows() == 5);
  CHECK(dJ.layer<1>()["weight"] == fixed_dJ.layer<1>().weight);
  CHECK(work.activation<1>() == fixed_work.activation<1>());
}

TEST_CASE("AnyLayers and AnyNetwork reject layers and losses that do not fit together") {
  CHECK_THROWS_WITH((AnyLayers<float>{Dense<3, 4>{}, Dense<5, 2>{}}), Contains("layer<1> expects 5 inputs, but layer<0> gives 4 outputs"));
  CHECK_THROWS_WITH((AnyLayers<float>{Dropout<>{}}), Contains("Dropout, has no layer before it"));
  CHECK_THROWS_WITH((AtRunTime{Seed{1}, SquaredError{}, AnyLayers<float>{}}), Contains("at least one layer"));
  CHECK_THROWS_WITH((AtRunTime{Seed{1}, SoftmaxCrossEntropy{}, {Dense<3, 2, ReLU>{}}}),
                    Contains("SoftmaxCrossEntropy works on logits") && Contains("it has ReLU"));
  CHECK_THROWS_WITH((AtRunTime{Seed{1}, SoftmaxCrossEntropy{}, {Dense<3, 1>{}}}), Contains("needs at least 2 outputs"));
}

TEST_CASE("AnyLayer, AnyLayers, AnyLoss and AnyNetwork that were moved from stay whole or throw StateError") {
  const Data data;
  AnyLayer<float> layer = Dense<8, 3>{};
  const AnyLayer<float> moved_layer = std::move(layer);
  CHECK(layer.inputs() == moved_layer.inputs());
  AnyLoss<float> loss = SoftmaxCrossEntropy{};
  const AnyLoss<float> moved_loss = std::move(loss);
  CHECK(loss.on_logits());
  AnyLayers<float> layers{layer};
  const AnyLayers<float> moved_layers = std::move(layers);
  CHECK(layers.outputs() == 3);

  AtRunTime net{Seed{1}, loss, layers};
  const AtRunTime same = net;
  auto work = net.make_workspace(47);
  auto dJ = net.make_gradients();
  net.forward(data.x, work);
  const AtRunTime moved = std::move(net);
  CHECK(moved.predict(data.x) == same.predict(data.x));
  CHECK_THROWS_AS(net.forward(data.x, work), StateError);
  CHECK_THROWS_AS(net.predict(data.x), StateError);
  CHECK_THROWS_AS(net.backward(data.x, data.y, work, dJ), StateError);
  CHECK_THROWS_AS(net.loss(data.y, work), StateError);
  CHECK_THROWS_AS(net.parameters(), StateError);
  CHECK_THROWS_AS(net.tensor("0.weight"), StateError);
  CHECK(net.inputs() == 8);
  CHECK(net.loss_function().name == "SoftmaxCrossEntropy");

  auto moved_work = std::move(work);
  CHECK_THROWS_WITH(moved.forward(data.x, work), Contains("forward: this workspace was moved to another object"));
  CHECK_THROWS_WITH(moved.backward(data.x, data.y, work, dJ), Contains("backward: this workspace was moved to another object"));
  CHECK_THROWS_AS(work.activation<0>(), StateError);
  moved.backward(data.x, data.y, moved_work, dJ);
  net = moved;
  CHECK(net.predict(data.x) == same.predict(data.x));
}

TEST_CASE("an AnyLayer that takes its inputs from the layer before it throws StateError where they are needed") {
  const AnyLayer<float> dropout = Dropout<>{};
  CHECK_THROWS_AS(dropout.inputs(), StateError);
  CHECK_THROWS_AS(dropout.tensors(), StateError);
  CHECK_THROWS_AS(dropout.describe(), StateError);
  CHECK_THROWS_WITH(dropout.outputs(), Contains("Dropout takes its number of inputs from the layer before it; for_inputs(n)"));
  CHECK(dropout.for_inputs(4).outputs() == 4);
}

TEST_CASE("AnyNetwork rejects a workspace or gradients made for a network with other layers or extents") {
  const AtRunTime net = linear(8, 3);
  const Data data;
  const Matrix<float> y = data.x.topRows(3);
  auto work = net.make_workspace(47);
  auto dJ = net.make_gradients();
  net.forward(data.x, work);
  for (const AtRunTime& other : {AtRunTime{Seed{1}, SquaredError{}, {Dense<8, 4>{}, Dense<4, 3>{}}},
                                 AtRunTime{Seed{1}, SquaredError{}, {Dense<8, 3, ReLU>{}}}, linear(8, 4)}) {
    auto others = other.make_workspace(47);
    CHECK_THROWS_AS(net.forward(data.x, others), ShapeError);
  }
  auto others = AtRunTime{Seed{1}, SquaredError{}, {Dense<8, 3>{}, Dense<3, 3>{}}}.make_gradients();
  CHECK_THROWS_WITH(net.backward(data.x, y, work, others), Contains("these gradients were made for another network"));
  CHECK_THROWS_WITH(net.loss(data.y, work), Contains("integer class labels go with SoftmaxCrossEntropy"));
  CHECK_THROWS_WITH(net.tensor("2.weight"), Contains("\"2.weight\"") && Contains("0.weight, 0.bias"));
  CHECK(net.tensor("0.weight").cols() == 8);
}
