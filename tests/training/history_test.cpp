#include <chainrule/training/history.hpp>

#include "support/catch.hpp"
#include "support/fake_run.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace chainrule;
using namespace chainrule_test;

namespace {

/// The history of two epochs of a training that measures loss and accuracy.
History two_epochs() {
  FakeNet net;
  Run<FakeNet> run(net);
  run.epochs = 5;
  run.quantities = {{"loss"}, {"validation_accuracy"}};
  run.started = std::chrono::steady_clock::now();
  History history;
  history.training_started(run);
  run.learning_rate = 0.5;
  end_epoch(run, history, {1.25, 0.5});
  run.learning_rate = 0.25;
  end_epoch(run, history, {0.5, 0.75});
  run.stop("good enough");
  history.training_ended(run);
  return history;
}

}  // namespace

TEST_CASE("a history has every quantity of every epoch, by name") {
  const History history = two_epochs();
  CHECK(history.epochs() == 2);
  CHECK(history.names() == std::vector<std::string>{"loss", "validation_accuracy"});
  CHECK(history["loss"] == std::vector<double>{1.25, 0.5});
  CHECK(history["validation_accuracy"].back() == 0.75);
  CHECK(history.rows()[1].epoch == 2);
  CHECK(history.rows()[1].learning_rate == 0.25);
  CHECK(history.stopped_because == "good enough");
  CHECK_THROWS_SAYING(history["accuracy"], ValueError, "History has no \"accuracy\"; it has: loss, validation_accuracy");
}

TEST_CASE("a history as CSV has a header and a line for each epoch") {
  const History history = two_epochs();
  std::istringstream lines(history.to_csv());
  std::string line;
  std::getline(lines, line);
  CHECK(line == "epoch,seconds,learning_rate,loss,validation_accuracy");
  std::getline(lines, line);
  CHECK(line.substr(0, 2) == "1,");
  CHECK(line.substr(line.find(',', 2)) == ",0.5,1.25,0.5");
  std::getline(lines, line);
  CHECK(line.substr(line.find(',', 2)) == ",0.25,0.5,0.75");
  CHECK_FALSE(std::getline(lines, line));

  const auto path = std::filesystem::temp_directory_path() / "chainrule_history_test.csv";
  history.write_csv(path.string());
  std::ifstream file(path);
  std::stringstream written;
  written << file.rdbuf();
  CHECK(written.str() == history.to_csv());
  std::filesystem::remove(path);
  CHECK_THROWS_SAYING(history.write_csv("/no/such/folder/history.csv"), Error, "/no/such/folder/history.csv");
}

TEST_CASE("a history is cleared when another training starts") {
  History history = two_epochs();
  FakeNet net;
  Run<FakeNet> run(net);
  run.quantities = {{"loss"}};
  history.training_started(run);
  CHECK(history.epochs() == 0);
  CHECK(history.names() == std::vector<std::string>{"loss"});
  CHECK(history.stopped_because.empty());
}
