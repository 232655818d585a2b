#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/prelu.hpp>

#include "support/layer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("PReLU satisfies the layer contract") {
  check_layer(PReLU<Slopes::shared, 5>{}, PReLU<Slopes::shared, Dynamic>{5}, {.initial_parameters = {0.25}});
}

TEST_CASE("PReLU with one slope per unit satisfies the layer contract") {
  check_layer(PReLU<Slopes::per_unit, 5>{}, PReLU<Slopes::per_unit, Dynamic>{5}, {.initial_parameters = {0.25, 0.25, 0.25, 0.25, 0.25}});
}

TEST_CASE("PReLU with a shared slope, by hand: a = alpha z below 0, and dJ/dalpha sums over units and samples") {
  const auto [a, gradient, dJ_dx] =
      by_hand(PReLU<Slopes::shared, 2>{}, {0.25}, Matrix<double>{{-4, 2}, {0, -1}}, Matrix<double>{{1, 2}, {3, 4}});
  CHECK(close(a, {{-1, 2}, {0, -0.25}}));
  CHECK(close<double>(gradient, {{1 * -4 + 4 * -1}}));
  CHECK(close(dJ_dx, {{0.25, 2}, {0.75, 1}}));
}

TEST_CASE("PReLU with one slope per unit, by hand: dJ/dalpha sums over samples") {
  const auto [a, gradient, dJ_dx] =
      by_hand(PReLU<Slopes::per_unit, 2>{}, {0.5, -1}, Matrix<double>{{-4, 2}, {0, -1}}, Matrix<double>{{1, 2}, {3, 4}});
  CHECK(close(a, {{-2, 2}, {0, 1}}));
  CHECK(close<double>(gradient, {{-4}, {-4}}));
  CHECK(close(dJ_dx, {{0.5, 2}, {-3, -4}}));
}

TEST_CASE("PReLU's gradient is right for more units than a chunk holds") {
  Random random{Seed{4}};
  const auto net = net_of<double>(PReLU<Slopes::shared, Dynamic>{19}, NoPreparation{});
  check_gradients_of_layer(net, random_matrix<double>(19, 3, random), random_matrix<double>(19, 3, random));
}

// Adding 0.1 x -0.1 to a float in order is off by 0.3 % after 60,000 times.
TEST_CASE("PReLU's gradient is exact to a few roundings for many samples") {
  const Eigen::MatrixXf z = Eigen::MatrixXf::Constant(2, 60000, -0.1f);
  Eigen::MatrixXf delta = Eigen::MatrixXf::Constant(2, 60000, 0.1f);
  const auto error_of = [&](const auto& layer, double terms) {
    typename std::remove_cvref_t<decltype(layer)>::template Cache<float, Dynamic> cache{layer, 60000};
    const float theta[2] = {};
    float gradient[2] = {};
    layer.backward(theta, detail::const_view<float>(z), cache, detail::mutable_view<float>(delta), gradient,
                   static_cast<MatrixView<float>*>(nullptr));
    return std::abs(static_cast<double>(gradient[0]) / (terms * static_cast<double>(0.1f) * static_cast<double>(-0.1f)) - 1);
  };
  CHECK(error_of(PReLU<Slopes::shared, Dynamic>{2}, 120000) < 2e-6);
  CHECK(error_of(PReLU<Slopes::per_unit, Dynamic>{2}, 60000) < 2e-6);
}

TEST_CASE("PReLU computes the same in training and prediction, and weight decay does not apply to its slope") {
  Network<float, SquaredError, Dense<2, 3>, PReLU<>, PReLU<Slopes::per_unit>> net{Seed{1}};
  net.layer<1>().slope << 0.5f;
  net.layer<2>().slope << 1, 2, 3;
  const Matrix<float> x{{1}, {-2}};
  auto work = net.make_workspace(1);
  const Matrix<float> a = net.forward(x, work);
  const bool same = net.predict(x) == a;
  CHECK(same);
  CHECK(net.parameters().tail(4) == Eigen::Vector4f(0.5f, 1, 2, 3));
  CHECK_FALSE(std::get<1>(net.layers()).tensors()[0].decays);
}

TEST_CASE("PReLU infers its extent from the layer before and keeps its initial slope") {
  const auto net = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic>{2, 3}, PReLU<>{0.1}, PReLU<Slopes::per_unit>{-0.5});
  CHECK(net.layer<1>().slope.size() == 1);
  CHECK(net.layer<1>().slope[0] == 0.1f);
  CHECK(net.layer<2>().slope == Eigen::Vector3f::Constant(-0.5f));
  CHECK(std::get<1>(net.layers()).activation_name() == "PReLU");
}

TEST_CASE("PReLU rejects an initial slope that is not finite") {
  CHECK_THROWS_SAYING(PReLU<>{std::numeric_limits<double>::quiet_NaN()}, ValueError,
                      "PReLU: the initial slope must be a finite number, got nan");
  CHECK_THROWS_SAYING(PReLU<>{-std::numeric_limits<double>::infinity()}, ValueError, "got -inf");
  CHECK_THROWS_SAYING((PReLU<Slopes::per_unit, Dynamic>{0}), ShapeError, "PReLU: the number of units must be at least 1, got 0");
}
