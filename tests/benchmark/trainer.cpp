// Measures Trainer::fit against the loop that its documentation shows, written out over contiguous batches: microseconds per step, and the
// median ratio of runs that alternate, in processor time, which other programs on this machine change less than the time of day. The loop
// neither shuffles nor looks for a loss, gradient or parameter that is not finite.

#include <chainrule/activations/relu.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/training/trainer.hpp>
#include <cstdio>
#include <ctime>
#include <span>
#include <string>

#include "stopwatch.hpp"

namespace {

namespace cr = chainrule;
using Scalar = CHAINRULE_BENCHMARK_SCALAR;
using cr::Index;

double now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

template <int... Widths>
struct NetOf;
template <int In, int Hidden, int Out>
struct NetOf<In, Hidden, Out> {
  using Type = cr::Network<Scalar, cr::SoftmaxCrossEntropy, cr::Dense<In, Hidden, cr::ReLU>, cr::Dense<Hidden, Out>>;
};
template <int In, int First, int Second, int Out>
struct NetOf<In, First, Second, Out> {
  using Type = cr::Network<Scalar, cr::SoftmaxCrossEntropy, cr::Dense<In, First, cr::ReLU>, cr::Dense<First, Second, cr::ReLU>,
                           cr::Dense<Second, Out>>;
};

cr::Dataset<Scalar> random_data(Index inputs, Index classes, Index samples) {
  cr::Random random{cr::Seed{1}};
  cr::Dataset<Scalar> data{.features = cr::Matrix<Scalar>(inputs, samples)};
  for (Scalar& number : data.features.reshaped()) number = static_cast<Scalar>(2 * random.uniform() - 1);
  for (Index j = 0; j < samples; ++j) data.targets.push_back(static_cast<int>(j % classes));
  return data;
}

/// The loop over contiguous batches. `computes_loss`: whether it does so in each step, as the documentation of Trainer shows.
template <class Net, class Rule>
double loop_seconds(const cr::Dataset<Scalar>& data, Index batch, Index epochs, const Rule& rule, bool computes_loss) {
  Net net{cr::Seed{1}};
  auto work = net.make_workspace(batch);
  auto dJ = net.make_gradients();
  auto state = rule.make_state(net);
  double sum = 0;
  const double begin = now();
  for (Index epoch = 0; epoch < epochs; ++epoch)
    for (Index first = 0; first + batch <= data.size(); first += batch) {
      const auto x = data.features.middleCols(first, batch);
      const std::span<const int> y(data.targets.data() + first, static_cast<std::size_t>(batch));
      net.forward(x, work);
      if (computes_loss) sum += static_cast<double>(net.loss(y, work));
      cr::descend(net, x, y, work, dJ, rule, state);
    }
  const double seconds = now() - begin;
  if (!(net.parameters().sum() + static_cast<Scalar>(sum) < 1e30)) std::printf("the loop diverged\n");
  return seconds;
}

template <class Net, class Rule>
double fit_seconds(const cr::Dataset<Scalar>& data, Index batch, Index epochs, const Rule& rule) {
  Net net{cr::Seed{1}};
  cr::Trainer trainer{net, rule};
  const double begin = now();
  trainer.fit(
      data,
      {.epochs = epochs, .batch_size = batch, .drop_last = true, .metrics = {{"none", [](const auto&, const auto&) { return 0.0; }}}});
  return now() - begin;
}

/// One row: a net of the Widths, the batch size and the rule. A run takes at least 30 ms and 8 epochs, because `fit` looks at
/// all data once before the first.
template <int... Widths, class Rule>
void measure(Index batch, const Rule& rule, Index samples) {
  using Net = typename NetOf<Widths...>::Type;
  constexpr int widths[] = {Widths...};
  const auto data = random_data(widths[0], widths[sizeof...(Widths) - 1], samples);
  const Index steps = samples / batch;
  const double once = loop_seconds<Net>(data, batch, 1, rule, true);
  const Index epochs = std::max<Index>(8, static_cast<Index>(0.03 / once));
  std::vector<double> fit, loop, without, ratio, ratio_without;
  for (int run = 0; run < 15; ++run) {
    fit.push_back(fit_seconds<Net>(data, batch, epochs, rule));
    loop.push_back(loop_seconds<Net>(data, batch, epochs, rule, true));
    without.push_back(loop_seconds<Net>(data, batch, epochs, rule, false));
    ratio.push_back(fit.back() / loop.back());
    ratio_without.push_back(fit.back() / without.back());
  }
  std::string name;
  for (const int width : widths) name += (name.empty() ? "" : "-") + std::to_string(width);
  name += " b" + std::to_string(batch) + " " + std::string(Rule::name);
  const double per_step = 1e6 / static_cast<double>(epochs * steps);
  std::printf("%-28s %10.3f %10.3f %8.3f %14.3f %8.3f\n", name.c_str(), bench::median(fit) * per_step, bench::median(loop) * per_step,
              bench::median(ratio), bench::median(without) * per_step, bench::median(ratio_without));
}

}  // namespace

int main() {
  std::printf("%s, %s\n", CHAINRULE_BENCHMARK_TITLE, sizeof(Scalar) == 4 ? "float" : "double");
  std::printf("%-28s %10s %10s %8s %14s %8s\n", "microseconds per step", "fit", "loop", "ratio", "loop without J", "ratio");
  measure<784, 128, 10>(64, cr::SGD{.learning_rate = 1e-3}, 1920);
  measure<784, 128, 10>(64, cr::Adam{.learning_rate = 1e-5}, 1920);
  measure<784, 128, 10>(1, cr::SGD{.learning_rate = 1e-5}, 2000);
  measure<784, 500, 250, 10>(16, cr::Adam{.learning_rate = 1e-5}, 1600);
  measure<30, 64, 64, 2>(32, cr::Adam{.learning_rate = 1e-5}, 6400);
  measure<4, 16, 3>(16, cr::Adam{.learning_rate = 1e-5}, 6400);
  measure<4, 16, 3>(1, cr::SGD{.learning_rate = 1e-5}, 2000);
}
