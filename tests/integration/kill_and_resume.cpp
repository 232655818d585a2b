// kill_and_resume [kills]: trains in a child process that writes a checkpoint every few milliseconds, kills it at random moments with
// SIGKILL, which the process cannot handle, and resumes the training in a new process. After each kill the file must be complete, or not
// exist yet. Each training that reaches its end must have the same bits as an uninterrupted one. Exit code 0: all of this held.

#include <chainrule/activations/relu.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/schedules/cosine.hpp>
#include <chainrule/schedules/reduce_on_plateau.hpp>
#include <chainrule/training/early_stopping.hpp>
#include <chainrule/training/trainer.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include "support/kernels_compiled_once.hpp"
#include "support/rings.hpp"

namespace cr = chainrule;
namespace fs = std::filesystem;

namespace {

using Net =
    cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<2, 32>, cr::BatchNorm<>, cr::Activate<cr::ReLU>, cr::Dropout<>, cr::Dense<32, 2>>;

/// Trains and returns the final state of the training as bytes. Uses a checkpoint at this path, or none if the path is empty.
std::string train(const std::string& path) {
  const cr::Dataset<float> data = chainrule_test::rings<float>(2000, 1);
  const cr::Dataset<float> validation = chainrule_test::rings<float>(500, 2);
  Net net{cr::Seed{3}};
  cr::Trainer trainer{net, cr::Adam{.learning_rate = 0.01}};
  cr::EarlyStopping stopping{.patience = 30};
  cr::ReduceOnPlateau plateau{.patience = 3};
  const auto fit = [&](auto&&... checkpoint) {
    return trainer.fit(data, {.epochs = 20, .validation = validation, .schedule = cr::Cosine{.period = 20}, .clip_norm = 1}, stopping,
                       plateau, checkpoint...);
  };
  cr::History history = path.empty() ? fit() : fit(cr::Checkpoint{.path = path, .every_steps = 7});
  std::string bytes;
  cr::Archive archive = cr::Archive::writing(bytes);
  archive(net.parameters(), net.buffers(), trainer.state().steps, trainer.state().flat(), stopping, plateau, history.stopped_because);
  for (const std::string& name : history.names()) archive(name, history[name]);
  return bytes;
}

/// Trains in a child process, which is killed after this time unless it has ended before; 0 never kills it. Returns whether the training
/// has ended.
bool train_until(const std::string& checkpoint, const std::string& result, useconds_t microseconds) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      cr::detail::write_file("kill_and_resume", result, train(checkpoint));
      ::_exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(1);
    }
  }
  if (child < 0) throw cr::StateError("cannot start a process");
  if (microseconds > 0) {
    ::usleep(microseconds);
    ::kill(child, SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return false;
  if (WEXITSTATUS(status) != 0) throw cr::StateError("a resumed training has failed");
  return true;
}

int run(int kills, const fs::path& folder) {
  const std::string uninterrupted = train("");
  const std::string path = (folder / "run.checkpoint").string();
  const std::string result = (folder / "result").string();
  std::mt19937 random(std::random_device{}());
  int killed = 0, while_writing = 0, before_first_file = 0, ended = 0;
  const auto check_result = [&] {
    if (cr::detail::read_file("kill_and_resume", result) != uninterrupted) throw cr::StateError("a training has ended with other bits");
    ++ended;
    for (const fs::path& file : {fs::path(path), fs::path(result)}) fs::remove(file);
  };
  while (killed < kills) {
    if (train_until(path, result, static_cast<useconds_t>(1 + random() % 60'000))) {
      check_result();
      continue;
    }
    ++killed;
    int left_behind = 0;
    for (const fs::path& file : fs::directory_iterator(folder))
      left_behind += file.filename().string().starts_with(cr::detail::temporary_prefix(path)) ? 1 : 0;
    while_writing += left_behind;
    if (fs::exists(path))
      cr::detail::checked_contents(cr::detail::read_file("kill_and_resume", path), path, cr::detail::checkpoint_format);
    else
      ++before_first_file;
    if (left_behind > 1) throw cr::StateError("temporary files are left behind");
  }
  train_until(path, result, 0);
  check_result();
  std::printf(
      "%d kills, %d of them while a file was written and %d before the first file: no damaged file; "
      "%d trainings reached their end, all with the same bits as an uninterrupted one\n",
      killed, while_writing, before_first_file, ended);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const int kills = count > 1 ? std::atoi(arguments[1]) : 200;
  const fs::path folder = fs::temp_directory_path() / ("chainrule_kills_" + std::to_string(::getpid()));
  int code = 1;
  try {
    fs::create_directory(folder);
    code = run(kills, folder);
    fs::remove_all(folder);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s; the files are in %s\n", error.what(), folder.string().c_str());
  }
  return code;
}
