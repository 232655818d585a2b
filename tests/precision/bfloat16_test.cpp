#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/kernels/bf16.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/embedding.hpp>
#include <chainrule/layers/fake_quantized_dense.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <chainrule/precision/bfloat16.hpp>
#include <chainrule/selection/cross_validate.hpp>
#include <chainrule/testing/detail/reversed_team.hpp>
#include <chainrule/training/save_checkpoints.hpp>
#include <chainrule/training/trainer.hpp>
#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/random_data.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using Exact = Eigen::MatrixXd;

namespace {

// bfloat16 on one unit, also where another one is the best of this machine
template <kernels::Bf16Unit unit>
constexpr ProductPrecision on{"bfloat16", [](std::span<const TensorShape> parameters, Index max_batch) {
                                return std::unique_ptr<DenseProducts<float>>(new detail::Bf16Products<float>(parameters, max_batch, unit));
                              }};
std::vector<ProductPrecision> precisions_here() {
  std::vector<ProductPrecision> all{on<kernels::Bf16Unit::none>};
  if (kernels::has_bf16_unit(kernels::Bf16Unit::avx512)) all.push_back(on<kernels::Bf16Unit::avx512>);
  if (kernels::has_bf16_unit(kernels::Bf16Unit::amx)) all.push_back(on<kernels::Bf16Unit::amx>);
  return all;
}

using Hidden = Dense<Dynamic, Dynamic, Tanh>;
using Output = Dense<Dynamic, Dynamic>;
using Net = Network<float, MeanSquaredError, Hidden, Output, Output>;
// the last layer has too few outputs for bfloat16
Net make_net() { return make_network<float, MeanSquaredError>(Seed{1}, Hidden{41, 75}, Output{75, 33}, Output{33, 3}); }

struct Data {
  explicit Data(Index batch, Index inputs = 41, Index outputs = 3) : x(inputs, batch), y(outputs, batch) {
    Random random{Seed{2}};
    x = chainrule_test::random_matrix<float>(inputs, batch, random);
    y = chainrule_test::random_matrix<float>(outputs, batch, random);
  }
  Matrix<float> x, y;
};

Exact rounded(const Exact& m) {
  return m.unaryExpr([](double x) { return double{kernels::from_bf16(kernels::to_bf16(static_cast<float>(x)))}; });
}

// Passes of make_net by the definition, in double: W, a and delta are rounded where they enter a product of the first two layers.
struct Defined {
  Defined(const Net& net, const Data& data) {
    const auto& first = net.layer<0>();
    const auto& second = net.layer<1>();
    const auto& third = net.layer<2>();
    const Exact x = data.x.cast<double>(), W1 = first.weight.cast<double>(), W2 = second.weight.cast<double>(),
                W3 = third.weight.cast<double>();
    const auto with_bias = [](const Exact& z, const auto& b) -> Exact { return z.colwise() + b.template cast<double>().eval(); };
    const Exact a2 = with_bias(rounded(W1) * rounded(x), first.bias).array().tanh();
    const Exact a3 = with_bias(rounded(W2) * rounded(a2), second.bias);
    y_hat = with_bias(W3 * a3, third.bias);
    const Exact delta4 = (y_hat - data.y.cast<double>()) * (2.0 / static_cast<double>(y_hat.size()));
    const Exact delta3 = W3.transpose() * delta4;
    const Exact delta2 = (rounded(W2).transpose() * rounded(delta3)).array() * (1 - a2.array().square());
    dW2 = rounded(delta3) * rounded(a2).transpose();
    db2 = delta3.rowwise().sum();
    dW1 = rounded(delta2) * rounded(x).transpose();
    dx = rounded(W1).transpose() * rounded(delta2);
  }
  Exact y_hat, dW1, dW2, db2, dx;
};

// A number that lies close to the middle between two bfloat16 numbers may be rounded either way, because a2 in float and in double differ
// in the last bits; one such flip in a sum of 75 terms is 2^-9 / 75 of it.
template <class A>
bool is_close(const A& a, const Exact& b) {
  return (a.template cast<double>() - b).norm() < 2e-4 * b.norm();
}

}  // namespace

TEST_CASE("Passes in bfloat16 compute the products of rounded operands with sums in float, and all else in float") {
  const Net net = make_net();
  for (const Index batch : {1, 50, 97}) {
    const Data data(batch);
    const Defined defined(net, data);
    for (const ProductPrecision& precision : precisions_here()) {
      CAPTURE(batch);
      auto work = net.make_workspace(100, precision);
      auto dJ = net.make_gradients();
      Matrix<float> dx(41, batch), dx_alone(41, batch);
      CHECK(is_close(net.forward(data.x, work), defined.y_hat));
      net.backward(data.x, data.y, work, dJ, dx);
      CHECK(is_close(dJ.layer<0>().weight, defined.dW1));
      CHECK(is_close(dJ.layer<1>().weight, defined.dW2));
      CHECK(is_close(dJ.layer<1>().bias, defined.db2));
      CHECK(is_close(dx, defined.dx));
      net.forward(data.x, work);
      net.input_gradient(data.x, data.y, work, dx_alone);
      CHECK(dx_alone == dx);
      CHECK(is_close(net.predict(data.x, work), defined.y_hat));

      // The rounding is there: products in float differ by much more.
      auto plain = net.make_workspace(100);
      CHECK_FALSE(is_close(net.forward(data.x, plain), defined.y_hat));
    }
  }
}

TEST_CASE("Units for bfloat16 agree within the rounding of their sums") {
  const Net net = make_net();
  const Data data(64);
  auto reference = net.make_workspace(64, on<kernels::Bf16Unit::none>);
  const Matrix<float> expected = net.layer<0>().weight * data.x;  // for the size of the terms
  net.forward(data.x, reference);
  const Matrix<float> a = reference.activation<0>();
  const Matrix<float> size = net.layer<0>().weight.cwiseAbs() * data.x.cwiseAbs();
  for (const ProductPrecision& precision : precisions_here()) {
    auto work = net.make_workspace(64, precision);
    net.forward(data.x, work);
    const float bound = (41 + 2) * 0x1p-23f;
    CHECK(((work.activation<0>() - a).array().abs() <= bound * size.array() + 4e-7f).all());  // 4e-7: the error of tanh
  }
}

TEST_CASE("Passes and steps in bfloat16 give the same bits for any team, as a part of a batch, and by descend or backward and step") {
  const Data data(300);
  for (const ProductPrecision& precision : precisions_here()) {
    const auto trained = [&](Team* team, bool at_once) {
      Net net = make_network<float, MeanSquaredError>(Seed{1}, Hidden{41, 200}, Output{200, 120}, Output{120, 3});
      auto work = net.make_workspace(300, precision);
      work.set_team(team);
      auto dJ = net.make_gradients();
      const SGD rule{.learning_rate = 0.1};
      auto state = rule.make_state(net);
      for (int step = 0; step < 3; ++step) {
        net.forward(data.x, work);
        if (at_once) {
          descend(net, data.x, data.y, work, dJ, rule, state);
        } else {
          net.backward(data.x, data.y, work, dJ);
          rule.step(net.parameters(), dJ, state);
        }
      }
      return net;
    };
    const Net alone = trained(nullptr, false);
    CHECK(trained(nullptr, true).parameters() == alone.parameters());
    for (const Index threads : {2, 5}) {
      testing::ReversedTeam team(threads);
      CHECK(trained(&team, false).parameters() == alone.parameters());
      CHECK(trained(&team, true).parameters() == alone.parameters());
      CHECK(team.was_used());
    }
    auto work = alone.make_workspace(300, precision), small = alone.make_workspace(7, precision);
    const Matrix<float> all = alone.predict(data.x, work);
    CHECK(alone.predict(data.x.middleCols(20, 7), small) == all.middleCols(20, 7));
  }
}

TEST_CASE("Fixed and run-time extents, an AnyNetwork and layers in a Residual have the same bits in bfloat16") {
  const Data data(40, 32, 32);
  const auto passes = [&](const auto& net) {
    auto work = net.make_workspace(40, bfloat16);
    auto dJ = net.make_gradients();
    net.forward(data.x, work);
    net.backward(data.x, data.y, work, dJ);
    return Matrix<float>(dJ.flat());
  };
  const Network<float, MeanSquaredError, Dense<32, 48, ReLU>, Residual<Dense<48, 48, Tanh>>, Dense<48, 32>> fixed(Seed{3});
  const auto dynamic = make_network<float, MeanSquaredError>(Seed{3}, Dense<Dynamic, Dynamic, ReLU>{32, 48},
                                                             Residual<Dense<Dynamic, Dynamic, Tanh>>{Dense<Dynamic, Dynamic, Tanh>{48, 48}},
                                                             Dense<Dynamic, Dynamic>{48, 32});
  const AnyNetwork<float> any(Seed{3}, MeanSquaredError{},
                              {Dense<Dynamic, Dynamic, ReLU>{32, 48}, Residual<Dense<48, 48, Tanh>>{}, Dense<Dynamic, Dynamic>{48, 32}});
  CHECK(passes(dynamic) == passes(fixed));
  CHECK(passes(any) == passes(fixed));
  auto in_float = fixed.make_workspace(40);
  auto dJ = fixed.make_gradients();
  fixed.forward(data.x, in_float);
  fixed.backward(data.x, data.y, in_float, dJ);
  CHECK(passes(fixed) != dJ.flat());
}

TEST_CASE("A FakeQuantizedDense stays in float in a workspace in bfloat16") {
  const Data data(20);
  const AnyNetwork<float> net(Seed{3}, MeanSquaredError{}, {FakeQuantizedDense<Dynamic, Dynamic>{41, 75}, Output{75, 3}});
  auto work = net.make_workspace(20, bfloat16), in_float = net.make_workspace(20);
  auto dJ = net.make_gradients(), expected = net.make_gradients();
  net.forward(data.x, work);
  net.backward(data.x, data.y, work, dJ);
  net.forward(data.x, in_float);
  net.backward(data.x, data.y, in_float, expected);
  CHECK(work.activation(0) == in_float.activation(0));
  CHECK(dJ.flat() == expected.flat());
}

TEST_CASE("A copy of a workspace in bfloat16 has memory of its own and no forward pass; a moved one keeps it") {
  const Net net = make_net();
  const Data data(20);
  auto work = net.make_workspace(20, bfloat16);
  net.forward(data.x, work);
  auto copy = work;
  CHECK(copy.cached_samples() == 0);
  auto dJ = net.make_gradients(), other = net.make_gradients();
  CHECK_THROWS_SAYING(net.backward(data.x, data.y, copy, other), StateError, "forward");
  auto moved = std::move(work);
  net.backward(data.x, data.y, moved, dJ);
  net.forward(data.x, copy);
  net.backward(data.x, data.y, copy, other);
  CHECK(other.flat() == dJ.flat());
}

TEST_CASE("Products of a user's own are asked for the layers that they take") {
  struct Doubled final : DenseProducts<float> {
    std::unique_ptr<DenseProducts<float>> clone() const override { return std::make_unique<Doubled>(); }
    bool takes(Index outputs, Index) const override { return outputs == 33; }
    void affine(const float* w, const float* b, ConstMatrixView<float> x, MatrixView<float> z, Team*) override {
      z.colwise() = Eigen::Map<const Eigen::VectorXf>(b, z.rows());
      z += 2 * (Eigen::Map<const Matrix<float>>(w, z.rows(), x.rows()) * x);
    }
    void backward(const float*, ConstMatrixView<float>, ConstMatrixView<float>, float*, MatrixView<float>*, Team*) override {}
    void backward_and_step(float*, ConstMatrixView<float>, ConstMatrixView<float>, float, float*, MatrixView<float>*, Team*) override {}
  };
  constexpr ProductPrecision doubled{"doubled", [](std::span<const TensorShape> parameters, Index max_batch) {
                                       CHECK(parameters.size() == 6);
                                       CHECK(parameters[2].rows == 33);
                                       CHECK(max_batch == 10);
                                       return std::unique_ptr<DenseProducts<float>>(new Doubled);
                                     }};
  Net net = make_net();
  const Data data(10);
  auto work = net.make_workspace(10, doubled), plain = net.make_workspace(10);
  const Matrix<float> y = net.predict(data.x, work);
  net.layer<1>().weight *= 2;
  CHECK((y - net.predict(data.x, plain)).norm() < 1e-5f * y.norm());
}

TEST_CASE("Products are made for the parameters of all layers but an Embedding, and a function that makes none is refused") {
  constexpr ProductPrecision precision{"counted", [](std::span<const TensorShape> parameters, Index) {
                                         CHECK(parameters.size() == 2);
                                         CHECK(parameters[0].cols == 20);
                                         return std::unique_ptr<DenseProducts<float>>();
                                       }};
  const AnyNetwork<float> net(Seed{3}, MeanSquaredError{},
                              {Embedding<Dynamic>{5, {CategoryRow{.row = 2, .categories = 100, .size = 16}}}, Output{20, 30}});
  CHECK_THROWS_SAYING(net.make_workspace(10, precision), ValueError, "the function of the precision counted has made no products");
}

TEST_CASE("fit with .precision = bfloat16 makes the steps of a loop in bfloat16, for any number of threads, and a checkpoint records it") {
  const Data data(96);
  const Dataset<float, Matrix<float>> train{data.x, data.y};
  const chainrule_test::TemporaryFolder folder;
  const Checkpoint checkpoint{.path = folder.path("run")};
  const auto fitted = [&](const FitOptions<float, ConstMatrixView<float>>& options, auto&... observers) {
    Net net = make_net();
    Trainer{net, Adam{}}.fit(train, options, observers...);
    return net;
  };
  const Net by_fit = fitted({.epochs = 2, .batch_size = 48, .shuffle = false, .precision = bfloat16});
  Net net = make_net();
  const Adam rule{};
  auto state = rule.make_state(net);
  auto work = net.make_workspace(48, bfloat16);
  auto dJ = net.make_gradients();
  for (const Index first : {0, 48, 0, 48}) {
    const auto x = data.x.middleCols(first, 48), y = data.y.middleCols(first, 48);
    net.forward(x, work);
    net.backward(x, y, work, dJ);
    rule.step(net.parameters(), dJ, state);
  }
  CHECK(by_fit.parameters() == net.parameters());
  CHECK(fitted({.epochs = 2, .batch_size = 48, .shuffle = false}).parameters() != net.parameters());
  CHECK(fitted({.epochs = 2, .batch_size = 48, .shuffle = false, .threads = 2, .precision = bfloat16}).parameters() == net.parameters());

  fitted({.epochs = 1, .precision = bfloat16}, checkpoint);
  CHECK_THROWS_SAYING(fitted({.epochs = 2}, checkpoint), ValueError, "precision: bfloat16");
  CHECK_NOTHROW(fitted({.epochs = 2, .precision = bfloat16}, checkpoint));
}

TEST_CASE("cross_validate measures folds in the precision of the training") {
  const Data samples(96);
  const Dataset<float, Matrix<float>> data{samples.x, samples.y};
  const auto folds = k_fold(data, 2);
  const auto result = cross_validate(data, folds,
                                     [](auto&) {
                                       return Learner{make_net(), Adam{}};
                                     },
                                     {.fit = {.epochs = 1, .batch_size = 16, .precision = bfloat16}});
  for (std::size_t f = 0; f < 2; ++f) {
    const auto train = subset(data, folds[f].train), validation = subset(data, folds[f].validation);
    Net net = make_net();
    const History history = Trainer{net, Adam{}}.fit(
        train, {.epochs = 1, .batch_size = 16, .validation = validation, .precision = bfloat16, .seed = derived_seed(Seed{0}, f)});
    CHECK(result["validation_loss"][f] == history["validation_loss"].back());
  }
}

TEST_CASE("vjp of a dense layer in bfloat16 takes several directions for each sample") {
  const Hidden layer{41, 75};
  Random random{Seed{8}};
  const Matrix<float> theta = chainrule_test::random_matrix<float>(75 * 42, 1, random),
                      x = chainrule_test::random_matrix<float>(41, 4, random),
                      directions = chainrule_test::random_matrix<float>(75, 4 * 3, random);
  for (const ProductPrecision& precision : precisions_here()) {
    const auto tensors = layer.tensors();
    const auto products = precision.make<float>("test", tensors, 4);
    Hidden::Cache<float, Dynamic> cache(layer, 4);
    ForwardContext<float> pass;
    pass.products = products.get();
    layer.forward(theta.data(), detail::const_view<float>(x), cache, pass);
    const auto by_x = [&](Index first, Index count) {
      Matrix<float> delta = directions.middleCols(first, count), result(41, count);
      MatrixView<float> result_view = detail::mutable_view<float>(result);
      layer.vjp(theta.data(), detail::const_view<float>(x), cache, detail::mutable_view<float>(delta), result_view);
      return result;
    };
    const Matrix<float> all = by_x(0, 12);
    for (const Index first : {0, 4, 8}) CHECK(all.middleCols(first, 4) == by_x(first, 4));
  }
}

TEST_CASE("A network learns in bfloat16 as well as in float") {
  Random random{Seed{7}};
  Matrix<float> x = chainrule_test::random_matrix<float>(41, 512, random);
  const Dataset<float, Matrix<float>> train{x, Matrix<float>(x.topRows(3).array().sin())};
  const auto loss_of = [&](const ProductPrecision& precision) {
    Net net = make_net();
    return Trainer{net, Adam{}}.fit(train, {.epochs = 20, .batch_size = 64, .precision = precision})["loss"].back();
  };
  const double in_float = loss_of({}), in_bfloat16 = loss_of(bfloat16);
  CAPTURE(in_float, in_bfloat16);
  CHECK(in_float < 0.02);
  CHECK(std::abs(in_bfloat16 - in_float) < 0.1 * in_float);
}

TEST_CASE("make_workspace and fit say what bfloat16 needs") {
  const auto net = make_network<double, MeanSquaredError>(Seed{1}, Hidden{41, 75}, Output{75, 3});
  CHECK_THROWS_SAYING(net.make_workspace(10, bfloat16), ValueError, "make_workspace: products in bfloat16 need a network of float");
  CHECK_THROWS_SAYING(make_net().make_workspace(0, bfloat16), ShapeError, "make_workspace: max_batch must be at least 1, got 0");
  for (const Index max_batch : {(std::numeric_limits<Index>::max)() / 100, (std::numeric_limits<Index>::max)()})
    CHECK_THROWS_SAYING(make_net().make_workspace(max_batch, bfloat16), ShapeError, "more than memory can hold");
  CHECK(net.make_workspace(10, ProductPrecision{}).max_batch() == 10);
  auto trained = net;
  const Dataset<double, Matrix<double>> train{Matrix<double>::Zero(41, 10), Matrix<double>::Zero(3, 10)};
  CHECK_THROWS_SAYING((Trainer{trained, Adam{}}.fit(train, {.precision = bfloat16})), ValueError,
                      "fit: products in bfloat16 need a network of float");
}
