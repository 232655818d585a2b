// How dJ/dW(l) fades from layer to layer of a deep net of sigmoids, beside tanh, ReLU and leaky ReLU, and what each net learns meanwhile.
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

// A disc and a ring around it, 200 points each: y is the probability that a point belongs to the ring.
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

// One and the same net with any activation: `layers` weight matrices W(1), ..., W(L), 16 units in each hidden layer.
template <cr::Activation F>
cr::AnyNetwork<float> deep_net(const F& f, Index layers, cr::Seed seed) {
  // AnyActivation makes one type of all four, so that the compiler meets one Dense; Dense<2, 16, cr::ReLU> would do the same
  using AnyF = cr::AnyActivation<float, cr::DerivativeFromOutput<F>>;
  cr::AnyLayers<float> all;
  for (Index l = 1; l < layers; ++l) all.add(cr::Dense<cr::Dynamic, cr::Dynamic, AnyF>(l == 1 ? 2 : 16, 16, AnyF(f)));
  all.add(cr::Dense<cr::Dynamic, 1>(16, 1));
  return {seed, cr::BinaryCrossEntropy{}, all};
}

// What is seen of one net: the gradient at its first and at its last step, and all losses.
struct Course {
  std::string name;
  const char* color;
  cr::AnyNetwork<float> net;
  std::vector<double> J = {};
  cr::GradientFlow first = {}, last = {};
  double accuracy = 0;

  // dJ/dW(l) beside dJ/dW(L), at the start
  double left(std::size_t l) const { return first.layers[l - 1].gradient_norm / first.layers.back().gradient_norm; }
};

// The usual loop. Between backward and step, gradient_flow looks at each layer's dJ/dW.
void train(Course& course, const Samples& samples, Index steps, double learning_rate) {
  auto& [x, y] = samples;
  cr::AnyNetwork<float>& net = course.net;
  auto work = net.make_workspace(x.cols());
  auto dJ = net.make_gradients();
  const cr::SGD sgd{.learning_rate = learning_rate};
  for (Index step = 0; step <= steps; ++step) {
    net.forward(x, work);                                        // 1  make a prediction
    course.J.push_back(static_cast<double>(net.loss(y, work)));  // 2  calculate the loss
    if (!std::isfinite(course.J.back())) throw std::runtime_error(course.name + ": J is not finite; try a smaller --learning-rate");
    net.backward(x, y, work, dJ);  // 3  calculate its gradient, by the chain rule
    if (step == 0) course.first = cr::gradient_flow(net, work, dJ);
    if (step == steps) course.last = cr::gradient_flow(net, work, dJ);
    if (step < steps) sgd.step(net.parameters(), dJ);  // 4  step in the opposite direction
  }                                                    // 5  iterate
  course.accuracy = cr::accuracy(net.predict(x), y);
}

// Norms for each layer before and after training, and the losses.
void plot(const std::vector<Course>& courses, const examples::OutputFolder& output) {
  std::vector<examples::GradientCurves> curves;
  for (const Course& course : courses) {
    curves.push_back({course.name, course.color, {}, {}, course.J});
    for (const auto& layer : course.first.layers) curves.back().at_start.push_back(layer.gradient_norm);
    for (const auto& layer : course.last.layers) curves.back().at_end.push_back(layer.gradient_norm);
  }
  examples::plot_gradients("vanishing_gradients", curves, output);
}

int main(int argc, char** argv) try {
  Index layers = 10, steps = 5000;
  double learning_rate = 0.2;
  std::uint64_t seed = 1;
  examples::Flags flags("Trains the same deep net with four activations and shows what is left of the gradient in each layer.");
  flags.add("--layers", layers, "How many weight matrices the net has", 2, 20);
  flags.add("--steps", steps, "How many steps each net learns");
  flags.add("--learning-rate", learning_rate, "How long a step is");
  flags.add_seed(seed, "the points and the initial weights");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  const Samples samples(cr::Random{cr::Seed{seed}});
  std::vector<Course> courses{{"sigmoid", "#d2321e", deep_net(cr::Sigmoid{}, layers, cr::Seed{seed})},
                              {"tanh", "#286ebe", deep_net(cr::Tanh{}, layers, cr::Seed{seed})},
                              {"ReLU", "#1e9632", deep_net(cr::ReLU{}, layers, cr::Seed{seed})},
                              {"leaky ReLU", "#f08c1e", deep_net(cr::LeakyReLU{}, layers, cr::Seed{seed})}};
  for (Course& course : courses) train(course, samples, steps, learning_rate);

  std::printf("||dJ/dW(l)|| at the start\n   l");
  for (const Course& course : courses) std::printf("  %10s", course.name.c_str());
  for (std::size_t l = 0; l < static_cast<std::size_t>(layers); ++l) {
    std::printf("\n%4d", static_cast<int>(l + 1));
    for (const Course& course : courses) std::printf("  %10.2e", course.first.layers[l].gradient_norm);
  }
  // delta(l) = W(l)^T delta(l+1) * f'(z(l)): weights of Xavier's and He's keep a vector about as long as it is, so what a layer passes is
  // about what f' leaves. Of sigmoids dJ/dW(1) is smaller still: x, unlike the other a(l), has both signs, so that terms cancel.
  std::printf("\n\n            dJ/dW(1) of dJ/dW(%td)  a layer passes, W(%td) to W(2)     J after %td steps     accuracy\n", layers, layers,
              steps);
  for (const Course& course : courses)
    std::printf("%-10s  %20.1e  %27.2f  %19.4f  %10.1f %%\n", course.name.c_str(), course.left(1),
                std::pow(course.left(2), 1.0 / static_cast<double>(std::max<Index>(layers - 2, 1))), course.J.back(),
                100 * course.accuracy);
  std::printf("\nWhat gradient_flow says of them at the start (it counts layers from 0, as net.layer<0>() does):\n");
  for (const Course& course : courses) {
    for (const std::string& warning : course.first.warnings) std::printf("  %s: %s\n", course.name.c_str(), warning.c_str());
    if (course.first.warnings.empty()) std::printf("  %s: nothing\n", course.name.c_str());
  }
  std::printf("\n");
  plot(courses, output);
  std::printf("right after %td steps of %td layers:", steps, layers);
  for (const Course& course : courses)
    std::printf(" %s %.1f %%%s", course.name.c_str(), 100 * course.accuracy, &course == &courses.back() ? "\n" : ",");
} catch (const std::exception& error) {
  std::fprintf(stderr, "vanishing_gradients: %s\n", error.what());
  return 1;
}
