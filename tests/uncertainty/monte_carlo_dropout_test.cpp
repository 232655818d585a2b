#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/uncertainty/monte_carlo_dropout.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Approx;

// With rate 1/2 each of 3 inputs is 2 x or 0, so y_hat = w.x + b has the mean w.x + b and the variance sum (w x)^2.
TEST_CASE("Monte Carlo dropout has mean and variance of the passes with Dropout") {
  Network<double, SquaredError, Dropout<3>, Dense<3, 1>> net{Seed{1}, Dropout<3>{0.5}, Dense<3, 1>{}};
  net.parameters() << 1, -2, 0.5, 0.25;
  const Matrix<double> x{{1, 0}, {1, 0}, {2, 0}};
  MonteCarloDropout dropout(net, 4000, Seed{3}, 8);
  const auto& spread = dropout.predict(x);
  CHECK(spread.predictions() == 4000);
  CHECK(spread.mean()(0, 0) == Approx(0.25).margin(0.15));  // 1 - 2 + 1 + 0.25, with a standard error of sqrt(6/4000)
  CHECK(spread.variance()(0, 0) == Approx(6).epsilon(0.1));
  CHECK(spread.mean()(0, 1) == Approx(0.25).epsilon(1e-12));
  CHECK(spread.variance()(0, 1) == Approx(0).margin(1e-20));
  const double mean = spread.mean()(0, 0);
  CHECK(dropout.predict(x).mean()(0, 0) == mean);  // does not depend on earlier calls
  CHECK(MonteCarloDropout(net, 4000, Seed{4}, 8).predict(x).mean()(0, 0) != mean);
}

TEST_CASE("Monte Carlo dropout predicts probabilities, and refuses BatchNorm and no passes") {
  AnyNetwork<double> net{Seed{1}, BinaryCrossEntropy{}, {Dropout<Dynamic>{2, 0.5}, Dense<Dynamic, Dynamic>{2, 1}}};
  const Matrix<double> x = 4 * Matrix<double>::Random(2, 20);
  MonteCarloDropout dropout(net, 20, Seed{1}, 20);
  const auto& spread = dropout.predict(x);
  CHECK(spread.mean().minCoeff() > 0);
  CHECK(spread.mean().maxCoeff() < 1);
  CHECK(spread.entropy(0) > spread.mutual_information(0));
  const AnyNetwork<double> with_norm{Seed{1}, SquaredError{}, {BatchNorm<Dynamic>{2}}};
  CHECK_THROWS_SAYING((MonteCarloDropout{with_norm, 20, Seed{1}, 8}), ValueError, "MonteCarloDropout: the network has a BatchNorm");
  CHECK_THROWS_SAYING((MonteCarloDropout{net, 0, Seed{1}, 8}), ValueError, "it needs at least one pass, got 0");
}
