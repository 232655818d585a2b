#pragma once
// What every optimizer must keep, ours or yours:
//     chainrule::ContractReport report = chainrule::testing::check_optimizer(MyRule{.learning_rate = 0.1});
// A report is true where all is well, and else says in report.to_string() what is not.

#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/testing/contract_report.hpp>
#include <cmath>
#include <exception>
#include <initializer_list>
#include <limits>

namespace chainrule {

/// What is different from optimizer to optimizer.
struct OptimizerFacts {
  bool rate_scales_step = true;  ///< a learning rate of 0 leaves theta as it is; not so for Rprop, whose rate is its first step alone
};

namespace testing {

/// `size` numbers of both signs, none of them 0.
inline Vector<float> wave(Index size, float frequency) {
  Vector<float> result(size);
  for (Index i = 0; i < size; ++i) result[i] = std::sin(frequency * static_cast<float>(i + 1));
  return result;
}

/// A stand-in for a network: two layers with as many weights, which decay, and biases, which do not; 20 and 4 each.
struct TwoLayers {
  using ScalarType = float;
  /// One of them.
  struct Layer {
    std::array<TensorShape, 2> tensors() const { return {{{"weight", weights / 5, 5, true}, {"bias", 4, 1, false}}}; }
    Index weights;  ///< how many it has; its biases are 4
  };
  Index weights = 20;  ///< in each layer, a multiple of 5

  std::tuple<Layer, Layer> layers() const { return {{weights}, {weights}}; }  ///< both
  Index size() const { return 2 * (weights + 4); }                            ///< of theta
  bool is_bias(Index i) const { return i % (weights + 4) >= weights; }        ///< whether entry i of theta is one
  Vector<float> parameters() const { return wave(size(), 1); }                ///< theta
};

/// A team that does its items last to first, in one thread: whatever depends on their order shows.
struct LastToFirst final : Team {
  Index threads() const override { return 3; }
  void run(Index items, Work work) override {
    for (Index i = items; i-- > 0;) work(i);
  }
};

/// A step as plain memory, so that all checks share one instance of a rule's step.
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

/// theta after three steps from wave(70, 1), in pieces that are optimized by themselves, so many floats behind an aligned address.
template <class Rule>
Vector<float> stepped_in_pieces(const Rule& rule, std::initializer_list<Index> sizes, Index offset) {
  Vector<float> result = wave(70, 1);
  Index begin = 0;
  for (const Index size : sizes) {
    std::vector<float> room(static_cast<std::size_t>(offset + size));
    float* theta = room.data() + offset;
    std::copy_n(result.data() + begin, size, theta);
    auto state = rule.make_state(VectorView<float>(theta, size));
    for (const float frequency : {2.0f, 3.0f, 4.0f}) step(rule, size, theta, wave(70, frequency).data() + begin, state);
    std::copy_n(theta, size, result.data() + begin);
    begin += size;
  }
  return result;
}

/// Three steps move theta, the first of them downhill, and it stays finite. The same bits for any split of theta, so that a net's
/// training does not depend on how its parameters lie.
template <class Rule>
void check_same_bits(ContractReport& report, const Rule& rule) {
  Vector<float> theta = wave(70, 1);
  auto state = state_for(rule, theta);
  step(rule, theta, wave(70, 2), state);
  const float along = (theta - wave(70, 1)).dot(wave(70, 2));
  report.clause("downhill", along < 0, {"the first step goes along the gradient (", along, "), but it must go in the opposite direction"});
  const Vector<float> whole = stepped_in_pieces(rule, {70}, 0);
  report.clause("moves", whole != wave(70, 1) && whole.allFinite(),
                {"three steps leave theta as it was, or make a number NaN or infinite"});
  for (const auto& sizes : {std::initializer_list<Index>{70}, {1, 15, 16, 17, 21}, {7, 63}, {32, 16, 22}}) {
    const Vector<float> parts = stepped_in_pieces(rule, sizes, 1);
    for (Index i = 0; i < 70; ++i)
      report.clause("pieces", parts[i] == whole[i],
                    {"theta[", i, "] of 70 is ", whole[i], " after three steps, but ", parts[i], " where ", sizes.size(),
                     " pieces of it, the first of ", *sizes.begin(), ", are optimized by themselves"});
  }
}

/// theta after two steps, by a team or without one, and with `between()` called between them on copies of theta and state.
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

/// A state starts as moments() vectors of zeros; all that a rule remembers is in it, so that a step counts once, two nets can share a
/// rule, and a training goes on from a checkpoint; a team of threads makes the same bits.
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
    report.clause("time", state.steps == static_cast<std::uint64_t>(t),
                  {"state.steps is ", state.steps, " after ", t, " steps; a step counts once"});
  }
  const auto nothing = [](auto&, auto&) {};
  const auto others_step = [&](auto&, auto&) {
    Vector<float> other = net.parameters();
    auto others = rule.make_state(net);
    for (int t = 0; t < 5; ++t) step(rule, other, wave(net.size(), 5), others);
  };
  const Vector<float> alone = two_steps(rule, net, nullptr, nothing);
  report.clause("memory", two_steps(rule, net, nullptr, others_step) == alone,
                {"its steps for one net change those for another: all that a rule remembers must lie in the state"});
  const TwoLayers large{25000};
  LastToFirst team;
  report.clause("team", two_steps(rule, large, &team, nothing) == two_steps(rule, large, nullptr, nothing),
                {"two steps by a team of threads (state.team) give other bits than by one"});
}

/// Gradients of 0 alone make no NaN, and a learning rate of 0 leaves theta as it is.
template <class Rule>
void check_nothing_to_do(ContractReport& report, Rule rule, const OptimizerFacts& facts) {
  Vector<float> theta = wave(70, 1);
  auto state = state_for(rule, theta);
  for (int t = 0; t < 2; ++t) step(rule, theta, Vector<float>::Zero(70), state);
  report.clause("zero gradient", theta.allFinite(), {"gradients of 0 make a parameter NaN or infinite: 0/0?"});
  if (!facts.rate_scales_step) return;
  rule.learning_rate = 0;
  const Vector<float> before = theta;
  step(rule, theta, wave(70, 2), state);
  report.clause("rate 0", theta == before,
                {"a step with a learning rate of 0 changes theta; a schedule multiplies the rate, and may end at 0"});
}

/// Weights decay, and biases if they are asked to; what does not decay is bit for bit as without decay.
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
                   "; it is for weights, which state.segments() tells from biases"});
    report.clause("decay", with_biases[i] != without[i] && (is_bias || with_biases[i] == with[i]),
                  {"with decay_biases biases decay too, and weights as before, but theta[", i, "] is ", with_biases[i], " (", with[i],
                   " without it, ", without[i], " without decay)"});
  }
}

/// What cannot be is refused before anything has changed, in an exception of chainrule's that names the rule.
template <class Rule>
void check_refusals(ContractReport& report, Rule rule) {
  const std::string name{Rule::name};
  Vector<float> theta = wave(5, 1);
  const Vector<float> gradient = wave(5, 2), long_gradient = wave(6, 2);
  auto state = state_for(rule, theta);
  step(rule, theta, gradient, state);
  const Vector<float> after = theta, moments = state.flat();
  const auto refused = [&]<class E>(std::type_identity<E>, const std::string& what, auto&& call, const OptimizerState<float>& used) {
    const std::uint64_t steps = used.steps;
    std::string got = "nothing was thrown";
    try {
      call();
    } catch (const E& error) {
      const std::string words = error.what();
      got = words.find(name) != std::string::npos ? "" : "its words do not name the rule: \"" + words + "\"";
    } catch (const std::exception& error) {
      got = detail::text_of("another was thrown: \"", error.what(), "\"");
    }
    report.clause("refusals", got.empty(),
                  {what, " must be refused with a ", std::is_same_v<E, ShapeError> ? "ShapeError" : "ValueError", ", but ", got});
    report.clause("refusals", theta == after && state.flat() == moments && used.steps == steps,
                  {what, " is refused only when theta, a moment or the count of steps has changed"});
  };
  const std::type_identity<ShapeError> shape;
  OptimizerState<float> other_size(4, rule.moments()), other_moments(5, rule.moments() + 7);
  refused(
      shape, "a state for 4 parameters and a theta of 5", [&] { step(rule, theta, gradient, other_size); }, other_size);
  refused(
      shape, "a state with 7 moments more", [&] { step(rule, theta, gradient, other_moments); }, other_moments);
  refused(
      shape, "a gradient of 6 numbers for a theta of 5",
      [&] { rule.step(VectorView<float>(theta.data(), 5), ConstVectorView<float>(long_gradient.data(), 6), state); }, state);
  for (const double rate : {-0.5, std::nan(""), HUGE_VAL, -HUGE_VAL, 1e39}) {  // the last is infinite as a float
    rule.learning_rate = rate;
    refused(
        std::type_identity<ValueError>{}, detail::text_of("a learning_rate of ", rate), [&] { step(rule, theta, gradient, state); }, state);
  }
}

/// All of the above, in float. Clauses: name, downhill, moves, pieces, state, time, memory, team, zero gradient, rate 0, refusals; and
/// decay for a rule that has a weight_decay and decay_biases.
template <class Rule>
ContractReport check_optimizer(const Rule& rule, const OptimizerFacts& facts = {}) {
  static_assert(Optimizer<Rule>, "chainrule: this is no Optimizer; core/optimizer_state.hpp says what one has");
  ContractReport report{.name = std::string(Rule::name), .contract = contract_of<float>("an optimizer")};
  report.clause("name", !report.name.empty(), {"it is empty"});
  check_same_bits(report, rule);
  check_state(report, rule);
  check_nothing_to_do(report, rule, facts);
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
