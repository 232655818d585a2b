// Measures training steps and predictions whose products are computed in bfloat16 against those in float: microseconds, the ratio of both,
// and how far the step and the prediction are from those in float. Then trains with both, from five seeds each, and compares what was
// learned.

#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/sigmoid.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/any/any_network.hpp>
#include <chainrule/data/csv.hpp>
#include <chainrule/data/split.hpp>
#include <chainrule/data/standardizer.hpp>
#include <chainrule/kernels/bf16.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/metrics/accuracy.hpp>
#include <chainrule/metrics/regression.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/descend.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <chainrule/precision/bfloat16.hpp>
#include <chainrule/training/trainer.hpp>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <string>

#include "stopwatch.hpp"

namespace {

namespace cr = chainrule;
using cr::Index;
using Net = cr::AnyNetwork<float>;

template <class F>
Net net_of(const std::vector<Index>& widths, bool is_classifier, cr::Seed seed) {
  cr::AnyLayers<float> layers;
  for (std::size_t i = 0; i + 2 < widths.size(); ++i) layers.add(cr::Dense<cr::Dynamic, cr::Dynamic, F>{widths[i], widths[i + 1]});
  layers.add(cr::Dense<cr::Dynamic, cr::Dynamic>{widths[widths.size() - 2], widths.back()});
  if (is_classifier) return Net(seed, cr::SoftmaxCrossEntropy{}, layers);
  return Net(seed, cr::MeanSquaredError{}, layers);
}

struct Row {
  std::vector<Index> widths;
  char activation;  // r, t or s
  bool is_classifier;
  Index batch;
};

Net net_of(const Row& row, cr::Seed seed = cr::Seed{1}) {
  return row.activation == 'r'   ? net_of<cr::ReLU>(row.widths, row.is_classifier, seed)
         : row.activation == 't' ? net_of<cr::Tanh>(row.widths, row.is_classifier, seed)
                                 : net_of<cr::Sigmoid>(row.widths, row.is_classifier, seed);
}

void measure(const Row& row) {
  cr::Random random{cr::Seed{2}};
  cr::Matrix<float> x(row.widths.front(), row.batch), y = cr::Matrix<float>::Zero(row.widths.back(), row.batch);
  for (float& number : x.reshaped()) number = static_cast<float>(2 * random.uniform() - 1);
  for (Index j = 0; j < row.batch; ++j) y(j % y.rows(), j) = 1;
  // A rate so small that the nets stay as they are while they are measured.
  const cr::SGD rule{.learning_rate = 1e-6};
  Net in_float = net_of(row), in_bfloat16 = net_of(row);
  auto work = in_float.make_workspace(row.batch), rounded_work = in_bfloat16.make_workspace(row.batch, cr::bfloat16);
  auto dJ = in_float.make_gradients(), rounded_dJ = in_bfloat16.make_gradients();
  auto state = rule.make_state(in_float), rounded_state = rule.make_state(in_bfloat16);

  in_float.forward(x, work);
  in_bfloat16.forward(x, rounded_work);
  in_float.backward(x, y, work, dJ);
  in_bfloat16.backward(x, y, rounded_work, rounded_dJ);
  const float step_error = (rounded_dJ.flat() - dJ.flat()).norm() / dJ.flat().norm();
  const cr::Matrix<float> y_hat = in_float.predict_raw(x, work), rounded_y_hat = in_bfloat16.predict_raw(x, rounded_work);

  const auto times = bench::microseconds({[&] {
                                            in_float.forward(x, work);
                                            cr::descend(in_float, x, y, work, dJ, rule, state);
                                          },
                                          [&] {
                                            in_bfloat16.forward(x, rounded_work);
                                            cr::descend(in_bfloat16, x, y, rounded_work, rounded_dJ, rule, rounded_state);
                                          },
                                          [&] { in_float.predict(x, work); }, [&] { in_bfloat16.predict(x, rounded_work); }});
  std::string name;
  for (const Index width : row.widths) name += (name.empty() ? "" : "-") + std::to_string(width);
  name += " b" + std::to_string(row.batch);
  std::printf("%-32s %10.1f %10.1f %7.2f %10.1f %10.1f %7.2f %10.1e %10.1e\n", name.c_str(), times[0], times[1], times[0] / times[1],
              times[2], times[3], times[2] / times[3], static_cast<double>(step_error),
              static_cast<double>((rounded_y_hat - y_hat).norm() / y_hat.norm()));
}

/// Prints mean and standard deviation of score(seed, precision) over five seeds, for both precisions.
template <class Score>
void compare(const char* what, const Score& score) {
  std::printf("%-52s", what);
  for (const cr::ProductPrecision& precision : {cr::ProductPrecision{}, cr::ProductPrecision{cr::bfloat16}}) {
    double sum = 0, squares = 0;
    constexpr int seeds = 5;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      const double one = score(cr::Seed{seed}, precision);
      sum += one;
      squares += one * one;
    }
    const double mean = sum / seeds;
    std::printf("  %s %.4f +- %.4f", precision.name().empty() ? "float" : "bfloat16", mean,
                std::sqrt(std::max(0.0, (squares - seeds * mean * mean) / (seeds - 1))));
  }
  std::printf("\n");
}

double accuracy_of_digits(cr::Seed seed, const cr::ProductPrecision& precision) {
  auto digits = cr::read_csv<cr::Dataset<float>>(CHAINRULE_EXAMPLE_DATA "/digits.csv", {.header = false, .target = -1});
  digits.features /= 16;
  const auto [train, test] = cr::stratified_split(digits, {.test_share = 0.2, .seed = seed});
  Net net = net_of({{64, 128, 64, 10}, 'r', true, 0}, seed);
  cr::Trainer{net, cr::Adam{}}.fit(train, {.epochs = 40, .batch_size = 32, .precision = precision, .seed = seed});
  return cr::accuracy(net.predict(test.features), test.targets);
}

double r2_of_diabetes(cr::Seed seed, const cr::ProductPrecision& precision) {
  const auto data = cr::read_csv<cr::RegressionDataset<float>>(CHAINRULE_EXAMPLE_DATA "/diabetes.csv", {.target = "progression"});
  auto [train, test] = cr::split(data, {.test_share = 0.2, .seed = seed});
  const cr::Standardizer<float> of_x(train.features), of_y(train.targets);
  for (auto* part : {&train, &test}) {
    of_x.transform_in_place(part->features);
    of_y.transform_in_place(part->targets);
  }
  Net net = net_of({{10, 64, 32, 1}, 'r', false, 0}, seed);
  cr::Trainer{net, cr::Adam{}}.fit(train, {.epochs = 20, .batch_size = 32, .precision = precision, .seed = seed, .l2 = 0.1});
  return cr::r2(net.predict(test.features), test.targets);
}

}  // namespace

int main() {
  std::ostringstream unit;
  unit << cr::kernels::best_bf16_unit();
  std::printf("%s; unit for bfloat16: %s\n", CHAINRULE_BENCHMARK_TITLE, unit.str().c_str());
  std::printf("%-32s %10s %10s %7s %10s %10s %7s %10s %10s\n", "microseconds", "step", "bfloat16", "faster", "predict", "bfloat16",
              "faster", "d step", "d predict");
  for (const Row& row :
       {Row{{784, 128, 10}, 'r', true, 32}, Row{{784, 128, 10}, 'r', true, 128}, Row{{784, 500, 250, 10}, 's', true, 100},
        Row{{28, 300, 300, 300, 300, 300, 1}, 't', false, 100}, Row{{1024, 1024, 1024, 1024}, 'r', false, 256},
        Row{{23, 64, 64, 4}, 't', false, 256}, Row{{100, 100, 100, 10}, 'r', true, 50}, Row{{37, 211, 97, 5}, 's', false, 61},
        Row{{512, 512, 512}, 't', false, 64}, Row{{2048, 4096, 1000}, 'r', true, 128}, Row{{1024, 4096, 1024}, 'r', false, 8},
        Row{{129, 333, 65, 3}, 's', true, 77}, Row{{3072, 512, 512, 10}, 'r', true, 64}, Row{{10, 40, 40, 40, 2}, 'r', true, 200},
        Row{{28, 300, 300, 300, 300, 300, 1}, 't', false, 1000}})
    measure(row);
  std::printf("\nTraining from five seeds, each with another part of the samples for the test: mean +- standard deviation\n");
  compare("accuracy, digits, 64-128-64-10 ReLU, 40 epochs", accuracy_of_digits);
  compare("R2, diabetes, 10-64-32-1 ReLU, 20 epochs", r2_of_diabetes);
}
