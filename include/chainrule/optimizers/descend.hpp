#pragma once

#include <chainrule/optimizers/sgd.hpp>

namespace chainrule {

namespace detail {

/// Whether descend makes a rule's step as it goes: of plain SGD, without momentum and weight decay.
template <Optimizer Rule>
bool is_plain_descent(const Rule& rule) {
  if constexpr (std::is_same_v<Rule, SGD>)
    return rule.momentum == 0 && rule.weight_decay == 0 && !rule.nesterov;
  else
    return false;
}

}  // namespace detail

/// Steps 3 and 4 of the five after `net.forward(x, work)`: dJ/dtheta by the chain rule, and a step of the rule. With plain SGD, without
/// momentum and weight decay, each layer steps as soon as it has its dJ/dW, which so need not go to memory and back; dJ is then room to
/// work in. With all other rules it is `net.backward(x, y, work, dJ)` and `rule.step(net.parameters(), dJ, state)`. To the same bits.
///     theta <- theta - learning_rate dJ/dtheta
/// Shapes and errors are those of backward and step, and what throws has changed nothing.
template <class Net, class X, class Y, class Work, Optimizer Rule>
void descend(Net& net, const X& x, const Y& y, Work& work, typename Net::Gradients& dJ, const Rule& rule,
             OptimizerState<typename Net::ScalarType>& state) {
  using Scalar = typename Net::ScalarType;
  if constexpr (std::is_same_v<Rule, SGD>) {
    if (detail::is_plain_descent(rule)) {
      auto theta = net.parameters();
      detail::step_arguments<Scalar>(rule, theta, dJ, state);
      net.backward_and_step(x, y, work, dJ, static_cast<Scalar>(rule.learning_rate));
      ++state.steps;
      return;
    }
  }
  net.backward(x, y, work, dJ);
  rule.step(net.parameters(), dJ, state);
}

}  // namespace chainrule
