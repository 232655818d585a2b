#include <chainrule/minimize/minimize.hpp>

#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/metrics/regression.hpp>
#include <chainrule/minimize/lbfgs.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/schedules/reduce_on_plateau.hpp>
#include <chainrule/training/early_stopping.hpp>
#include <chainrule/training/trainer.hpp>
#include <cmath>
#include <limits>

#include "integration/other_solvers/fit.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

using Net = FitNet;
const RegressionDataset<double> train = curve();

}  // namespace

TEST_CASE("L-BFGS finds the minimum that scipy finds") {
  // scipy.optimize.minimize (1.10.1), method="BFGS", gtol=1e-12, of the same J and start
  Net net = net_of_sines();
  const Minimum found = minimize(net, train, LBFGS{}, {.gradient_tolerance = 1e-9, .loss_tolerance = 0, .l2 = 1e-4});
  INFO(found.to_string());
  CHECK(found.converged);
  CHECK(std::abs(found.loss - minimum_with_penalty) < 1e-15);
  CHECK(found.gradient_norm <= 1e-9);
  CHECK(found.iterations == found.history.epochs());
  CHECK(found.evaluations < 2 * found.iterations);

  // a logistic regression, which is convex
  Dataset<double> points;
  points.features.resize(2, 300);
  for (int j = 0; j < 300; ++j) {
    points.features.col(j) << std::sin(j), std::cos(3 * j);
    points.targets.push_back(std::sin(2 * j + 1) + points.features(0, j) - 0.5 * points.features(1, j) > 0 ? 1 : 0);
  }
  Network<double, BinaryCrossEntropy, Dense<2, 1>> logistic{Seed{2}};
  const Minimum of_logistic = minimize(logistic, points, LBFGS{}, {.gradient_tolerance = 1e-9, .loss_tolerance = 0, .l2 = 0.01});
  CHECK(std::abs(of_logistic.loss - 0.50810595633929934) < 1e-14);
  CHECK(of_logistic.iterations < 25);
}

TEST_CASE("L-BFGS reaches a loss far below that of Adam with as many passes") {
  Net net = net_of_sines(), by_adam = net_of_sines();
  const Minimum found = minimize(net, train, LBFGS{}, {.iterations = 200});
  CHECK(found.loss < 2e-6);  // scipy's L-BFGS-B has 5.5e-6 after 100 iterations
  CHECK_THAT(found.stopped_because, ContainsSubstring("all 200 iterations were made"));
  CHECK_FALSE(found.converged);
  Trainer trainer{by_adam, Adam{.learning_rate = 0.02}};
  const History history = trainer.fit(train, {.epochs = found.evaluations, .batch_size = 300});
  CHECK(found.loss < history["loss"].back() / 100);
}

TEST_CASE("each iteration of L-BFGS satisfies the strong Wolfe conditions, and observers see its numbers") {
  Net net = net_of_sines();
  const LBFGS rule{.history = 5};
  auto J = objective(net, train);
  Vector<double> theta = net.parameters(), gradient(J.size()), gradient_now(J.size());
  double loss = J(theta, gradient);
  Index iterations = 0;
  minimize(net, train, rule, {.iterations = 60}, [&](auto& run) {
    const Vector<double> s = run.net.parameters() - theta;
    const double slope = gradient.dot(s), now = J(run.net.parameters(), gradient_now);
    CHECK(now <= loss + rule.c1 * slope);
    CHECK(std::abs(gradient_now.dot(s)) <= rule.c2 * std::abs(slope) * (1 + 1e-9));
    CHECK(run.loss == now);
    CHECK(std::abs(run.gradient_norm - gradient_now.norm()) < 1e-12);
    CHECK(run.epoch == ++iterations);
    CHECK(run.batch == 1);
    CHECK(run.samples == 300);
    theta = run.net.parameters();
    gradient = gradient_now;
    loss = now;
  });
  CHECK(iterations == 60);
}

TEST_CASE("minimize has the same bits for any number of threads") {
  Network<float, SquaredError, Dense<1, 64, Tanh>, Dense<64, 64, Tanh>, Dense<64, 1>> net{Seed{1}};
  RegressionDataset<float> data;
  data.features = train.features.cast<float>();
  data.targets = train.targets.cast<float>();
  auto other = net;
  const Minimum one = minimize(net, data, LBFGS{}, {.iterations = 20}),
                two = minimize(other, data, LBFGS{}, {.iterations = 20, .threads = 2});
  CHECK(one.loss == two.loss);
  CHECK(net.parameters() == other.parameters());
  CHECK(one.loss < 0.01);
}

TEST_CASE("minimize measures a validation set and stops early with the best parameters") {
  Net net = net_of_sines();
  RegressionDataset<double> validation;
  validation.features = train.features.leftCols(7);
  validation.targets = train.targets.leftCols(7);
  EarlyStopping early{.patience = 2, .monitor = "validation_mse", .larger_is_better = true};  // stops where it should go on
  const Minimum found = minimize(net, train, LBFGS{}, {.validation = validation, .l2 = 0.5, .metrics = {mse}}, early);
  CHECK_THAT(found.stopped_because, ContainsSubstring("validation_mse has not improved for 2 epochs"));
  CHECK(found.history.stopped_because == found.stopped_because);
  auto work = net.make_workspace(7);
  const double J = net.evaluate(validation.features, validation.targets, work).loss;
  const auto best = static_cast<std::size_t>(early.best.epoch - 1);
  CHECK(std::abs(found.history["validation_mse"][best] - 2 * J) < 1e-12);
  // the validation loss has the penalty, as the loss has
  const double penalty = 0.25 * (net.layer<0>().weight.squaredNorm() + net.layer<1>().weight.squaredNorm());
  CHECK(std::abs(found.history["validation_loss"][best] - J - penalty) < 1e-12);
}

TEST_CASE("a minimization that continues from a checkpoint has the same bits") {
  const auto folder = TemporaryFolder::in_memory();
  const Checkpoint checkpoint{.path = folder.path("run.checkpoint")};
  const auto run = [&](Net& net, Index iterations) {
    return minimize(net, train, LBFGS{.history = 4}, {.iterations = iterations}, checkpoint);
  };
  Net at_once = net_of_sines(), in_parts = net_of_sines();
  const Minimum whole = minimize(at_once, train, LBFGS{.history = 4}, {.iterations = 30});
  run(in_parts, 3);
  in_parts.parameters().setZero();
  run(in_parts, 11);
  Net in_another_program{Seed{9}};
  const Minimum last = run(in_another_program, 30);
  CHECK(in_another_program.parameters() == at_once.parameters());
  CHECK(last.loss == whole.loss);
  CHECK(last.evaluations == whole.evaluations);
  CHECK(last.history["loss"] == whole.history["loss"]);
  CHECK(run(in_another_program, 30).iterations == 30);
  CHECK_THROWS_SAYING(minimize(at_once, train, LBFGS{.history = 5}, {}, checkpoint), ValueError, "optimizer.history: 4");
}

TEST_CASE("minimize says why it stopped") {
  Net net = net_of_sines();
  const Minimum found = minimize(net, train, LBFGS{}, {.evaluations = 5});
  CHECK(found.evaluations >= 5);
  CHECK(found.evaluations < 5 + LBFGS{}.line_search_evaluations);
  CHECK_THAT(found.stopped_because, ContainsSubstring("J was evaluated"));
  CHECK_THAT(found.to_string(), ContainsSubstring("J = 0.") && ContainsSubstring(" evaluations; J was evaluated"));
  Net second = net_of_sines();
  CHECK_THAT(minimize(second, train, LBFGS{}, {.loss_tolerance = 0.5}).stopped_because, ContainsSubstring("loss_tolerance, 0.5"));
  Net third = net_of_sines();
  const Minimum at_start = minimize(third, train, LBFGS{}, {.gradient_tolerance = 1e6});
  CHECK(at_start.converged);
  CHECK(at_start.iterations == 0);
  CHECK(at_start.evaluations == 1);
  CHECK(third.parameters() == net_of_sines().parameters());
  Net fourth = net_of_sines();
  CHECK(minimize(fourth, train, LBFGS{}, {}, [](auto& run) { return run.epoch < 4; }).iterations == 4);
  Net last = net_of_sines();
  const Minimum exact = minimize(last, train, LBFGS{}, {.iterations = 5000, .gradient_tolerance = 0, .loss_tolerance = 0, .l2 = 1e-2});
  CHECK(exact.iterations < 5000);
  CHECK(exact.gradient_norm < 1e-8);
}

TEST_CASE("minimize refuses bad input before anything has changed") {
  Net net = net_of_sines();
  const Matrix<double> empty(1, 0);
  CHECK_THROWS_SAYING(minimize(net, DataView{empty, empty}, LBFGS{}), ShapeError, "minimize: the batch is empty");
  CHECK_THROWS_SAYING(minimize(net, train, LBFGS{}, {.iterations = 0}), ValueError, "minimize: iterations must be at least 1, got 0");
  CHECK_THROWS_SAYING(minimize(net, train, LBFGS{}, {.evaluations = -1}), ValueError, "minimize: evaluations must be at least 0");
  CHECK_THROWS_SAYING(minimize(net, train, LBFGS{}, {.gradient_tolerance = -1}), ValueError, "minimize: gradient_tolerance");
  CHECK_THROWS_SAYING(minimize(net, train, LBFGS{}, {.loss_tolerance = NAN}), ValueError, "minimize: loss_tolerance");
  CHECK_THROWS_SAYING(minimize(net, train, LBFGS{}, {.l2 = -1}), ValueError, "minimize: l2");
  CHECK_THROWS_SAYING(minimize(net, train, LBFGS{.history = 0}), ValueError, "LBFGS: history");
  const RegressionDataset<double> wide{Matrix<double>::Zero(2, 5), Matrix<double>::Zero(1, 5)};
  CHECK_THROWS_SAYING(minimize(net, train, LBFGS{}, {.validation = wide}), ShapeError, "minimize, validation set: x has 2 rows");
  CHECK(net.parameters() == net_of_sines().parameters());

  net.parameters()[2] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_SAYING(minimize(net, train, LBFGS{}), ValueError, "minimize: the parameters are not finite, first layer<0>.weight(2, 0)");
  net = net_of_sines();
  net.layer<1>().weight.setConstant(1e200);
  const Vector<double> theta = net.parameters();
  CHECK_THROWS_SAYING(minimize(net, train, LBFGS{}), DivergenceError,
                      "minimize, before its first step: the loss of samples 0 to 255 is inf", "the parameters are as large as 1e+200",
                      "as they were before the training");
  CHECK(net.parameters() == theta);
  Net other = net_of_sines();
  CHECK_THROWS_SAYING(minimize(other, train, LBFGS{}, {.iterations = 20},
                               ReduceOnPlateau{.factor = 0.1, .patience = 0, .threshold = 0.9, .monitor = "loss"}),
                      ValueError, "minimize: an observer (ReduceOnPlateau) set learning_rate_factor");
}
