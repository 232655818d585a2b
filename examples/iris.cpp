// Tells three species of iris apart by four lengths of a flower, and says how far 150 flowers let us trust that.
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstdio>
#include <string>

#include "support/flags.hpp"
#include "support/output.hpp"
namespace cr = chainrule;
using cr::Index;

using Data = cr::Dataset<float>;
// Normalize brings the lengths to mean 0 and deviation 1 inside the net, so that nobody can forget it for a new flower.
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Normalize<4>, cr::Dense<4, 16, cr::Tanh>, cr::Dense<16, 3>>;

struct Options {
  Index epochs = 500;
  Index batch_size = 16;
  double learning_rate = 0.01;
  Index patience = 30;
  std::uint64_t seed = 1;
};

struct Learned {
  Net net;
  cr::History history;
  Index best_epoch;  // whose parameters the net has
};

/// A net that has learned from these flowers. One in four of them it does not learn from: they say when it has learned enough, because
/// that is when it gets worse at what it has not seen. Whatever is fitted, the scaling included, is fitted to the others.
Learned learn(const Data& flowers, const Options& options) {
  const auto [train, validation] = cr::stratified_split(flowers, {.test_share = 0.25, .seed = cr::Seed{options.seed}});
  Net net{cr::Seed{options.seed}};
  net.buffers<0>().set(cr::Standardizer<float>(train.features));
  cr::Trainer trainer{net, cr::Adam{.learning_rate = options.learning_rate}};
  cr::EarlyStopping stopping{.patience = options.patience};
  auto history = trainer.fit(
      train, {.epochs = options.epochs, .batch_size = options.batch_size, .validation = validation, .seed = cr::Seed{options.seed}},
      stopping);
  return {net, history, stopping.best.epoch};
}

void report(const cr::ConfusionMatrix& confusion, const std::vector<std::string>& names) {
  std::printf("%s\n", confusion.to_string(names).c_str());
  std::printf("%-16s  precision  recall      F1  flowers\n", "");
  for (Index k = 0; k < confusion.classes(); ++k)
    std::printf("%-16s  %9.3f  %6.3f  %6.3f  %7td\n", names[static_cast<std::size_t>(k)].c_str(), confusion.precision(k),
                confusion.recall(k), confusion.f1(k), confusion.support(k));
  constexpr auto mean = cr::ClassAverage::macro;
  std::printf("%-16s  %9.3f  %6.3f  %6.3f  %7td\n\n", "mean", confusion.precision(mean), confusion.recall(mean), confusion.f1(mean),
              confusion.samples());
}

int main(int argc, char** argv) try {
  Options options;
  std::string data = CHAINRULE_EXAMPLE_DATA "/iris.csv";
  Index folds = 10;
  examples::Flags flags("Learns the species of irises, and measures it by cross-validation.");
  flags.add("--epochs", options.epochs, "How often to go through the training samples at most");
  flags.add("--batch-size", options.batch_size, "How many samples go into one step");
  flags.add("--learning-rate", options.learning_rate, "How long a step is");
  flags.add("--patience", options.patience, "How many epochs without improvement end a training");
  flags.add("--folds", folds, "Into how many parts the flowers are divided for cross-validation");
  flags.add_seed(options.seed, "the initial weights and all splits");
  flags.add("--data", data, "A CSV file with a header, four lengths and a column species");
  const examples::Output output(flags, "iris");
  flags.parse(argc, argv);

  const auto flowers = cr::read_csv<Data>(data, {.target = "species"});
  const auto [rest, test] = cr::stratified_split(flowers, {.test_share = 0.2, .seed = cr::Seed{options.seed}});
  const auto [net, history, best_epoch] = learn(rest, options);
  std::printf("%s\n", cr::summary(net).c_str());
  std::printf("trained for %td epochs; the best on the validation part was number %td\n", history.epochs(), best_epoch);
  output.write_learning_curves(history);
  std::printf("\nThe %td flowers that were held back for testing\n", test.size());
  report({net.predict(test.features), test.targets}, flowers.target_names);

  // So few flowers say little. Cross-validation tests with all of them: each in turn by a net that has not seen it.
  cr::ConfusionMatrix all(std::ssize(flowers.target_names));
  for (const cr::Fold& fold : cr::stratified_k_fold(flowers, folds, {.seed = cr::Seed{options.seed}})) {
    const Data tested = cr::subset(flowers, fold.validation);
    all.add(learn(cr::subset(flowers, fold.train), options).net.predict(tested.features), tested.targets);
  }
  std::printf("All flowers, each tested by one of %td nets that has not seen it\n", folds);
  report(all, flowers.target_names);
  std::printf("cross-validated accuracy %.4f (%td of %td)\n", all.accuracy(), all.counts().trace(), all.samples());
} catch (const std::exception& error) {
  std::fprintf(stderr, "iris: %s\n", error.what());
  return 1;
}
