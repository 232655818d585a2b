#include <chainrule/optimizers/parameter_groups.hpp>

#include <chainrule/activations/tanh.hpp>
#include <chainrule/io/detail/fingerprint.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adamw.hpp>
#include <chainrule/optimizers/elementwise_step.hpp>
#include <chainrule/optimizers/rprop.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <cmath>
#include <limits>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

using Net = Network<float, SquaredError, Dense<3, 5, Tanh>, Dense<5, 4, Tanh>, Dense<4, 2>>;  // tensors at 0, 15, 20, 40, 44, 52 to 54

/// A rule of the user's, made from a formula.
struct Mine {
  static constexpr std::string_view name = "Mine";
  double learning_rate = 0.1;
  Index moments() const { return 1; }
  template <HasParameters N>
  auto make_state(const N& net) const {
    return OptimizerState(net, moments());
  }
  template <class Theta, class Gradient, class Scalar, Index... Fixed>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar, Fixed...>& state) const {
    const auto rate = static_cast<Scalar>(learning_rate);
    formula_step<1>(*this, theta, gradient, state, [rate](const auto& g, auto& t, auto& m) CHAINRULE_FORMULA {
      m = m + g;
      t = t - rate * m;
    });
  }
};

/// A rule of the user's that steps through all of theta by itself.
struct StepsAll : Mine {
  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state) const {
    for (Index i = 0; i < theta.size(); ++i) theta.data()[i] -= gradient.data()[i];
    ++state.steps;
  }
};

Vector<float> wave(Index size, double frequency) {
  Vector<float> v(size);
  for (Index i = 0; i < size; ++i) v[i] = static_cast<float>(std::sin(frequency * static_cast<double>(i + 1)));
  return v;
}

/// theta and then all moments after three steps along given gradients.
template <class N, class Rule>
Vector<float> stepped(const N& net, const Rule& rule) {
  Vector<float> theta = net.parameters();
  auto state = rule.make_state(net);
  for (const double frequency : {1.0, 2.0, 3.0}) rule.step(theta, wave(theta.size(), frequency), state);
  CHECK(state.steps == 3);
  CHECK_FALSE(state.selects());
  Vector<float> all(theta.size() * (1 + state.moments()));
  all << theta, state.flat();
  return all;
}

/// Checks that with groups each parameter has the bits of the rule with the factors that it should have.
template <class Rule>
void check_factors(const Rule& rule) {
  INFO(Rule::name);
  constexpr bool has_decay = requires(Rule r) { r.weight_decay; };
  Net net{Seed{1}};
  net.freeze("2.weight");
  std::vector<ParameterGroup> groups{{.name = "0", .rate = 0.25}, {.name = "bias", .rate = 3}};
  if (has_decay) groups.push_back({.name = "0.weight", .decay = 4});
  const Vector<float> by_groups = stepped(net, ParameterGroups{rule, groups});
  const auto check = [&](Index begin, Index end, double rate, [[maybe_unused]] double decay) {
    Rule alone = rule;
    alone.learning_rate *= rate;
    if constexpr (has_decay) alone.weight_decay *= decay;
    const Vector<float> expected = stepped(net, alone);
    for (Index first = 0; first < expected.size(); first += 54)
      for (Index i = first + begin; i < first + end; ++i) CHECK(by_groups[i] == expected[i]);
  };
  check(0, 15, 0.25, 4);
  check(15, 20, 0.75, 1);
  check(20, 40, 1, 1);
  check(40, 44, 3, 1);
  check(44, 52, 1, 1);
  check(52, 54, 3, 1);
  CHECK(by_groups.segment(44, 8) == net.parameters().segment(44, 8));
}

}  // namespace

TEST_CASE("each parameter makes the step of the optimizer with the factors of its groups", "[optimizer]") {
  check_factors(SGD{.learning_rate = 0.1});
  check_factors(SGD{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.1, .decay_biases = true});
  check_factors(AdamW{.weight_decay = 0.1});
  check_factors(Rprop{});
  check_factors(Mine{});
}

TEST_CASE("groups of parameters are an optimizer with the members of the one inside, and part of a checkpoint's fingerprint",
          "[optimizer]") {
  static_assert(Optimizer<ParameterGroups<SGD>>);
  ParameterGroups rule{SGD{.learning_rate = 0.5}, {{.name = "0", .rate = 0.1}}};
  rule.learning_rate *= 0.5;
  const Net net{Seed{1}};
  auto state = rule.make_state(net);
  Vector<float> theta = Vector<float>::Zero(54);
  const Vector<float> ones = Vector<float>::Ones(54);
  rule.step(theta, ones, state);
  CHECK(theta.head(20) == Vector<float>::Constant(20, -0.025f));
  CHECK(theta.tail(34) == Vector<float>::Constant(34, -0.25f));
  std::string lines;
  detail::add_rule(lines, rule);
  CHECK_THAT(lines, chainrule_test::ContainsSubstring("optimizer.groups: \"0\", rate 0.1, decay 1"));
  CHECK(stepped(net, ParameterGroups{SGD{}, {}}) == stepped(net, SGD{}));
}

TEST_CASE("groups of parameters refuse what cannot be right, before anything has changed", "[optimizer][errors]") {
  const Net net{Seed{1}};
  using Groups = std::vector<ParameterGroup>;
  CHECK_THROWS_SAYING((ParameterGroups{SGD{}, {{.name = "0", .rate = -1}}}), ValueError, "ParameterGroups, \"0\"", "rate", "-1");
  CHECK_THROWS_SAYING((ParameterGroups{SGD{}, {{.name = "0", .decay = std::numeric_limits<double>::infinity()}}}), ValueError, "decay");
  CHECK_THROWS_SAYING((ParameterGroups{Rprop{}, {{.name = "0", .decay = 2}}}), ValueError, "Rprop has no weight_decay");
  CHECK_THROWS_SAYING((ParameterGroups{StepsAll{}, {{.name = "0", .rate = 2}}}), StateError, "formula_step", "steps_in");
  const ParameterGroups rule{SGD{.momentum = 0.9}, Groups{{.name = "0", .rate = 1e300}}}, wrong{SGD{}, Groups{{.name = "3"}}};
  CHECK_THROWS_SAYING(wrong.make_state(net), ValueError, "ParameterGroups: there is no layer or tensor \"3\"", "2.bias");
  Vector<float> theta = net.parameters();
  const Vector<float> gradient = wave(54, 1);
  CHECK_THROWS_SAYING(rule.make_state(theta), ValueError, "need a network");
  auto state = rule.make_state(net);
  CHECK_THROWS_SAYING(rule.step(theta, gradient, state), ValueError, "SGD: learning_rate is");
  const SGD without{.momentum = 0.9};
  CHECK_THROWS_SAYING(without.step(theta, gradient, state), StateError, "the ParameterGroups that has made it");
  auto plain = without.make_state(net);
  CHECK_THROWS_SAYING(rule.step(theta, gradient, plain), StateError, "has no groups");
  const ParameterGroups right{SGD{.momentum = 0.9}, Groups{{.name = "0", .rate = 2}}};
  CHECK_THROWS_SAYING(right.step(theta, gradient, state), StateError, "was made for other groups");
  auto its_own = right.make_state(net);
  CHECK_THROWS_AS(right.step(theta, wave(53, 1), its_own), ShapeError);
  CHECK((theta == net.parameters() && state.steps == 0 && plain.steps == 0 && its_own.steps == 0 && its_own.flat().isZero(0)));
  CHECK_FALSE(its_own.selects());
}
