#include <chainrule/schedules/reduce_on_plateau.hpp>
#include <chainrule/training/detail/observer_list.hpp>

#include "support/catch.hpp"
#include "support/fake_run.hpp"

using namespace chainrule;
using chainrule_test::FakeNet;
using Training = Run<FakeNet>;

namespace {

struct HasAllMembers {
  std::string calls{};
  void training_started(const Progress&) { calls += "s"; }
  void batch_ended(Training&) { calls += "b"; }
  void epoch_ended(Progress&) { calls += "e"; }
  void training_ended(const Training&) { calls += "t"; }
  void operator()(Training&) { calls += "!"; }  // not called, because there is epoch_ended
};

struct HasOnlyTrainingEnded {
  int calls = 0;
  void training_ended(Training&) { ++calls; }
};

struct NotAnObserver {};

}  // namespace

TEST_CASE("ObserverList calls the members that each observer has") {
  FakeNet net;
  Training run(net);
  HasAllMembers all;
  HasOnlyTrainingEnded end;
  int epochs = 0;
  auto lambda = [&epochs](auto& at) { epochs += at.epoch == 7 ? 1 : 100; };
  const detail::ObserverList<Training> observers(all, end, lambda);
  run.epoch = 7;
  observers.training_started(run);
  observers.batch_ended(run);
  observers.batch_ended(run);
  observers.epoch_ended(run);
  observers.training_ended(run);
  CHECK(all.calls == "sbbet");
  CHECK(end.calls == 1);
  CHECK(epochs == 1);
}

TEST_CASE("an observer stops a training with stop() or by returning false") {
  FakeNet net;
  Training by_stop(net);
  auto calls_stop = [](Training& run) { run.stop("enough"); };
  detail::ObserverList<Training>(calls_stop).epoch_ended(by_stop);
  CHECK(by_stop.stopped_because == "enough");

  Training by_false(net);
  auto continues = [](const Progress& run) { return run.epoch < 2; };
  const detail::ObserverList<Training> observers(continues);
  by_false.epoch = 1;
  observers.epoch_ended(by_false);
  CHECK_FALSE(by_false.stopped());
  by_false.epoch = 2;
  observers.epoch_ended(by_false);
  CHECK(by_false.stopped());
}

TEST_CASE("a type without any of the members is not an observer") {
  STATIC_REQUIRE(detail::Observer<HasOnlyTrainingEnded, Training>);
  STATIC_REQUIRE_FALSE(detail::Observer<NotAnObserver, Training>);
  STATIC_REQUIRE_FALSE(detail::Observer<int, Training>);
}

TEST_CASE("ReduceOnPlateau as an observer sets the factor of the learning rate") {
  FakeNet net;
  Training run(net);
  run.quantities = {{"loss"}, {"validation_loss"}};
  ReduceOnPlateau plateau{.factor = 0.5, .patience = 0};
  plateau.training_started(run);
  chainrule_test::end_epoch(run, plateau, {0, 3});
  CHECK(run.learning_rate_factor == 1);
  chainrule_test::end_epoch(run, plateau, {0, 3});
  CHECK(run.learning_rate_factor == 0.5);
  chainrule_test::end_epoch(run, plateau, {0, 2});
  CHECK(run.learning_rate_factor == 0.5);
  run.quantities.pop_back();
  CHECK_THROWS_SAYING(plateau.training_started(run), ValueError, "give fit a .validation set");
}
