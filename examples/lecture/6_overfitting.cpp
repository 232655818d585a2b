// How a net that is too large for 60 noisy points overfits, and what L2, dropout and early stopping do about it.
#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "support/flags.hpp"
#include "support/output_folder.hpp"
#include "support/overfitting_plots.hpp"
namespace cr = chainrule;
using cr::Index;

// Far more weights than there are points: 4,417. With a rate of 0, Dropout does nothing.
auto make_net(double dropout, std::uint64_t seed) {
  return cr::make_network<float, cr::BinaryCrossEntropy>(cr::Seed{seed}, cr::Dense<2, 64, cr::ReLU>{}, cr::Dropout<>{dropout},
                                                         cr::Dense<64, 64, cr::ReLU>{}, cr::Dropout<>{dropout}, cr::Dense<64, 1>{});
}
using Net = decltype(make_net(0, 0));
using Data = cr::RegressionDataset<float>;

// Points of a square: 1 inside a circle, 0 outside, and 15 % of all labels are wrong. What the net should learn is the circle.
constexpr double noise = 0.15;
Data points(Index count, cr::Random& random) {
  Data data{Eigen::MatrixXf(2, count), Eigen::MatrixXf(1, count)};
  for (Index i = 0; i < count; ++i) {
    const double x1 = 2 * random.uniform() - 1, x2 = 2 * random.uniform() - 1;
    const bool inside = std::hypot(x1, x2) < 0.75, wrong = random.uniform() < noise;
    data.features.col(i) << static_cast<float>(x1), static_cast<float>(x2);
    data.targets(0, i) = inside != wrong ? 1 : 0;
  }
  return data;
}

struct Samples {
  Data training, validation, test;
};

// J as the net predicts, so without dropout and without the penalty of L2: comparable between all.
struct Losses {
  double training, validation, test;
  static Losses of(const Net& net, const Samples& samples, Net::Workspace<>& work) {
    const auto J = [&](const Data& data) { return static_cast<double>(net.evaluate(data.features, data.targets, work).loss); };
    return {J(samples.training), J(samples.validation), J(samples.test)};
  }
};

struct Method {
  const char* name;
  double l2 = 0, dropout = 0;
  bool stops_early = false;
  std::vector<Losses> after_epoch = {};
  Losses end = {};  // of the net as it is when all is over
  Net net = make_net(0, 0);

  std::size_t best() const {  // the epoch, counted from 0, with the lowest validation loss
    const auto lower = [](const Losses& a, const Losses& b) { return a.validation < b.validation; };
    return static_cast<std::size_t>(std::min_element(after_epoch.begin(), after_epoch.end(), lower) - after_epoch.begin());
  }
};

struct Options {
  Index epochs = 400, patience = 30;
  std::uint64_t seed = 1;
};

void train(Method& method, const Samples& samples, const Options& options) {
  method.net = make_net(method.dropout, options.seed);
  auto work = method.net.make_workspace(samples.test.size());
  const auto measure = [&](const auto& run) { method.after_epoch.push_back(Losses::of(run.net, samples, work)); };
  // too much patience for the epochs there are: then it never stops, and gives back no best epoch
  cr::EarlyStopping early_stopping{.patience = method.stops_early ? options.patience : options.epochs, .restore_best = method.stops_early};

  cr::Trainer trainer{method.net, cr::Adam{.learning_rate = 0.003}};
  trainer.fit(
      samples.training,
      {.epochs = options.epochs, .batch_size = 20, .validation = samples.validation, .seed = cr::Seed{options.seed}, .l2 = method.l2},
      measure, early_stopping);
  method.end = Losses::of(method.net, samples, work);
}

// For each net its losses, and what it says about every place of the square; beside them the points that they have learned from.
void plot(const std::vector<Method>& methods, const Data& training, double noise_alone, const examples::OutputFolder& output) {
  std::vector<examples::OverfittingCurves> curves;
  for (const Method& method : methods) {
    Eigen::MatrixXd losses(3, std::ssize(method.after_epoch));
    for (Index e = 0; const Losses& J : method.after_epoch) losses.col(e++) << J.training, J.validation, J.test;
    const Eigen::MatrixXf places = examples::places_of_square().cast<float>();
    curves.push_back({method.name, method.best() + 1, losses, method.net.predict(places).cast<double>()});
  }
  Eigen::MatrixXd points(3, training.size());
  points << training.features.cast<double>(), training.targets.cast<double>();
  examples::plot_overfitting("overfitting", curves, points, noise_alone, output);
}

int main(int argc, char** argv) try {
  Options options;
  std::vector<Method> methods{{"plain"}, {"L2", 0.02}, {"dropout", 0, 0.5}, {"early stopping", 0, 0, true}};
  examples::Flags flags("Trains a large net on few noisy points, plainly and with three remedies for overfitting.");
  flags.add("--epochs", options.epochs, "How often to go through the 60 points at most");
  flags.add("--l2", methods[1].l2, "How much large weights cost");
  flags.add("--dropout", methods[2].dropout, "Which share of the units a training step leaves out");
  flags.add("--patience", options.patience, "How many epochs without improvement early stopping waits for");
  flags.add_seed(options.seed, "the points, the initial weights, the order of the points and dropout's masks");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  cr::Random random{cr::Seed{options.seed}};
  const Samples samples{points(60, random), points(300, random), points(4000, random)};
  // What a net would have that knew the circle and the share of wrong labels: of all points there are, none can have a lower J.
  const double noise_alone = -noise * std::log(noise) - (1 - noise) * std::log(1 - noise);

  std::printf("%47s %33s\n", "J at the end", "J at the best epoch");
  std::printf("%-15s %6s %10s %10s %6s  %6s %10s %10s %6s\n", "", "epochs", "training", "validation", "test", "epoch", "training",
              "validation", "test");
  for (Method& method : methods) {
    train(method, samples, options);
    const Losses &end = method.end, &best = method.after_epoch[method.best()];
    std::printf("%-15s %6td %10.3f %10.3f %6.3f  %6zu %10.3f %10.3f %6.3f\n", method.name, std::ssize(method.after_epoch), end.training,
                end.validation, end.test, method.best() + 1, best.training, best.validation, best.test);
  }
  const double now = methods[0].end.test, then = methods[0].after_epoch[methods[0].best()].test;
  std::printf(
      "\nThe plain net's J on the test points is %.1f times that on its training points, and %.1f times what it was at its best:\n"
      "it %s. The noise in the labels alone makes %.3f.\n\n",
      now / methods[0].end.training, now / then, now > 1.2 * then ? "overfits" : "hardly overfits", noise_alone);
  plot(methods, samples.training, noise_alone, output);
  std::printf("test loss:");
  for (const Method& method : methods) std::printf(" %s %.3f%s", method.name, method.end.test, &method == &methods.back() ? "\n" : ",");
} catch (const std::exception& error) {
  std::fprintf(stderr, "overfitting: %s\n", error.what());
  return 1;
}
