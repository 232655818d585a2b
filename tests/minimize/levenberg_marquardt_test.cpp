#include <chainrule/minimize/levenberg_marquardt.hpp>

#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/minimize/lbfgs.hpp>
#include <chainrule/minimize/minimize.hpp>
#include <chainrule/minimize/residuals.hpp>
#include <cmath>

#include "integration/other_solvers/fit.hpp"
#include "support/catch.hpp"
#include "support/random_data.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

using Net = FitNet;
const RegressionDataset<double> train = curve();

AnyNetwork<float> two_outputs(const AnyLoss<float>& loss) {
  return {Seed{3}, loss, {Dense<Dynamic, Dynamic, Tanh>{3, 5}, Dense<Dynamic, Dynamic>{5, 2}}};
}

RegressionDataset<float> weighted_samples(Index samples) {
  Random random{Seed{7}};
  RegressionDataset<float> data;
  data.features = random_matrix<float>(3, samples, random);
  data.targets = random_matrix<float>(2, samples, random);
  data.weights = random_matrix<float>(1, samples, random).cwiseAbs().transpose();
  data.weights[3] = 0;
  return data;
}

/// A loss of the user's whose residuals contradict its J.
struct Doubled : SquaredError {
  static constexpr std::string_view name = "Doubled";
  template <class Scalar>
  Scalar value(ConstMatrixView<Scalar> y_hat, ConstMatrixView<Scalar> y) const {
    return 2 * SquaredError::value(y_hat, y);
  }
};

}  // namespace

TEST_CASE("Levenberg-Marquardt finds the minimum that scipy finds") {
  Net net = net_of_sines();
  const Minimum found = minimize(net, train, LevenbergMarquardt{}, {.gradient_tolerance = 1e-10, .loss_tolerance = 0, .l2 = 1e-4});
  INFO(found.to_string());
  CHECK(found.converged);
  CHECK(std::abs(found.loss - minimum_with_penalty) < 1e-15);
  CHECK(found.iterations < 80);  // L-BFGS takes 700

  // without a penalty: scipy's least_squares, method="lm", ends at 1.3601767817858861e-10 after 11,468 evaluations
  Net exact = net_of_sines();
  const Minimum small = minimize(exact, train, LevenbergMarquardt{}, {.iterations = 100});
  INFO(small.to_string());
  CHECK(small.loss < 1e-6);
}

TEST_CASE("residuals have J as half of their squares and dJ/dtheta as the product with their Jacobian") {
  const auto data = weighted_samples(300);
  for (const AnyLoss<float>& loss : {AnyLoss<float>{SquaredError{}}, AnyLoss<float>{MeanSquaredError{}}}) {
    CAPTURE(loss.name);
    const auto net = two_outputs(loss);
    auto J = objective(net, data);
    auto r = residuals(net, data);
    REQUIRE(r.size() == 32);
    REQUIRE(r.residuals() == 600);
    Vector<float> gradient(32), values(600), again(600);
    Matrix<float> jacobian(32, 600);
    const double value = J(net.parameters(), gradient);
    r(net.parameters(), values, jacobian);
    r(net.parameters(), again);
    CHECK(values == again);
    CHECK(std::abs(values.cast<double>().squaredNorm() / 2 - value) < 1e-6 * value);
    CHECK((jacobian.cast<double>() * values.cast<double>() - gradient.cast<double>()).norm() < 1e-6 * gradient.cast<double>().norm());
    CHECK(jacobian.middleCols(6, 2).isZero());  // the sample of weight 0

    // one residual against central differences
    Vector<float> theta = net.parameters(), more(600), less(600);
    theta[4] += 0.01f;
    r(theta, more);
    theta[4] -= 0.02f;
    r(theta, less);
    CHECK(std::abs((more[401] - less[401]) / 0.02f - jacobian(4, 401)) < 1e-3f * std::abs(jacobian(4, 401)) + 1e-5f);
  }
}

TEST_CASE("Levenberg-Marquardt minimizes the weighted J of a network of floats") {
  const auto data = weighted_samples(300);
  auto net = two_outputs(MeanSquaredError{});
  auto by_lbfgs = net;
  const Minimum found = minimize(net, data, LevenbergMarquardt{}, {.iterations = 100, .l2 = 1e-2});
  const Minimum other = minimize(by_lbfgs, data, LBFGS{}, {.iterations = 500, .l2 = 1e-2});
  INFO(found.to_string() << '\n' << other.to_string());
  CHECK(std::abs(found.loss - other.loss) < 1e-5 * other.loss);
  auto work = net.make_workspace(300);
  const double J = net.evaluate(data.features, weighted(data.targets, data.weights), work).loss;
  CHECK(found.loss > J);
  CHECK(found.history.rows().back().learning_rate > 0);
}

TEST_CASE("Levenberg-Marquardt continues from a checkpoint with the same bits, on any number of threads") {
  const auto folder = TemporaryFolder::in_memory();
  const Checkpoint checkpoint{.path = folder.path("run.checkpoint")};
  Net at_once = net_of_sines(), in_parts = net_of_sines();
  const Minimum whole = minimize(at_once, train, LevenbergMarquardt{}, {.iterations = 20, .threads = 2});
  minimize(in_parts, train, LevenbergMarquardt{}, {.iterations = 9}, checkpoint);
  Net in_another_program{Seed{9}};
  const Minimum last = minimize(in_another_program, train, LevenbergMarquardt{}, {.iterations = 20}, checkpoint);
  CHECK(in_another_program.parameters() == at_once.parameters());
  CHECK(last.loss == whole.loss);
  CHECK(last.gradient_norm == whole.gradient_norm);
  CHECK(last.history["loss"] == whole.history["loss"]);
}

TEST_CASE("Levenberg-Marquardt goes on where units are never active") {
  RegressionDataset<double> data = train;
  AnyNetwork<double> net{Seed{3}, SquaredError{}, {Dense<Dynamic, Dynamic, ReLU>{1, 6}, Dense<Dynamic, Dynamic>{6, 1}}};
  net.tensor("0.bias").setConstant(-100);  // no unit is
  const Minimum found = minimize(net, data, LevenbergMarquardt{}, {.iterations = 50});
  const double mean = data.targets.mean();
  CHECK(std::abs(found.loss - (data.targets.array() - mean).square().mean() / 2) < 1e-12);
  CHECK(found.converged);
}

TEST_CASE("Levenberg-Marquardt and residuals refuse what they cannot do") {
  Net net = net_of_sines();
  CHECK_THROWS_SAYING(minimize(net, train, LevenbergMarquardt{.damping = 0}), ValueError, "LevenbergMarquardt: damping must be above 0");
  CHECK_THROWS_SAYING(minimize(net, train, LevenbergMarquardt{.max_parameters = 10}), ValueError,
                      "LevenbergMarquardt: the network has 13 parameters, and max_parameters is 10", "two matrices of 13 x 13", "LBFGS");
  const auto data = weighted_samples(20);
  auto huber = two_outputs(Huber{});
  CHECK_THROWS_SAYING(minimize(huber, data, LevenbergMarquardt{}), ValueError, "LevenbergMarquardt: Huber is no sum of squares");
  CHECK_THROWS_SAYING(residuals(huber, data), ValueError, "residuals: Huber is no sum of squares");
  auto doubled = two_outputs(Doubled{});
  CHECK_THROWS_SAYING(minimize(doubled, data, LevenbergMarquardt{}), ValueError, "LevenbergMarquardt: the function residuals of Doubled");
  auto r = residuals(two_outputs(SquaredError{}), data);
  Vector<float> theta = Vector<float>::Zero(32), values(40), few(39);
  Matrix<float> jacobian(40, 32);
  CHECK_THROWS_SAYING(r(theta, few), ShapeError, "residuals: there are 40 residuals, but the vector given for them has 39 numbers");
  CHECK_THROWS_SAYING(r(few, values), ShapeError, "residuals: theta has 39 numbers, but the network has 32 parameters");
  CHECK_THROWS_SAYING(r(theta, values, jacobian), ShapeError, "residuals: the Jacobian is 32 x 40 here", "is 40 x 32");
}
