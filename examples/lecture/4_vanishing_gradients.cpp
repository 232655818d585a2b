// Vanishing gradients: how dJ/dW(l) shrinks towards the first layers of a deep sigmoid net, and not with tanh, ReLU or leaky ReLU.
//
// Each step of backpropagation, delta(l) = W(l)^T delta(l+1) * f'(z(l)), multiplies by f'. Since sigma'(z) <= 0.25, ten layers of sigmoids
// leave almost nothing of the gradient at W(1), and the net hardly learns. The program trains the same net with four activations, prints
// the norm of dJ/dW(l) in each layer at the start, and draws it together with the losses.
#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/flags.hpp"
#include "support/gradient_plots.hpp"
#include "support/output_folder.hpp"
namespace cr = chainrule;
using cr::Index;

// 200 points of a disc (y = 0) and 200 of a ring around it (y = 1). y_hat is the probability that a point belongs to the ring.
struct Samples {
  Eigen::MatrixXf x{2, 400};
  Eigen::RowVectorXf y{400};

  explicit Samples(cr::Random random) {
    for (Index i = 0; i < x.cols(); ++i) {
      const bool in_ring = i % 2 == 1;
      const double radius = in_ring ? 1 + 0.4 * random.uniform() : 0.7 * std::sqrt(random.uniform());
      const double angle = 2 * std::numbers::pi * random.uniform();
      x.col(i) << static_cast<float>(radius * std::cos(angle)), static_cast<float>(radius * std::sin(angle));
      y[i] = in_ring ? 1 : 0;
    }
  }
};

// A net with activation f, L = `layers` weight matrices W(1), ..., W(L), and 16 units in each hidden layer.
template <cr::Activation F>
cr::AnyNetwork<float> deep_net(const F& f, Index layers, cr::Seed seed) {
  // AnyActivation holds any activation in one type, so that Dense is compiled once and not for each of the four.
  using AnyF = cr::AnyActivation<float, cr::DerivativeFromOutput<F>>;
  cr::AnyLayers<float> all_layers;
  for (Index l = 1; l < layers; ++l) all_layers.add(cr::Dense<cr::Dynamic, cr::Dynamic, AnyF>(l == 1 ? 2 : 16, 16, AnyF(f)));
  all_layers.add(cr::Dense<cr::Dynamic, 1>(16, 1));
  return {seed, cr::BinaryCrossEntropy{}, all_layers};
}

// The training of one net: all losses, and the gradients at the first and at the last step.
struct TrainingRun {
  std::string name;
  const char* color;
  cr::AnyNetwork<float> net;
  std::vector<double> J = {};
  cr::GradientFlow first = {}, last = {};
  double accuracy = 0;

  // ||dJ/dW(l)|| / ||dJ/dW(L)|| at the start
  double remaining(std::size_t l) const { return first.layers[l - 1].gradient_norm / first.layers.back().gradient_norm; }
};

// Gradient descent. After the first and after the last backward pass, gradient_flow measures dJ/dW in each layer.
void train(TrainingRun& run, const Samples& samples, Index steps, double learning_rate) {
  auto& [x, y] = samples;
  cr::AnyNetwork<float>& net = run.net;
  auto work = net.make_workspace(x.cols());
  auto dJ = net.make_gradients();
  const cr::SGD sgd{.learning_rate = learning_rate};
  for (Index step = 0; step <= steps; ++step) {
    net.forward(x, work);                                     // 1  make a prediction
    run.J.push_back(static_cast<double>(net.loss(y, work)));  // 2  calculate the loss
    if (!std::isfinite(run.J.back())) throw std::runtime_error(run.name + ": J is not finite; try a smaller --learning-rate");
    net.backward(x, y, work, dJ);  // 3  calculate the gradient of the loss, by the chain rule
    if (step == 0) run.first = cr::gradient_flow(net, work, dJ);
    if (step == steps) run.last = cr::gradient_flow(net, work, dJ);
    if (step < steps) sgd.step(net.parameters(), dJ);  // 4  update the parameters by a step in the opposite direction
  }                                                    // 5  iterate
  run.accuracy = cr::accuracy(net.predict(x), y);
}

// Draws the norm of dJ/dW(l) for each layer before and after training, and the losses.
void plot(const std::vector<TrainingRun>& runs, const examples::OutputFolder& output) {
  std::vector<examples::GradientCurves> curves;
  for (const TrainingRun& run : runs) {
    curves.push_back({run.name, run.color, {}, {}, run.J});
    for (const auto& layer : run.first.layers) curves.back().at_start.push_back(layer.gradient_norm);
    for (const auto& layer : run.last.layers) curves.back().at_end.push_back(layer.gradient_norm);
  }
  examples::plot_gradients("vanishing_gradients", curves, output);
}

int main(int argc, char** argv) try {
  Index layers = 10, steps = 5000;
  double learning_rate = 0.2;
  std::uint64_t seed = 1;
  examples::Flags flags("Trains the same deep net with four activations and shows the size of the gradient in each layer.");
  flags.add("--layers", layers, "Number of weight matrices", 2, 20);
  flags.add("--steps", steps, "Number of training steps of each net");
  flags.add("--learning-rate", learning_rate, "Step size of gradient descent");
  flags.add_seed(seed, "the points and the initial weights");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  const Samples samples(cr::Random{cr::Seed{seed}});
  std::vector<TrainingRun> runs{{"sigmoid", "#d2321e", deep_net(cr::Sigmoid{}, layers, cr::Seed{seed})},
                                {"tanh", "#286ebe", deep_net(cr::Tanh{}, layers, cr::Seed{seed})},
                                {"ReLU", "#1e9632", deep_net(cr::ReLU{}, layers, cr::Seed{seed})},
                                {"leaky ReLU", "#f08c1e", deep_net(cr::LeakyReLU{}, layers, cr::Seed{seed})}};
  for (TrainingRun& run : runs) train(run, samples, steps, learning_rate);

  std::printf("||dJ/dW(l)|| at the start\n   l");
  for (const TrainingRun& run : runs) std::printf("  %10s", run.name.c_str());
  for (std::size_t l = 0; l < static_cast<std::size_t>(layers); ++l) {
    std::printf("\n%4d", static_cast<int>(l + 1));
    for (const TrainingRun& run : runs) std::printf("  %10.2e", run.first.layers[l].gradient_norm);
  }
  // In delta(l) = W(l)^T delta(l+1) * f'(z(l)), initial weights by Xavier or He keep the length of delta about constant, so the factor per
  // layer is about the average f'. With sigmoids dJ/dW(1) is even smaller than this factor suggests, because x, unlike the activations
  // a(l) of sigmoids, has both signs, so that terms of delta(2) x^T cancel in the sum over the samples.
  std::printf("\n\n            dJ/dW(1) / dJ/dW(%td)  factor per layer, W(%td) to W(2)  J after %td steps  accuracy\n", layers, layers,
              steps);
  for (const TrainingRun& run : runs)
    std::printf("%-10s  %20.1e  %31.2f  %18.4f  %6.1f %%\n", run.name.c_str(), run.remaining(1),
                std::pow(run.remaining(2), 1.0 / static_cast<double>(std::max<Index>(layers - 2, 1))), run.J.back(), 100 * run.accuracy);
  std::printf("\nWarnings of cr::gradient_flow at the start (it counts layers from 0, like net.layer<0>()):\n");
  for (const TrainingRun& run : runs) {
    for (const std::string& warning : run.first.warnings) std::printf("  %s: %s\n", run.name.c_str(), warning.c_str());
    if (run.first.warnings.empty()) std::printf("  %s: none\n", run.name.c_str());
  }
  std::printf("\n");
  plot(runs, output);
  std::printf("accuracy after %td steps with %td layers:", steps, layers);
  for (const TrainingRun& run : runs) std::printf(" %s %.1f %%%s", run.name.c_str(), 100 * run.accuracy, &run == &runs.back() ? "\n" : ",");
} catch (const std::exception& error) {
  std::fprintf(stderr, "vanishing_gradients: %s\n", error.what());
  return 1;
}
