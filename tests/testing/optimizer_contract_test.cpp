// For each clause of the contract, an optimizer with a fault that the clause must find.

#include <chainrule/optimizers/elementwise_step.hpp>
#include <chainrule/testing/optimizer_contract.hpp>
#include <stdexcept>

#include "support/contract.hpp"

using namespace chainrule;
using chainrule_test::check_broken;

namespace {

enum class Fault {
  none,
  uphill,
  no_step,
  counts_twice,
  never_counts,
  counts_outside_state,
  split_theta,
  threads,
  zero_gradient,
  ignores_zero_rate,
  decays_biases,
  no_decay,
  steps_frozen,
  moments,
  no_checks,
  checks_late,
  other_exception,
  nameless_message
};

/// m <- m/2 + dJ/dtheta + weight_decay theta,  theta <- theta - learning_rate m, with one fault.
struct Faulty {
  static constexpr std::string_view name = "Faulty";
  double learning_rate = 0.1;
  double weight_decay = 0;
  bool decay_biases = false;
  Fault fault = Fault::none;
  mutable int time = 0;

  Index moments() const { return 1; }
  template <HasParameters Net>
  auto make_state(const Net& net) const {
    return OptimizerState(net, fault == Fault::moments ? Index{2} : moments());
  }

  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state) const {
    const bool bad_rate = !(learning_rate >= 0 && learning_rate < 1e38);
    if (fault == Fault::no_checks && (theta.size() != gradient.size() || bad_rate)) return;
    if (fault == Fault::other_exception && bad_rate) throw std::invalid_argument("Faulty");
    if (fault == Fault::nameless_message && bad_rate) throw ValueError("this cannot be");
    if (fault == Fault::checks_late && theta.size() == state.size()) theta[0] += 1;
    if (fault == Fault::moments && state.moments() == 2) state = OptimizerState<Scalar>(theta.size(), 1);

    Faulty rule = *this;
    if (fault == Fault::counts_outside_state) rule.learning_rate /= 1 + time++;
    if (fault == Fault::threads && state.team != nullptr) rule.learning_rate *= 2;
    if (fault == Fault::decays_biases) rule.decay_biases = true;
    if (fault == Fault::no_decay) rule.weight_decay = 0;
    Scalar rate = static_cast<Scalar>(rule.learning_rate);
    if (fault == Fault::uphill) rate = -rate;
    if (fault == Fault::no_step) rate = 0;
    if (fault == Fault::ignores_zero_rate) rate += Scalar(0.01);
    if (fault == Fault::split_theta && theta.size() % 2 == 1) rate += Scalar(0.01);
    if (fault == Fault::zero_gradient) rate /= gradient.norm();
    if (fault == Fault::steps_frozen && state.frozen() != nullptr) theta[0] += 1;
    elementwise_step<1>(rule, theta, gradient, state, [rate](const auto& g, auto& t, auto& m) {
      m = m / 2 + g;
      t -= rate * m;
    });
    if (fault == Fault::counts_twice) ++state.steps;
    if (fault == Fault::never_counts) state.steps = 0;
  }
};

ContractReport report_of(Fault fault) { return testing::check_optimizer(Faulty{.fault = fault}); }

void check_found(Fault fault, const char* clause, std::initializer_list<const char*> words) {
  check_broken(report_of(fault), clause, words);
}

}  // namespace

TEST_CASE("an optimizer without a fault satisfies the contract, and the report lists its clauses", "[contract]") {
  const ContractReport report = report_of(Fault::none);
  CHECK(report.to_string() == "Faulty satisfies the contract of an optimizer, in float: 13 clauses");
  using Names = std::vector<std::string>;
  CHECK(report.clauses == Names{"name", "downhill", "changes theta", "split theta", "state", "step count", "state only", "threads",
                                "zero gradient", "zero learning rate", "frozen", "decay", "argument checks"});
}

TEST_CASE("check_optimizer finds steps uphill and missing steps", "[contract]") {
  check_found(Fault::uphill, "downhill", {"downhill: the first step goes along the gradient (", "in the opposite direction"});
  check_found(Fault::no_step, "changes theta", {"changes theta: three steps do not change theta, or make a number NaN or infinite"});
}

TEST_CASE("check_optimizer finds a step count that is wrong or kept outside the state", "[contract]") {
  check_found(Fault::counts_twice, "step count", {"step count: state.steps is 2 after 1 steps; each step must increment it once"});
  check_found(Fault::never_counts, "step count", {"step count: state.steps is 0 after 1 steps"});
  check_found(Fault::counts_outside_state, "state only",
              {"state only: steps for one network change those for another", "must be in the state"});
}

TEST_CASE("check_optimizer finds a state of another size", "[contract]") {
  check_found(Fault::moments, "state", {"state: make_state(net) has 2 moments of 48 numbers, but moments() says 1 and the net has 48"});
}

TEST_CASE("check_optimizer finds other bits for a split theta and with threads", "[contract]") {
  check_found(Fault::split_theta, "split theta", {"split theta: theta[", "] of 70 is ", " parts, the first of size 1, with a state each"});
  check_found(Fault::threads, "threads", {"threads: two steps with a team of threads (state.team) give other bits than with one thread"});
}

TEST_CASE("check_optimizer finds 0/0 and a step with a learning rate of 0", "[contract]") {
  check_found(Fault::zero_gradient, "zero gradient", {"zero gradient: gradients of 0 make a parameter NaN or infinite: 0/0?"});
  check_found(Fault::ignores_zero_rate, "zero learning rate", {"zero learning rate: a step with a learning rate of 0 changes theta"});
  const ContractReport report = testing::check_optimizer(Faulty{.fault = Fault::ignores_zero_rate}, {.rate_scales_step = false});
  CHECK_FALSE(report.is_broken("zero learning rate"));
}

TEST_CASE("check_optimizer finds decay of biases and missing decay of weights", "[contract]") {
  check_found(Fault::decays_biases, "decay", {"decay: weight_decay takes the bias theta[20] from ", "state.segments() tells apart"});
  check_found(Fault::no_decay, "decay", {"decay: weight_decay takes the weight theta[0] from "});
}

TEST_CASE("check_optimizer finds a step of frozen parameters", "[contract]") {
  check_found(Fault::steps_frozen, "frozen", {"frozen: a step changes theta or a moment where the network is frozen"});
}

TEST_CASE("check_optimizer finds missing and late argument checks, and wrong exceptions and messages", "[contract]") {
  check_found(Fault::no_checks, "argument checks",
              {"argument checks: a gradient of 6 numbers for a theta of 5 must be refused with a ShapeError, but "
               "nothing was thrown"});
  check_found(Fault::checks_late, "argument checks", {" is refused only after theta, a moment or state.steps has changed"});
  check_found(Fault::other_exception, "argument checks",
              {"argument checks: a learning_rate of -0.5 must be refused with a ValueError, but another exception was thrown: \"Faulty\""});
  check_found(Fault::nameless_message, "argument checks", {"but its message does not name the rule: \"this cannot be\""});
}
