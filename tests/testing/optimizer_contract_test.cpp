// Each clause finds the fault that it is there for.

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
  stands,
  counts_twice,
  never_counts,
  hides_time,
  pieces,
  team,
  zero_gradient,
  rate,
  biases,
  no_decay,
  moments,
  not_checked,
  checks_late,
  other_error,
  nameless_error
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
    if (fault == Fault::not_checked && (theta.size() != gradient.size() || bad_rate)) return;
    if (fault == Fault::other_error && bad_rate) throw std::invalid_argument("Faulty");
    if (fault == Fault::nameless_error && bad_rate) throw ValueError("this cannot be");
    if (fault == Fault::checks_late && theta.size() == state.size()) theta[0] += 1;
    if (fault == Fault::moments && state.moments() == 2) state = OptimizerState<Scalar>(theta.size(), 1);

    Faulty rule = *this;
    if (fault == Fault::hides_time) rule.learning_rate /= 1 + time++;
    if (fault == Fault::team && state.team != nullptr) rule.learning_rate *= 2;
    if (fault == Fault::biases) rule.decay_biases = true;
    if (fault == Fault::no_decay) rule.weight_decay = 0;
    Scalar rate = static_cast<Scalar>(rule.learning_rate);
    if (fault == Fault::uphill) rate = -rate;
    if (fault == Fault::stands) rate = 0;
    if (fault == Fault::rate) rate += Scalar(0.01);
    if (fault == Fault::pieces && theta.size() % 2 == 1) rate += Scalar(0.01);
    if (fault == Fault::zero_gradient) rate /= gradient.norm();
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

TEST_CASE("an optimizer without a fault keeps its contract, of which the report counts the clauses", "[contract]") {
  const ContractReport report = report_of(Fault::none);
  CHECK(report.to_string() == "Faulty keeps the contract of an optimizer, in float: 12 clauses");
  using Names = std::vector<std::string>;
  CHECK(report.clauses ==
        Names{"name", "downhill", "moves", "pieces", "state", "time", "memory", "team", "zero gradient", "rate 0", "decay", "refusals"});
}

TEST_CASE("the contract of an optimizer finds steps uphill, and none", "[contract]") {
  check_found(Fault::uphill, "downhill", {"downhill: the first step goes along the gradient (", "in the opposite direction"});
  check_found(Fault::stands, "moves", {"moves: three steps leave theta as it was, or make a number NaN or infinite"});
}

TEST_CASE("the contract of an optimizer finds a time that advances wrongly, or is kept elsewhere", "[contract]") {
  check_found(Fault::counts_twice, "time", {"time: state.steps is 2 after 1 steps; a step counts once"});
  check_found(Fault::never_counts, "time", {"time: state.steps is 0 after 1 steps"});
  check_found(Fault::hides_time, "memory", {"memory: its steps for one net change those for another", "must lie in the state"});
}

TEST_CASE("the contract of an optimizer finds a state of another size", "[contract]") {
  check_found(Fault::moments, "state", {"state: make_state(net) has 2 moments of 48 numbers, but moments() says 1 and the net has 48"});
}

TEST_CASE("the contract of an optimizer finds other bits in pieces, and with a team", "[contract]") {
  check_found(Fault::pieces, "pieces", {"pieces: theta[", "] of 70 is ", " pieces of it, the first of 1, are optimized by themselves"});
  check_found(Fault::team, "team", {"team: two steps by a team of threads (state.team) give other bits than by one"});
}

TEST_CASE("the contract of an optimizer finds 0/0, and a step where the learning rate is 0", "[contract]") {
  check_found(Fault::zero_gradient, "zero gradient", {"zero gradient: gradients of 0 make a parameter NaN or infinite: 0/0?"});
  check_found(Fault::rate, "rate 0", {"rate 0: a step with a learning rate of 0 changes theta"});
  CHECK_FALSE(testing::check_optimizer(Faulty{.fault = Fault::rate}, {.rate_scales_step = false}).is_broken("rate 0"));
}

TEST_CASE("the contract of an optimizer finds decay of biases, and none of weights", "[contract]") {
  check_found(Fault::biases, "decay", {"decay: weight_decay takes the bias theta[20] from ", "state.segments() tells from biases"});
  check_found(Fault::no_decay, "decay", {"decay: weight_decay takes the weight theta[0] from "});
}

TEST_CASE("the contract of an optimizer finds what is not refused, too late, or in other words", "[contract]") {
  check_found(Fault::not_checked, "refusals",
              {"refusals: a gradient of 6 numbers for a theta of 5 must be refused with a ShapeError, but "
               "nothing was thrown"});
  check_found(Fault::checks_late, "refusals", {" is refused only when theta, a moment or the count of steps has changed"});
  check_found(Fault::other_error, "refusals",
              {"refusals: a learning_rate of -0.5 must be refused with a ValueError, but another was thrown: \"Faulty\""});
  check_found(Fault::nameless_error, "refusals", {"but its words do not name the rule: \"this cannot be\""});
}
