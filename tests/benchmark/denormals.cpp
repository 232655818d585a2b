// Measures what becomes slow where numbers fall below the smallest normal one (subnormal or denormal numbers), which processors handle in
// microcode: processor time of optimizers' steps after the gradient has become 0 or tiny, and of passes with saturated or tiny numbers,
// beside that of usual numbers.

#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adadelta.hpp>
#include <chainrule/optimizers/adagrad.hpp>
#include <chainrule/optimizers/adamw.hpp>
#include <chainrule/optimizers/elementwise_step.hpp>
#include <chainrule/optimizers/lion.hpp>
#include <chainrule/optimizers/nadam.hpp>
#include <chainrule/optimizers/rmsprop.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <chainrule/training/trainer.hpp>
#include <cstdio>
#include <ctime>
#include <string>

#include "stopwatch.hpp"

namespace {

namespace cr = chainrule;
using Scalar = CHAINRULE_BENCHMARK_SCALAR;
using cr::Index;
using Vector = cr::Vector<Scalar>;

double now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// The median seconds of f over groups of calls.
template <class F>
double seconds_of_call(int groups, int calls, const F& f) {
  std::vector<double> times;
  for (int group = 0; group < groups; ++group) {
    const double begin = now();
    for (int call = 0; call < calls; ++call) f();
    times.push_back((now() - begin) / calls);
  }
  return bench::median(times);
}

/// A user's own rule: the example of formula_step.
struct HeavyBall {
  static constexpr std::string_view name{"HeavyBall (of a user)"};
  double learning_rate = 0.01;
  Index moments() const { return 1; }
  template <cr::HasParameters Net>
  auto make_state(const Net& net) const {
    return cr::OptimizerState(net, moments());
  }
  template <class Theta, class Gradient, class Number>
  void step(Theta&& theta, const Gradient& gradient, cr::OptimizerState<Number>& state) const {
    const auto rate = static_cast<Number>(learning_rate), beta = static_cast<Number>(0.9);
    cr::formula_step<1>(*this, theta, gradient, state, [rate, beta](const auto& g, auto& theta_i, auto& m) CHAINRULE_FORMULA {
      m = beta * m + g;
      theta_i -= rate * m;
    });
  }
};

/// Steps of 65,792 parameters: usual ones, after 3,000 with a gradient of 0, the slowest 20 of these, and with gradients of 1e-19 and
/// 1e-39.
template <class Rule>
void measure_rule(const Rule& rule, const char* suffix = "") {
  constexpr Index size = 65792;
  const Vector zero = Vector::Zero(size);
  Vector usual(size);
  for (Index i = 0; i < size; ++i) usual[i] = static_cast<Scalar>(0.01 * static_cast<double>(i % 17 - 8));
  Vector theta = usual;
  auto state = rule.make_state(theta);
  const auto steps = [&](const Vector& gradient, int groups) {
    return 1e6 * seconds_of_call(groups, 20, [&] { rule.step(theta, gradient, state); });
  };
  const double before = steps(usual, 20);
  double worst = 0;
  for (int group = 0; group < 150; ++group) worst = std::max(worst, steps(zero, 1));
  const double after = steps(zero, 20);
  const double tiny = steps(Vector(usual * Scalar(1e-17)), 20), subnormal = steps(Vector::Constant(size, Scalar(1e-39)), 20);
  std::printf("%-24s %8.1f %8.2f %8.2f %8.2f %8.2f\n", (std::string(Rule::name) + suffix).c_str(), before, after / before, worst / before,
              tiny / before, subnormal / before);
}

/// Predictions and steps of a 512-512-4 net of F whose z are about `z`, with inputs of about `x`.
template <class F>
void measure_pass(const char* name, double usual_z, double z, double x) {
  using Net = cr::Network<Scalar, cr::SquaredError, cr::Dense<512, 512, F>, cr::Dense<512, 4>>;
  constexpr Index batch = 64;
  const auto seconds = [&](double of_z, double of_x) {
    Net net{cr::Seed{1}};
    net.template layer<0>().bias.setConstant(static_cast<Scalar>(of_z));
    const cr::Matrix<Scalar> inputs = cr::Matrix<Scalar>::Constant(512, batch, static_cast<Scalar>(of_x));
    const cr::Matrix<Scalar> y = cr::Matrix<Scalar>::Zero(4, batch);
    auto work = net.make_workspace(batch);
    auto dJ = net.make_gradients();
    return seconds_of_call(9, 20, [&] {
      net.forward(inputs, work);
      net.backward(inputs, y, work, dJ);
    });
  };
  const double usual = seconds(usual_z, 0.01), slow = seconds(z, x);
  std::printf("%-44s %8.1f %8.2f\n", name, 1e6 * usual, slow / usual);
}

void measure_fit() {
  using Net = cr::Network<Scalar, cr::SoftmaxCrossEntropy, cr::Dense<64, 512, cr::ReLU>, cr::Dense<512, 512, cr::ReLU>, cr::Dense<512, 2>>;
  cr::Random random{cr::Seed{1}};
  cr::Dataset<Scalar> data{.features = cr::Matrix<Scalar>(64, 1024)};
  for (Scalar& number : data.features.reshaped()) number = static_cast<Scalar>(2 * random.uniform() - 1);
  for (Index j = 0; j < 1024; ++j) data.targets.push_back(data.features(0, j) * data.features(1, j) > 0 ? 1 : 0);
  Net net{cr::Seed{1}};
  cr::Trainer trainer{net, cr::Adam{.learning_rate = 0.003}};
  std::vector<double> epochs;
  double begin = now();
  trainer.fit(data, {.epochs = 60, .batch_size = 32}, [&](const auto&) {
    epochs.push_back(now() - begin);
    begin = now();
  });
  const double first = bench::median({epochs.begin() + 5, epochs.begin() + 15});
  std::printf("64-512-512-2 ReLU, Adam, fit: %.1f ms an epoch at first, %.2f times as much after 45 epochs\n", 1e3 * first,
              bench::median({epochs.begin() + 45, epochs.end()}) / first);
}

}  // namespace

int main() {
  std::printf("%s, %s\n", CHAINRULE_BENCHMARK_TITLE, sizeof(Scalar) == 4 ? "float" : "double");
  std::printf(
      "steps of 65,792 parameters: microseconds with usual gradients, and times as much after 3,000 gradients of 0, in the slowest 20 "
      "of these, and with gradients of 1e-19 and 1e-39\n");
  measure_rule(cr::SGD{.momentum = 0.9}, ", momentum");
  measure_rule(cr::SGD{.momentum = 0.9, .nesterov = true}, ", Nesterov");
  measure_rule(cr::Adam{});
  measure_rule(cr::AdamW{});
  measure_rule(cr::NAdam{});
  measure_rule(cr::RMSprop{.momentum = 0.9}, ", momentum");
  measure_rule(cr::Adagrad{});
  measure_rule(cr::Adadelta{});
  measure_rule(cr::Lion{});
  measure_rule(HeavyBall{});
  std::printf("forward and backward of 64 samples: microseconds with usual numbers, and times as much\n");
  measure_pass<cr::Sigmoid>("512-512-4 sigmoid, z near -100", -1, -100, 0.01);
  measure_pass<cr::Sigmoid>("512-512-4 sigmoid, z near -80", -1, -80, 0.01);
  measure_pass<cr::ReLU>("512-512-4 ReLU, x = 1e-38", 0.1, 0.1, 1e-38);
  measure_fit();
}
