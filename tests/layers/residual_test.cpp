#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/initializers/zeros.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/layers/layer_norm.hpp>
#include <chainrule/layers/residual.hpp>
#include <string>

#include "support/layer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

using Any = Dense<Dynamic, Dynamic>;

template <class Tensors>
std::string names_of(const Tensors& tensors) {
  std::string names;
  for (const TensorShape& tensor : tensors) names += std::string(tensor.name) + " ";
  return names;
}

}  // namespace

TEST_CASE("Residual with Dropout, LayerNorm and changing widths inside satisfies the layer contract") {
  using Fixed =
      Residual<Dense<3, 4, Tanh, Zeros>, Dropout<>, Residual<LayerNorm<>, Dense<4, 4, Tanh, Zeros>>, Dense<4, 3, Identity, Zeros>>;
  using Inner = Residual<LayerNorm<>, Dense<Dynamic, Dynamic, Tanh, Zeros>>;
  using AtRunTime = Residual<Dense<Dynamic, Dynamic, Tanh, Zeros>, Dropout<>, Inner, Dense<Dynamic, Dynamic, Identity, Zeros>>;
  std::vector<double> initial(12 + 4 + (4 + 4 + 16 + 4) + 12 + 3, 0);
  std::fill_n(initial.begin() + 16, 4, 1);  // the weight of LayerNorm
  check_layer(Fixed{}, AtRunTime{{3, 4}, Dropout<>{}, Inner{LayerNorm<>{}, {4, 4}}, {4, 3}}, {.initial_parameters = initial});
}

TEST_CASE("Residual with BatchNorm inside satisfies the layer contract") {
  using Fixed = Residual<BatchNorm<3>, Residual<BatchNorm<>>>;
  using AtRunTime = Residual<BatchNorm<Dynamic>, Residual<BatchNorm<>>>;
  check_layer(Fixed{}, AtRunTime{BatchNorm<Dynamic>{3}, Residual<BatchNorm<>>{}},
              {.initial_parameters = {1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0}, .samples_independent = false});
}

TEST_CASE("Residual by hand: a = x + f(W x + b), and every gradient") {
  //     W = (1 2)   b = ( 0.5)   x = (3)   f(W x + b) = ReLU(11.5) = (11.5)
  //         (3 -4)      (-1  )       (4)                ReLU(-8)     ( 0  )
  const Residual<Dense<2, 2, ReLU>> layer;
  const auto [a, gradient, dJ_dx] = by_hand(layer, {1, 3, 2, -4, 0.5, -1}, Matrix<double>{{3}, {4}}, Matrix<double>{{10}, {100}});
  CHECK(close(a, {{14.5}, {4}}));
  // delta = (10, 0): dJ/dW = delta x^T, dJ/db = delta, dJ/dx = W^T delta + dJ/da = (10, 20) + (10, 100)
  CHECK(close<double>(gradient, {{30}, {0}, {40}, {0}, {10}, {0}}));
  CHECK(close(dJ_dx, {{20}, {120}}));
}

TEST_CASE("three nested Residuals around W x + b give 3 x + W x + b") {
  Network<double, SquaredError, Residual<Residual<Residual<Dense<2, 2>>>>> net{Seed{1}};
  net.parameters() << 1, 3, 2, -4, 0.5, -1;
  CHECK(net.predict(Eigen::Vector2d(3, 4)) == Eigen::Vector2d(9 + 11.5, 12 - 8));
  CHECK(names_of(std::get<0>(net.layers()).tensors()) == "0.0.0.weight 0.0.0.bias ");
  CHECK(std::get<0>(std::get<0>(std::get<0>(net.layer<0>()))).weight(1, 1) == -4);
}

TEST_CASE("Residual's inner layers infer their extents, and their tensors, parameters and buffers can be reached by name") {
  using Net = Network<float, SquaredError, Dense<2, 3>,
                      Residual<BatchNorm<>, Dense<3, 4>, Dropout<>, Residual<LayerNorm<>, BatchNorm<>>, Dense<4, 3>>>;
  Net net{Seed{1}};
  const auto& layer = std::get<1>(net.layers());
  CHECK(layer.inputs() == 3);
  CHECK(layer.outputs() == 3);
  CHECK(layer.fewest_training_samples() == 2);
  CHECK(layer.activation_name() == "");
  CHECK(names_of(layer.tensors()) == "0.weight 0.bias 1.weight 1.bias 3.0.weight 3.0.bias 3.1.weight 3.1.bias 4.weight 4.bias ");
  CHECK(names_of(layer.buffer_tensors()) ==
        "0.running_mean 0.running_variance 0.batches 3.1.running_mean 3.1.running_variance 3.1.batches ");
  CHECK(layer.tensors()[2].decays);
  CHECK_FALSE(layer.tensors()[3].decays);
  CHECK(layer.tensors()[2].rows == 4);
  CHECK(layer.tensors()[2].cols == 3);

  CHECK(net.parameters().size() == 9 + (6 + 16 + 0 + 8 + 8 + 15));
  std::get<1>(net.layer<1>()).weight(3, 2) = 17;
  CHECK(net.parameters()[9 + 6 + 11] == 17);
  std::get<1>(std::get<3>(net.layer<1>())).bias[3] = 18;
  CHECK(net.parameters()[9 + 6 + 16 + 8 + 7] == 18);

  CHECK(net.buffers().size() == 7 + 9);
  std::get<0>(net.buffers<1>()).running_mean[2] = 5;
  CHECK(net.buffers()[2] == 5);
  CHECK(std::get<1>(std::get<3>(net.buffers<1>())).running_variance == Eigen::Vector4f(1, 1, 1, 1));
  CHECK(std::get<1>(std::get<3>(std::as_const(net).buffers<1>())).batches == 0);
}

TEST_CASE("Residual passes on errors of its inner layers and updates their running statistics") {
  Network<float, SquaredError, Dense<2, 3>, Residual<Dense<3, 3>, Residual<BatchNorm<>>>> net{Seed{1}};
  const Matrix<float> x{{0, 3, 6}, {4, -2, 1}};
  auto work = net.make_workspace(3);
  CHECK_THROWS_SAYING(net.predict(x), StateError, "BatchNorm has no running statistics");
  CHECK_THROWS_SAYING(net.forward(x.leftCols(1), work), ShapeError, "BatchNorm cannot learn from a batch of one sample");
  net.forward(x, work);
  net.update_statistics(work);
  CHECK(std::get<0>(std::get<1>(net.buffers<1>())).batches == 1);
  CHECK_NOTHROW(net.predict(x));
}

TEST_CASE("Dropout layers inside Residuals, nested or not, draw different masks") {
  using Net = Network<double, SquaredError, Residual<Dropout<40>>, Residual<Dropout<40>, Residual<Dropout<>>>>;
  const Net net{Seed{1}};
  auto work = net.make_workspace(1);
  net.forward(Eigen::VectorXd::Ones(40).eval(), work);
  const auto mask = [](const auto& cache) { return Vector<double>(cache.mask.first(1)); };
  const auto first = mask(std::get<0>(work.cache<0>().caches));
  const auto second = mask(std::get<0>(work.cache<1>().caches));
  const auto third = mask(std::get<0>(std::get<1>(work.cache<1>().caches).caches));
  const bool all_different = first != second && second != third && first != third;
  CHECK(all_different);
}

TEST_CASE("Residual checks run-time extents of its inner layers at construction") {
  CHECK_THROWS_SAYING((Residual<Any, Any>{{3, 4}, {5, 3}}), ShapeError,
                      "Residual: layer<1> expects 5 inputs, but layer<0> gives 4 outputs");
  CHECK_THROWS_SAYING((Residual<Any, Any>{{3, 4}, {4, 5}}), ShapeError,
                      "Residual: x + F(x) needs as many outputs as inputs, but the layers inside make 5 of 3");
  CHECK_THROWS_SAYING((make_network<float, SquaredError>(Seed{1}, Dense<2, 3>{}, Residual{BatchNorm<>{}, Any{4, 3}})), ShapeError,
                      "Residual: layer<1> expects 4 inputs, but layer<0> gives 3 outputs");
}

TEST_CASE("a workspace or gradients for other extents inside a Residual are rejected") {
  const auto net_with = [](Index hidden) {
    return make_network<float, SquaredError>(Seed{1}, Dense<2, 3>{}, Residual<Any, Any>{{3, hidden}, {hidden, 3}});
  };
  const auto net = net_with(4);
  const auto other = net_with(400);
  const Matrix<float> x{{0, 3}, {4, -2}};
  const Matrix<float> y{{0, 3}, {4, -2}, {1, 1}};
  auto work = net.make_workspace(2);
  auto other_work = other.make_workspace(2);
  auto gradients = net.make_gradients();
  CHECK_THROWS_SAYING(other.forward(x, work), ShapeError, "this workspace was made for another network: layer<1> has an extent of 4 there",
                      "400 here");
  CHECK_THROWS_SAYING(other.predict(x, work), ShapeError, "made for another network: layer<1>");
  other.forward(x, other_work);
  CHECK_THROWS_SAYING(other.backward(x, y, other_work, gradients), ShapeError,
                      "these gradients were made for another network: layer<1> has an extent of 4 there");
}
