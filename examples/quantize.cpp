// Turns networks that read handwritten digits into networks of int8, once as they are and once after they have learned with rounding.
//
// Shows quantize, prepare_for_quantization, and how fast predictions in integers are.
#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/flags.hpp"
namespace cr = chainrule;
using cr::Index;

constexpr int pixels = 64, classes = 10;
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<pixels, cr::Dynamic, cr::ReLU>,
                        cr::Dense<cr::Dynamic, cr::Dynamic, cr::ReLU>, cr::Dense<cr::Dynamic, classes>>;

// Accuracies on the test digits, in percent, summed over seeds.
struct Accuracies {
  double in_float = 0, plain = 0, trained = 0;
};

double percent(const cr::QuantizedNetwork<std::int8_t>& net, const cr::Dataset<float>& test) {
  return 100 * cr::accuracy(net.classify(test.features), test.targets);
}

// The shortest of many runs, in milliseconds.
template <class Run>
double milliseconds(const Run& run) {
  double best = 1e9;
  for (int i = 0; i < 50; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    run();
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

void print_times(const std::vector<Index>& widths) {
  cr::AnyLayers<float> layers;
  std::string name = std::to_string(widths[0]);
  for (std::size_t l = 1; l < widths.size(); ++l) {
    name += "-" + std::to_string(widths[l]);
    if (l + 1 < widths.size())
      layers.add(cr::Dense<cr::Dynamic, cr::Dynamic, cr::ReLU>{widths[l - 1], widths[l]});
    else
      layers.add(cr::Dense<cr::Dynamic, cr::Dynamic>{widths[l - 1], widths[l]});
  }
  const cr::AnyNetwork<float> net{cr::Seed{1}, cr::SoftmaxCrossEntropy{}, layers};
  const Eigen::MatrixXf x = Eigen::MatrixXf::Random(widths[0], 1000);
  const auto q = cr::quantize<std::int8_t>(net, x.leftCols(100));
  auto work = net.make_workspace(1000);
  auto integer_work = q.make_workspace(1000);
  const double in_float = milliseconds([&] { net.predict(x, work); }), in_integers = milliseconds([&] { q.predict(x, integer_work); });
  std::printf("%-16s %8.3f %8.3f %8.2f\n", name.c_str(), in_float, in_integers, in_float / in_integers);
}

int main(int argc, char** argv) try {
  std::string data = CHAINRULE_EXAMPLE_DATA "/digits.csv";
  Index epochs = 40, rounded_epochs = 10, seeds = 5;
  bool times = false;
  examples::Flags flags("Learns to read handwritten digits, and compares networks of float with networks of int8.");
  flags.add("--epochs", epochs, "Number of passes through the training samples in float");
  flags.add("--rounded-epochs", rounded_epochs, "Number of passes with rounding");
  flags.add("--seeds", seeds, "Number of networks of each kind");
  flags.add("--times", times, "Measures predictions of 1,000 samples too");
  flags.add("--data", data, "CSV file with 64 pixels from 0 to 16 and the digit in each line");
  flags.parse(argc, argv);

  const std::vector<std::string> names{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  auto digits = cr::read_csv<cr::Dataset<float>>(data, {.header = false, .target = -1, .classes = names});
  digits.features /= 16;
  const auto [train, test] = cr::stratified_split(digits, {.test_share = 360.0 / 1797, .seed = cr::Seed{4}});

  std::printf("accuracy on %td test digits in %%, mean of %td seeds\n", test.size(), seeds);
  std::printf("hidden units  scales of weights    float     int8  int8 after training with rounding\n");
  for (const Index hidden : {8, 24, 64})
    for (const bool per_output : {true, false}) {
      Accuracies sum;
      for (Index number = 1; number <= seeds; ++number) {
        const auto seed = static_cast<std::uint64_t>(number);
        Net net{cr::Seed{seed}, {pixels, hidden}, {hidden, hidden}, {hidden, classes}};
        cr::Trainer{net, cr::Adam{.learning_rate = 3e-3}}.fit(train, {.epochs = epochs, .batch_size = 32, .seed = cr::Seed{seed}});
        auto rounded = cr::prepare_for_quantization(net, train.features, {.scale_per_output = per_output});
        cr::Trainer{rounded, cr::Adam{.learning_rate = 3e-4}}.fit(train,
                                                                  {.epochs = rounded_epochs, .batch_size = 32, .seed = cr::Seed{seed}});
        sum.in_float += 100 * cr::accuracy(net.predict(test.features), test.targets);
        sum.plain += percent(cr::quantize<std::int8_t>(net, train.features, {.scale_per_output = per_output}), test);
        sum.trained += percent(cr::quantize<std::int8_t>(rounded, train.features), test);
      }
      const auto n = static_cast<double>(seeds);
      std::printf("%12td  %-17s %8.2f %8.2f %8.2f\n", hidden, per_output ? "one per output" : "one per layer", sum.in_float / n,
                  sum.plain / n, sum.trained / n);
    }
  if (!times) return 0;
  std::printf("\nmilliseconds for 1,000 samples\nunits               float     int8  times as fast\n");
  print_times({784, 128, 10});
  print_times({784, 512, 512, 10});
  print_times({64, 32, 10});
} catch (const std::exception& error) {
  std::fprintf(stderr, "quantize: %s\n", error.what());
  return 1;
}
