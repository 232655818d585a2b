#include <chainrule/schedules/reduce_on_plateau.hpp>
#include <chainrule/training/detail/observer_list.hpp>

#include "support/catch.hpp"
#include "support/fake_run.hpp"

using namespace chainrule;
using chainrule_test::FakeNet;
using Training = Run<FakeNet>;

namespace {

struct Everything {
  std::string heard{};
  void training_started(const Progress&) { heard += "s"; }
  void batch_ended(Training&) { heard += "b"; }
  void epoch_ended(Progress&) { heard += "e"; }
  void training_ended(const Training&) { heard += "t"; }
  void operator()(Training&) { heard += "!"; }  // not called beside epoch_ended
};

struct OnlyTheEnd {
  int heard = 0;
  void training_ended(Training&) { ++heard; }
};

struct Deaf {};

}  // namespace

TEST_CASE("observers hear what they have members for, in their order") {
  FakeNet net;
  Training run(net);
  Everything everything;
  OnlyTheEnd end;
  int epochs = 0;
  auto lambda = [&epochs](auto& at) { epochs += at.epoch == 7 ? 1 : 100; };
  const detail::Observers<Training> observers(everything, end, lambda);
  run.epoch = 7;
  observers.training_started(run);
  observers.batch_ended(run);
  observers.batch_ended(run);
  observers.epoch_ended(run);
  observers.training_ended(run);
  CHECK(everything.heard == "sbbet");
  CHECK(end.heard == 1);
  CHECK(epochs == 1);
}

TEST_CASE("an observer stops a training by word, or by giving false") {
  FakeNet net;
  Training by_word(net);
  auto says_so = [](Training& run) { run.stop("enough"); };
  detail::Observers<Training>(says_so).epoch_ended(by_word);
  CHECK(by_word.stopped_because == "enough");

  Training by_false(net);
  auto goes_on = [](const Progress& run) { return run.epoch < 2; };
  const detail::Observers<Training> observers(goes_on);
  by_false.epoch = 1;
  observers.epoch_ended(by_false);
  CHECK_FALSE(by_false.stopped());
  by_false.epoch = 2;
  observers.epoch_ended(by_false);
  CHECK(by_false.stopped());
}

TEST_CASE("what hears nothing is no observer") {
  STATIC_REQUIRE(detail::Observer<OnlyTheEnd, Training>);
  STATIC_REQUIRE_FALSE(detail::Observer<Deaf, Training>);
  STATIC_REQUIRE_FALSE(detail::Observer<int, Training>);
}

TEST_CASE("ReduceOnPlateau observes: the factor for the steps to come") {
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
