#include <chainrule/training/progress.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("Progress finds quantities by name, and names all if there is none of that name") {
  Progress progress;
  progress.quantities = {{"loss", 0.5}, {"accuracy"}};
  CHECK(progress.value("loss") == 0.5);
  CHECK(std::isnan(progress.value("accuracy")));  // not measured yet
  CHECK(progress.has("accuracy"));
  CHECK_FALSE(progress.has("validation_loss"));
  CHECK_THROWS_SAYING(progress.value("f1"), ValueError, "no quantity \"f1\"", "there are: loss, accuracy");
  CHECK_THROWS_SAYING(progress.value("validation_loss"), ValueError, "give fit a .validation set");
}

TEST_CASE("Progress keeps the first reason to stop") {
  Progress progress;
  CHECK_FALSE(progress.stopped());
  progress.stop("one");
  progress.stop("two");
  CHECK(progress.stopped());
  CHECK(progress.stopped_because == "one");
}

TEST_CASE("Progress measures the time, and the samples per second of the current epoch") {
  Progress progress;
  progress.started = std::chrono::steady_clock::now() - std::chrono::seconds(10);
  progress.epoch_started = std::chrono::steady_clock::now() - std::chrono::seconds(2);
  progress.samples = 1000;
  CHECK(progress.seconds() >= 10);
  CHECK(progress.samples_per_second() <= 500);
  CHECK(progress.samples_per_second() > 1);
}
