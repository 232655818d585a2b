#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/layer_norm.hpp>

#include "support/layer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("LayerNorm satisfies the layer contract") {
  check_layer(LayerNorm<5>{}, LayerNorm<Dynamic>{5}, {.initial_parameters = {1, 1, 1, 1, 1, 0, 0, 0, 0, 0}});
}

TEST_CASE("LayerNorm's gradient is right for numbers of units that leave an incomplete chunk, and for a single unit") {
  Random random{Seed{4}};
  for (const Index units : {1, 2, 9, 19}) {
    const auto net = net_of<double>(LayerNorm<Dynamic>{units}, NoPreparation{});
    const auto x = random_matrix<double>(units, 3, random);
    const auto y = random_matrix<double>(units, 3, random);
    CAPTURE(units);
    if (units > 1) check_gradients_of_layer(net, x, y);
    if (units == 1) CHECK(net.predict(x).isConstant(net.layer<0>().bias[0]));  // one unit is its own mean: x_hat = 0
  }
}

// Sample 0 has mean 3 and variance 6, sample 1 mean 1 and variance 6, so with epsilon = 3 both divisors are sqrt(6 + 3) = 3.
TEST_CASE("LayerNorm by hand: x_hat of each sample over its units, and every gradient") {
  const std::vector<double> theta{2, 1, -1, 0.5, 10, 0};  // weight, bias
  const auto [a, gradient, dJ_dx] =
      by_hand(LayerNorm<3>{3.0}, theta, Matrix<double>{{0, 4}, {3, -2}, {6, 1}}, Matrix<double>{{1, 2}, {2, 0}, {3, 0}});
  //     x_hat = (-1  1)     weight * x_hat + bias
  //             ( 0 -1)
  //             ( 1  0)
  CHECK(close(a, {{-1.5, 2.5}, {10, 9}, {-1, 0}}));
  CHECK(close<double>(gradient, {{1}, {0}, {3}, {3}, {2}, {3}}));
  // g = weight * dJ/da = (2 4; 2 0; -3 0) has the means 1/3 and 4/3, and g * x_hat the means -5/3 and 4/3:
  // dJ/dx = (g - mean of g - x_hat * mean of g * x_hat)/3
  CHECK(close(dJ_dx, {{0, 4.0 / 9}, {5.0 / 9, 0}, {-5.0 / 9, -4.0 / 9}}));
}

TEST_CASE("LayerNorm computes the same in training and prediction, also for a single sample") {
  const Network<float, SquaredError, Dense<3, 4>, LayerNorm<>> net{Seed{1}};
  const Matrix<float> x{{1}, {-2}, {3}};
  auto work = net.make_workspace(1);
  const Matrix<float> trained_on = net.forward(x, work);
  const bool same = net.predict(x) == trained_on;
  CHECK(same);
  CHECK(std::abs(trained_on.sum()) < 1e-6f);
  CHECK(trained_on.squaredNorm() == Approx(4).epsilon(1e-3));
}

TEST_CASE("LayerNorm in float is accurate for inputs far from 0") {
  const auto [a, gradient, dJ_dx] = by_hand(LayerNorm<4>{}, {1, 1, 1, 1, 0, 0, 0, 0}, Matrix<float>{{10000}, {10001}, {10002}, {10003}},
                                            Matrix<float>::Zero(4, 1).eval());
  CHECK(a(0, 0) == Approx(-1.3416354).epsilon(1e-5));
  CHECK(a(3, 0) == Approx(1.3416354).epsilon(1e-5));
}

TEST_CASE("LayerNorm in float is accurate where squares of the inputs, and of the rounding of their mean, overflow") {
  const Network<float, SquaredError, LayerNorm<4>> net{Seed{1}};
  for (const float s : {1e25f, 1e27f, 5e37f}) {
    const Matrix<float> a = net.predict(Eigen::Vector4f{s, s, s, -s});  // deviations of s/2 and -3 s/2, and their root mean square is
    CHECK(a(0, 0) == Approx(0.57735027));                               // s sqrt(3)/2
    CHECK(a(3, 0) == Approx(-1.7320508));
  }
}

TEST_CASE("LayerNorm infers its extent from the layer before and keeps its epsilon") {
  const auto net = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic>{2, 3}, LayerNorm<>{1e-3});
  CHECK(std::get<1>(net.layers()).inputs() == 3);
  CHECK(std::get<1>(net.layers()).epsilon() == 1e-3);
}

TEST_CASE("LayerNorm rejects an epsilon that is not above 0 and finite") {
  CHECK_THROWS_SAYING(LayerNorm<3>{0.0}, ValueError, "LayerNorm: epsilon must be above 0 and finite, got 0");
  CHECK_THROWS_SAYING(LayerNorm<>{-1e-5}, ValueError, "got -1e-05");
  CHECK_THROWS_SAYING(LayerNorm<>{std::numeric_limits<double>::quiet_NaN()}, ValueError, "got nan");
  CHECK_THROWS_SAYING(LayerNorm<>{std::numeric_limits<double>::infinity()}, ValueError, "got inf");
  CHECK_THROWS_SAYING((LayerNorm<Dynamic>{0}), ShapeError, "LayerNorm: the number of units must be at least 1, got 0");
}
