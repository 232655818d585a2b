// A net that reads digits, small enough for a microcontroller: trained here, and written as source code that needs no library.
#include <chainrule/chainrule.hpp>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "support/flags.hpp"
#include "support/output.hpp"
namespace cr = chainrule;
using cr::Index;

constexpr int pixels = 8 * 8;
constexpr int classes = 10;

// The pixels come as a camera gives them, 0 to 16: Normalize makes them 0 to 1 inside the net, and so in the source code too.
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Normalize<pixels>, cr::Dense<pixels, cr::Dynamic, cr::ReLU>,
                        cr::Dense<cr::Dynamic, classes>>;

int main(int argc, char** argv) try {
  std::string data = CHAINRULE_EXAMPLE_DATA "/digits.csv";
  std::string name = "digits";
  Index epochs = 40;
  Index hidden = 24;
  std::uint64_t seed = 1;
  examples::Flags flags("Trains a small net on handwritten digits and writes it as a header of C for a microcontroller.");
  flags.add("--epochs", epochs, "How often to go through the training samples");
  flags.add("--hidden", hidden, "How many units the hidden layer has", 1, 10'000);
  flags.add("--name", name, "What the names in the header begin with, and its file's");
  flags.add_seed(seed, "the initial weights and the order of the samples");
  flags.add("--data", data, "A CSV file, in each line 64 pixels from 0 to 16 and the digit");
  const examples::Output output(flags, "microcontroller");
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

  // Three digits of the test samples stand in the header, with what the net says of them: its self-check asks the compiled code again.
  const std::string header = output.path(name + ".h");
  cr::export_source(net, header, {.name = name, .doubles = false, .tests = test.features.leftCols(3).cast<double>()});

  std::printf("source code: %s\n", header.c_str());
  std::printf("  in main.c:  #include \"%s.h\" and call %s_predict(x, y); %s_self_check() is 0 where it gives these numbers\n",
              name.c_str(), name.c_str(), name.c_str());
  const Index numbers = net.parameters().size() + net.buffers().size();
  std::printf("  flash:      %td bytes for %td numbers, and 1 or 2 KiB of code\n", numbers * Index{sizeof(float)}, numbers);
  std::printf("  compile:    arm-none-eabi-gcc -Os -std=c99 -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -c main.c\n");
} catch (const std::exception& error) {
  std::fprintf(stderr, "microcontroller: %s\n", error.what());
  return 1;
}
