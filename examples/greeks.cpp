// Learns option prices from samples, with and without their derivatives (Greeks) as targets: how many samples do derivatives replace?
//
// A net that replaces a slow pricing model is trained on samples of it. Where the model also gives derivatives, which cost little by
// reverse-mode differentiation, each sample tells more (Czarnecki et al. 2017, "Sobolev Training for Neural Networks"; Huge and Savine
// 2020, "Differential Machine Learning"). Here the model is a formula, so that the error can be measured.
#include <algorithm>
#include <array>
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <numbers>
#include <string>
#include <vector>

#include "support/flags.hpp"
#include "support/gnuplot.hpp"
#include "support/output_folder.hpp"
namespace cr = chainrule;
using cr::Index;

// The price of a European call and its derivatives (Black and Scholes 1973) for a strike of 1 and an interest rate of 2 %:
//     C = S N(d1) - e^(-r t) N(d2),   d1 = (ln S + (r + sigma^2/2) t)/(sigma sqrt t),   d2 = d1 - sigma sqrt t
//     delta = dC/dS = N(d1),   vega = dC/dsigma = S N'(d1) sqrt t
// where S is the spot price, sigma the volatility, t the time to expiry in years, and N the normal distribution.
struct Call {
  double price, delta, vega;
  Call(double S, double sigma, double t) {
    constexpr double r = 0.02;
    const auto N = [](double d) { return std::erfc(-d / std::numbers::sqrt2) / 2; };
    const double d1 = (std::log(S) + (r + sigma * sigma / 2) * t) / (sigma * std::sqrt(t)), d2 = d1 - sigma * std::sqrt(t);
    price = S * N(d1) - std::exp(-r * t) * N(d2);
    delta = N(d1);
    vega = S * std::exp(-d1 * d1 / 2) / std::sqrt(2 * std::numbers::pi) * std::sqrt(t);
  }
};

// S, sigma and t are uniform within these ranges. The net reads and predicts numbers with a standard deviation of about 1, which training
// needs most of all: x = ((S, sigma, t) - middle)/deviation and y = C/0.2. By the chain rule the targets of its derivatives are
//     dy/dx1 = deviation_1/0.2 delta,   dy/dx2 = deviation_2/0.2 vega
const Eigen::Array3d middle{1, 0.3, 1.25}, half_range{0.5, 0.15, 0.75}, deviation = half_range / std::sqrt(3.0);
constexpr double price_deviation = 0.2;
const Eigen::Array3d target_scale = Eigen::Array3d{1, deviation[0], deviation[1]} / price_deviation;

// Features: x. Targets: y, dy/dx1 and dy/dx2.
using Data = cr::RegressionDataset<double>;
Data samples(Index count, cr::Seed seed) {
  Data data{Eigen::MatrixXd(3, count), Eigen::MatrixXd(3, count)};
  cr::Random random{seed};
  for (Index j = 0; j < count; ++j) {
    Eigen::Array3d market;
    for (Index i = 0; i < 3; ++i) market[i] = middle[i] + half_range[i] * (2 * random.uniform() - 1);
    const Call call(market[0], market[1], market[2]);
    data.features.col(j) = (market - middle) / deviation;
    data.targets.col(j) = target_scale * Eigen::Array3d{call.price, call.delta, call.vega};
  }
  return data;
}

// SquaredError is not used: sobolev_loss computes J.
using Net = cr::Network<double, cr::SquaredError, cr::Dense<3, 32, cr::SiLU>, cr::Dense<32, 32, cr::SiLU>, cr::Dense<32, 1>>;

// The workspace for y and its derivatives by x1 and x2.
Net::JetWorkspace make_workspace(const Net& net, Index count) { return net.make_jet_workspace(count, {Eigen::MatrixXd::Identity(3, 2)}); }

// Trains a net by Adam on
//     J = 1/(2 batch) sum over samples of ((y_hat - y)^2 + first ((dy_hat/dx1 - dy/dx1)^2 + (dy_hat/dx2 - dy/dx2)^2))
// with first = 1, or without derivatives with first = 0.
Net train(const Data& data, double first, Index steps, cr::Seed seed) {
  Net net{seed};
  cr::Batches batches{cr::DataView{data}, std::min<Index>(64, data.size()), {.seed = seed, .drop_last = true}};
  auto work = make_workspace(net, batches.batch_size());
  auto dJ = net.make_gradients();
  cr::Adam adam;
  auto state = adam.make_state(net);
  const cr::Cosine falling{.period = static_cast<double>(steps)};
  for (Index step = 0; step < steps; ++step) {
    if (step % batches.batches() == 0) batches.start_epoch(step / batches.batches());
    const auto [x, y] = batches[step % batches.batches()];
    net.forward_jet(x, work);                                                                             // 1  prediction and derivatives
    cr::sobolev_loss(work, y.targets.topRows(1), y.targets.bottomRows(2), {.value = 1, .first = first});  // 2  the loss
    net.backward_jet(x, work, dJ);                                                                        // 3  the gradient
    adam.learning_rate = 0.03 * falling(static_cast<double>(step));
    adam.step(net.parameters(), dJ, state);  // 4  a step
  }                                          // 5  iterate
  return net;
}

// The root mean square errors of price, delta and vega on samples that were not used for training.
Eigen::Array3d errors_of(const Net& net, const Data& test, Net::JetWorkspace& work) {
  net.forward_jet(test.features, work);
  Eigen::MatrixXd learned(3, test.size());
  learned << work.value(), work.first(0), work.first(1);
  return (learned - test.targets).array().square().rowwise().mean().sqrt() / target_scale;
}

// The number of samples for which a curve of errors over numbers of samples reaches this error, by linear interpolation of the logarithms;
// infinity where it does not reach it, and the smallest number where it begins below.
double samples_for(double error, const std::vector<double>& counts, const std::vector<double>& errors) {
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (errors[i] > error) continue;
    if (i == 0) return counts[0];
    const double share = std::log(errors[i - 1] / error) / std::log(errors[i - 1] / errors[i]);
    return counts[i - 1] * std::pow(counts[i] / counts[i - 1], share);
  }
  return HUGE_VAL;
}
std::string as_count(double number, double largest) {
  return number > largest ? "more than " + std::to_string(std::lround(largest)) : std::to_string(std::lround(number));
}

// The delta that a net has learned, over the spot price, for sigma = 0.2 and half a year.
Eigen::RowVectorXd delta_curve(const Net& net, const Eigen::RowVectorXd& spots) {
  Eigen::Matrix3Xd x(3, spots.size());
  for (Index j = 0; j < spots.size(); ++j) x.col(j) = (Eigen::Array3d(spots[j], 0.2, 0.5) - middle) / deviation;
  auto work = make_workspace(net, spots.size());
  net.forward_jet(x, work);
  return work.first(0) / target_scale[1];
}

// Draws the errors over the number of samples, and the delta of two nets trained on 16 samples.
void plot(const std::vector<std::vector<double>>& errors, const Net& plain, const Net& sobolev, const examples::OutputFolder& output) {
  const auto spots = Eigen::RowVectorXd::LinSpaced(101, 0.5, 1.5).eval();
  const Eigen::RowVectorXd without = delta_curve(plain, spots), with = delta_curve(sobolev, spots);
  std::vector<std::vector<double>> curve;
  for (Index j = 0; j < spots.size(); ++j) curve.push_back({spots[j], Call(spots[j], 0.2, 0.5).delta, without[j], with[j]});
  const std::vector<std::string> columns{"samples", "price alone", "delta alone", "vega alone", "price with", "delta with", "vega with"};
  const std::string style1 = " with linespoints pointtype 7 linewidth 2 linecolor '#d2321e' title 'prices alone'";
  const std::string style2 = " with linespoints pointtype 7 linewidth 2 linecolor '#286ebe' title 'with delta and vega'";
  std::string script =
      "set datafile separator ','\nset key outside bottom center horizontal\nset grid\nset multiplot layout 1,3\n"
      "errors = " +
      examples::quoted(output.write_table("greeks_errors", columns, errors)) +
      "\ncurve = " + examples::quoted(output.write_table("greeks_delta", {"spot", "exact", "alone", "with"}, curve)) +
      "\nset logscale xy\nset format y '10^{%T}'\nset xlabel 'training samples'\n";
  script += "set title 'error of the price (root mean square)'\nplot errors every ::1 using 1:2" + style1 + ", errors every ::1 using 1:5" +
            style2;
  script += "\nset title 'error of delta'\nplot errors every ::1 using 1:3" + style1 + ", errors every ::1 using 1:6" + style2;
  script +=
      "\nunset logscale\nset format y '%g'\nset xlabel 'spot price'\nset title 'delta learned from 16 samples'\n"
      "plot curve every ::1 using 1:3 with lines linewidth 3 linecolor '#d2321e' title 'prices alone', "
      "curve every ::1 using 1:4 with lines linewidth 3 linecolor '#286ebe' title 'with delta and vega', "
      "curve every ::1 using 1:2 with lines dashtype 2 linecolor 'black' title 'exact'\nunset multiplot\n";
  output.paint("greeks", 1350, 460, script);
}

int main(int argc, char** argv) try {
  Index steps = 5000, repetitions = 2, largest = 4096;
  std::uint64_t seed = 1;
  examples::Flags flags("Learns the prices of options, with and without their derivatives as targets.");
  flags.add("--steps", steps, "Number of training steps of each net, of 64 samples at most; they limit the errors for many samples");
  flags.add("--repetitions", repetitions, "Number of nets for each number of samples, whose errors are averaged");
  flags.add("--largest", largest, "Largest number of training samples; the others are 16, 64, 256, ...", 64);
  flags.add_seed(seed, "the samples, the initial weights and the order of the samples");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  const Data test = samples(10'000, cr::derived_seed(cr::Seed{seed}, 0));
  std::array<Net, 2> shown{Net{cr::Seed{seed}}, Net{cr::Seed{seed}}};  // without and with derivatives, from 16 samples, for the picture
  auto test_work = make_workspace(shown[0], test.size());
  std::vector<double> counts;
  std::vector<std::vector<double>> table;
  std::array<std::array<std::vector<double>, 3>, 2> errors;  // [without, with derivatives][price, delta, vega]
  std::printf("root mean square errors on %td other samples\n%8s %32s %32s\n%8s %10s %10s %10s %10s %10s %10s\n", test.size(), "",
              "prices alone", "with delta and vega", "samples", "price", "delta", "vega", "price", "delta", "vega");
  for (Index count = 16; count <= largest; count *= 4) {
    counts.push_back(static_cast<double>(count));
    table.push_back({counts.back()});
    for (std::size_t with = 0; with < 2; ++with) {
      Eigen::Array3d mean = Eigen::Array3d::Zero();
      for (Index repetition = 1; repetition <= repetitions; ++repetition) {
        const cr::Seed of_net = cr::derived_seed(cr::Seed{seed}, static_cast<std::uint64_t>(repetition));
        const Net net = train(samples(count, of_net), with == 1 ? 1 : 0, steps, of_net);
        mean += errors_of(net, test, test_work) / static_cast<double>(repetitions);
        if (count == 16) shown[with] = net;
      }
      for (std::size_t i = 0; i < 3; ++i) {
        errors[with][i].push_back(mean[static_cast<Index>(i)]);
        table.back().push_back(errors[with][i].back());
      }
    }
    std::printf("%8td", count);
    for (std::size_t i = 1; i <= 6; ++i) std::printf(" %10.5f", table.back()[i]);
    std::printf("\n");
  }

  std::printf("\nnumber of prices alone that give the same errors as so many samples with delta and vega\n%8s %16s %16s %16s\n", "samples",
              "price", "delta", "vega");
  std::array<double, 3> of_64{};
  for (std::size_t n = 0; n < counts.size(); ++n) {
    std::printf("%8.0f", counts[n]);
    for (std::size_t i = 0; i < 3; ++i) {
      const double alone = samples_for(errors[1][i][n], counts, errors[0][i]);
      if (counts[n] == 64) of_64[i] = alone;
      std::printf(" %16s", as_count(alone, counts.back()).c_str());
    }
    std::printf("\n");
  }
  std::printf("\n");
  plot(table, shown[0], shown[1], output);
  std::printf("64 samples with delta and vega are worth %s prices alone for the price, and %s for delta\n",
              as_count(of_64[0], counts.back()).c_str(), as_count(of_64[1], counts.back()).c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "greeks: %s\n", error.what());
  return 1;
}
