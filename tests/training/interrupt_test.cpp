#include <chainrule/training/detail/observer_list.hpp>
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

TEST_CASE("a signal is not lost at the begin and the end of a training, and stops all trainings") {
  const auto before = std::signal(SIGINT, [](int) { ++signals_to_program; });
  const int signals = signals_to_program;
  struct Signals {
    bool at_start, at_end;
    void training_started(Progress&) const {
      if (at_start) std::raise(SIGINT);
    }
    void training_ended(Progress&) const {
      if (at_end) std::raise(SIGINT);
    }
  };
  FakeNet net;
  Interrupt interrupt;
  for (const bool at_start : {true, false}) {
    CAPTURE(at_start);
    Run<FakeNet> run(net);
    Signals other{at_start, !at_start};
    detail::ObserverList<Run<FakeNet>>(other, interrupt).during_training(run, [&run, at_start] {
      CHECK_FALSE(run.stopped());
      Run<FakeNet> inner(run.net);  // a training inside the training
      Interrupt another;
      another.training_started(inner);
      another.epoch_ended(inner);
      CHECK(inner.stopped() == at_start);
      another.training_ended(inner);
    });
    CHECK(run.stopped_because == "interrupted");
    CHECK(signals_to_program == signals);
  }
  Run<FakeNet> last_validation(net);
  interrupt.training_started(last_validation);
  std::raise(SIGINT);
  interrupt.epoch_ended(last_validation);
  CHECK(last_validation.stopped_because == "interrupted");
  interrupt.training_ended(last_validation);
  std::raise(SIGINT);
  CHECK(signals_to_program == signals + 1);
  std::signal(SIGINT, before);
}

TEST_CASE("an exception in an observer leaves signals as they were, ignored ones too") {
  const auto before = std::signal(SIGINT, SIG_IGN);
  struct Throws {
    void training_started(Progress&) const { throw ValueError("no"); }
  };
  FakeNet net;
  Run<FakeNet> run(net);
  Interrupt interrupt;
  Throws throws;
  const detail::ObserverList<Run<FakeNet>> observers(interrupt, throws);
  CHECK_THROWS_SAYING(observers.during_training(run, [] {}), ValueError, "no");
  CHECK(std::signal(SIGINT, before) == SIG_IGN);
}
