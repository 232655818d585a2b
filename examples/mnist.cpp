// Reads the 70,000 handwritten digits of MNIST, 28 x 28 pixels each: learns from 60,000, is tested on 10,000.
#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/drawing.hpp"
#include "support/flags.hpp"
#include "support/output.hpp"
namespace cr = chainrule;
using cr::Index;

constexpr int width = 28;
constexpr int pixels = width * width;
constexpr int classes = 10;

/// All images of "train" or "t10k". One column is one image, its pixels from 0 (paper) to 1 (ink).
cr::Dataset<float> read(const std::string& folder, const std::string& part) {
  return cr::read_idx<float>(folder + "/" + part + "-images-idx3-ubyte", folder + "/" + part + "-labels-idx1-ubyte");
}

int main(int argc, char** argv) try {
  std::string folder;
  Index images = 60'000;
  Index epochs = 20;
  Index batch_size = 256;
  double learning_rate = 0.01;
  std::vector<Index> hidden{512, 256};
  std::uint64_t seed = 1;
  bool tune = false;
  examples::Flags flags("Learns to read handwritten digits with a net of two hidden layers.");
  flags.add("--epochs", epochs, "How often to go through the training images");
  flags.add("--batch-size", batch_size, "How many images go into one step");
  flags.add("--learning-rate", learning_rate, "How long a step is at its longest, a third of the way");
  flags.add("--hidden", hidden, "How many units the two hidden layers have", 1, 10'000);
  flags.add("--train", images, "Learn from the first so many training images alone", 1, 60'000);
  flags.add_seed(seed, "the initial weights, the order of the images and dropout");
  flags.add("--tune", tune, "Keep the last sixth of the training images for testing: for choosing flags without the test images");
  flags.add("--data", folder, "The folder with MNIST's four files, as examples/data/fetch_mnist prints it");
  const examples::Output output(flags, "mnist");
  flags.parse(argc, argv);
  if (folder.empty()) throw std::runtime_error("where are the images? `examples/run mnist` fetches them, --data FOLDER names a folder");

  cr::Dataset<float> train = read(folder, "train");
  cr::Dataset<float> test = read(folder, "t10k");
  if (tune) {
    auto parts = cr::split(train, {.test_share = 1.0 / 6, .shuffle = false});
    train = std::move(parts.train);
    test = std::move(parts.test);
  }
  const Index used = std::min(images, train.size());
  const cr::DataView learned{train.features.leftCols(used), std::span(train.targets).first(static_cast<std::size_t>(used))};

  // Dropout, so that the net relies on no single pixel or unit; BatchNorm, so that it bears long steps.
  auto net = cr::make_network<float, cr::SoftmaxCrossEntropy>(
      cr::Seed{seed},
      // the pixels
      cr::Dropout<pixels>{0.1},
      // the first hidden layer
      cr::Dense<pixels, cr::Dynamic>{pixels, hidden[0]}, cr::BatchNorm<>{}, cr::Activate<cr::ReLU>{}, cr::Dropout<>{0.3},
      // the second
      cr::Dense<cr::Dynamic, cr::Dynamic>{hidden[0], hidden[1]}, cr::BatchNorm<>{}, cr::Activate<cr::ReLU>{}, cr::Dropout<>{0.3},
      // the logits of the digits
      cr::Dense<cr::Dynamic, classes>{hidden[1], classes});
  std::printf("%s\n", cr::summary(net).c_str());

  cr::Trainer trainer{net, cr::AdamW{.learning_rate = learning_rate}};
  const auto history = trainer.fit(learned,
                                   {.epochs = epochs,
                                    .batch_size = batch_size,
                                    .validation = test,  // for the learning curves: nothing is chosen by it, the last epoch counts
                                    .drop_last = true,
                                    .seed = cr::Seed{seed},
                                    .schedule = cr::OneCycle{.length = static_cast<double>(epochs)}},
                                   cr::Interrupt{}, cr::ProgressBar{});
  output.write_learning_curves(history);

  const Eigen::MatrixXf y_hat = net.predict(test.features);
  const std::vector<int> answers = cr::labels_of(y_hat);
  std::vector<Index> wrong;
  for (Index i = 0; i < test.size(); ++i)
    if (answers[static_cast<std::size_t>(i)] != test.targets[static_cast<std::size_t>(i)]) wrong.push_back(i);
  std::printf("\n%s", cr::ConfusionMatrix(y_hat, test.targets).to_string().c_str());
  if (!wrong.empty()) {
    std::printf("\nSome that it gets wrong\n");
    examples::draw(test, width, y_hat, wrong);
  }
  const char* tested = tune ? "tuning" : "test";
  std::printf("\n%s accuracy %.4f (%td of %td)\n", tested, cr::accuracy(y_hat, test.targets), test.size() - std::ssize(wrong), test.size());
} catch (const std::exception& error) {
  std::fprintf(stderr, "mnist: %s\n", error.what());
  return 1;
}
