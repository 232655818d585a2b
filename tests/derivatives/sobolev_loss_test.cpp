#include <chainrule/activations/tanh.hpp>
#include <chainrule/derivatives/sobolev_loss.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/network.hpp>
#include <limits>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;
using chainrule_test::random_matrix;
using Eigen::MatrixXd;

namespace {

using Net = Network<double, SquaredError, Dense<3, 4, Tanh>, Dense<4, 2>>;

// A network with two outputs, a workspace with two directions, and targets for four samples.
struct Setting {
  Net net{Seed{1}};
  Random random{Seed{2}};
  MatrixXd x = random_matrix<double>(3, 4, random), y = random_matrix<double>(2, 4, random), dy = random_matrix<double>(4, 4, random);
  Net::JetWorkspace work = net.make_jet_workspace(4, {random_matrix<double>(3, 2, random), {{{0, 1}}}});
  const SobolevWeights weights{.value = 0.5, .first = 3};
};

}  // namespace

TEST_CASE("sobolev_loss is the weighted mean of the squared errors of values and first derivatives") {
  Setting s;
  s.net.forward_jet(s.x, s.work);
  long double J = 0;
  for (Index j = 0; j < 4; ++j)
    for (Index i = 0; i < 2; ++i) {
      const long double error = static_cast<long double>(s.work.value()(i, j)) - s.y(i, j);
      const long double along_0 = static_cast<long double>(s.work.first(0)(i, j)) - s.dy(i, j);
      const long double along_1 = static_cast<long double>(s.work.first(1)(i, j)) - s.dy(2 + i, j);
      J += (0.5L * error * error + 3 * (along_0 * along_0 + along_1 * along_1)) / 8;
    }
  CHECK(std::abs(sobolev_loss(s.work, s.y, s.dy, s.weights) - static_cast<double>(J)) < 1e-14);
  CHECK((s.work.dJ_dvalue() - (s.work.value() - s.y) * 0.5 / 4).norm() < 1e-15);
  CHECK((s.work.dJ_dfirst(0) - (s.work.first(0) - s.dy.topRows(2)) * 3 / 4).norm() < 1e-15);
  CHECK((s.work.dJ_dfirst(1) - (s.work.first(1) - s.dy.bottomRows(2)) * 3 / 4).norm() < 1e-15);
  CHECK(s.work.dJ_dsecond(0).isZero(0));
}

TEST_CASE("backward_jet after sobolev_loss gives the gradient of J") {
  Setting s;
  const auto J = [&] {
    s.net.forward_jet(s.x, s.work);
    return sobolev_loss(s.work, s.y, s.dy, s.weights);
  };
  J();
  auto gradients = s.net.make_gradients();
  s.net.backward_jet(s.x, s.work, gradients);
  for (Index i = 0; i < s.net.parameters().size(); ++i) {
    const double theta = s.net.parameters()[i];
    s.net.parameters()[i] = theta + 1e-5;
    const double above = J();
    s.net.parameters()[i] = theta - 1e-5;
    const double difference = (above - J()) / 2e-5;
    s.net.parameters()[i] = theta;
    CHECK(std::abs(gradients.flat()[i] - difference) < 1e-8);
  }
}

TEST_CASE("sobolev_loss refuses targets that do not fit before it writes anything") {
  Setting s;
  CHECK_THROWS_AS(sobolev_loss(s.work, s.y, s.dy), StateError);
  s.net.forward_jet(s.x, s.work);
  CHECK_THROWS_WITH(sobolev_loss(s.work, s.y, s.y),
                    "sobolev_loss: dy is 2 x 4, but it must be 4 x 4 for 2 outputs, 2 directions and the 4 samples of forward_jet");
  CHECK_THROWS_AS(sobolev_loss(s.work, s.y.leftCols(3), s.dy), ShapeError);
  CHECK_THROWS_AS(sobolev_loss(s.work, s.work.value(), s.dy), ValueError);
  CHECK_THROWS_AS(sobolev_loss(s.work, s.work.dJ_dfirst(1), s.dy), ValueError);
  CHECK_THROWS_AS(sobolev_loss(s.work, s.y, s.dy, {.first = -1}), ValueError);
  s.dy(3, 3) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(sobolev_loss(s.work, s.y, s.dy), ValueError);
  CHECK(s.work.dJ_dvalue().isZero(0));
}
