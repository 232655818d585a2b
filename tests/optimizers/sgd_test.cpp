#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <cmath>
#include <limits>

#include "optimizers/optimizer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("SGD satisfies the optimizer contract", "[optimizer]") {
  check_optimizer(SGD{.learning_rate = 0.1});
  check_optimizer(SGD{.learning_rate = 0.1, .momentum = 0.9});
  check_optimizer(SGD{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true});
}

// theta <- theta - learning_rate dJ/dtheta; all numbers here are exact in floating point.
TEST_CASE("three steps of SGD by hand", "[optimizer]") {
  Eigen::VectorXf theta = Eigen::Vector3f(1, -2, 8);
  const SGD sgd{.learning_rate = 0.5};
  sgd.step(theta, Eigen::Vector3f(2, 4, -1));
  CHECK(theta == Eigen::Vector3f(0, -4, 8.5f));
  sgd.step(theta, Eigen::Vector3f(-1, 0, 3));
  CHECK(theta == Eigen::Vector3f(0.5f, -4, 7));
  sgd.step(theta, Eigen::Vector3f(0.5f, -8, 2));
  CHECK(theta == Eigen::Vector3f(0.25f, 0, 6));
}

// b <- b/2 + g,  theta <- theta - b/4
TEMPLATE_TEST_CASE("three steps of SGD with momentum by hand", "[optimizer]", float, double, long double) {
  Vector<TestType> theta = vector<TestType>({1, 0});
  const SGD sgd{.learning_rate = 0.25, .momentum = 0.5};
  auto state = sgd.make_state(theta);
  sgd.step(theta, vector<TestType>({4, 1}), state);
  CHECK(near(theta, {0, -0.25}));  // b = (4, 1)
  sgd.step(theta, vector<TestType>({4, 0}), state);
  CHECK(near(theta, {-1.5, -0.375}));  // b = (6, 1/2)
  sgd.step(theta, vector<TestType>({-3, 0}), state);
  CHECK(near(theta, {-1.5, -0.4375}));  // b = (0, 1/4)
  CHECK(near(Vector<TestType>(state.moment(0)), {0, 0.25}));
  CHECK(state.steps == 3);
}

// b <- b/2 + g,  theta <- theta - (g + b/2)/4
TEST_CASE("three steps of SGD with Nesterov's momentum by hand", "[optimizer]") {
  Vector<double> theta = vector<double>({1, 0});
  const SGD sgd{.learning_rate = 0.25, .momentum = 0.5, .nesterov = true};
  auto state = sgd.make_state(theta);
  sgd.step(theta, vector<double>({4, 1}), state);
  CHECK(near(theta, {-0.5, -0.375}));  // b = (4, 1)
  sgd.step(theta, vector<double>({4, 0}), state);
  CHECK(near(theta, {-2.25, -0.4375}));  // b = (6, 1/2)
  sgd.step(theta, vector<double>({-3, 0}), state);
  CHECK(near(theta, {-1.5, -0.46875}));  // b = (0, 1/4)
}

// g <- dJ/dtheta + theta/2,  theta <- theta - g/2
TEST_CASE("three steps of SGD with weight decay by hand", "[optimizer]") {
  Vector<double> theta = vector<double>({16, -4});
  const SGD sgd{.learning_rate = 0.5, .weight_decay = 0.5};
  auto state = sgd.make_state(theta);
  CHECK(state.moments() == 0);
  const Vector<double> zero = Vector<double>::Zero(2);
  sgd.step(theta, zero, state);
  CHECK(near(theta, {12, -3}));
  sgd.step(theta, zero, state);
  CHECK(near(theta, {9, -2.25}));
  sgd.step(theta, vector<double>({1, -1}), state);
  CHECK(near(theta, {6.25, -1.1875}));
}

TEST_CASE("SGD on J = theta^2 with a learning rate of 1/4 halves theta in each step", "[optimizer]") {
  Eigen::VectorXd theta = Eigen::VectorXd::LinSpaced(37, 1, 37);
  for (int step = 1; step <= 3; ++step) {
    const Eigen::VectorXd gradient = 2 * theta;
    SGD{.learning_rate = 0.25}.step(theta, gradient);
    CHECK(theta == Eigen::VectorXd::LinSpaced(37, 1, 37) / std::pow(2, step));
  }
}

TEST_CASE("SGD updates a network's parameters from its Gradients, and weight decay does not change biases", "[optimizer]") {
  Network<double, SquaredError, Dense<2, 2>, Dense<2, 1>> net{Seed{42}};
  net.parameters() << 1, 2, 3, 4, 5, 6, 7, 8, 9;
  auto gradients = net.make_gradients();
  gradients.layer<0>().weight << 10, 20, 30, 40;
  gradients.layer<1>().bias << -2;
  SGD{.learning_rate = 0.5}.step(net.parameters(), gradients);
  CHECK(net.layer<0>().weight == (Eigen::Matrix2d() << -4, -7, -13, -16).finished());
  CHECK(net.layer<0>().bias == Eigen::Vector2d(5, 6));
  CHECK(net.layer<1>().weight == Eigen::RowVector2d(7, 8));
  CHECK(net.layer<1>().bias[0] == 10);

  const Eigen::VectorXd flat = gradients.flat();
  SGD{.learning_rate = 0.5}.step(net.parameters(), flat);
  CHECK(net.layer<0>().weight == (Eigen::Matrix2d() << -9, -17, -28, -36).finished());

  const SGD decaying{.learning_rate = 0.5, .weight_decay = 1};
  auto state = decaying.make_state(net);
  gradients.flat().setZero();
  decaying.step(net.parameters(), gradients, state);
  CHECK(net.layer<0>().weight == (Eigen::Matrix2d() << -4.5, -8.5, -14, -18).finished());
  CHECK(net.layer<0>().bias == Eigen::Vector2d(5, 6));
  CHECK(net.layer<1>().weight == Eigen::RowVector2d(3.5, 4));
  CHECK(net.layer<1>().bias[0] == 11);
}

TEST_CASE("SGD accepts maps and segments of vectors as theta and gradient", "[optimizer]") {
  Eigen::VectorXf theta = Eigen::VectorXf::Ones(5);
  const Eigen::VectorXf gradient = Eigen::VectorXf::LinSpaced(5, 1, 5);
  SGD{.learning_rate = 1}.step(theta.segment(1, 2), gradient.tail(2));
  CHECK(theta == (Eigen::VectorXf(5) << 1, -3, -4, 1, 1).finished());
  SGD{.learning_rate = 1}.step(VectorView<float>(theta.data(), 1), ConstVectorView<float>(gradient.data(), 1));
  CHECK(theta == (Eigen::VectorXf(5) << 0, -3, -4, 1, 1).finished());
}

TEST_CASE("SGD computes in theta's scalar type", "[optimizer]") {
  Vector<long double> theta = Vector<long double>::Ones(5);
  const Vector<long double> gradient = Vector<long double>::Constant(5, 0x1p-60L);
  SGD{.learning_rate = 1}.step(theta, gradient);
  CHECK(theta == Vector<long double>::Constant(5, 1 - 0x1p-60L));
  CHECK((theta.array() < 1).all());
}

TEST_CASE("SGD rejects a learning rate that is infinite in theta's scalar type", "[optimizer]") {
  Eigen::VectorXf floats = Eigen::VectorXf::Ones(2);
  CHECK_THROWS_SAYING(SGD{.learning_rate = 1e39}.step(floats, Eigen::Vector2f(1, 0)), ValueError, "learning_rate");
  CHECK(floats == Eigen::Vector2f(1, 1));

  Eigen::VectorXd doubles = Eigen::VectorXd::Ones(2);
  SGD{.learning_rate = 1e39}.step(doubles, Eigen::Vector2d(1, 0));
  CHECK(doubles == Eigen::Vector2d(-1e39, 1));

  Vector<long double> long_doubles = Vector<long double>::Ones(2);
  CHECK_THROWS_SAYING(SGD{.learning_rate = HUGE_VAL}.step(long_doubles, long_doubles), ValueError, "learning_rate");
  CHECK(long_doubles == Vector<long double>::Ones(2));
}

TEST_CASE("SGD's step without a state rejects mismatched sizes and invalid learning rates", "[optimizer]") {
  Eigen::VectorXf theta = Eigen::VectorXf::Ones(5);
  CHECK_THROWS_SAYING(SGD{}.step(theta, Eigen::VectorXf::Ones(6).eval()), ShapeError, "theta has 5 parameters", "gradient has 6");
  CHECK_THROWS_SAYING(SGD{.learning_rate = -0.5}.step(theta, theta), ValueError, "learning_rate must be at least 0", "-0.5");
  CHECK(theta == Eigen::VectorXf::Ones(5));
  Eigen::MatrixXf matrix = Eigen::MatrixXf::Zero(2, 4), table = Eigen::MatrixXf::Zero(3, 4);
  CHECK_THROWS_SAYING(SGD{}.step(matrix, table.topRows(2)), ShapeError, "SGD: the gradient must lie in memory in one piece", ".eval()");
}

TEST_CASE("SGD with momentum or weight decay asks for a state and says how to make one", "[optimizer]") {
  Eigen::VectorXf theta = Eigen::VectorXf::Ones(5);
  CHECK_THROWS_SAYING((SGD{.momentum = 0.9}.step(theta, theta)), StateError, "with momentum needs a state", "sgd.make_state(net)");
  CHECK_THROWS_SAYING((SGD{.weight_decay = 0.1}.step(theta, theta)), StateError, "with weight_decay needs a state", "make_state(net)");
  CHECK(theta == Eigen::VectorXf::Ones(5));
}

TEST_CASE("SGD rejects a momentum that is not at least 0 and below 1, and Nesterov without momentum", "[optimizer]") {
  check_fraction_refused(SGD{}, &SGD::momentum, "momentum");
  check_refused(SGD{.nesterov = true}, &SGD::momentum, "nesterov needs a momentum", {0});
}

TEST_CASE("SGD with a learning rate of 0 leaves theta unchanged", "[optimizer]") {
  using Limits = std::numeric_limits<float>;
  const Eigen::VectorXf before =
      (Eigen::VectorXf(6) << 0, 0.1f, Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min()).finished();
  Eigen::VectorXf theta = before;
  SGD{.learning_rate = 0}.step(theta, (Eigen::VectorXf(6) << 1, -1, 1e30f, 1e30f, -1e-30f, 1).finished());
  CHECK(theta == before);
}
