// Trains a net small enough for a microcontroller and writes it as C source code that needs no library.
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "support/flags.hpp"
#include "support/training_output.hpp"
namespace cr = chainrule;
using cr::Index;

constexpr int pixels = 8 * 8;
constexpr int classes = 10;

// Pixels are 0 to 16, as a camera would deliver them. Normalize scales them to 0 to 1 inside the net, so the source code does it too.
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Normalize<pixels>, cr::Dense<pixels, cr::Dynamic, cr::ReLU>,
                        cr::Dense<cr::Dynamic, classes>>;

int main(int argc, char** argv) try {
  std::string data = CHAINRULE_EXAMPLE_DATA "/digits.csv";
  std::string name = "digits";
  Index epochs = 40;
  Index hidden = 24;
  std::uint64_t seed = 1;
  examples::Flags flags("Trains a small net on handwritten digits and writes it as a C header for a microcontroller.");
  flags.add("--epochs", epochs, "Number of passes through the training samples");
  flags.add("--hidden", hidden, "Number of units in the hidden layer", 1, 10'000);
  flags.add("--name", name, "Prefix of the names in the header, and name of its file");
  flags.add_seed(seed, "the initial weights and the order of the samples");
  flags.add("--data", data, "CSV file with 64 pixels from 0 to 16 and the digit in each line");
  const examples::TrainingOutput output(flags, "microcontroller");
  flags.parse(argc, argv);

  const auto digits = cr::read_csv<cr::Dataset<float>>(
      data, {.header = false, .target = -1, .classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}});
  if (digits.features.rows() != pixels) throw std::runtime_error(data + ": expected 64 pixels and the digit in each line");
  const auto [train, test] = cr::stratified_split(digits, {.test_share = 0.2, .seed = cr::Seed{4}});

  Net net{cr::Seed{seed}, {}, {pixels, hidden}, {hidden, classes}};
  net.buffers<0>().shift.setZero();
  net.buffers<0>().scale.setConstant(1.0f / 16);
  cr::Trainer trainer{net, cr::Adam{.learning_rate = 0.003}};
  const auto history = trainer.fit(train, {.epochs = epochs, .batch_size = 16, .validation = test, .seed = cr::Seed{seed}});
  output.write_learning_curves(history);
  std::printf("test accuracy %.4f\n\n", cr::accuracy(net.predict(test.features), test.targets));

  // The header includes three test digits with this net's predictions. Its self_check function compares them with those of the compiled
  // code.
  const std::string header = output.path(name + ".h");
  cr::export_source(net, header, {.name = name, .doubles = false, .tests = test.features.leftCols(3).cast<double>()});

  std::printf("source code: %s\n", header.c_str());
  std::printf("  in main.c:  #include \"%s.h\" and call %s_predict(x, y); %s_self_check() returns 0 if it predicts as this net\n",
              name.c_str(), name.c_str(), name.c_str());
  const Index numbers = net.parameters().size() + net.buffers().size();
  std::printf("  flash:      %td bytes for %td numbers, plus 1 or 2 KiB of code\n", numbers * Index{sizeof(float)}, numbers);
  std::printf("  compile:    arm-none-eabi-gcc -Os -std=c99 -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -c main.c\n");
} catch (const std::exception& error) {
  std::fprintf(stderr, "microcontroller: %s\n", error.what());
  return 1;
}
