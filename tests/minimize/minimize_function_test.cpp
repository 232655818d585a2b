#include <chainrule/activations/tanh.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/minimize/minimize_function.hpp>
#include <chainrule/network.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::ContainsSubstring;

namespace {

/// 100 (b - a^2)^2 + (1 - a)^2, with its minimum 0 at (1, 1).
double rosenbrock(const ConstVectorView<double>& t, VectorView<double> g) {
  const double curve = t[1] - t[0] * t[0];
  g << -400 * t[0] * curve - 2 * (1 - t[0]), 200 * curve;
  return 100 * curve * curve + (1 - t[0]) * (1 - t[0]);
}

}  // namespace

TEST_CASE("minimize_function finds the minimum of a function, and tells each iteration") {
  Vector<double> theta{{-1.2, 1}};
  Index last = 0;
  double J = HUGE_VAL;
  const FunctionMinimum found =
      minimize_function(theta, rosenbrock, LBFGS{},
                        {.gradient_tolerance = 1e-9, .loss_tolerance = 0, .after_iteration = [&](Index iteration, double now, double) {
                           CHECK(iteration == last + 1);
                           CHECK(now < J);
                           last = iteration;
                           J = now;
                           return true;
                         }});
  INFO(found.to_string());
  CHECK(found.converged);
  CHECK(found.iterations == last);
  CHECK(found.loss == J);
  CHECK((theta - Vector<double>{{1, 1}}).norm() < 1e-9);
  CHECK(found.evaluations < 60);
}

TEST_CASE("minimize_function solves a differential equation with the gradient of backward_jet") {
  // u'' = -u with u(0) = 0 and u'(0) = 1, so that u = sin x; u = x + x^2 F(x) has these values at 0
  Network<double, SquaredError, Dense<1, 8, Tanh>, Dense<8, 1>> net{Seed{1}};
  const Index n = 20;
  const Eigen::MatrixXd x = Eigen::RowVectorXd::LinSpaced(n, 0, 2);
  auto work = net.make_jet_workspace(n, {Eigen::MatrixXd::Ones(1, 1), {{{0, 0}}}});
  auto dJ = net.make_gradients();
  const auto residual = [&](const ConstVectorView<double>& theta, VectorView<double> gradient) {
    net.parameters() = theta;
    net.forward_jet(x, work);
    const Eigen::ArrayXXd s = x.array(), F = work.value().array(), F_x = work.first(0).array(), F_xx = work.second(0).array();
    const Eigen::ArrayXXd r = 2 * F + 4 * s * F_x + s.square() * F_xx + s + s.square() * F;
    work.dJ_dvalue() = (r * (2 + s.square()) / n).matrix();
    work.dJ_dfirst(0) = (r * 4 * s / n).matrix();
    work.dJ_dsecond(0) = (r * s.square() / n).matrix();
    net.backward_jet(x, work, dJ);
    gradient = dJ.flat();
    return r.square().sum() / (2 * n);
  };
  const FunctionMinimum found = minimize_function(net.parameters(), residual, LBFGS{}, {.iterations = 400, .loss_tolerance = 0});
  INFO(found.to_string());
  CHECK(found.loss < 1e-7);
  CHECK(std::abs(1.5 + 2.25 * net.predict_raw(Eigen::Matrix<double, 1, 1>(1.5))(0, 0) - std::sin(1.5)) < 1e-3);
}

TEST_CASE("minimize_function leaves theta after the last complete iteration, and refuses what cannot be") {
  const Vector<double> start{{-1.2, 1}};
  Vector<double> theta = start;
  const FunctionMinimum two = minimize_function(theta, rosenbrock, LBFGS{}, {.iterations = 2});
  CHECK_THAT(two.stopped_because, ContainsSubstring("all 2 iterations were made"));
  const Vector<double> after_two = theta;
  theta = start;
  const FunctionMinimum stopped =
      minimize_function(theta, rosenbrock, LBFGS{}, {.after_iteration = [](Index iteration, double, double) { return iteration < 2; }});
  CHECK(stopped.iterations == 2);
  CHECK_THAT(stopped.stopped_because, ContainsSubstring("after_iteration returned false"));
  CHECK(theta == after_two);

  // J writes its argument to theta, as a network's residual does, and throws in the third iteration
  theta = start;
  Index calls = 0;
  const auto throws = [&](const ConstVectorView<double>& t, VectorView<double> g) {
    theta = t;
    if (++calls > two.evaluations) throw std::runtime_error("no more");
    return rosenbrock(t, g);
  };
  CHECK_THROWS_AS(minimize_function(theta, throws), std::runtime_error);
  CHECK(theta == after_two);

  theta = start;
  const auto is_nan = [](const ConstVectorView<double>&, VectorView<double> g) {
    g.setZero();
    return std::numeric_limits<double>::quiet_NaN();
  };
  CHECK_THROWS_WITH(minimize_function(theta, is_nan), ContainsSubstring("not finite at the first theta"));
  CHECK_THROWS_AS(minimize_function(theta, rosenbrock, LBFGS{}, {.iterations = 0}), ValueError);
  CHECK_THROWS_AS(minimize_function(theta, rosenbrock, LBFGS{.history = 0}), ValueError);
  CHECK(theta == start);
}
