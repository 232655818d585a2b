// Trains a net, writes it as an ONNX model for onnxruntime and other programs, reads it back and trains it further.
#include <chainrule/chainrule.hpp>
#include <chainrule/io/onnx.hpp>
#include <cstdint>
#include <cstdio>
#include <string>

#include "support/flags.hpp"
#include "support/training_output.hpp"
namespace cr = chainrule;
using cr::Index;

using Flowers = cr::Dataset<float>;
// Normalize, the scaling of the lengths, becomes part of the model, so that its users need not repeat it.
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Normalize<4>, cr::Dense<4, 16, cr::GELU>, cr::Dropout<>, cr::Dense<16, 3>>;

void print(const char* what, double accuracy) { std::printf("%-28s accuracy %.3f\n", what, accuracy); }

int main(int argc, char** argv) try {
  std::string data = CHAINRULE_EXAMPLE_DATA "/iris.csv", model;
  Index epochs = 60;
  std::uint64_t seed = 1;
  examples::Flags flags("Trains a net, writes it as an ONNX model, reads it back and trains it further.");
  flags.add("--epochs", epochs, "Number of passes through the flowers");
  flags.add_seed(seed, "the initial weights and the order of the samples");
  flags.add("--data", data, "CSV file with a header, four lengths and a column species");
  flags.add("--model", model, "ONNX model to read and test, instead of training; may be from PyTorch");
  const examples::TrainingOutput output(flags, "to_onnx");
  flags.parse(argc, argv);

  const auto flowers = cr::read_csv<Flowers>(data, {.target = "species"});
  if (!model.empty()) {
    const auto net = cr::load_onnx<float>(model, cr::SoftmaxCrossEntropy{});  // a model from PyTorch may end in logits
    std::printf("%s", cr::summary(net).c_str());
    print(model.c_str(), cr::accuracy(net.predict(flowers.features), flowers.targets));
    return 0;
  }

  Net net{cr::Seed{seed}};
  net.buffers<0>().set(cr::Standardizer<float>(flowers.features));
  cr::Trainer trainer{net, cr::Adam{.learning_rate = 0.01}};
  trainer.fit(flowers, {.epochs = epochs, .batch_size = 15, .seed = cr::Seed{seed}});
  print("trained:", cr::accuracy(net.predict(flowers.features), flowers.targets));

  // The model's input has one flower per row, and its output is the probabilities, as in net.predict.
  const std::string path = output.path("iris.onnx");
  cr::save_onnx(net, path, {.input = "lengths", .output = "probabilities"});
  std::printf("\n%s runs in any ONNX runtime; in Python:\n", path.c_str());
  std::printf("  session = onnxruntime.InferenceSession(\"iris.onnx\")\n");
  std::printf("  session.run(None, {\"lengths\": numpy.array([[5.1, 3.5, 1.4, 0.2]], \"float32\")})\n\n");

  // The layers are known from the file only, so the network that is read is an AnyNetwork.
  cr::AnyNetwork<float> loaded = cr::load_onnx<float>(path);
  std::printf("%s", cr::summary(loaded).c_str());
  const bool same = loaded.predict(flowers.features) == net.predict(flowers.features);
  cr::Trainer further{loaded, cr::Adam{.learning_rate = 0.001}};
  further.fit(flowers, {.epochs = epochs, .batch_size = 15, .seed = cr::Seed{seed}});
  print("loaded and trained further:", cr::accuracy(loaded.predict(flowers.features), flowers.targets));
  std::printf("%s\n", same ? "the loaded model predicted the same, bit for bit" : "the loaded model predicted something else");
  return same ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "to_onnx: %s\n", error.what());
  return 1;
}
