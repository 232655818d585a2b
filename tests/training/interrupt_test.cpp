#include <chainrule/training/interrupt.hpp>

#include "support/catch.hpp"
#include "support/fake_run.hpp"

using namespace chainrule;
using chainrule_test::FakeNet;

namespace {

int signals_to_program = 0;

}  // namespace

TEST_CASE("Ctrl-C stops the training after the current batch; outside of it, the program's own handler is called") {
  const auto before = std::signal(SIGINT, [](int) { ++signals_to_program; });
  FakeNet net;
  Run<FakeNet> run(net);
  Interrupt interrupt;
  interrupt.training_started(run);
  interrupt.batch_ended(run);
  CHECK_FALSE(run.stopped());
  std::raise(SIGINT);
  CHECK(signals_to_program == 0);
  interrupt.batch_ended(run);
  CHECK(run.stopped_because == "interrupted");
  interrupt.training_ended(run);
  std::raise(SIGINT);
  CHECK(signals_to_program == 1);

  // an interrupt of the previous training does not stop the next one
  Run<FakeNet> next(net);
  interrupt.training_started(next);
  interrupt.batch_ended(next);
  CHECK_FALSE(next.stopped());
  interrupt.training_ended(next);
  std::signal(SIGINT, before);
}
