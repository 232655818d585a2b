// Fine-tunes: a net that reads the digits 0 to 4 learns 5 to 9 from a few samples, with its first layers frozen.
//
// Compares three ways to learn the new digits from the same few samples: with the layers that know the old digits frozen, with these layers
// learning on ten times slower than the new last layer, and from scratch. Shows freeze and learning rates of layers. With images of 64
// pixels and five old digits, from scratch is the best of the three: what the layers have learned leaves out strokes of the new digits. So
// compare before you freeze; old layers help where they have seen far more than the new task shows.
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/flags.hpp"
namespace cr = chainrule;
using cr::Index;

constexpr int classes = 5;
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<64, 64, cr::ReLU>, cr::Dense<64, 32, cr::ReLU>, cr::Dense<32, classes>>;

/// The samples of the digits first, ..., first + 4, labelled from 0 to 4.
cr::Dataset<float> five_digits(const cr::Dataset<float>& all, int first) {
  std::vector<Index> some;
  for (Index i = 0; i < all.size(); ++i)
    if (const int digit = all.targets[static_cast<std::size_t>(i)]; digit >= first && digit < first + classes) some.push_back(i);
  auto data = cr::subset(all, some);
  for (int& label : data.targets) label -= first;
  return data;
}

/// The share of test digits that a net reads after training on `train`.
template <class Rule>
double test_accuracy_after(Net& net, const Rule& rule, const cr::Dataset<float>& train, const cr::Dataset<float>& test, Index epochs,
                           std::uint64_t seed) {
  cr::Trainer trainer{net, rule};
  trainer.fit(train, {.epochs = epochs, .batch_size = 5, .seed = cr::Seed{seed}});
  return cr::accuracy(net.predict(test.features), test.targets);
}

int main(int argc, char** argv) try {
  std::string data = CHAINRULE_EXAMPLE_DATA "/digits.csv";
  Index epochs = 60, draws = 10;
  double learning_rate = 3e-3;
  std::uint64_t seed = 1;
  examples::Flags flags("Moves a net that reads the digits 0 to 4 to the digits 5 to 9, from few samples.");
  flags.add("--epochs", epochs, "Number of passes through the few samples");
  flags.add("--draws", draws, "Number of draws of few samples, whose accuracies are averaged");
  flags.add("--learning-rate", learning_rate, "Step size of Adam");
  flags.add_seed(seed, "the initial weights, the draws and the order of the samples");
  flags.add("--data", data, "CSV file with 64 pixels from 0 to 16 and the digit in each line");
  flags.parse(argc, argv);

  auto all = cr::read_csv<cr::Dataset<float>>(
      data, {.header = false, .target = -1, .classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}});
  if (all.features.rows() != 64) throw std::runtime_error(data + ": expected 64 pixels in a line");
  all.features /= 16;
  const cr::Dataset<float> old_digits = five_digits(all, 0), new_digits = five_digits(all, 5);

  const Index first_layers = (64 * 64 + 64) + (64 * 32 + 32);  // number of parameters before those of the last layer
  const cr::Adam rule{.learning_rate = learning_rate};
  const cr::ParameterGroups slower{rule, {{.name = "0", .rate = 0.1}, {.name = "1", .rate = 0.1}}};
  Net knows_old{cr::Seed{seed}};
  cr::Trainer{knows_old, rule}.fit(old_digits, {.epochs = 30, .seed = cr::Seed{seed}});

  Net first_frozen = knows_old;
  first_frozen.freeze<0>();
  first_frozen.freeze<1>();
  std::printf("%s\n", cr::summary(first_frozen).c_str());
  std::printf("test accuracy for the digits 5 to 9, mean of %td draws of few samples\n", draws);
  std::printf("samples per digit   frozen  10 x slower  from scratch\n");
  for (const Index samples : {1, 2, 5, 10, 20}) {
    double frozen = 0, slowly = 0, scratch = 0;
    for (Index draw = 0; draw < draws; ++draw) {
      const auto drawn = seed + static_cast<std::uint64_t>(draw);
      const double share = 1 - static_cast<double>(classes * samples) / static_cast<double>(new_digits.size());
      const auto [few, test] = cr::stratified_split(new_digits, {.test_share = share, .seed = cr::Seed{drawn}});

      Net fresh{cr::Seed{drawn}};
      Net moved = fresh;  // has the first layers of the net that knows the old digits, and a new last layer
      moved.parameters().head(first_layers) = knows_old.parameters().head(first_layers);
      Net moved_frozen = moved;
      moved_frozen.set_frozen(*first_frozen.frozen());
      frozen += test_accuracy_after(moved_frozen, rule, few, test, epochs, drawn);
      slowly += test_accuracy_after(moved, slower, few, test, epochs, drawn);
      scratch += test_accuracy_after(fresh, rule, few, test, epochs, drawn);
    }
    const auto mean = [draws](double sum) { return sum / static_cast<double>(draws); };
    std::printf("%17td   %.4f       %.4f        %.4f\n", samples, mean(frozen), mean(slowly), mean(scratch));
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "fine_tune: %s\n", error.what());
  return 1;
}
