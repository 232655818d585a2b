// How a net that is too large for 60 noisy points overfits, and what L2, dropout and early stopping do about it.
#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "support/flags.hpp"
#include "support/gnuplot.hpp"
#include "support/output_folder.hpp"
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

// Above, the losses over the epochs; below, the probability of 1 that each net sees in each place, and the points that it learned from.
constexpr const char* picture = R"(
set datafile separator ','
set multiplot layout 2,4
set grid; set ylabel 'J'; set yrange [0:1.2]; set xlabel 'epoch'; set xrange [0:epochs]; set xtics ceil(epochs/4.)
unset key
do for [i=1:4] {
  best = int(word(bests, i))
  set title word(names, i).", best: epoch ".best
  set arrow 1 from best,0 to best,1.2 nohead linecolor 'gray50'
  if (i == 4) { set key bottom right }
  plot losses every ::1 using 1:3*i-1 with lines linewidth 2 linecolor '#286ebe' title 'training', \
       losses every ::1 using 1:3*i   with lines linewidth 2 linecolor '#d2321e' title 'validation', \
       losses every ::1 using 1:3*i+1 with lines linewidth 2 linecolor '#f08c1e' title 'test', \
       noise with lines dashtype 2 linecolor 'gray40' title 'the noise alone'
}
unset arrow; unset title; unset grid; unset key; unset colorbox
set size ratio -1; set xlabel 'x1'; set ylabel 'x2'; set xrange [-1:1]; set yrange [-1:1]; set xtics 0.5; set ytics 0.5
set cbrange [0:1]; set palette defined (0 '#286ebe', 0.5 'white', 1 '#f08c1e')
set object circle at 0,0 size 0.75 front fillstyle empty border linecolor 'black' dashtype 3
do for [i=1:4] {
  plot map every ::1 using 1:2:2+i with image, points every ::1 using 1:2 with points pointtype 7 pointsize 1 linecolor 'black', \
       points every ::1 using 1:2:3 with points pointtype 7 pointsize 0.7 linecolor palette
}
unset multiplot
)";

void plot(const std::vector<Method>& methods, const Samples& samples, double noise_alone, const examples::OutputFolder& output) {
  constexpr int side = 60;  // of the map
  const Index epochs = std::ssize(methods[0].after_epoch), count = std::ssize(methods);
  Eigen::MatrixXd losses = Eigen::MatrixXd::Constant(1 + 3 * count, epochs, NAN), map(2 + count, side * side), dots(3, 60);
  losses.row(0).setLinSpaced(1, static_cast<double>(epochs));
  const auto middles = Eigen::VectorXd::LinSpaced(side, -1 + 1.0 / side, 1 - 1.0 / side);
  for (Index i = 0; i < side * side; ++i) map.col(i).head(2) << middles[i % side], middles[i / side];
  dots << samples.training.features.cast<double>(), samples.training.targets.cast<double>();

  std::vector<std::string> loss_columns{"epoch"}, map_columns{"x1", "x2"};
  std::string names, bests;
  for (Index m = 0; const Method& method : methods) {
    for (const char* of : {": training", ": validation", ": test"}) loss_columns.push_back(method.name + std::string(of));
    for (Index e = 0; const Losses& J : method.after_epoch) losses.col(e++).segment(1 + 3 * m, 3) << J.training, J.validation, J.test;
    map_columns.push_back(method.name);
    map.row(2 + m++) = method.net.predict(map.topRows(2).cast<float>().eval()).cast<double>();
    names += std::string("\"") + method.name + "\" ";
    bests += std::to_string(method.best() + 1) + " ";
  }
  std::string script = "names = '" + names + "'\nbests = '" + bests + "'\nnoise = " + std::to_string(noise_alone) +
                       "\nepochs = " + std::to_string(epochs) + "\n";
  const auto write = [&](const std::string& name, const std::vector<std::string>& columns, const Eigen::MatrixXd& numbers) {
    std::vector<std::vector<double>> rows;
    for (const auto& column : numbers.colwise()) rows.emplace_back(column.begin(), column.end());
    script += name + " = " + examples::quoted(output.write_table("overfitting_" + name, columns, rows)) + "\n";
  };
  write("losses", loss_columns, losses);
  write("map", map_columns, map);
  write("points", {"x1", "x2", "y"}, dots);
  output.paint("overfitting", 1400, 760, script + picture);
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
  plot(methods, samples, noise_alone, output);
  std::printf("test loss:");
  for (const Method& method : methods) std::printf(" %s %.3f%s", method.name, method.end.test, &method == &methods.back() ? "\n" : ",");
} catch (const std::exception& error) {
  std::fprintf(stderr, "overfitting: %s\n", error.what());
  return 1;
}
