// Reads handwritten digits, trained by several processes with MPI: examples/run digits_mpi --ranks 4.
//
// Shows the few lines by which the training of examples/digits.cpp runs on several processes or machines: each of them trains on its part
// of the data, and the result has the same bits for any number of them.
#include <chainrule/chainrule.hpp>
#include <chainrule/parallel/mpi.hpp>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "support/flags.hpp"
namespace cr = chainrule;

using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Normalize<64>, cr::Dense<64, 256, cr::ReLU>, cr::Dense<256, 10>>;

int main(int argc, char** argv) {
  std::string data = CHAINRULE_EXAMPLE_DATA "/digits.csv";
  cr::Index epochs = 30;
  std::uint64_t seed = 1;
  examples::Flags flags("Learns to read handwritten digits on several processes; started by mpirun.");
  flags.add("--epochs", epochs, "Number of passes through the training samples");
  flags.add_seed(seed, "the initial weights and the order of the samples");
  flags.add("--data", data, "CSV file with 64 pixels from 0 to 16 and the digit in each line");
  flags.parse(argc, argv);

  return cr::run_ranks(argc, argv, [&](cr::Mpi& mpi) {
    const std::vector<std::string> names{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    const auto all = cr::read_csv<cr::Dataset<float>>(data, {.header = false, .target = -1, .classes = names});
    const auto [train, test] = cr::stratified_split(all, {.test_share = 360.0 / 1797, .seed = cr::Seed{4}});

    Net net{cr::Seed{seed}};  // all ranks begin with the same weights
    net.buffers<0>().set(cr::Standardizer<float>(train.features));
    cr::Trainer trainer{net, cr::SGD{.learning_rate = 0.2}};
    trainer.fit(mpi.part_of(train), {.epochs = epochs, .batch_size = 64, .validation = test, .seed = cr::Seed{seed}}, mpi,
                cr::ProgressBar{.every_epochs = 10});

    if (!mpi.is_first()) return;  // the networks of all ranks are the same
    std::printf("%td ranks, sum of the weights %.9g, test accuracy %.4f of %td digits\n", mpi.ranks(), double(net.parameters().sum()),
                cr::accuracy(net.predict(test.features), test.targets), test.size());
  });
}
