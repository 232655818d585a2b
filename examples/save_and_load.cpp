// Trains a net and saves it to a file; a second process loads it and predicts the same, bit for bit.
#include <bit>
#include <chainrule/chainrule.hpp>
#include <chainrule/io/model_file.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/flags.hpp"
#include "support/training_output.hpp"
namespace cr = chainrule;
using cr::Index;

// The file holds everything that a prediction needs: the layers, the weights, Normalize's scaling and BatchNorm's running statistics.
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Normalize<4>, cr::Dense<4, 16>, cr::BatchNorm<>, cr::Activate<cr::ReLU>,
                        cr::Dense<16, 3>>;

/// Hashes the bits of all predictions into one number (FNV-1a), which two processes can compare.
template <class AnyNet>
std::uint64_t fingerprint(const AnyNet& net, const cr::Matrix<float>& x) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const Eigen::MatrixXf y_hat = net.predict(x);
  for (const float p : y_hat.reshaped()) hash = (hash ^ std::bit_cast<std::uint32_t>(p)) * 0x100000001b3u;
  return hash;
}

void print(const char* action, const std::string& path, std::uint64_t hash) {
  std::printf("%s %s, hash of the predictions %016llx\n", action, path.c_str(), static_cast<unsigned long long>(hash));
}

/// The second process: loads the net, whose layers are known from the file alone, and compares the hash of its predictions with `expected`.
int load_and_predict(const std::string& path, const cr::Matrix<float>& x, const std::string& expected) {
  const cr::AnyNetwork<float> net = cr::load_network<float>(path);
  std::printf("%s", cr::summary(net).c_str());
  const std::uint64_t found = fingerprint(net, x);
  print("loaded", path, found);
  return expected.empty() || std::stoull(expected, nullptr, 16) == found ? 0 : 1;
}

int main(int argc, char** argv) try {
  std::string data = CHAINRULE_EXAMPLE_DATA "/iris.csv", load, expected;
  Index epochs = 60;
  std::uint64_t seed = 1;
  examples::Flags flags("Trains a net, saves it, and loads it in a second process.");
  flags.add("--epochs", epochs, "Number of passes through the flowers");
  flags.add_seed(seed, "the initial weights and the order of the samples");
  flags.add("--data", data, "CSV file with a header, four lengths and a column species");
  flags.add("--load", load, "File to load and predict with, instead of training");
  flags.add("--expect", expected, "With --load: the expected hash of the predictions");
  const examples::TrainingOutput output(flags, "save_and_load");
  flags.parse(argc, argv);

  const auto flowers = cr::read_csv<cr::Dataset<float>>(data, {.target = "species"});
  if (!load.empty()) return load_and_predict(load, flowers.features, expected);

  Net net{cr::Seed{seed}};
  net.buffers<0>().set(cr::Standardizer<float>(flowers.features));
  cr::Trainer trainer{net, cr::Adam{.learning_rate = 0.01}};
  trainer.fit(flowers, {.epochs = epochs, .batch_size = 15, .seed = cr::Seed{seed}});
  std::printf("training accuracy %.3f\n", cr::accuracy(net.predict(flowers.features), flowers.targets));

  const std::string path = output.path("iris.safetensors");
  cr::save(net, path);
  const std::uint64_t saved = fingerprint(net, flowers.features);
  print("saved ", path, saved);
  std::fflush(stdout);

  char number[17];
  std::snprintf(number, sizeof number, "%016llx", static_cast<unsigned long long>(saved));
  const std::string command =
      "\"" + std::string(argv[0]) + "\" --load \"" + path + "\" --data \"" + data + "\" --expect " + std::string(number);
  const bool same = std::system(command.c_str()) == 0;
  std::printf("%s\n", same ? "the second process predicts the same, bit for bit" : "the second process predicts something else");
  return same ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "save_and_load: %s\n", error.what());
  return 1;
}
