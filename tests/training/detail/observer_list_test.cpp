#include <chainrule/schedules/reduce_on_plateau.hpp>
#include <chainrule/training/detail/observer_list.hpp>

#include "support/catch.hpp"
#include "support/fake_run.hpp"

#include <thread>

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
  observers.during_training(run, [&] {
    observers.batch_ended(run);
    observers.batch_ended(run);
    observers.epoch_ended(run);
  });
  CHECK(all.calls == "sbbet");
  CHECK(end.calls == 1);
  CHECK(epochs == 1);
}

TEST_CASE("an exception of an observer arrives after training_ended of all observers that have started") {
  struct Observer {
    std::string& calls;
    const char* name;
    const char* throws;  // the calls that throw, s or e
    void training_started(Training&) { call("s"); }
    void training_ended(Training&) { call("e"); }
    void call(const char* which) {
      calls += which;
      calls += name;
      if (std::string(throws).find(which) != std::string::npos) throw ValueError(which + std::string(name));
    }
  };
  FakeNet net;
  Training run(net);
  std::string calls;
  Observer a{calls, "1", ""}, b{calls, "2", "e"}, c{calls, "3", "e"}, d{calls, "4", "s"}, e{calls, "5", ""};
  const auto train = [&calls] { calls += "t"; };
  const detail::ObserverList<Training> at_end(a, b, c, e);
  CHECK_THROWS_SAYING(at_end.during_training(run, train), ValueError, "e2");
  CHECK(calls == "s1s2s3s5te1e2e3e5");
  calls.clear();
  const detail::ObserverList<Training> at_start(a, b, d, e);
  CHECK_THROWS_SAYING(at_start.during_training(run, train), ValueError, "s4");
  CHECK(calls == "s1s2s4e1e2");
  calls.clear();
  CHECK_THROWS_SAYING(at_end.during_training(run, [] { throw StateError("in the training"); }), StateError, "in the training");
  CHECK(calls == "s1s2s3s5e1e2e3e5");
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

TEST_CASE("the time of observers is no part of the speed") {
  FakeNet net;
  Training run(net);
  run.samples = 1000;
  run.epoch_started = std::chrono::steady_clock::now() - std::chrono::seconds(10);
  auto paints = [](Training&) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
  detail::ObserverList<Training>(paints).epoch_ended(run);
  CHECK(run.pause >= 0.002);
  run.pause = 9;
  CHECK(run.samples_per_second() > 500);
  CHECK(run.samples_per_second() <= 1000);
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
