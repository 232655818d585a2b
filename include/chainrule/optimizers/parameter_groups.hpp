#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/scope_exit.hpp>
#include <chainrule/core/parameter_group.hpp>
#include <chainrule/optimizers/detail/skips_frozen.hpp>
#include <memory>
#include <vector>

namespace chainrule {

/// An optimizer with a learning rate and a weight decay of their own for some layers or tensors (parameter groups in PyTorch):
/// @code{.cpp}
/// // the first layer learns ten times slower, the last one has no weight decay
/// ParameterGroups rule{AdamW{.learning_rate = 1e-3}, {{.name = "0", .rate = 0.1}, {.name = "2", .decay = 0}}};
/// Trainer trainer{net, rule};  // or: auto state = rule.make_state(net); rule.step(net.parameters(), dJ, state);
/// @endcode
/// The factors of all groups that name a tensor are multiplied; a tensor that no group names has those of the optimizer. `rate` is a factor
/// on learning_rate wherever the optimizer's formula has it, also where AdamW multiplies it with its weight decay; Rprop uses it in its
/// first step alone. `decay` is a factor on the optimizer's weight_decay, which does not apply to biases unless decay_biases is set.
///
/// It has the members of the optimizer, such as learning_rate, which schedules change. A step gives each parameter the bits that it has
/// with the optimizer whose learning_rate and weight_decay are multiplied by its factors. It makes one pass for each pair of factors, each
/// over its own parameters, and allocates nothing. It works for any optimizer whose step goes by state.segments(), such as one made with
/// formula_step.
template <Optimizer Rule>
class ParameterGroups : public Rule {
 public:
  /// Throws ValueError for a factor that is negative or not finite, and for a factor on the weight decay of an optimizer without one;
  /// StateError for an optimizer that steps through all of theta.
  ParameterGroups(const Rule& rule, std::vector<ParameterGroup> groups) : Rule(rule), groups_{share(checked(rule, std::move(groups)))} {}

  /// The groups, in the order given.
  const std::vector<ParameterGroup>& groups() const { return **groups_; }

  /// Makes the state for a network: all moments are 0. Throws ValueError for a group that names no tensor of the network.
  template <HasParameters Net>
  auto make_state(const Net& net) const {
    auto state = Rule::make_state(net);
    if constexpr (requires { net.layers(); }) {
      state.set_groups(net, *groups_);
    } else if (!groups().empty()) {
      detail::raise<ValueError>(Rule::name, ": groups of parameters need a network, whose tensors have names; make_state(net)");
    }
    return state;
  }

  /// Makes one step. Arguments and errors are those of the optimizer; StateError for a state that was not made by make_state of an
  /// optimizer with these groups, ValueError where a factor makes learning_rate or weight_decay too large.
  template <class Theta, class Gradient, class Scalar, Index... Fixed>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar, Fixed...>& state) const {
    if (groups().empty()) return Rule::step(theta, gradient, state);
    if (!state.has_groups() || (state.groups() != *groups_ && *state.groups() != groups()))
      detail::raise<StateError>(Rule::name, ": the state ", state.has_groups() ? "was made for other groups" : "has no groups",
                                " of parameters; make_state(net) of this ParameterGroups makes one");
    for (const Segment& segment : state.segments()) static_cast<void>(scaled<Scalar>(segment));
    const std::uint64_t steps = state.steps;
    std::uint64_t steps_after = steps;
    const detail::ScopeExit finish([&] {
      state.select(nullptr);
      state.steps = steps_after;
    });
    const auto segments = state.segments();
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const auto has_its_factors = [&](const Segment& s) { return s.rate == segments[i].rate && s.decay == segments[i].decay; };
      if (std::any_of(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(i), has_its_factors)) continue;
      state.steps = steps;
      state.select(&segments[i]);
      scaled<Scalar>(segments[i]).step(theta, gradient, state);
      steps_after = steps + 1;
    }
  }

 private:
  using Shared = std::shared_ptr<const std::vector<ParameterGroup>>;
  static Shared share(std::vector<ParameterGroup> groups) { return std::make_shared<const std::vector<ParameterGroup>>(std::move(groups)); }

  static std::vector<ParameterGroup> checked(const Rule& rule, std::vector<ParameterGroup> groups) {
    for (const ParameterGroup& group : groups) {
      const std::string who = detail::text_of("ParameterGroups, \"", group.name, "\"");
      detail::check_not_negative(who, "rate", group.rate);
      detail::check_not_negative(who, "decay", group.decay);
      if constexpr (!requires { rule.weight_decay; })
        if (!detail::is_zero(group.decay - 1))
          detail::raise<ValueError>(who, ": ", Rule::name, " has no weight_decay, so it takes no factor on it");
    }
    detail::check_skips_frozen<float>(rule);
    return groups;
  }

  // The optimizer with the factors of this segment.
  template <class Scalar>
  Rule scaled(const Segment& segment) const {
    Rule rule = *this;
    rule.learning_rate *= segment.rate;
    // a factor may come so close to 0 that Scalar cannot hold the rate
    if (detail::is_within(rule.learning_rate, 0, detail::ScalarRange<Scalar>::smallest)) rule.learning_rate = 0;
    detail::check_not_negative<Scalar>(Rule::name, "learning_rate", rule.learning_rate);
    if constexpr (requires { rule.weight_decay; }) {
      rule.weight_decay *= segment.decay;
      if (detail::is_within(rule.weight_decay, 0, detail::ScalarRange<Scalar>::smallest)) rule.weight_decay = 0;
      detail::check_not_negative<Scalar>(Rule::name, "weight_decay", rule.weight_decay);
    }
    return rule;
  }

  detail::CopiedByMove<Shared> groups_;  // shared, so that a copy for each step allocates nothing
};

}  // namespace chainrule
