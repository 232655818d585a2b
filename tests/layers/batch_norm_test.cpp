#include <array>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>

#include "support/layer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("BatchNorm satisfies the layer contract") {
  check_layer(BatchNorm<5>{}, BatchNorm<Dynamic>{5}, {.initial_parameters = {1, 1, 1, 1, 1, 0, 0, 0, 0, 0}, .samples_independent = false});
}

// Unit 0 has mean 3 and variance 6, unit 1 mean 1 and variance 6, so with epsilon = 3 both divisors are sqrt(6 + 3) = 3.
TEST_CASE("BatchNorm in training, by hand: x_hat of each unit over the batch, and every gradient") {
  const std::vector<double> theta{2, -1, 0.5, 10};  // weight, bias
  const auto [a, gradient, dJ_dx] =
      by_hand(BatchNorm<2>{0.1, 3.0}, theta, Matrix<double>{{0, 3, 6}, {4, -2, 1}}, Matrix<double>{{1, 2, 3}, {1, 0, 0}});
  //     x_hat = (-1  0  1)     weight * x_hat + bias
  //             ( 1 -1  0)
  CHECK(close(a, {{-1.5, 0.5, 2.5}, {9, 11, 10}}));
  CHECK(close<double>(gradient, {{2}, {1}, {6}, {1}}));
  // weight/3 (dJ/da - mean of dJ/da - x_hat * mean of dJ/da x_hat)
  CHECK(close(dJ_dx, {{-2.0 / 9, 0, 2.0 / 9}, {-1.0 / 9, 0, 1.0 / 9}}));
}

TEST_CASE("BatchNorm in prediction, by hand: running statistics of two batches") {
  Network<double, SquaredError, BatchNorm<2>> net{Seed{1}, BatchNorm<2>{0.5, 3.0}};
  net.parameters() << 2, -1, 0.5, 10;
  CHECK(net.buffers<0>().running_mean == Eigen::Vector2d(0, 0));
  CHECK(net.buffers<0>().running_variance == Eigen::Vector2d(1, 1));
  CHECK(net.buffers<0>().batches == 0);
  auto work = net.make_workspace(3);

  // batch mean (3, 1), unbiased variance (18/2, 18/2); momentum 0.5 averages them with the previous values
  net.forward(Matrix<double>{{0, 3, 6}, {4, -2, 1}}, work);
  CHECK(net.buffers<0>().batches == 0);  // forward is const
  net.update_statistics(work);
  CHECK(net.buffers<0>().running_mean == Eigen::Vector2d(1.5, 0.5));
  CHECK(net.buffers<0>().running_variance == Eigen::Vector2d(5, 5));
  CHECK(net.buffers<0>().batches == 1);

  // batch mean (2, 1), unbiased variance (8/1, 0)
  net.forward(Matrix<double>{{0, 4}, {1, 1}}, work);
  net.update_statistics(work);
  CHECK(net.buffers<0>().running_mean == Eigen::Vector2d(1.75, 0.75));
  CHECK(net.buffers<0>().running_variance == Eigen::Vector2d(6.5, 2.5));
  CHECK(net.buffers<0>().batches == 2);

  // a = 2 (x - 1.75)/sqrt(9.5) + 0.5 and a = -(x - 0.75)/sqrt(5.5) + 10, whatever the other samples are
  const Matrix<double> x{{1.75, 3.25}, {6.25, 0.75}};
  const Vector<double> before = net.buffers();
  CHECK(close<double>(net.predict(x, work), {{0.5, 0.5 + 3 / std::sqrt(9.5)}, {10 - 5.5 / std::sqrt(5.5), 10}}));
  const bool same = net.predict(x.col(1)) == net.predict(x).col(1);
  CHECK(same);
  const bool unchanged = net.buffers() == before;
  CHECK(unchanged);
}

TEST_CASE("BatchNorm ignores the running statistics in training") {
  Network<double, SquaredError, BatchNorm<2>> net{Seed{1}};
  const Matrix<double> x{{0, 3, 6}, {4, -2, 1}};
  auto work = net.make_workspace(3);
  const Matrix<double> a = net.forward(x, work);
  net.buffers().setConstant(7);
  const bool same = net.forward(x, work) == a;
  CHECK(same);
}

TEST_CASE("BatchNorm reports missing statistics and too small batches before it changes anything") {
  Network<float, SquaredError, Dense<2, 2>, BatchNorm<>> net{Seed{1}};
  auto work = net.make_workspace(3);
  const Matrix<float> x{{0, 3, 6}, {4, -2, 1}};
  CHECK_THROWS_SAYING(net.predict(x), StateError, "BatchNorm has no running statistics to predict with", "net.update_statistics(work)");
  CHECK_THROWS_SAYING(net.predict(x, work), StateError, "no running statistics");
  CHECK_THROWS_SAYING(net.evaluate(x, x, work), StateError, "no running statistics");
  CHECK_THROWS_SAYING(net.update_statistics(work), StateError, "update_statistics: the workspace holds no forward pass");
  CHECK_THROWS_SAYING(net.forward(x.leftCols(1), work), ShapeError, "forward: BatchNorm cannot learn from a batch of one sample");
  CHECK(work.step() == 0);

  net.forward(x, work);
  CHECK_THROWS_SAYING(net.forward(x.leftCols(1), work), ShapeError, "it needs at least 2");
  CHECK(work.step() == 1);
  CHECK(work.cached_samples() == 3);
  net.update_statistics(work);  // the statistics of the last successful forward pass, with three samples
  CHECK_NOTHROW(net.predict(x.leftCols(1)));
  net.predict(x, work);  // overwrites the cached forward pass
  CHECK_THROWS_SAYING(net.update_statistics(work), StateError, "call forward(x, work) first");
  CHECK(net.buffers<1>().batches == 1);
}

TEST_CASE("BatchNorm maps a unit that is constant in the batch to its bias, with finite gradients") {
  const auto [a, gradient, dJ_dx] = by_hand(BatchNorm<1>{}, {3, 0.5f}, Matrix<float>{{1e4f, 1e4f, 1e4f}}, Matrix<float>{{1, 2, -4}});
  CHECK(close(a, {{0.5f, 0.5f, 0.5f}}));
  CHECK(gradient.allFinite());
  CHECK(dJ_dx.allFinite());
}

TEST_CASE("BatchNorm in float is accurate for inputs far from 0") {
  const auto [a, gradient, dJ_dx] =
      by_hand(BatchNorm<1>{}, {1, 0}, Matrix<float>{{10000, 10001, 10002, 10003}}, Matrix<float>::Zero(1, 4).eval());
  CHECK(a(0, 0) == Approx(-1.3416354).epsilon(1e-5));
  CHECK(a(0, 3) == Approx(1.3416354).epsilon(1e-5));
}

TEST_CASE("BatchNorm refuses to store a variance that is too large, before it changes its statistics") {
  Network<float, SquaredError, BatchNorm<2>> net{Seed{1}};
  auto work = net.make_workspace(2);
  const Matrix<float> a = net.forward(Matrix<float>{{1, 2}, {-1e25f, 1e25f}}, work);
  CHECK(a(1, 1) == Approx(1));
  CHECK_THROWS_SAYING(net.update_statistics(work), ValueError,
                      "the variance of unit 1 of BatchNorm in this batch is above the largest number");
  CHECK(net.buffers<0>().running_mean == Eigen::Vector2f(0, 0));
  CHECK(net.buffers<0>().batches == 0);
}

TEST_CASE("BatchNorm in float is accurate where squares of the inputs, and of the rounding of their mean, overflow") {
  Network<float, SquaredError, BatchNorm<1>> net{Seed{1}};
  auto work = net.make_workspace(4);
  for (const float s : {1e25f, 1e27f, 5e37f}) {
    const Matrix<float> a = net.forward(Matrix<float>{{s, s, s, -s}}, work);  // deviations of s/2 and -3 s/2, and their root mean square
    CHECK(a(0, 0) == Approx(0.57735027));                                     // is s sqrt(3)/2
    CHECK(a(0, 3) == Approx(-1.7320508));
    CHECK_THROWS_SAYING(net.update_statistics(work), ValueError, "the variance of unit 0 of BatchNorm");
  }
}

TEST_CASE("the moments of two sets of samples give those of all, also far from 0 and for a set of one sample") {
  using Moments = std::array<double, 7>;  // samples, then m, r and M2 of two units
  const auto moments = [](double n, double m, double r, double M2) { return Moments{n, m, 7, r, 0, M2, 0}; };
  const auto merged = [](Moments low, const Moments& high) {
    detail::merge_moments(low.data(), high.data(), 7);
    return low;
  };
  // 1e15 + (0 3 6) and 1e15 + (1 3 5 7 9): the mean is 1e15 + 34/8, and M2 the sum of the squares, 45 + 165, minus 34^2/8
  const Moments all = merged(moments(3, 1e15, 3, 18), moments(5, 1e15 + 4, 1, 40));
  CHECK(all == Moments{8, 1e15, 7, 4.25, 0, 65.5, 0});
  CHECK(merged(moments(1, 2, 0, 0), moments(1, 4, 0, 0)) == Moments{2, 2, 7, 1, 0, 2, 0});
}

TEST_CASE("BatchNorm infers its extent from the layer before and keeps its hyperparameters") {
  const auto net = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic>{2, 3}, BatchNorm<>{0.25, 1e-3});
  const auto& layer = std::get<1>(net.layers());
  CHECK(layer.inputs() == 3);
  CHECK(layer.momentum() == 0.25);
  CHECK(layer.epsilon() == 1e-3);
  CHECK(layer.fewest_training_samples() == 2);
  CHECK(net.buffers().size() == 7);
}

TEST_CASE("BatchNorm rejects invalid hyperparameters and extents") {
  using Net = Network<float, SquaredError, BatchNorm<2>>;
  CHECK_THROWS_SAYING((Net{Seed{1}, BatchNorm<2>{0.1, 1e-50}}), ValueError, "BatchNorm: epsilon is 1e-50, which as a float is 0");
  CHECK_NOTHROW(Network<double, SquaredError, BatchNorm<2>>{Seed{1}, BatchNorm<2>{0.1, 1e-50}});
  CHECK_THROWS_SAYING((BatchNorm<2>{0.1, std::nan("")}), ValueError, "BatchNorm: epsilon must be above 0 and finite, got nan");
  CHECK_THROWS_SAYING(BatchNorm<>{0.0}, ValueError, "BatchNorm: momentum must be above 0 and at most 1, got 0");
  CHECK_THROWS_SAYING(BatchNorm<>{1.5}, ValueError, "got 1.5");
  CHECK_THROWS_SAYING(BatchNorm<>{std::numeric_limits<double>::quiet_NaN()}, ValueError, "got nan");
  CHECK_THROWS_SAYING((BatchNorm<>{0.1, 0.0}), ValueError, "BatchNorm: epsilon must be above 0 and finite, got 0");
  CHECK_THROWS_SAYING((BatchNorm<Dynamic>{-1}), ShapeError, "BatchNorm: the number of units must be at least 1, got -1");
  CHECK_NOTHROW(BatchNorm<>{1.0});
}
