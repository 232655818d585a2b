#include <chainrule/io/archive.hpp>
#include <chainrule/training/stochastic_weight_average.hpp>

#include "support/catch.hpp"
#include "support/fake_run.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

/// Runs epochs first to last, after which all parameters have the number of the epoch.
void train(StochasticWeightAverage& average, Run<FakeNet>& run, Index last) {
  while (run.epoch < last) end_epoch(run, average, {});
}

}  // namespace

TEST_CASE("StochasticWeightAverage gives the network the mean of the parameters after the chosen epochs") {
  FakeNet net;
  Run<FakeNet> run(net);
  StochasticWeightAverage average{.start_epoch = 3, .every = 2};
  average.training_started(run);
  train(average, run, 8);  // epochs 3, 5 and 7
  CHECK((net.theta.array() == 8).all());
  average.training_ended(run);
  CHECK((net.theta.array() == 5).all());
  CHECK(average.mean.count == 3);
  average.mean.swap(net);
  CHECK((net.theta.array() == 8).all());
}

TEST_CASE("StochasticWeightAverage changes nothing before its first epoch has ended") {
  FakeNet net;
  Run<FakeNet> run(net);
  StochasticWeightAverage average{.start_epoch = 3};
  average.training_started(run);
  train(average, run, 2);
  average.training_ended(run);
  CHECK((net.theta.array() == 2).all());
  StochasticWeightAverage bad{.every = 0};
  CHECK_THROWS_SAYING(bad.training_started(run), ValueError, "start_epoch and every must be at least 1, got 1 and 0");
}

TEST_CASE("StochasticWeightAverage that is resumed from an archive ends with the same bits") {
  FakeNet net, other;
  Run<FakeNet> run(net), resumed_run(other);
  StochasticWeightAverage whole, resumed;
  whole.training_started(run);
  train(whole, run, 3);
  std::string bytes;
  Archive writing = Archive::writing(bytes);
  whole.archive(writing);
  train(whole, run, 7);
  resumed.training_started(resumed_run);
  Archive reading = Archive::reading(bytes, "file");
  resumed.archive(reading);
  resumed_run.epoch = 3;
  train(resumed, resumed_run, 7);
  CHECK(resumed.mean.numbers == whole.mean.numbers);
  CHECK(resumed.mean.count == 7);
}
