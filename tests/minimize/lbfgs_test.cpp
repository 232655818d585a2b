#include <chainrule/minimize/lbfgs.hpp>

#include <cmath>
#include <limits>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// Rosenbrock's function in pairs of variables, 100 (b - a^2)^2 + (1 - a)^2, with its minimum 0 at (1, 1, ..., 1).
struct Rosenbrock {
  using ScalarType = double;
  Index size() const { return 6; }
  double operator()(const Vector<double>& t, Vector<double>& g) const {
    double sum = 0;
    for (Index i = 0; i < size(); i += 2) {
      const double a = t[i], b = t[i + 1], curve = b - a * a;
      sum += 100 * curve * curve + (1 - a) * (1 - a);
      g[i] = -400 * a * curve - 2 * (1 - a);
      g[i + 1] = 200 * curve;
    }
    return sum;
  }
};

/// t - ln t: NaN for t < 0, infinite at 0, with its minimum 1 at t = 1.
struct Barrier {
  using ScalarType = float;
  Index beyond = 0;  // number of evaluations outside
  Index size() const { return 1; }
  double operator()(const Vector<float>& t, Vector<float>& g) {
    beyond += t[0] <= 0 ? 1 : 0;
    g[0] = 1 - 1 / t[0];
    return static_cast<double>(t[0]) - std::log(static_cast<double>(t[0]));
  }
};

/// A straight line downhill without an end.
struct Line {
  using ScalarType = double;
  Index size() const { return 1; }
  double operator()(const Vector<double>& t, Vector<double>& g) const {
    g[0] = -1;
    return -t[0];
  }
};

}  // namespace

TEST_CASE("L-BFGS follows Rosenbrock's valley, and each step satisfies the strong Wolfe conditions") {
  const LBFGS rule;
  Rosenbrock J;
  auto minimizer = rule.make_minimizer(J);
  minimizer.start(Vector<double>{{-1.2, 1, 0.5, -2, 3, 3}});
  Index iterations = 0;
  while (minimizer.gradient_norm > 1e-10 && iterations < 200) {
    const Vector<double> theta = minimizer.theta(), gradient = minimizer.gradient();
    const double loss = minimizer.loss;
    REQUIRE(minimizer.iterate());
    ++iterations;
    const Vector<double> s = minimizer.theta() - theta;
    const double slope = gradient.dot(s);
    CAPTURE(iterations, slope);
    CHECK(minimizer.loss <= loss + rule.c1 * slope + 1e-15 * loss);
    CHECK(std::abs(minimizer.gradient().dot(s)) <= rule.c2 * std::abs(slope) * (1 + 1e-12));
    CHECK(minimizer.loss_before == loss);
  }
  CHECK(minimizer.loss < 1e-20);
  CHECK(iterations <= 110);  // scipy's L-BFGS-B takes 97, and 121 evaluations
  CHECK(minimizer.evaluations <= 130);
}

TEST_CASE("L-BFGS backs off where J is not finite") {
  Barrier J;
  auto minimizer = LBFGS{}.make_minimizer(J);
  minimizer.start(Vector<float>{{5}});
  for (int i = 0; i < 30 && minimizer.gradient_norm > 1e-6; ++i) {
    if (!minimizer.iterate()) break;
    CHECK(minimizer.theta()[0] > 0);
  }
  CHECK(J.beyond > 0);
  CHECK(std::abs(minimizer.theta()[0] - 1) < 1e-3f);
}

TEST_CASE("L-BFGS takes the lowest step of a search that finds no end, and says where there is none") {
  Line line;
  auto minimizer = LBFGS{}.make_minimizer(line);
  minimizer.start(Vector<double>{{0}});
  CHECK(minimizer.iterate());
  CHECK(minimizer.loss < -1e6);
  CHECK(minimizer.loss == -minimizer.theta()[0]);

  Rosenbrock J;
  auto at_minimum = LBFGS{}.make_minimizer(J);
  const Vector<double> ones = Vector<double>::Ones(6);
  at_minimum.start(ones);
  CHECK_FALSE(at_minimum.iterate());
  CHECK(at_minimum.theta() == ones);
  CHECK(at_minimum.loss == 0);
}

TEST_CASE("L-BFGS refuses hyperparameters out of their range") {
  Rosenbrock J;
  CHECK_THROWS_SAYING((LBFGS{.history = 0}.make_minimizer(J)), ValueError, "LBFGS: history must be at least 1, got 0");
  CHECK_THROWS_SAYING((LBFGS{.history = std::numeric_limits<Index>::max()}.make_minimizer(J)), ShapeError, "LBFGS: its vectors: 6 x");
  CHECK_THROWS_SAYING((LBFGS{.c1 = 0}.make_minimizer(J)), ValueError, "LBFGS: c1 must be above 0");
  CHECK_THROWS_SAYING((LBFGS{.c2 = 1}.make_minimizer(J)), ValueError, "LBFGS: c2 must be at least 0 and below 1");
  CHECK_THROWS_SAYING((LBFGS{.c1 = 0.5, .c2 = 0.1}.make_minimizer(J)), ValueError, "c1 must be below c2, but c1 is 0.5 and c2 is 0.1");
  CHECK_THROWS_SAYING((LBFGS{.line_search_evaluations = 0}.make_minimizer(J)), ValueError, "line_search_evaluations must be at least 1");
}
