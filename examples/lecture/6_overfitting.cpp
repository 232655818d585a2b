// Overfitting: a net too large for 60 noisy points, and how L2, dropout and early stopping help.
//
// With far more parameters than points a net can learn the noise of its training data by heart: the training loss goes on falling while
// the loss on points that it has not seen rises. The program trains one net plainly and with each of three remedies, and draws the losses
// over the epochs and what each net has learned.
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

// 4,417 parameters for 60 training points. Dropout with a rate of 0 does nothing.
auto make_net(double dropout, std::uint64_t seed) {
  return cr::make_network<float, cr::BinaryCrossEntropy>(cr::Seed{seed}, cr::Dense<2, 64, cr::ReLU>{}, cr::Dropout<>{dropout},
                                                         cr::Dense<64, 64, cr::ReLU>{}, cr::Dropout<>{dropout}, cr::Dense<64, 1>{});
}
using Net = decltype(make_net(0, 0));
using Data = cr::RegressionDataset<float>;

// Random points of the square from -1 to 1, labelled 1 inside a circle and 0 outside; 15 % of the labels are wrong. The net should learn
// the circle.
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

// Losses of a net in prediction, that is without dropout and without the L2 penalty, so that all methods can be compared.
struct Losses {
  double training, validation, test;
  static Losses evaluate(const Net& net, const Samples& samples, Net::Workspace<>& work) {
    const auto J = [&](const Data& data) { return static_cast<double>(net.evaluate(data.features, data.targets, work).loss); };
    return {J(samples.training), J(samples.validation), J(samples.test)};
  }
};

struct Method {
  const char* name;
  double l2 = 0, dropout = 0;
  bool stops_early = false;
  std::vector<Losses> after_epoch = {};
  Losses end = {};  // after training
  Net net = make_net(0, 0);

  std::size_t best_epoch() const {  // counted from 0, the epoch with the lowest validation loss
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
  const auto measure = [&](const auto& run) { method.after_epoch.push_back(Losses::evaluate(run.net, samples, work)); };
  // the other methods get more patience than epochs, so they train to the end and keep the last parameters
  cr::EarlyStopping early_stopping{.patience = method.stops_early ? options.patience : options.epochs, .restore_best = method.stops_early};

  cr::Trainer trainer{method.net, cr::Adam{.learning_rate = 0.003}};
  trainer.fit(
      samples.training,
      {.epochs = options.epochs, .batch_size = 20, .validation = samples.validation, .seed = cr::Seed{options.seed}, .l2 = method.l2},
      measure, early_stopping);
  method.end = Losses::evaluate(method.net, samples, work);
}

// Draws the losses of each net and its prediction for every place of the square, together with the training points.
void plot(const std::vector<Method>& methods, const Data& training, double noise_alone, const examples::OutputFolder& output) {
  std::vector<examples::OverfittingCurves> curves;
  for (const Method& method : methods) {
    Eigen::MatrixXd losses(3, std::ssize(method.after_epoch));
    for (Index e = 0; const Losses& J : method.after_epoch) losses.col(e++) << J.training, J.validation, J.test;
    const Eigen::MatrixXf places = examples::places_of_square().cast<float>();
    curves.push_back({method.name, method.best_epoch() + 1, losses, method.net.predict(places).cast<double>()});
  }
  Eigen::MatrixXd points(3, training.size());
  points << training.features.cast<double>(), training.targets.cast<double>();
  examples::plot_overfitting("overfitting", curves, points, noise_alone, output);
}

int main(int argc, char** argv) try {
  Options options;
  std::vector<Method> methods{{"plain"}, {"L2", 0.02}, {"dropout", 0, 0.5}, {"early stopping", 0, 0, true}};
  examples::Flags flags("Trains a large net on few noisy points, without and with three remedies for overfitting.");
  flags.add("--epochs", options.epochs, "Largest number of passes through the 60 training points");
  flags.add("--l2", methods[1].l2, "Strength of the L2 penalty on large weights");
  flags.add("--dropout", methods[2].dropout, "Share of the units that dropout leaves out in each training step");
  flags.add("--patience", options.patience, "Number of epochs without improvement after which early stopping ends the training");
  flags.add_seed(options.seed, "the points, the initial weights, the order of the points and dropout's masks");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  cr::Random random{cr::Seed{options.seed}};
  const Samples samples{points(60, random), points(300, random), points(4000, random)};
  // The loss of a perfect net, which knows the circle and the share of wrong labels. On enough points no net can have a lower loss.
  const double noise_alone = -noise * std::log(noise) - (1 - noise) * std::log(1 - noise);

  std::printf("%47s %33s\n", "J at the end", "J at the best epoch");
  std::printf("%-15s %6s %10s %10s %6s  %6s %10s %10s %6s\n", "", "epochs", "training", "validation", "test", "epoch", "training",
              "validation", "test");
  for (Method& method : methods) {
    train(method, samples, options);
    const Losses &end = method.end, &best = method.after_epoch[method.best_epoch()];
    std::printf("%-15s %6td %10.3f %10.3f %6.3f  %6zu %10.3f %10.3f %6.3f\n", method.name, std::ssize(method.after_epoch), end.training,
                end.validation, end.test, method.best_epoch() + 1, best.training, best.validation, best.test);
  }
  const double at_end = methods[0].end.test, at_best = methods[0].after_epoch[methods[0].best_epoch()].test;
  std::printf(
      "\nThe plain net's test loss is %.1f times its training loss, and %.1f times its test loss at the best epoch:\n"
      "it %s. The loss due to the noise in the labels alone is %.3f.\n\n",
      at_end / methods[0].end.training, at_end / at_best, at_end > 1.2 * at_best ? "overfits" : "hardly overfits", noise_alone);
  plot(methods, samples.training, noise_alone, output);
  std::printf("test loss:");
  for (const Method& method : methods) std::printf(" %s %.3f%s", method.name, method.end.test, &method == &methods.back() ? "\n" : ",");
} catch (const std::exception& error) {
  std::fprintf(stderr, "overfitting: %s\n", error.what());
  return 1;
}
