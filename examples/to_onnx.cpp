// Trains a net, writes it as an ONNX model for onnxruntime and others, and reads it back to go on learning.
#include <chainrule/chainrule.hpp>
#include <chainrule/io/onnx.hpp>
#include <cstdint>
#include <cstdio>
#include <string>

#include "support/flags.hpp"
#include "support/output.hpp"
namespace cr = chainrule;
using cr::Index;

using Flowers = cr::Dataset<float>;
// What happens to the lengths before the first layer is in the model too, so that nobody has to do it again elsewhere.
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Normalize<4>, cr::Dense<4, 16, cr::GELU>, cr::Dropout<>, cr::Dense<16, 3>>;

void print(const char* what, double accuracy) { std::printf("%-28s accuracy %.3f\n", what, accuracy); }

int main(int argc, char** argv) try {
  std::string data = CHAINRULE_EXAMPLE_DATA "/iris.csv", model;
  Index epochs = 60;
  std::uint64_t seed = 1;
  examples::Flags flags("Trains a net, writes it as an ONNX model, and reads it back.");
  flags.add("--epochs", epochs, "How often to go through the flowers");
  flags.add_seed(seed, "the initial weights and the order of the samples");
  flags.add("--data", data, "A CSV file with a header, four lengths and a column species");
  flags.add("--model", model, "Read this ONNX model and measure it, instead of training; it may be from PyTorch");
  const examples::Output output(flags, "to_onnx");
  flags.parse(argc, argv);

  const auto flowers = cr::read_csv<Flowers>(data, {.target = "species"});
  if (!model.empty()) {
    const cr::AnyNetwork<float> net = cr::load_onnx<float>(model);
    std::printf("%s", cr::summary(net).c_str());
    print(model.c_str(), cr::accuracy(net.predict(flowers.features), flowers.targets));
    return 0;
  }

  Net net{cr::Seed{seed}};
  net.buffers<0>().set(cr::Standardizer<float>(flowers.features));
  cr::Trainer trainer{net, cr::Adam{.learning_rate = 0.01}};
  trainer.fit(flowers, {.epochs = epochs, .batch_size = 15, .seed = cr::Seed{seed}});
  print("trained:", cr::accuracy(net.predict(flowers.features), flowers.targets));

  // A model that gives probabilities, as net.predict does: flowers go in, one row each.
  const std::string path = output.path("iris.onnx");
  cr::save_onnx(net, path, {.input = "lengths", .output = "probabilities"});
  std::printf("\n%s runs wherever ONNX does; in Python:\n", path.c_str());
  std::printf("  session = onnxruntime.InferenceSession(\"iris.onnx\")\n");
  std::printf("  session.run(None, {\"lengths\": numpy.array([[5.1, 3.5, 1.4, 0.2]], \"float32\")})\n\n");

  // Which layers it has is in the file, so the type of the network that comes back says nothing of them.
  cr::AnyNetwork<float> again = cr::load_onnx<float>(path);
  std::printf("%s", cr::summary(again).c_str());
  const bool same = again.predict(flowers.features) == net.predict(flowers.features);
  cr::Trainer further{again, cr::Adam{.learning_rate = 0.001}};
  further.fit(flowers, {.epochs = epochs, .batch_size = 15, .seed = cr::Seed{seed}});
  print("read and trained further:", cr::accuracy(again.predict(flowers.features), flowers.targets));
  std::printf("%s\n", same ? "what was read predicted the same, bit for bit" : "what was read predicted something else");
  return same ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "to_onnx: %s\n", error.what());
  return 1;
}
