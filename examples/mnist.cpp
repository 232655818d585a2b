// Reads the handwritten digits of MNIST, 28 x 28 pixels: learns from 60,000 of them and is tested on 10,000 others.
#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/ascii_images.hpp"
#include "support/flags.hpp"
#include "support/training_output.hpp"
namespace cr = chainrule;
using cr::Index;

constexpr int width = 28;
constexpr int pixels = width * width;
constexpr int classes = 10;

/// Reads all images of the part "train" or "t10k". One column is one image, with pixels from 0 (paper) to 1 (ink).
cr::Dataset<float> read_images(const std::string& folder, const std::string& part) {
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
  examples::Flags flags("Learns to read handwritten digits with two hidden layers.");
  flags.add("--epochs", epochs, "Number of passes through the training images");
  flags.add("--batch-size", batch_size, "Number of images per step");
  flags.add("--learning-rate", learning_rate, "Largest step size, reached after a third of the training");
  flags.add("--hidden", hidden, "Numbers of units in the two hidden layers", 1, 10'000);
  flags.add("--train", images, "Number of training images to use, from the first on", 1, 60'000);
  flags.add_seed(seed, "the initial weights, the order of the images and dropout");
  flags.add("--tune", tune,
            "Test on the last sixth of the training images instead of the test images, to choose flags without looking at these");
  flags.add("--data", folder, "Folder with MNIST's four files; examples/data/fetch_mnist prints it");
  const examples::TrainingOutput output(flags, "mnist");
  flags.parse(argc, argv);
  if (folder.empty())
    throw std::runtime_error("where are the images? `examples/run mnist` downloads them; --data FOLDER names a folder that has them");

  cr::Dataset<float> train = read_images(folder, "train");
  cr::Dataset<float> test = read_images(folder, "t10k");
  if (tune) {
    auto parts = cr::split(train, {.test_share = 1.0 / 6, .shuffle = false});
    train = std::move(parts.train);
    test = std::move(parts.test);
  }
  const Index used = std::min(images, train.size());
  const cr::DataView learned{train.features.leftCols(used), std::span(train.targets).first(static_cast<std::size_t>(used))};

  // Dropout keeps the net from relying on single pixels or units; BatchNorm allows a larger learning rate.
  auto net = cr::make_network<float, cr::SoftmaxCrossEntropy>(
      cr::Seed{seed},
      // the pixels
      cr::Dropout<pixels>{0.1},
      // first hidden layer
      cr::Dense<pixels, cr::Dynamic>{pixels, hidden[0]}, cr::BatchNorm<>{}, cr::Activate<cr::ReLU>{}, cr::Dropout<>{0.3},
      // second hidden layer
      cr::Dense<cr::Dynamic, cr::Dynamic>{hidden[0], hidden[1]}, cr::BatchNorm<>{}, cr::Activate<cr::ReLU>{}, cr::Dropout<>{0.3},
      // logits of the digits
      cr::Dense<cr::Dynamic, classes>{hidden[1], classes});
  std::printf("%s\n", cr::summary(net).c_str());

  cr::Trainer trainer{net, cr::AdamW{.learning_rate = learning_rate}};
  const auto history = trainer.fit(learned,
                                   {.epochs = epochs,
                                    .batch_size = batch_size,
                                    .validation = test,  // for the learning curves only; no parameters are chosen by it
                                    .drop_last = true,
                                    .seed = cr::Seed{seed},
                                    .schedule = cr::OneCycle{.length = static_cast<double>(epochs)}},
                                   cr::Interrupt{}, cr::ProgressBar{});
  output.write_learning_curves(history);

  const Eigen::MatrixXf y_hat = net.predict(test.features);
  const std::vector<int> predicted = cr::labels_of(y_hat);
  std::vector<Index> wrong;
  for (Index i = 0; i < test.size(); ++i)
    if (predicted[static_cast<std::size_t>(i)] != test.targets[static_cast<std::size_t>(i)]) wrong.push_back(i);
  std::printf("\n%s", cr::ConfusionMatrix(y_hat, test.targets).to_string().c_str());
  if (!wrong.empty()) {
    std::printf("\nSome wrong predictions\n");
    examples::print_images(test, width, y_hat, wrong);
  }
  const char* tested = tune ? "tuning" : "test";
  std::printf("\n%s accuracy %.4f (%td of %td)\n", tested, cr::accuracy(y_hat, test.targets), test.size() - std::ssize(wrong), test.size());
} catch (const std::exception& error) {
  std::fprintf(stderr, "mnist: %s\n", error.what());
  return 1;
}
