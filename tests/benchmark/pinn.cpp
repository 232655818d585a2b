// pinn FOLDER: trains nets on the residual of Poisson's equation in a square, as examples/poisson.cpp does, by Adam on one thread with a
// learning rate that falls to 0 along a cosine. Prints the processor time of a step, and of a step of ordinary training whose batch has as
// many columns as the value and the derivatives together, so that both multiply the same matrices; then J in step 100 and the largest error
// of the solution after all steps. Writes each problem to FOLDER for pinn_torch.py, which trains the same net on the same points from the
// same parameters in PyTorch.

#include <chainrule/activations/tanh.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/schedules/cosine.hpp>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "stopwatch.hpp"

namespace {

namespace cr = chainrule;
using cr::Dynamic, cr::Index;
using Net =
    cr::Network<double, cr::SquaredError, cr::Dense<2, Dynamic, cr::Tanh>, cr::Dense<Dynamic, Dynamic, cr::Tanh>, cr::Dense<Dynamic, 1>>;
using Points = Eigen::Matrix2Xd;
using Row = Eigen::RowVectorXd;

struct Problem {
  Index width, points, steps;
  double learning_rate = 0.01;
};

Net make_net(Index width) {
  return Net{cr::Seed{1}, cr::Dense<2, Dynamic, cr::Tanh>{2, width}, cr::Dense<Dynamic, Dynamic, cr::Tanh>{width, width},
             cr::Dense<Dynamic, 1>{width, 1}};
}

Points random_points(Index count) {
  cr::Random random{cr::Seed{2}};
  Points x(2, count);
  for (double& number : x.reshaped()) number = random.uniform();
  return x;
}

Row exact_solution(const Points& x) {
  constexpr double pi = std::numbers::pi;
  return (2 * pi * x.row(0)).array().sin() * (pi * x.row(1)).array().sin();
}

/// B and its derivatives; the solution is u = B F with B = 16 x1 (1 - x1) x2 (1 - x2).
struct Bubble {
  Row value, by_x1, by_x2, laplacian;
  explicit Bubble(const Points& x) {
    const Row p1 = 4 * x.row(0).array() * (1 - x.row(0).array()), p2 = 4 * x.row(1).array() * (1 - x.row(1).array());
    value = p1.cwiseProduct(p2);
    by_x1 = 4 * (1 - 2 * x.row(0).array()) * p2.array();
    by_x2 = 4 * p1.array() * (1 - 2 * x.row(1).array());
    laplacian = -8 * (p1 + p2);
  }
};

double largest_error(const Net& net) {
  constexpr Index side = 101;
  Points x(2, side * side);
  for (Index i = 0; i < x.cols(); ++i) x.col(i) << static_cast<double>(i % side), static_cast<double>(i / side);
  x /= double{side - 1};
  return (Bubble(x).value.cwiseProduct(net.predict(x)) - exact_solution(x)).cwiseAbs().maxCoeff();
}

struct Result {
  double microseconds = 0;  // the median over all steps
  double J = 0;             // in step 100
  double error = 0;
};

/// The median of the processor times of step(0), step(1), ..., which other programs on this machine change less than the time of day.
template <class Step>
double median_microseconds(Index steps, const Step& step) {
  std::vector<double> times;
  for (Index i = 0; i < steps; ++i) {
    const std::clock_t begin = std::clock();
    step(i);
    times.push_back(static_cast<double>(std::clock() - begin));
  }
  return 1e6 / CLOCKS_PER_SEC * bench::median(times);
}

/// The optimizer in step i.
cr::Adam adam_in(Index i, const Problem& problem) {
  const cr::Cosine falling{.period = static_cast<double>(problem.steps)};
  return {.learning_rate = problem.learning_rate * falling(static_cast<double>(i))};
}

/// Trains on J = 1/(2 n) sum of r^2, r = Laplacian (B F) - f.
Result train(const Problem& problem) {
  Net net = make_net(problem.width);
  const Points x = random_points(problem.points);
  const Bubble B(x);
  const Row f = -5 * std::numbers::pi * std::numbers::pi * exact_solution(x);
  auto work = net.make_jet_workspace(problem.points, {Eigen::Matrix2d::Identity(), {{{0, 0}, {1, 1}}}});
  auto dJ = net.make_gradients();
  auto state = cr::Adam{}.make_state(net);
  Row r(problem.points);
  Result result;
  result.microseconds = median_microseconds(problem.steps, [&](Index i) {
    net.forward_jet(x, work);
    r = B.value.cwiseProduct(work.second(0)) + 2 * B.by_x1.cwiseProduct(work.first(0)) + 2 * B.by_x2.cwiseProduct(work.first(1)) +
        B.laplacian.cwiseProduct(work.value()) - f;
    if (i + 1 == 100) result.J = r.squaredNorm() / static_cast<double>(2 * problem.points);
    r /= static_cast<double>(problem.points);
    work.dJ_dvalue() = r.cwiseProduct(B.laplacian);
    work.dJ_dfirst(0) = 2 * r.cwiseProduct(B.by_x1);
    work.dJ_dfirst(1) = 2 * r.cwiseProduct(B.by_x2);
    work.dJ_dsecond(0) = r.cwiseProduct(B.value);
    net.backward_jet(x, work, dJ);
    adam_in(i, problem).step(net.parameters(), dJ, state);
  });
  result.error = largest_error(net);
  return result;
}

/// Steps of ordinary training on four times as many points: the value, two first derivatives and one second derivative of each.
double microseconds_of_plain_steps(const Problem& problem) {
  Net net = make_net(problem.width);
  const Points x = random_points(4 * problem.points);
  const Row y = exact_solution(x);
  auto work = net.make_workspace(x.cols());
  auto dJ = net.make_gradients();
  auto state = cr::Adam{}.make_state(net);
  return median_microseconds(problem.steps, [&](Index i) {
    net.forward(x, work);
    net.backward(x, y, work, dJ);
    adam_in(i, problem).step(net.parameters(), dJ, state);
  });
}

void write(const Problem& problem, const std::string& path) {
  std::ofstream file(path);
  file.precision(17);
  file << problem.width << ' ' << problem.points << ' ' << problem.steps << ' ' << problem.learning_rate << '\n';
  const Net net = make_net(problem.width);
  for (const double number : net.parameters()) file << number << ' ';
  file << '\n';
  const Points x = random_points(problem.points);
  for (const double number : x.reshaped()) file << number << ' ';
  file << '\n';
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) return std::fprintf(stderr, "usage: pinn FOLDER\n"), 2;
  std::printf("%-24s %8s %8s %14s %14s %8s %12s %12s\n", "net", "points", "steps", "us per step", "us plain step", "ratio", "J, step 100",
              "error of u");
  int number = 0;
  for (const Problem& problem : {Problem{32, 256, 2000}, Problem{64, 1024, 500}}) {
    write(problem, std::string(argv[1]) + "/pinn_" + std::to_string(number++) + ".txt");
    const Result result = train(problem);
    const double plain = microseconds_of_plain_steps(problem);
    const std::string width = std::to_string(problem.width);
    std::printf("%-24s %8td %8td %14.0f %14.0f %8.2f %12.6f %12.2e\n", ("2-" + width + "-" + width + "-1, chainrule").c_str(),
                problem.points, problem.steps, result.microseconds, plain, result.microseconds / plain, result.J, result.error);
    std::fflush(stdout);
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "pinn: %s\n", error.what());
  return 1;
}
