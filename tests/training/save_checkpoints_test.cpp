#include <chainrule/training/save_checkpoints.hpp>
#include <chainrule/training/trainer.hpp>

#include <chainrule/activations/relu.hpp>
#include <chainrule/layers/activate.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/schedules/reduce_on_plateau.hpp>
#include <chainrule/training/early_stopping.hpp>

#include "support/catch.hpp"
#include "support/rings.hpp"
#include "support/temporary_folder.hpp"

#if __has_include(<sys/resource.h>)
#include <sys/resource.h>

#include <csignal>
#endif

using namespace chainrule;
using chainrule_test::rings;
using chainrule_test::TemporaryFolder;

namespace {

using Net = Network<float, SoftmaxCrossEntropy, Dense<2, 8>, BatchNorm<>, Activate<ReLU>, Dropout<>, Dense<8, 2>>;

// 50 samples in batches of 16: four steps per epoch, the last with two samples
const Dataset<float> train = rings<float>(50, 1);
const Dataset<float> validation = rings<float>(30, 2);

/// Thrown within a step to imitate a crash, so that no checkpoint is written at the end.
struct Crash {};

/// Ends a training after a number of steps of this process, by stop() or by a Crash.
struct EndAfter {
  int steps = 0;  // 0 never ends it
  bool crashes = false;
  void batch_ended(Progress& run) {
    if (steps == 0 || --steps > 0) return;
    if (crashes) throw Crash{};
    run.stop("enough for now");
  }
};

/// A user's observer whose state is part of the checkpoint.
struct Tally {
  static constexpr std::string_view name = "Tally";
  std::vector<Index> batches{};
  void training_started(Progress&) { batches.clear(); }
  void batch_ended(Progress& run) { batches.push_back(run.batch); }
  void archive(Archive& a) { a(batches); }
};

/// A training that starts from the initial parameters, as in a new process, with all state that it changes.
struct Process {
  Net net{Seed{1}};
  Trainer<Net, Adam> trainer{net, Adam{.learning_rate = 0.1}};
  History history{};
  EarlyStopping stopping{.patience = 2};
  ReduceOnPlateau plateau{.factor = 0.5, .patience = 0, .threshold = 0.5};
  Tally tally{};
  Index accumulate = 1;  // batches that make a step of 16 samples

  auto options(Index epochs) const {
    return FitOptions<float, Labels<int>>{.epochs = epochs,
                                          .batch_size = 16 / accumulate,
                                          .accumulate = accumulate,
                                          .validation = validation,
                                          .seed = Seed{7},
                                          .schedule = [](double time) { return 1 / (1 + time / 4); },
                                          .clip_norm = 1,
                                          .l2 = 1e-3};
  }
  Process& fit(const Checkpoint& checkpoint, Index epochs, EndAfter end = {}) {
    try {
      history = trainer.fit(train, options(epochs), stopping, checkpoint, end, plateau, tally);
    } catch (const Crash&) {
    }
    return *this;
  }
  Process& fit_undisturbed(Index epochs) {
    history = trainer.fit(train, options(epochs), stopping, plateau, tally);
    return *this;
  }
  Vector<float> all_numbers() const {
    Vector<float> all(net.parameters().size() + net.buffers().size() + trainer.state().flat().size());
    all << net.parameters(), net.buffers(), trainer.state().flat();
    return all;
  }
};

bool same(const Process& a, const Process& b) {
  bool same_rows = a.history.epochs() == b.history.epochs();
  for (std::size_t i = 0; same_rows && i < a.history.rows().size(); ++i) {
    const History::Row& one = a.history.rows()[i];
    const History::Row& other = b.history.rows()[i];
    same_rows = one.epoch == other.epoch && one.learning_rate == other.learning_rate && one.values == other.values;
  }
  return same_rows && a.all_numbers() == b.all_numbers() && a.trainer.state().steps == b.trainer.state().steps &&
         a.trainer.epochs_done() == b.trainer.epochs_done() && a.history.names() == b.history.names() &&
         a.history.stopped_because == b.history.stopped_because && a.stopping.best.value == b.stopping.best.value &&
         a.stopping.best.epoch == b.stopping.best.epoch && a.stopping.best.numbers == b.stopping.best.numbers &&
         a.plateau.memory.factor == b.plateau.memory.factor && a.plateau.memory.best == b.plateau.memory.best &&
         a.plateau.memory.bad_epochs == b.plateau.memory.bad_epochs && a.tally.batches == b.tally.batches;
}

}  // namespace

TEST_CASE("a training that was stopped or crashed at any step and is resumed ends with the same bits") {
  const TemporaryFolder folder = TemporaryFolder::in_memory();
  Process undisturbed;
  undisturbed.fit_undisturbed(3);
  CHECK(undisturbed.trainer.state().steps == 12);
  CHECK(undisturbed.plateau.memory.factor < 1);  // so that the checkpoint has a changed factor to keep
  CHECK(same(Process{}.fit({folder.path("whole")}, 3), undisturbed));
  for (const Index every_steps : {0, 1, 3})
    for (const bool crashes : {false, true})
      for (int steps = 1; steps <= 12; ++steps) {
        CAPTURE(every_steps, crashes, steps);
        const Checkpoint checkpoint{.path = folder.path("run"), .every_steps = every_steps};
        Process{}.fit(checkpoint, 3, {steps, crashes});
        Process resumed;
        resumed.fit(checkpoint, 3);
        CHECK(same(resumed, undisturbed));
        std::filesystem::remove(checkpoint.path);
      }
  CHECK(folder.files() == 1);
}

TEST_CASE("a training whose steps are made of several batches continues after any step with the same bits") {
  const TemporaryFolder folder = TemporaryFolder::in_memory();
  Process undisturbed{.accumulate = 2};
  undisturbed.fit_undisturbed(2);
  CHECK(undisturbed.trainer.state().steps == 8);
  for (const bool crashes : {false, true})
    for (int steps = 1; steps <= 8; ++steps) {
      CAPTURE(crashes, steps);
      const Checkpoint checkpoint{.path = folder.path("run"), .every_steps = 1};
      Process first{.accumulate = 2}, resumed{.accumulate = 2};
      first.fit(checkpoint, 2, {steps, crashes});
      resumed.fit(checkpoint, 2);
      CHECK(same(resumed, undisturbed));
      std::filesystem::remove(checkpoint.path);
    }
}

TEST_CASE("a training with one step per process ends with the same bits") {
  const TemporaryFolder folder = TemporaryFolder::in_memory();
  Process undisturbed;
  undisturbed.fit_undisturbed(3);
  for (int process = 1; process <= 12; ++process) {
    Process one;
    one.fit({folder.path("run")}, 3, {1});
    CHECK(one.trainer.state().steps == static_cast<std::uint64_t>(process));
    CHECK(one.history.stopped_because == "enough for now");
    if (process < 12) CHECK_FALSE(same(one, undisturbed));
  }
  CHECK(same(Process{}.fit({folder.path("run")}, 3), undisturbed));
}

TEST_CASE("a finished training does nothing when resumed, one stopped by EarlyStopping stays stopped, more epochs continue") {
  const TemporaryFolder folder = TemporaryFolder::in_memory();
  const Checkpoint checkpoint{.path = folder.path("run")};
  Process undisturbed;
  undisturbed.fit_undisturbed(40);
  REQUIRE(undisturbed.history.epochs() < 40);
  CHECK_THAT(undisturbed.history.stopped_because, chainrule_test::ContainsSubstring("has not improved for 2 epochs"));

  Process{}.fit(checkpoint, 2);
  const std::string finished = detail::read_file("test", checkpoint.path);
  Process again;
  again.fit(checkpoint, 2);
  CHECK(again.history.epochs() == 2);
  CHECK(again.tally.batches == std::vector<Index>{1, 2, 3, 4, 1, 2, 3, 4});
  CHECK(detail::read_file("test", checkpoint.path) == finished);

  CHECK(same(Process{}.fit(checkpoint, 40), undisturbed));
  CHECK(same(Process{}.fit(checkpoint, 40), undisturbed));

  Process anew;
  anew.fit({.path = checkpoint.path, .resume = false}, 1);
  CHECK(anew.history.epochs() == 1);
}

TEST_CASE("a checkpoint is written at the start, every few steps or after each epoch, and at the end") {
  const TemporaryFolder folder = TemporaryFolder::in_memory();
  const auto written = [&folder](Index every_steps) {
    const std::string path = folder.path("run" + std::to_string(every_steps));
    std::string last;
    std::string batches;
    const auto note_change = [&](const Progress& run) {  // whether the previous step or epoch has written the file
      const std::string now = detail::read_file("test", path);
      if (now != last) batches += std::to_string(run.epoch) + "." + std::to_string(run.batch) + " ";
      last = now;
    };
    struct AfterEachBatch {
      decltype(note_change)& call;
      void batch_ended(Progress& run) { call(run); }
    };
    Net net{Seed{1}};
    Trainer{net, Adam{}}.fit(train, {.epochs = 2, .batch_size = 16}, Checkpoint{.path = path, .every_steps = every_steps},
                             AfterEachBatch{note_change});
    if (detail::read_file("test", path) != last) batches += "end";
    return batches;
  };
  CHECK(written(0) == "1.1 2.1 end");
  CHECK(written(1) == "1.1 1.2 1.3 1.4 2.1 2.2 2.3 2.4 end");
  CHECK(written(3) == "1.1 1.4 2.3 end");
  CHECK(written(100) == "1.1 end");
}

TEST_CASE("fit refuses a damaged checkpoint and one of another training before anything has changed") {
  const TemporaryFolder folder = TemporaryFolder::in_memory();
  const Checkpoint checkpoint{.path = folder.path("run")};
  Process{}.fit(checkpoint, 1);
  Net net{Seed{1}};
  const Net before = net;
  Trainer trainer{net, Adam{.learning_rate = 0.1}};
  EarlyStopping stopping{.patience = 2};
  stopping.best.epoch = 77;
  using Options = FitOptions<float, Labels<int>>;
  const Options right{.batch_size = 16, .validation = validation, .seed = Seed{7}, .clip_norm = 1, .l2 = 1e-3};
  const auto refuses = [&](void (*change)(Options&), const char* expected, const char* found) {
    Options options = right;
    change(options);
    CHECK_THROWS_SAYING(trainer.fit(train, options, stopping, checkpoint, ReduceOnPlateau{}, Tally{}), ValueError,
                        "run is of another network or training", expected, found);
  };
  refuses([](Options& o) { o.batch_size = 25; }, "expected \"batch_size: 25\"", "found \"batch_size: 16\"");
  refuses([](Options& o) { o.accumulate = 2; }, "expected \"accumulate: 2\"", "found \"shuffle: yes\"");
  refuses([](Options& o) { o.shuffle = false; }, "expected \"shuffle: no\"", "found \"shuffle: yes\"");
  refuses([](Options& o) { o.seed = Seed{8}; }, "expected \"seed: 8\"", "found \"seed: 7\"");
  refuses([](Options& o) { o.drop_last = true; }, "expected \"drop_last: yes\"", "found \"drop_last: no\"");
  refuses([](Options& o) { o.clip_norm = 2; }, "expected \"clip_norm: 2\"", "found \"clip_norm: 1\"");
  refuses([](Options& o) { o.clip_value = 2; }, "expected \"clip_value: 2\"", "found \"clip_value: 0\"");
  refuses([](Options& o) { o.l1 = 0.5; }, "expected \"l1: 0.5\"", "found \"l1: 0\"");
  refuses([](Options& o) { o.l2 = 0; }, "expected \"l2: 0\"", "found \"l2: 0.001\"");
  refuses([](Options& o) { o.training_metrics = true; }, "expected \"measured: accuracy\"", "found \"measured: validation_loss\"");
  CHECK_THROWS_SAYING(trainer.fit(train, right, checkpoint, stopping, Tally{}), ValueError, "expected \"observer: Tally\"",
                      "found \"observer: ReduceOnPlateau\"");
  CHECK_THROWS_SAYING(trainer.fit(rings<float>(48, 1), right, stopping, checkpoint, ReduceOnPlateau{}, Tally{}), ValueError,
                      "expected \"samples: 48\"", "found \"samples: 50\"");

  Trainer<Net, Adam> faster{net, Adam{.learning_rate = 0.2}};
  CHECK_THROWS_SAYING(faster.fit(train, right, stopping, checkpoint, ReduceOnPlateau{}, Tally{}), ValueError,
                      "expected \"optimizer.learning_rate: 0.2\"", "found \"optimizer.learning_rate: 0.1\"");
  EarlyStopping by_accuracy{.patience = 2, .monitor = "validation_accuracy", .larger_is_better = true};
  CHECK_THROWS_SAYING(trainer.fit(train, right, by_accuracy, checkpoint, ReduceOnPlateau{}, Tally{}), ValueError,
                      "expected \"EarlyStopping.monitor: validation_accuracy\"", "found \"EarlyStopping.monitor: validation_loss\"");

  std::string bytes = detail::read_file("test", checkpoint.path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  folder.file("run", bytes);
  CHECK_THROWS_SAYING(trainer.fit(train, right, stopping, checkpoint, ReduceOnPlateau{}, Tally{}), ValueError, "run is damaged");
  CHECK_THROWS_SAYING(trainer.fit(train, right, stopping, Checkpoint{}), ValueError, "Checkpoint: the path is empty");
  CHECK_THROWS_SAYING(trainer.fit(train, right, stopping, Checkpoint{.path = "a", .every_steps = -1}), ValueError,
                      "every_steps must be at least 0");
  CHECK(net.parameters() == before.parameters());
  CHECK(net.buffers() == before.buffers());
  CHECK(trainer.state().steps == 0);
  CHECK(trainer.epochs_done() == 0);
  CHECK(stopping.best.epoch == 77);
}

TEST_CASE("a file with a right checksum and impossible values is refused or trains on; nothing worse happens") {
  const TemporaryFolder folder = TemporaryFolder::in_memory();
  const Checkpoint checkpoint{.path = folder.path("run"), .every_steps = 1};
  Process{}.fit(checkpoint, 1, {3});
  const std::string whole = detail::read_file("test", checkpoint.path);
  const Process before;
  std::size_t refused = 0;
  const std::size_t values = whole.find("observer: Tally\n") + 16;
  for (std::size_t place = values; place + detail::checksum_size < whole.size(); place += 3) {
    std::string bytes = whole.substr(0, whole.size() - detail::checksum_size);
    bytes[place] = static_cast<char>(bytes[place] ^ 0x82);
    detail::finish_checksummed_file(bytes, detail::checkpoint_format);
    folder.file("run", bytes);
    Process process;
    try {
      process.fit(checkpoint, 1, {1});
    } catch (const ValueError&) {
      refused += 1;
      if (process.tally.batches.empty()) CHECK(process.all_numbers() == before.all_numbers());
    } catch (const DivergenceError&) {  // a changed bit made a weight far too large
    }
  }
  CHECK(refused > 30);
}

TEST_CASE("fit reports a checkpoint that cannot be written; the old file stays complete, and training can continue") {
  const TemporaryFolder folder = TemporaryFolder::in_memory();
  Net net{Seed{1}};
  Trainer trainer{net, Adam{}};
  CHECK_THROWS_SAYING(trainer.fit(train, {.epochs = 1}, Checkpoint{.path = folder.path("no/run")}), ValueError, "Checkpoint: cannot write",
                      "No such file");
  CHECK(trainer.state().steps == 0);  // thrown before the first step
  if (std::filesystem::is_character_file("/dev/full"))
    CHECK_THROWS_SAYING(trainer.fit(train, {.epochs = 1}, Checkpoint{.path = "/dev/full"}), ValueError, "\"/dev/full\": No space left");
#if __has_include(<sys/resource.h>) && defined(SIGXFSZ)
  const Checkpoint checkpoint{.path = folder.path("run"), .every_steps = 1};
  struct FullDisk {  // imitates a full disk: files cannot grow after the second step
    rlimit before{};
    std::string old{};
    std::string path;
    void batch_ended(Progress& run) {
      if (run.batch != 2) return;
      old = detail::read_file("test", path);
      rlimit limit = before;
      limit.rlim_cur = 100;
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    void training_ended(Progress&) { ::setrlimit(RLIMIT_FSIZE, &before); }
  } disk{.path = checkpoint.path};
  ::getrlimit(RLIMIT_FSIZE, &disk.before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  CHECK_THROWS_SAYING(trainer.fit(train, {.epochs = 1, .batch_size = 16}, disk, checkpoint), ValueError, "Checkpoint: cannot write",
                      "File too large");
  std::signal(SIGXFSZ, handler);
  CHECK(detail::read_file("test", checkpoint.path) == disk.old);
  CHECK(folder.files() == 1);
  CHECK(trainer.state().steps == 2);
  CHECK(net.parameters().allFinite());
  trainer.fit(train, {.epochs = 1, .batch_size = 16}, checkpoint);
  CHECK(trainer.state().steps == 4);
#endif
}

#if __has_include(<sys/file.h>) && !defined(_WIN32) && !defined(__EMSCRIPTEN__)
TEST_CASE("a second training with the path of one that runs is refused, and the first goes on; files left by killed ones are removed") {
  const TemporaryFolder folder = TemporaryFolder::in_memory();
  const Checkpoint checkpoint{.path = folder.path("run"), .every_steps = 1};
  folder.file(detail::temporary_prefix("run") + "1.part", "half");
  folder.file("run.part", "somebody's");
  Process undisturbed, first;
  undisturbed.fit_undisturbed(1);
  int refused = 0;
  const auto disturb = [&](auto&) {
    for (const bool resume : {true, false}) {
      Process second;
      CHECK_THROWS_SAYING(second.fit({.path = checkpoint.path, .resume = resume}, 1), ValueError,
                          "Checkpoint: another training is using \"", "run\"; give each training a file of its own");
      CHECK(second.all_numbers() == Process{}.all_numbers());
      CHECK_THROWS_SAYING(save_checkpoint(checkpoint.path, second.net, second.trainer.state()), ValueError, "save_checkpoint: a training",
                          "is using \"");
      ++refused;
    }
  };
  first.trainer.fit(train, first.options(1), first.stopping, checkpoint, first.plateau, first.tally, disturb);
  CHECK(refused == 2);
  CHECK(first.all_numbers() == undisturbed.all_numbers());
  CHECK(folder.files() == 2);
  CHECK_NOTHROW(Process{}.fit(checkpoint, 1));
}
#endif
