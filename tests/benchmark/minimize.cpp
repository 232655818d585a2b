// minimize [FOLDER]: seconds until Adam, L-BFGS and Levenberg-Marquardt reach a given J, for three fits in double, each from the same
// parameters, on one thread. Adam takes batches of 32 and the best of four learning rates; its J is measured after each epoch, and that
// time is not counted. With FOLDER, writes each problem there for minimize_scipy.py, whose seconds it then reads and prints beside its own.

#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/minimize/lbfgs.hpp>
#include <chainrule/minimize/levenberg_marquardt.hpp>
#include <chainrule/minimize/minimize.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/training/trainer.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numbers>

#include "stopwatch.hpp"

namespace {

namespace cr = chainrule;
using cr::Dynamic, cr::Index;
using Net = cr::AnyNetwork<double>;
using Data = cr::RegressionDataset<double>;

struct Problem {
  std::string name;
  std::vector<Index> widths;
  Data data;
  double target;  // the J to reach
};

/// The seconds until the target, infinite where it was not reached, and the passes over the data until then.
struct Time {
  double seconds = INFINITY;
  Index passes = 0;
  std::string to_string(const char* of) const {
    if (!std::isfinite(seconds)) return "not reached";
    char text[64];
    std::snprintf(text, sizeof text, "%.3g s (%td %s)", seconds, passes, of);
    return text;
  }
};

constexpr double most_seconds = 10;  // for each run

Net make_net(const Problem& problem) {
  cr::AnyLayers<double> layers;
  const auto& w = problem.widths;
  for (std::size_t i = 0; i + 2 < w.size(); ++i) layers.add(cr::Dense<Dynamic, Dynamic, cr::Tanh>{w[i], w[i + 1]});
  layers.add(cr::Dense<Dynamic, Dynamic>{w[w.size() - 2], w.back()});
  return {cr::Seed{42}, cr::MeanSquaredError{}, layers};
}

Time of_adam(const Problem& problem, double learning_rate) {
  Net net = make_net(problem);
  auto J = cr::objective(net, problem.data);
  Time time;
  double measuring = 0;
  cr::Trainer{net, cr::Adam{.learning_rate = learning_rate}}.fit(problem.data, {.epochs = 1000000, .batch_size = 32}, [&](auto& run) {
    const double begin = bench::now();
    const double loss = J(net.parameters());
    measuring += bench::now() - begin;
    if (loss <= problem.target) time = {run.seconds() - measuring, run.epoch};
    if (loss <= problem.target || run.seconds() - measuring > most_seconds) run.stop("done");
  });
  return time;
}

template <class Rule>
Time of(const Rule& rule, const Problem& problem) {
  Net net = make_net(problem);
  Time time;
  const auto found =
      cr::minimize(net, problem.data, rule, {.iterations = 1000000, .gradient_tolerance = 0, .loss_tolerance = 0}, [&](auto& run) {
        if (run.loss <= problem.target) time.seconds = run.seconds();
        if (run.loss <= problem.target || run.seconds() > most_seconds) run.stop("done");
      });
  time.passes = found.evaluations;
  return time;
}

/// Points of a function of `inputs` numbers in [-1, 1], drawn with a seed.
template <class F>
Data points(Index inputs, Index outputs, Index samples, const F& f) {
  cr::Random random{cr::Seed{7}};
  Data data;
  data.features.resize(inputs, samples);
  data.targets.resize(outputs, samples);
  for (Index j = 0; j < samples; ++j) {
    for (Index i = 0; i < inputs; ++i) data.features(i, j) = 2 * random.uniform() - 1;
    f(data.features.col(j), data.targets.col(j));
  }
  return data;
}

std::vector<Problem> problems() {
  using std::cos, std::sin, std::numbers::pi;
  return {{"sin(6 x)", {1, 10, 1}, points(1, 1, 600, [](const auto& x, auto y) { y[0] = sin(6 * x[0]); }), 1e-6},
          {"Friedman 1991",
           {5, 20, 1},
           points(5, 1, 1000,
                  [](const auto& x, auto y) {
                    const auto u = ((x.array() + 1) / 2).eval();
                    y[0] = (10 * sin(pi * u[0] * u[1]) + 20 * (u[2] - 0.5) * (u[2] - 0.5) + 10 * u[3] + 5 * u[4] - 14.4) / 5;
                  }),
           1e-5},
          {"arm of two joints",
           {2, 16, 16, 2},
           points(2, 2, 2000,
                  [](const auto& x, auto y) {
                    const double a = 1.5 * x[0], b = 2 * x[1];
                    y << cos(a) + 0.7 * cos(a + b), sin(a) + 0.7 * sin(a + b);
                  }),
           1e-6}};
}

template <class Numbers>
void write(std::ofstream& file, const Numbers& numbers) {
  for (const double number : numbers.reshaped()) {
    char text[40];
    std::snprintf(text, sizeof text, "%.17g ", number);
    file << text;
  }
  file << '\n';
}

/// Lets scipy minimize the same problem; the time, or nothing where there is no scipy.
std::string of_scipy(const Problem& problem, const std::string& folder) {
  const std::string in = folder + "/minimize_problem.txt", out = folder + "/minimize_scipy.txt";
  {
    std::ofstream file(in);
    for (const Index width : problem.widths) file << width << ' ';
    file << '\n' << problem.data.size() << ' ' << problem.target << ' ' << most_seconds << '\n';
    write(file, make_net(problem).parameters());
    write(file, problem.data.features);
    write(file, problem.data.targets);
  }
  std::remove(out.c_str());
  const std::string command = "python3 '" CHAINRULE_BENCHMARK_FOLDER "/minimize_scipy.py' '" + in + "' '" + out + "'";
  if (std::system(command.c_str()) != 0) return "no scipy";
  Time time;
  std::string seconds;
  std::ifstream(out) >> seconds >> time.passes;
  time.seconds = std::strtod(seconds.c_str(), nullptr);
  return time.to_string("passes");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc > 2) return std::fprintf(stderr, "usage: minimize [FOLDER]\n"), 2;
  const auto row = [argc](const char* name, const char* parameters, const char* target, const std::string& adam, const std::string& lbfgs,
                          const std::string& lm, const std::string& scipy) {
    std::printf("%-18s %10s %8s  %-32s %-24s %-22s %s\n", name, parameters, target, adam.c_str(), lbfgs.c_str(), lm.c_str(),
                argc > 1 ? scipy.c_str() : "");
    std::fflush(stdout);
  };
  row("mean squared error", "parameters", "until", "Adam", "L-BFGS", "Levenberg-Marquardt", "scipy's L-BFGS-B");
  for (const Problem& problem : problems()) {
    Time adam;
    double rate = 0;
    for (const double learning_rate : {0.001, 0.003, 0.01, 0.03}) {
      const Time time = of_adam(problem, learning_rate);
      if (time.seconds < adam.seconds) {
        adam = time;
        rate = learning_rate;
      }
    }
    char target[16], at[32];
    std::snprintf(target, sizeof target, "%g", problem.target);
    std::snprintf(at, sizeof at, "epochs at %g", rate);
    row(problem.name.c_str(), std::to_string(make_net(problem).parameters().size()).c_str(), target, adam.to_string(at),
        of(cr::LBFGS{}, problem).to_string("passes"), of(cr::LevenbergMarquardt{}, problem).to_string("passes"),
        argc > 1 ? of_scipy(problem, argv[1]) : "");
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "minimize: %s\n", error.what());
  return 1;
}
