// Classifies iris flowers by four lengths into three species, and measures the accuracy by cross-validation.
//
// With 150 flowers a single test set is too small to trust. Cross-validation tests on every flower, each with a net that has not seen it.
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstdio>
#include <string>

#include "support/flags.hpp"
#include "support/training_output.hpp"
namespace cr = chainrule;
using cr::Index;

using Data = cr::Dataset<float>;
// Normalize standardizes the lengths inside the net, so that it cannot be forgotten when predicting for a new flower.
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Normalize<4>, cr::Dense<4, 16, cr::Tanh>, cr::Dense<16, 3>>;

struct Options {
  Index epochs = 500;
  Index batch_size = 16;
  double learning_rate = 0.01;
  Index patience = 30;
  std::uint64_t seed = 1;
};

struct TrainedNet {
  Net net;
  cr::History history;
  Index best_epoch;  // early stopping restores the parameters of this epoch
};

/// A new net, which scales the lengths by these flowers.
Net scaled_net(const Data& flowers, cr::Seed seed) {
  Net net{seed};
  net.buffers<0>().set(cr::Standardizer<float>(flowers.features));
  return net;
}

/// Trains a net on these flowers. A quarter of them is kept for validation and decides when to stop: when the loss on flowers that the net
/// has not seen no longer falls. The scaling, like the parameters, is fitted to the other three quarters only.
TrainedNet train_net(const Data& flowers, const Options& options) {
  const auto [train, validation] = cr::stratified_split(flowers, {.test_share = 0.25, .seed = cr::Seed{options.seed}});
  Net net = scaled_net(train, cr::Seed{options.seed});
  cr::Trainer trainer{net, cr::Adam{.learning_rate = options.learning_rate}};
  cr::EarlyStopping stopping{.patience = options.patience};
  auto history = trainer.fit(
      train, {.epochs = options.epochs, .batch_size = options.batch_size, .validation = validation, .seed = cr::Seed{options.seed}},
      stopping);
  return {net, history, stopping.best.epoch};
}

// Prints the confusion matrix, and precision, recall and F1 for each species and on average.
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
  examples::Flags flags("Learns to classify irises, and measures the accuracy by cross-validation.");
  flags.add("--epochs", options.epochs, "Largest number of passes through the training samples");
  flags.add("--batch-size", options.batch_size, "Number of samples per step");
  flags.add("--learning-rate", options.learning_rate, "Step size of gradient descent");
  flags.add("--patience", options.patience, "Number of epochs without improvement after which training ends");
  flags.add("--folds", folds, "Number of parts that the flowers are divided into for cross-validation");
  flags.add_seed(options.seed, "the initial weights and all splits");
  flags.add("--data", data, "CSV file with a header, four lengths and a column species");
  const examples::TrainingOutput output(flags, "iris");
  flags.parse(argc, argv);

  const auto flowers = cr::read_csv<Data>(data, {.target = "species"});
  const auto [rest, test] = cr::stratified_split(flowers, {.test_share = 0.2, .seed = cr::Seed{options.seed}});
  const auto [net, history, best_epoch] = train_net(rest, options);
  std::printf("%s\n", cr::summary(net).c_str());
  std::printf("trained for %td epochs; the validation loss was lowest after epoch %td\n", history.epochs(), best_epoch);
  output.write_learning_curves(history);
  std::printf("\nThe %td flowers kept for testing\n", test.size());
  report({net.predict(test.features), test.targets}, flowers.target_names);

  // Cross-validation: for each fold, trains a net on the other flowers and tests it on the fold. A quarter of the others decides when to
  // stop, so that no flower takes part in the training of the net that it tests.
  const cr::CrossValidation result = cr::cross_validate(
      flowers, cr::stratified_k_fold(flowers, folds, {.seed = cr::Seed{options.seed}}),
      [&](const auto& part) {
        return cr::Learner{scaled_net(part.train, part.seed), cr::Adam{.learning_rate = options.learning_rate},
                           cr::EarlyStopping{.patience = options.patience}};
      },
      {.fit = {.epochs = options.epochs, .batch_size = options.batch_size, .seed = cr::Seed{options.seed}}, .held_out = 0.25});
  std::printf("All flowers, each tested with one of %td nets that has not seen it\n%s\n", folds, result.to_string().c_str());
  std::printf("cross-validated accuracy %.4f, with a standard deviation of %.4f between folds\n", result.mean("validation_accuracy"),
              result.deviation("validation_accuracy"));
} catch (const std::exception& error) {
  std::fprintf(stderr, "iris: %s\n", error.what());
  return 1;
}
