// Trains a net, saves it, and has a second process load it, which predicts the same to the last bit.
#include <bit>
#include <chainrule/chainrule.hpp>
#include <chainrule/io/model_file.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/flags.hpp"
#include "support/output.hpp"
namespace cr = chainrule;
using cr::Index;

// All that a prediction is made of is in the file: weights, the scaling of Normalize, the running statistics of BatchNorm.
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Normalize<4>, cr::Dense<4, 16>, cr::BatchNorm<>, cr::Activate<cr::ReLU>,
                        cr::Dense<16, 3>>;

/// The bits of all predictions, mixed into one number that two processes can compare by their output (FNV-1a).
template <class AnyNet>
std::uint64_t fingerprint(const AnyNet& net, const cr::Matrix<float>& x) {
  std::uint64_t mixed = 0xcbf29ce484222325u;
  const Eigen::MatrixXf y_hat = net.predict(x);
  for (const float p : y_hat.reshaped()) mixed = (mixed ^ std::bit_cast<std::uint32_t>(p)) * 0x100000001b3u;
  return mixed;
}

void print(const char* who, const std::string& path, std::uint64_t of) {
  std::printf("%s %s, predictions %016llx\n", who, path.c_str(), static_cast<unsigned long long>(of));
}

/// The second process. It knows no more than the file: which layers the net has is in there too.
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
  flags.add("--epochs", epochs, "How often to go through the flowers");
  flags.add_seed(seed, "the initial weights and the order of the samples");
  flags.add("--data", data, "A CSV file with a header, four lengths and a column species");
  flags.add("--load", load, "Load this file and predict, instead of training");
  flags.add("--expect", expected, "With --load: the predictions that there must be");
  const examples::Output output(flags, "save_and_load");
  flags.parse(argc, argv);

  const auto flowers = cr::read_csv<cr::Dataset<float>>(data, {.target = "species"});
  if (!load.empty()) return load_and_predict(load, flowers.features, expected);

  Net net{cr::Seed{seed}};
  net.buffers<0>().set(cr::Standardizer<float>(flowers.features));
  cr::Trainer trainer{net, cr::Adam{.learning_rate = 0.01}};
  trainer.fit(flowers, {.epochs = epochs, .batch_size = 15, .seed = cr::Seed{seed}});
  std::printf("accuracy on what it has learned from: %.3f\n", cr::accuracy(net.predict(flowers.features), flowers.targets));

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
