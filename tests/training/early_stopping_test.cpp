#include <chainrule/training/early_stopping.hpp>

#include "support/catch.hpp"
#include "support/fake_run.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

/// Ends an epoch with each of these validation losses until the observer stops; returns the number of epochs run.
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

TEST_CASE("EarlyStopping stops after `patience` epochs without improvement and restores the best parameters and buffers") {
  FakeNet net;
  Run<FakeNet> run(net);
  EarlyStopping stopping{.patience = 2};
  CHECK(epochs_until_stopped(stopping, run, {5, 4, 4.5, 3, 3.5, 3.2, 1, 1}) == 6);
  CHECK(stopping.best.value == 3);
  CHECK(stopping.best.epoch == 4);
  CHECK((net.theta.array() == 4).all());
  CHECK((net.numbers_in_buffers.array() == 40).all());
  CHECK(run.stopped_because == "validation_loss has not improved for 2 epochs; the best was 3 after epoch 4");
}

TEST_CASE("EarlyStopping restores the best also after the last epoch, and not with restore_best = false") {
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

TEST_CASE("EarlyStopping counts neither less than the minimum improvement nor NaN as an improvement") {
  FakeNet net;
  Run<FakeNet> run(net);
  EarlyStopping stopping{.patience = 2, .minimum_improvement = 0.5};
  CHECK(epochs_until_stopped(stopping, run, {5, 4.6, std::numeric_limits<double>::quiet_NaN(), 1}) == 3);
  CHECK(stopping.best.epoch == 1);
}

TEST_CASE("EarlyStopping forgets an epoch of NaN or infinity as soon as another is finite") {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()}) {
    FakeNet net;
    Run<FakeNet> run(net);
    EarlyStopping stopping{.patience = 2};
    CHECK(epochs_until_stopped(stopping, run, {bad, 5, 4, bad, 6, 1}) == 5);
    CHECK(stopping.best.epoch == 3);
    CHECK((net.theta.array() == 3).all());
  }
}

TEST_CASE("EarlyStopping that has seen no finite value stops after `patience` epochs and restores nothing") {
  FakeNet net;
  Run<FakeNet> run(net);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EarlyStopping stopping{.patience = 2};
  CHECK(epochs_until_stopped(stopping, run, {nan, nan, 1}) == 2);
  CHECK(run.stopped_because == "validation_loss was not finite in any of 2 epochs");
  CHECK((net.theta.array() == 2).all());
  EarlyStopping unclear{.minimum_improvement = nan};
  CHECK_THROWS_SAYING(unclear.training_started(run), ValueError, "EarlyStopping: minimum_improvement must be finite, got nan");
}

TEST_CASE("EarlyStopping maximizes a quantity on request and starts anew in a second training") {
  FakeNet net;
  EarlyStopping stopping{.patience = 1, .monitor = "validation_accuracy", .larger_is_better = true};
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

TEST_CASE("EarlyStopping refuses an unknown quantity and a patience below 1 at the start") {
  FakeNet net;
  Run<FakeNet> run(net);
  run.quantities = {{"loss"}};
  EarlyStopping stopping;
  CHECK_THROWS_SAYING(stopping.training_started(run), ValueError, "EarlyStopping monitors \"validation_loss\"", ".validation set");
  run.quantities = {{"loss"}, {"validation_loss"}};
  EarlyStopping other{.monitor = "validation_f1"};
  CHECK_THROWS_SAYING(other.training_started(run), ValueError, "\"validation_f1\"", "it measures: loss, validation_loss");
  EarlyStopping impatient{.patience = 0};
  CHECK_THROWS_SAYING(impatient.training_started(run), ValueError, "patience must be at least 1, got 0");
}
