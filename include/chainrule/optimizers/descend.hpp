#pragma once

#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <utility>

namespace chainrule {

namespace detail {

/// Returns whether the rule is plain SGD, without momentum and weight decay, so that descend can step layer by layer.
template <Optimizer Rule>
bool is_plain_descent(const Rule& rule) {
  if constexpr (std::is_same_v<Rule, SGD>)
    return rule.momentum == 0 && rule.weight_decay == 0 && !rule.nesterov;
  else
    return false;
}

}  // namespace detail

/// Makes steps 3 and 4 of the five after net.forward(x, work): computes dJ/dtheta by the chain rule and makes a step of the rule. The
/// result has the same bits as net.backward(x, y, work, dJ) followed by rule.step(net.parameters(), dJ, state).
///
///     theta <- theta - learning_rate dJ/dtheta
///
/// With plain SGD, without momentum and weight decay, each layer steps as soon as it has computed its dJ/dW, which saves writing dJ/dW to
/// memory and reading it back; dJ then serves as scratch and its content afterwards is unspecified. Shapes and errors are those of backward
/// and step. A call that throws changes nothing.
template <class Net, class X, class Y, class Work, Optimizer Rule, Index... Fixed>
void descend(Net& net, const X& x, const Y& y, Work& work, typename Net::Gradients& dJ, const Rule& rule,
             OptimizerState<typename Net::ScalarType, Fixed...>& state) {
  using Scalar = typename Net::ScalarType;
  detail::check_follows(Rule::name, net.frozen(), state);
  if constexpr (std::is_same_v<Rule, SGD>) {
    if (detail::is_plain_descent(rule)) {
      detail::check_not_negative<Scalar>(Rule::name, "learning_rate", rule.learning_rate);
      detail::check_state_and_decay(rule, std::as_const(net).parameters().size(), state);  // not what dJ holds: it is scratch here
      detail::NetworkAccess::backward_and_step(net, x, y, work, dJ, static_cast<Scalar>(rule.learning_rate));
      ++state.steps;
      return;
    }
  }
  net.backward(x, y, work, dJ);
  rule.step(net.parameters(), dJ, state);
}

}  // namespace chainrule
