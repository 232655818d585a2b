#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <cmath>
#include <limits>

#include "support/catch.hpp"

using namespace chainrule;

// theta <- theta - learning_rate dJ/dtheta; all numbers here are exact in binary.
TEST_CASE("three steps of SGD by hand") {
  Eigen::VectorXf theta = Eigen::Vector3f(1, -2, 8);
  const SGD sgd{.learning_rate = 0.5};
  sgd.step(theta, Eigen::Vector3f(2, 4, -1));
  CHECK(theta == Eigen::Vector3f(0, -4, 8.5f));
  sgd.step(theta, Eigen::Vector3f(-1, 0, 3));
  CHECK(theta == Eigen::Vector3f(0.5f, -4, 7));
  sgd.step(theta, Eigen::Vector3f(0.5f, -8, 2));
  CHECK(theta == Eigen::Vector3f(0.25f, 0, 6));
}

TEST_CASE("on J = theta^2 with a learning rate of 1/4 each step halves theta") {
  Eigen::VectorXd theta = Eigen::VectorXd::LinSpaced(37, 1, 37);
  for (int step = 1; step <= 3; ++step) {
    const Eigen::VectorXd gradient = 2 * theta;
    SGD{.learning_rate = 0.25}.step(theta, gradient);
    CHECK(theta == Eigen::VectorXd::LinSpaced(37, 1, 37) / std::pow(2, step));
  }
}

TEST_CASE("SGD steps a network's parameters along its gradients") {
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
}

TEST_CASE("theta and gradient may be maps and parts of vectors") {
  Eigen::VectorXf theta = Eigen::VectorXf::Ones(5);
  const Eigen::VectorXf gradient = Eigen::VectorXf::LinSpaced(5, 1, 5);
  SGD{.learning_rate = 1}.step(theta.segment(1, 2), gradient.tail(2));
  CHECK(theta == (Eigen::VectorXf(5) << 1, -3, -4, 1, 1).finished());
  SGD{.learning_rate = 1}.step(VectorView<float>(theta.data(), 1), ConstVectorView<float>(gradient.data(), 1));
  CHECK(theta == (Eigen::VectorXf(5) << 0, -3, -4, 1, 1).finished());
}

TEST_CASE("SGD works in the scalar of theta") {
  Vector<long double> theta = Vector<long double>::Ones(5);
  const Vector<long double> gradient = Vector<long double>::Constant(5, 0x1p-60L);
  SGD{.learning_rate = 1}.step(theta, gradient);
  CHECK(theta == Vector<long double>::Constant(5, 1 - 0x1p-60L));
  CHECK((theta.array() < 1).all());
}

TEST_CASE("a gradient of another size is refused, and theta stays as it is") {
  Eigen::VectorXf theta = Eigen::VectorXf::Ones(5);
  CHECK_THROWS_SAYING(SGD{}.step(theta, Eigen::VectorXf::Ones(4).eval()), ShapeError, "theta has 5 parameters", "gradient has 4");
  CHECK_THROWS_SAYING(SGD{}.step(theta, Eigen::VectorXf::Ones(6).eval()), ShapeError, "theta has 5 parameters", "gradient has 6");
  CHECK(theta == Eigen::VectorXf::Ones(5));
}

TEST_CASE("an impossible learning rate is refused, and theta stays as it is") {
  Eigen::VectorXf theta = Eigen::VectorXf::Ones(5);
  const Eigen::VectorXf gradient = Eigen::VectorXf::Ones(5);
  CHECK_THROWS_SAYING(SGD{.learning_rate = -0.5}.step(theta, gradient), ValueError, "learning rate must be at least 0", "-0.5");
  CHECK_THROWS_SAYING(SGD{.learning_rate = std::nan("")}.step(theta, gradient), ValueError, "learning rate", "nan");
  CHECK_THROWS_SAYING(SGD{.learning_rate = HUGE_VAL}.step(theta, gradient), ValueError, "learning rate", "inf");
  CHECK_THROWS_SAYING(SGD{.learning_rate = -HUGE_VAL}.step(theta, gradient), ValueError, "learning rate", "-inf");
  CHECK(theta == Eigen::VectorXf::Ones(5));
}

TEST_CASE("a learning rate must be finite in the scalar of theta") {
  Eigen::VectorXf floats = Eigen::VectorXf::Ones(2);
  CHECK_THROWS_SAYING(SGD{.learning_rate = 1e39}.step(floats, Eigen::Vector2f(1, 0)), ValueError, "learning rate");
  CHECK(floats == Eigen::Vector2f(1, 1));

  Eigen::VectorXd doubles = Eigen::VectorXd::Ones(2);
  SGD{.learning_rate = 1e39}.step(doubles, Eigen::Vector2d(1, 0));
  CHECK(doubles == Eigen::Vector2d(-1e39, 1));

  Vector<long double> long_doubles = Vector<long double>::Ones(2);
  CHECK_THROWS_SAYING(SGD{.learning_rate = HUGE_VAL}.step(long_doubles, long_doubles), ValueError, "learning rate");
  CHECK(long_doubles == Vector<long double>::Ones(2));
}

TEST_CASE("theta or a gradient that does not lie in one piece is refused") {
  Eigen::MatrixXf table = Eigen::MatrixXf::Zero(3, 4);
  const Eigen::RowVectorXf row = Eigen::RowVectorXf::Ones(4);
  CHECK_THROWS_SAYING(SGD{}.step(table.row(0), row), ShapeError, "SGD: theta and the gradient must each lie in memory in one piece");
  Eigen::MatrixXf theta = Eigen::MatrixXf::Zero(2, 4);
  CHECK_THROWS_SAYING(SGD{}.step(theta, table.topRows(2)), ShapeError, "one piece");
  CHECK(table.isZero(0));
  CHECK(theta.isZero(0));
}

TEST_CASE("a learning rate of 0 leaves theta as it is") {
  using Limits = std::numeric_limits<float>;
  const Eigen::VectorXf before =
      (Eigen::VectorXf(6) << 0, 0.1f, Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min()).finished();
  Eigen::VectorXf theta = before;
  SGD{.learning_rate = 0}.step(theta, (Eigen::VectorXf(6) << 1, -1, 1e30f, 1e30f, -1e-30f, 1).finished());
  CHECK(theta == before);
}
