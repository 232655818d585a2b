#include <chainrule/training/early_stopping.hpp>

#include "support/catch.hpp"
#include "support/fake_run.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

/// Runs through these validation losses until the observer stops; the number of epochs run.
Index epochs_until_stopped(EarlyStopping& stopping, Run<FakeNet>& run, std::initializer_list<double> losses) {
  run.quantities = {{"loss"}, {"validation_loss"}};
  stopping.training_started(run);
  for (const double loss : losses) {
    if (run.stopped()) break;
    end_epoch(run, stopping, {0, loss});
  }
  stopping.training_ended(run);
  return run.epoch;
}

}  // namespace

TEST_CASE("early stopping: after `patience` epochs without improvement, and the best parameters and buffers come back") {
  FakeNet net;
  Run<FakeNet> run(net);
  EarlyStopping stopping{.patience = 2};
  CHECK(epochs_until_stopped(stopping, run, {5, 4, 4.5, 3, 3.5, 3.2, 1, 1}) == 6);
  CHECK(stopping.best.value == 3);
  CHECK(stopping.best.epoch == 4);
  CHECK((net.theta.array() == 4).all());
  CHECK((net.kept.array() == 40).all());
  CHECK(run.stopped_because == "validation_loss has not improved for 2 epochs; the best was 3 after epoch 4");
}

TEST_CASE("early stopping: the best comes back also where the epochs run out, and stays out where it is not asked for") {
  FakeNet net;
  Run<FakeNet> run(net);
  EarlyStopping stopping{.patience = 5};
  CHECK(epochs_until_stopped(stopping, run, {5, 4, 4.5}) == 3);
  CHECK_FALSE(run.stopped());
  CHECK((net.theta.array() == 2).all());

  FakeNet other;
  Run<FakeNet> other_run(other);
  EarlyStopping keeps_last{.patience = 5, .restore_best = false};
  epochs_until_stopped(keeps_last, other_run, {5, 4, 4.5});
  CHECK((other.theta.array() == 3).all());
}

TEST_CASE("early stopping: less than the minimum improvement is none, NaN is none") {
  FakeNet net;
  Run<FakeNet> run(net);
  EarlyStopping stopping{.patience = 2, .minimum_improvement = 0.5};
  CHECK(epochs_until_stopped(stopping, run, {5, 4.6, std::numeric_limits<double>::quiet_NaN(), 1}) == 3);
  CHECK(stopping.best.epoch == 1);
}

TEST_CASE("early stopping: a quantity that is to become large, and a second training from the start") {
  FakeNet net;
  EarlyStopping stopping{.patience = 1, .watch = "validation_accuracy", .larger_is_better = true};
  for (int training = 0; training < 2; ++training) {
    Run<FakeNet> run(net);
    run.quantities = {{"loss"}, {"validation_accuracy"}};
    stopping.training_started(run);
    end_epoch(run, stopping, {1, 0.5});
    end_epoch(run, stopping, {1, 0.75});
    CHECK_FALSE(run.stopped());
    end_epoch(run, stopping, {1, 0.75});
    CHECK(run.stopped());
    CHECK(stopping.best.epoch == 2);
  }
}

TEST_CASE("early stopping: what cannot be watched, and a patience that is none, are said at the start") {
  FakeNet net;
  Run<FakeNet> run(net);
  run.quantities = {{"loss"}};
  EarlyStopping stopping;
  CHECK_THROWS_SAYING(stopping.training_started(run), ValueError, "EarlyStopping watches \"validation_loss\"", ".validation set");
  run.quantities = {{"loss"}, {"validation_loss"}};
  EarlyStopping other{.watch = "validation_f1"};
  CHECK_THROWS_SAYING(other.training_started(run), ValueError, "\"validation_f1\"", "name one of its quantities");
  EarlyStopping impatient{.patience = 0};
  CHECK_THROWS_SAYING(impatient.training_started(run), ValueError, "patience must be at least 1, got 0");
}
