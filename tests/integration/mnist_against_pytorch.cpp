// mnist_against_pytorch FOLDER OUT: trains a network 784-256-10 on MNIST for five epochs and prints the mean loss of each. Writes the
// initial parameters and the order of the samples into OUT, from which mnist_against_pytorch.py repeats the training in PyTorch.
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstdio>
#include <fstream>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<784, 256, cr::ReLU>, cr::Dense<256, 10>>;

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: mnist_against_pytorch FOLDER OUT");
  const std::string folder = argv[1];
  const std::string out = argv[2];
  const auto train = cr::read_idx<float>(folder + "/train-images-idx3-ubyte", folder + "/train-labels-idx1-ubyte");
  const cr::FitOptions<float, cr::Labels<int>> options{.epochs = 5, .batch_size = 64, .seed = cr::Seed{3}};

  Net net{cr::Seed{1}};
  std::ofstream parameters(out + "/parameters.float32", std::ios::binary);
  parameters.write(reinterpret_cast<const char*>(net.parameters().data()), net.parameters().size() * std::streamsize{sizeof(float)});
  std::ofstream order(out + "/order.int32", std::ios::binary);
  cr::Batches batches{train, options.batch_size, {.seed = cr::derived_seed(options.seed, 0)}};
  for (cr::Index epoch = 0; epoch < options.epochs; ++epoch) {
    batches.start_epoch(epoch);
    for (const cr::Index sample : batches.order()) {
      const std::int32_t number = static_cast<std::int32_t>(sample);
      order.write(reinterpret_cast<const char*>(&number), sizeof number);
    }
  }

  cr::Trainer trainer{net, cr::SGD{.learning_rate = 0.1}};
  const cr::History history = trainer.fit(train, options);
  for (const double loss : history["loss"]) std::printf("%.9g\n", loss);
  return parameters.flush() && order.flush() ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
