#pragma once
// Checks that an optimizer, of the library or your own, satisfies the contract of optimizers:
//     chainrule::ContractReport report = chainrule::testing::check_optimizer(MyRule{.learning_rate = 0.1});
// The report converts to true if all checks passed; report.to_string() explains those that failed.

#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/optimizers/detail/skips_frozen.hpp>
#include <chainrule/testing/contract_report.hpp>
#include <chainrule/testing/detail/reversed_team.hpp>
#include <cmath>
#include <exception>
#include <initializer_list>
#include <limits>

namespace chainrule {

/// Properties of one optimizer that check_optimizer needs to know.
struct OptimizerProperties {
  bool rate_scales_step = true;  ///< whether a learning rate of 0 leaves theta unchanged; false for Rprop, which uses it in step 1 only
};

namespace testing {

/// sin(frequency), sin(2 frequency), ...: `size` numbers of both signs, none of them 0.
inline Vector<float> wave(Index size, float frequency) {
  Vector<float> result(size);
  for (Index i = 0; i < size; ++i) result[i] = std::sin(frequency * static_cast<float>(i + 1));
  return result;
}

/// A stand-in for a network that has only parameters: two layers of the same size, each with weights, which decay, and 4 biases, which do
/// not.
struct TwoLayers {
  using ScalarType = float;  ///< the type of the numbers
  /// One layer.
  struct Layer {
    /// Names and shapes of the parameters, in the order of the flat vector.
    std::array<TensorShape, 2> tensors() const { return {{{"weight", weights / 5, 5, true}, {"bias", 4, 1, false}}}; }
    Index weights;  ///< number of weights
  };
  Index weights = 20;  ///< number of weights in each layer, a multiple of 5

  std::tuple<Layer, Layer> layers() const { return {{weights}, {weights}}; }  ///< the two layers
  Index size() const { return 2 * (weights + 4); }                            ///< number of parameters
  bool is_bias(Index i) const { return i % (weights + 4) >= weights; }        ///< whether entry i of theta is a bias
  Vector<float> parameters() const { return wave(size(), 1); }                ///< theta
};

/// A step of the rule with theta and gradient as arrays, so that rule.step is compiled only once for all checks.
template <class Rule>
void step(const Rule& rule, Index size, float* theta, const float* gradient, OptimizerState<float>& state) {
  rule.step(VectorView<float>(theta, size), ConstVectorView<float>(gradient, size), state);
}
template <class Rule>
void step(const Rule& rule, Vector<float>& theta, const Vector<float>& gradient, OptimizerState<float>& state) {
  step(rule, theta.size(), theta.data(), gradient.data(), state);
}

template <class Rule>
OptimizerState<float> state_for(const Rule& rule, Vector<float>& theta) {
  return rule.make_state(VectorView<float>(theta.data(), theta.size()));
}

/// theta after three steps from wave(70, 1). theta is split into parts of these sizes, each with a state of its own, which start `offset`
/// floats behind an aligned address.
template <class Rule>
Vector<float> theta_stepped_in_parts(const Rule& rule, std::initializer_list<Index> sizes, Index offset) {
  Vector<float> result = wave(70, 1);
  Index begin = 0;
  for (const Index size : sizes) {
    std::vector<float> memory(static_cast<std::size_t>(offset + size));
    float* theta = memory.data() + offset;
    std::copy_n(result.data() + begin, size, theta);
    auto state = rule.make_state(VectorView<float>(theta, size));
    for (const float frequency : {2.0f, 3.0f, 4.0f}) step(rule, size, theta, wave(70, frequency).data() + begin, state);
    std::copy_n(theta, size, result.data() + begin);
    begin += size;
  }
  return result;
}

/// Checks that the first step goes downhill, that three steps change theta and keep it finite, and that the result has the same bits
/// however theta is split into parts, so that a training does not depend on the memory layout of the parameters.
template <class Rule>
void check_same_bits(ContractReport& report, const Rule& rule) {
  Vector<float> theta = wave(70, 1);
  auto state = state_for(rule, theta);
  step(rule, theta, wave(70, 2), state);
  const float step_dot_gradient = (theta - wave(70, 1)).dot(wave(70, 2));
  report.clause(
      "downhill", step_dot_gradient < 0,
      {"the first step goes along the gradient (their dot product is ", step_dot_gradient, "), but it must go in the opposite direction"});
  const Vector<float> whole = theta_stepped_in_parts(rule, {70}, 0);
  report.clause("changes theta", whole != wave(70, 1) && whole.allFinite(),
                {"three steps do not change theta, or make a number NaN or infinite"});
  for (const auto& sizes : {std::initializer_list<Index>{70}, {1, 15, 16, 17, 21}, {7, 63}, {32, 16, 22}}) {
    const Vector<float> parts = theta_stepped_in_parts(rule, sizes, 1);
    for (Index i = 0; i < 70; ++i)
      report.clause("split theta", parts[i] == whole[i],
                    {"theta[", i, "] of 70 is ", whole[i], " after three steps, but ", parts[i], " if theta is split into ", sizes.size(),
                     " parts, the first of size ", *sizes.begin(), ", with a state each"});
  }
}

/// theta after two steps with this team (or nullptr); calls between(theta, state) between the two steps.
template <class Rule, class Between>
Vector<float> two_steps(const Rule& rule, const TwoLayers& net, Team* team, const Between& between) {
  Vector<float> theta = net.parameters();
  auto state = rule.make_state(net);
  state.team = team;
  step(rule, theta, wave(net.size(), 2), state);
  between(theta, state);
  step(rule, theta, wave(net.size(), 3), state);
  return theta;
}

/// Checks that a new state has moments() vectors, that each step increments state.steps once, that the rule keeps nothing outside the
/// state (so that two networks can share a rule and a training can continue from a checkpoint), and that a team gives the same bits.
template <class Rule>
void check_state(ContractReport& report, const Rule& rule) {
  const TwoLayers net;
  Vector<float> theta = net.parameters();
  auto state = rule.make_state(net);
  report.clause("state", state.size() == net.size() && state.moments() == rule.moments() && state.steps == 0,
                {"make_state(net) has ", state.moments(), " moments of ", state.size(), " numbers, but moments() says ", rule.moments(),
                 " and the net has ", net.size(), " parameters"});
  for (int t = 1; t <= 3; ++t) {
    step(rule, theta, wave(net.size(), 2), state);
    report.clause("step count", state.steps == static_cast<std::uint64_t>(t),
                  {"state.steps is ", state.steps, " after ", t, " steps; each step must increment it once"});
  }
  const auto nothing = [](auto&, auto&) {};
  const auto step_another_net = [&](auto&, auto&) {
    Vector<float> other_theta = net.parameters();
    auto other_state = rule.make_state(net);
    for (int t = 0; t < 5; ++t) step(rule, other_theta, wave(net.size(), 5), other_state);
  };
  const Vector<float> undisturbed = two_steps(rule, net, nullptr, nothing);
  report.clause("state only", two_steps(rule, net, nullptr, step_another_net) == undisturbed,
                {"steps for one network change those for another: everything that a rule remembers must be in the state"});
  const TwoLayers large{25000};
  ReversedTeam team(3);
  report.clause("threads", two_steps(rule, large, &team, nothing) == two_steps(rule, large, nullptr, nothing),
                {"two steps with a team of threads (state.team) give other bits than with one thread"});
}

/// Checks that zero gradients do not make NaN, and that a learning rate of 0 leaves theta unchanged.
template <class Rule>
void check_zeros(ContractReport& report, Rule rule, const OptimizerProperties& properties) {
  Vector<float> theta = wave(70, 1);
  auto state = state_for(rule, theta);
  for (int t = 0; t < 2; ++t) step(rule, theta, Vector<float>::Zero(70), state);
  report.clause("zero gradient", theta.allFinite(), {"gradients of 0 make a parameter NaN or infinite: 0/0?"});
  if (!properties.rate_scales_step) return;
  rule.learning_rate = 0;
  const Vector<float> before = theta;
  step(rule, theta, wave(70, 2), state);
  report.clause("zero learning rate", theta == before,
                {"a step with a learning rate of 0 changes theta; it must not, because a schedule may end at a rate of 0"});
}

/// Checks that a step leaves frozen parameters and their moments as they are.
template <class Rule>
void check_frozen(ContractReport& report, const Rule& rule) {
  bool skips = true;
  try {
    detail::check_skips_frozen<float>(rule);
  } catch (const StateError&) {
    skips = false;
  }
  report.clause("frozen", skips, {"a step changes theta or a moment where the network is frozen; state.segments() says where that is"});
}

/// Checks that weight_decay changes weights, and biases only with decay_biases, and that parameters that do not decay keep the bits that
/// they have without decay.
template <class Rule>
void check_decay(ContractReport& report, Rule rule) {
  const TwoLayers net;
  const auto stepped = [&] { return two_steps(rule, net, nullptr, [](auto&, auto&) {}); };
  rule.weight_decay = 0;
  const Vector<float> without = stepped();
  rule.weight_decay = 0.5;
  const Vector<float> with = stepped();
  rule.decay_biases = true;
  const Vector<float> with_biases = stepped();
  for (Index i = 0; i < net.size(); ++i) {
    const bool is_bias = net.is_bias(i);
    report.clause("decay", (with[i] != without[i]) != is_bias,
                  {"weight_decay takes ", is_bias ? "the bias" : "the weight", " theta[", i, "] from ", without[i], " to ", with[i],
                   "; it must change all weights and no bias, which state.segments() tells apart"});
    report.clause("decay", with_biases[i] != without[i] && (is_bias || with_biases[i] == with[i]),
                  {"with decay_biases, biases must decay too and weights must decay as without it, but theta[", i, "] is ", with_biases[i],
                   " (", with[i], " without decay_biases, ", without[i], " without decay)"});
  }
}

/// Checks that a step with wrong sizes or a wrong learning rate throws ShapeError or ValueError with a message that names the rule, before
/// anything has changed.
template <class Rule>
void check_refusals(ContractReport& report, Rule rule) {
  const std::string name{Rule::name};
  Vector<float> theta = wave(5, 1);
  const Vector<float> gradient = wave(5, 2), long_gradient = wave(6, 2);
  auto state = state_for(rule, theta);
  step(rule, theta, gradient, state);
  const Vector<float> after = theta, moments = state.flat();
  const auto must_throw = [&]<class E>(std::type_identity<E>, const std::string& what, auto&& call, const OptimizerState<float>& used) {
    const std::uint64_t steps = used.steps;
    std::string fault = "nothing was thrown";
    try {
      call();
    } catch (const E& error) {
      const std::string message = error.what();
      fault = message.find(name) != std::string::npos ? "" : "its message does not name the rule: \"" + message + "\"";
    } catch (const std::exception& error) {
      fault = detail::text_of("another exception was thrown: \"", error.what(), "\"");
    }
    report.clause("argument checks", fault.empty(),
                  {what, " must be refused with a ", std::is_same_v<E, ShapeError> ? "ShapeError" : "ValueError", ", but ", fault});
    report.clause("argument checks", theta == after && state.flat() == moments && used.steps == steps,
                  {what, " is refused only after theta, a moment or state.steps has changed"});
  };
  const std::type_identity<ShapeError> shape;
  OptimizerState<float> other_size(4, rule.moments()), other_moments(5, rule.moments() + 7);
  must_throw(
      shape, "a state for 4 parameters and a theta of 5", [&] { step(rule, theta, gradient, other_size); }, other_size);
  must_throw(
      shape, "a state with 7 moments more", [&] { step(rule, theta, gradient, other_moments); }, other_moments);
  must_throw(
      shape, "a gradient of 6 numbers for a theta of 5",
      [&] { rule.step(VectorView<float>(theta.data(), 5), ConstVectorView<float>(long_gradient.data(), 6), state); }, state);
  for (const double rate : {-0.5, std::nan(""), HUGE_VAL, -HUGE_VAL, 1e39}) {  // 1e39 is infinite as a float
    rule.learning_rate = rate;
    must_throw(
        std::type_identity<ValueError>{}, detail::text_of("a learning_rate of ", rate), [&] { step(rule, theta, gradient, state); }, state);
  }
}

/// Runs all checks of an optimizer, in float. Clauses of the report: name, downhill, changes theta, split theta, state, step count, state
/// only, threads, zero gradient, zero learning rate, frozen, argument checks; and decay for a rule that has weight_decay and decay_biases.
template <class Rule>
ContractReport check_optimizer(const Rule& rule, const OptimizerProperties& properties = {}) {
  static_assert(Optimizer<Rule>, "chainrule: check_optimizer needs an Optimizer; core/optimizer_state.hpp lists the members of one");
  ContractReport report{.name = std::string(Rule::name), .contract = contract_of<float>("an optimizer")};
  report.clause("name", !report.name.empty(), {"it is empty"});
  check_same_bits(report, rule);
  check_state(report, rule);
  check_zeros(report, rule, properties);
  check_frozen(report, rule);
  if constexpr (requires {
                  rule.weight_decay;
                  rule.decay_biases;
                })
    check_decay(report, rule);
  check_refusals(report, rule);
  return report;
}

}  // namespace testing
}  // namespace chainrule
