#pragma once

#include <chainrule/core/detail/hyperparameter_checks.hpp>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/kernels/map.hpp>

namespace chainrule {
namespace detail {

/// Throws ShapeError unless both sequences have layers of the same kinds and extents. Does not allocate.
template <class Sequence>
void check_same_layers(const char* who, const Sequence& target, const Sequence& net) {
  const std::size_t there = size_of(target.layers()), here = size_of(net.layers());
  if (there != here) raise<ShapeError>(who, ": both must have the same layers, but the target has ", there, " and the network ", here);
  for_each_index(target.layers(), [&](auto i) {
    const auto &of_target = element(target.layers(), i), &of_net = element(net.layers(), i);
    if (of_target.name != of_net.name || of_target.activation_name() != of_net.activation_name() || of_target.inputs() != of_net.inputs() ||
        of_target.outputs() != of_net.outputs() || target.parameter_offset(i + 1) != net.parameter_offset(i + 1) ||
        target.buffer_offset(i + 1) != net.buffer_offset(i + 1))
      raise<ShapeError>(who, ": both must have the same layers, but layer<", std::size_t{i}, "> of the target is ", of_target.name, " ",
                        of_target.activation_name(), " ", of_target.inputs(), " -> ", of_target.outputs(), " with ",
                        target.parameter_offset(i + 1) - target.parameter_offset(i), " parameters, and that of the network ", of_net.name,
                        " ", of_net.activation_name(), " ", of_net.inputs(), " -> ", of_net.outputs(), " with ",
                        net.parameter_offset(i + 1) - net.parameter_offset(i), "; a target is a copy: auto target = net;");
  });
}

}  // namespace detail

/// Moves a target network a share tau towards a network that learns: the soft update of the target networks of DDPG and TD3 (Lillicrap et
/// al. 2016, algorithm 1), and the running mean of the weights (Polyak and Juditsky 1992) of mean teachers and diffusion models, where 1 -
/// tau is called the decay.
///
///     theta_target <- (1 - tau) theta_target + tau theta,   and the same for the buffers
///
/// A result below the smallest normal number is written as 0.
///
/// A target starts as a copy: `auto target = net;`. `target` may be `net` itself, which then stays as it is. Allocates nothing.
///
/// tau: from 0, which changes nothing, to 1, which copies; else ValueError, also for a tau that is 0 as a number of the network's type.
/// Throws ShapeError where the networks have layers of other kinds or extents, which a type of fixed extents rules out. A call that throws
/// has changed nothing.
template <class Target, class Net>
void blend(Target& target, const Net& net, double tau) {
  static_assert(std::is_same_v<Target, Net>, "chainrule: blend(target, net, tau) takes two networks of the same type");
  using Scalar = typename Net::ScalarType;
  if (!detail::is_zero(tau) && !detail::is_within(tau, detail::ScalarRange<Scalar>::smallest, 1))
    detail::refuse_hyperparameter<Scalar>("blend", "tau", tau, "from 0 to 1", detail::is_within(tau, 0, 1));
  const auto theta = net.parameters(), buffers = net.buffers();
  auto target_theta = target.parameters(), target_buffers = target.buffers();
  detail::check_same_layers("blend", detail::NetworkAccess::sequence(target), detail::NetworkAccess::sequence(net));
  if (&target == &net) return;
  const auto formula = [keep = static_cast<Scalar>(1 - tau), share = static_cast<Scalar>(tau)](const auto& here, auto& there)
                           CHAINRULE_FORMULA { there = flush_subnormal(keep * there + share * here); };
  kernels::update(theta.size(), formula, theta.data(), target_theta.data());
  kernels::update(buffers.size(), formula, buffers.data(), target_buffers.data());
}

}  // namespace chainrule
