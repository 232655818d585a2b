#include <chainrule/io/archive.hpp>
#include <chainrule/training/average_weights.hpp>

#include "support/catch.hpp"
#include "support/fake_run.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

/// A training of one epoch, after whose steps all parameters have these values.
void train(AverageWeights& average, Run<FakeNet>& run, std::initializer_list<float> values) {
  run.epoch = 1;
  for (const float value : values) {
    run.net.theta.setConstant(value);
    average.batch_ended(run);
  }
}

}  // namespace

// The weights of the steps with 1, 2 and 4 are decay^2, decay and 1: (1/4 + 2/2 + 4)/(1/4 + 1/2 + 1) = 3
TEST_CASE("AverageWeights gives the network the mean of all steps, where old ones count less, and the last step on request") {
  FakeNet net;
  Run<FakeNet> run(net);
  AverageWeights average{.decay = 0.5};
  average.training_started(run);
  train(average, run, {1, 2, 4});
  CHECK((net.theta.array() == 4).all());  // the training itself goes on as without the observer
  average.training_ended(run);
  CHECK((net.theta.array() == 3).all());
  CHECK((net.numbers_in_buffers.array() == 0).all());
  average.mean.swap(net);
  CHECK((net.theta.array() == 4).all());
  average.mean.swap(net);
  CHECK((net.theta.array() == 3).all());
}

TEST_CASE("AverageWeights waits for its first epoch, and changes nothing before it or with apply = false") {
  FakeNet net;
  Run<FakeNet> run(net);
  AverageWeights late{.decay = 0.5, .start_epoch = 2};
  late.training_started(run);
  train(late, run, {1, 2});
  late.training_ended(run);
  CHECK((net.theta.array() == 2).all());
  late.training_started(run);
  train(late, run, {1});
  run.epoch = 2;
  net.theta.setConstant(8);
  late.batch_ended(run);
  CHECK(late.mean.count == 1);
  late.training_ended(run);
  CHECK((net.theta.array() == 8).all());

  AverageWeights watching{.decay = 0.5, .apply = false};
  watching.training_started(run);
  train(watching, run, {1, 2, 4});
  watching.training_ended(run);
  CHECK((net.theta.array() == 4).all());
  CHECK(watching.mean.numbers == std::vector<double>{3, 3, 3});
}

TEST_CASE("AverageWeights that is resumed from an archive ends with the same bits") {
  FakeNet net, other;
  Run<FakeNet> run(net), resumed_run(other);
  AverageWeights whole{.decay = 0.9}, first{.decay = 0.9}, resumed{.decay = 0.9};
  whole.training_started(run);
  train(whole, run, {1, 2, 3, 5, 7});
  first.training_started(run);
  train(first, run, {1, 2, 3});
  std::string bytes;
  Archive writing = Archive::writing(bytes);
  first.archive(writing);
  resumed.training_started(resumed_run);
  Archive reading = Archive::reading(bytes, "file");
  resumed.archive(reading);
  reading.end();
  train(resumed, resumed_run, {5, 7});
  CHECK(resumed.mean.numbers == whole.mean.numbers);
  CHECK(resumed.mean.count == 5);
  CHECK(resumed.decay_to_the_t == whole.decay_to_the_t);
}

TEST_CASE("AverageWeights refuses a decay outside 0 to 1 and an impossible first epoch") {
  FakeNet net;
  Run<FakeNet> run(net);
  AverageWeights bad{.decay = 1};
  CHECK_THROWS_SAYING(bad.training_started(run), ValueError, "AverageWeights: decay must be at least 0 and below 1, got 1");
  AverageWeights never{.start_epoch = 0};
  CHECK_THROWS_SAYING(never.training_started(run), ValueError, "AverageWeights: start_epoch must be at least 1, got 0");
}
