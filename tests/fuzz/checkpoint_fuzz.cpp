#include <chainrule/training/save_checkpoints.hpp>

#include <chainrule/activations/tanh.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <chainrule/schedules/reduce_on_plateau.hpp>
#include <chainrule/training/early_stopping.hpp>
#include <chainrule/training/history.hpp>

#include "fuzz.hpp"

namespace {

using namespace chainrule;
using Net = Network<float, SoftmaxCrossEntropy, Dense<1, 2, Tanh>, BatchNorm<>, Dense<2, 2>>;

struct Note {
  std::string text;
  std::vector<double> numbers;
  void archive(Archive& a) { a(text, numbers); }
};

/// Everything that a Trainer stores in a checkpoint, and what an observer of the user's might.
struct Training {
  Training() {
    run.epochs = 5;
    run.batches = 3;
    run.quantities = {{"loss"}, {"validation_loss"}};
    history.training_started(run);
    stopping.training_started(run);
  }

  void keep(Archive& archive) {
    detail::archive_training(archive, net, state, run);
    archive.section("History", history);
    archive.section("EarlyStopping", stopping);
    archive.section("ReduceOnPlateau", plateau);
    archive(notes, more);
  }
  void read(std::string_view values) {
    detail::read_or_restore(values, "f", [&](Archive& archive) { keep(archive); });
  }
  void use() {
    stopping.training_resumed(run);
    ++run.epoch;
    plateau.epoch_ended(run);
    stopping.epoch_ended(run);
    history.epoch_ended(run);
    stopping.training_ended(run);
    chainrule_fuzz::require(history["validation_loss"].size() == history.rows().size() && history.to_csv().size() > 10);
    chainrule_fuzz::require(run.batch >= 0 && run.batch <= run.batches && run.seconds() >= 0);
  }

  Net net{Seed{1}};
  OptimizerState<float> state{net, 2};
  Run<Net> run{net};
  History history;
  EarlyStopping stopping;
  ReduceOnPlateau plateau;
  std::vector<Note> notes{{"a", {1, 2}}, {"", {}}};
  Eigen::MatrixXd more = Eigen::MatrixXd::Ones(2, 1);
};

/// Reads these bytes as the values of a checkpoint. If they are refused, nothing may have changed.
void read_values(std::string_view values) {
  Training training;
  const auto numbers = [&] {
    std::string bytes;
    Archive archive = Archive::writing(bytes);
    detail::archive_training(archive, training.net, training.state, training.history, training.stopping, training.plateau, training.more);
    return bytes;
  };
  const std::string before = numbers();
  bool read = false;
  chainrule_fuzz::attempt([&] {
    training.read(values);
    read = true;
  });
  if (read)
    training.use();
  else
    chainrule_fuzz::require(numbers() == before);
}

}  // namespace

/// Reads the bytes as a complete file; as a file whose length and checksum are made right; and as the values of a file with the right
/// fingerprint.
void chainrule_fuzz::read(std::string_view bytes) {
  const Training training;
  const std::string fingerprint = detail::fingerprint_of(training.net, training.state);
  attempt([&] { read_values(detail::values_of_checkpoint(bytes, "f", fingerprint)); });
  if (bytes.size() >= detail::checkpoint_format.header_size() + detail::checksum_size &&
      bytes.starts_with(detail::checkpoint_format.magic)) {
    std::string whole(bytes.substr(0, bytes.size() - detail::checksum_size));
    detail::finish_checksummed_file(whole, detail::checkpoint_format);
    attempt([&] { read_values(detail::values_of_checkpoint(whole, "f", fingerprint)); });
  }
  read_values(bytes);
}
