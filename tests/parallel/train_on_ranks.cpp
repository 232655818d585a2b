// train_on_ranks MODE [RESULT] [CHECKPOINT]: a training on the ranks of mpirun, for the script run_on_ranks.
//   train           trains, and writes everything that the training has made to the file RESULT; with a checkpoint if one is named
//   overlap         trains as train does
//   threads         trains with two threads in each rank
//   sync            trains with statistics of BatchNorm over all shards
//   slow            trains with a pause of 2 ms after each step, so that it can be killed
//   hang            rank 1 hangs in the second epoch; the others must end with an error after a second
//   leave           rank 1 throws in the second epoch; the others must end at once with its reason
//   diverge         the loss of a sample of rank 1 is not finite; all must end with the place
//   differ          the ranks add different numbers of numbers; all must end with an error
//   again           a training whose rank 1 throws, one that all ranks refuse, and then one that must succeed, with the same ranks
// In all modes but train, sums of the last layers begin during the backward pass.
// Exit code 0: the training ended, and all ranks have the same bits.

#include <chainrule/activations/relu.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/parallel/mpi.hpp>
#include <chainrule/schedules/cosine.hpp>
#include <chainrule/training/early_stopping.hpp>
#include <chainrule/training/trainer.hpp>
#include <chrono>
#include <cstdio>
#include <limits>
#include <string>
#include <thread>

#include "support/kernels_compiled_once.hpp"
#include "support/rings.hpp"

namespace cr = chainrule;

namespace {

using Net =
    cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<2, 64>, cr::BatchNorm<>, cr::Activate<cr::ReLU>, cr::Dropout<>, cr::Dense<64, 2>>;

/// Does after a step what the mode says.
struct AfterStep {
  std::string mode;
  cr::Index rank;

  template <class RunType>
  void batch_ended(RunType& run) const {
    if (mode == "slow") std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if (rank != 1 || run.epoch != 2) return;
    if (mode == "hang") std::this_thread::sleep_for(std::chrono::seconds(5));
    if (mode == "leave" || mode == "again") throw cr::StateError("no space left on the disk of rank 1");
    if (mode == "diverge") run.net.parameters()[0] = std::numeric_limits<float>::infinity();
  }
};

/// Trains and returns the final state of the training as bytes.
std::string train(cr::Mpi& mpi, const std::string& mode, const std::string& checkpoint) {
  const cr::Dataset<float> data = chainrule_test::rings<float>(2011, 1), validation = chainrule_test::rings<float>(100, 2);
  Net net{cr::Seed{3}};
  cr::Trainer trainer{net, cr::Adam{.learning_rate = 0.01}};
  cr::EarlyStopping stopping{.patience = 30};
  const auto fit = [&](auto&&... more) {
    return trainer.fit(mpi.part_of(data),
                       {.epochs = 10,
                        .batch_size = mode == "refused" ? 100 : 128,
                        .validation = validation,
                        .threads = mode == "threads" ? 2 : 1,
                        .schedule = cr::Cosine{.period = 10},
                        .clip_norm = 1},
                       mpi, stopping, AfterStep{mode, mpi.rank()}, more...);
  };
  cr::History history = checkpoint.empty() ? fit() : fit(cr::Checkpoint{.path = checkpoint, .every_steps = 7});
  std::string bytes;
  cr::Archive archive = cr::Archive::writing(bytes);
  archive(net.parameters(), net.buffers(), trainer.state().steps, trainer.state().flat(), stopping, history.stopped_because);
  for (const std::string& name : history.names()) archive(name, history[name]);
  const std::vector<double> sums = mpi.gather(static_cast<double>(cr::detail::crc64(bytes) >> 11));
  for (const double sum : sums)
    if (sum != sums[0]) throw cr::StateError("the ranks have other bits");
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i) { return i < argc ? std::string(argv[i]) : std::string(); };
  const std::string mode = argument(1);
  const cr::RankOptions options{
      .timeout = mode == "hang" ? 1.0 : 30.0, .bucket_bytes = mode == "train" ? 0 : 1, .sync_batch_norm = mode == "sync"};
  return cr::run_ranks(
      argc, argv,
      [&](cr::Mpi& mpi) {
        if (mode == "differ") {
          cr::Vector<float> numbers = cr::Vector<float>::Ones(mpi.is_first() ? 2 : 1);
          mpi.sum(numbers);
        }
        if (mode == "again") {
          try {
            train(mpi, mode, "");
            throw cr::StateError("the first training must fail");
          } catch (const cr::Error& error) {
            if (std::string(error.what()).find("no space left") == std::string::npos) throw;
          }
          try {
            train(mpi, "refused", "");
            throw cr::StateError("a batch size of 100 must be refused");
          } catch (const cr::ShapeError&) {
          }
          // a later exchange must not take the farewell of this training for one of its own
          if (mpi.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(300));
          mpi.gather(1);
        }
        const std::string bytes = train(mpi, mode == "again" ? "train" : mode, argument(3));
        if (mpi.is_first() && !argument(2).empty()) cr::detail::write_file("train_on_ranks", argument(2), bytes);
      },
      options);
}
